"""From dnspython's records to ours, in the C library's spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import AGAIN, FAIL, NODATA, NOMATCH, SUCCEED, Answer, Record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    import dns.message
    import dns.name
    import dns.rrset


def name_text(name: dns.name.Name) -> str:
    """A name without its last dot; special characters escaped as the C library does. The root is empty."""
    return name.to_text(omit_final_dot=True) if len(name) > 1 else ""


def records_of(rrsets: Iterable[dns.rrset.RRset]) -> list[Record]:
    """The records of a section, in order."""
    import dns.rdatatype

    found = []
    for rrset in rrsets:
        owner, type_ = name_text(rrset.name), dns.rdatatype.to_text(rrset.rdtype)
        for rdata in rrset:
            found.append(Record(owner, type_, rrset.ttl, _fields(type_, rdata)))
    return found


def _fields(type_: str, rdata: Any) -> tuple[Any, ...]:
    if type_ in ("A", "AAAA"):
        from socket import AF_INET, AF_INET6, inet_ntop

        return (inet_ntop(AF_INET if type_ == "A" else AF_INET6, rdata.to_wire()),)
    if type_ in ("CNAME", "NS", "PTR"):
        return (name_text(rdata.target),)
    if type_ == "MX":
        return rdata.preference, name_text(rdata.exchange)
    if type_ == "SRV":
        return rdata.priority, rdata.weight, rdata.port, name_text(rdata.target)
    if type_ == "SOA":
        return (
            name_text(rdata.mname), name_text(rdata.rname), rdata.serial, rdata.refresh, rdata.retry,
            rdata.expire, rdata.minimum,
        )  # fmt: skip
    if type_ in ("TXT", "SPF"):
        return tuple(text.decode("latin-1") for text in rdata.strings)
    if type_ == "TLSA":
        return rdata.usage, rdata.selector, rdata.mtype, rdata.cert.hex()
    return (rdata.to_text(),)


def answer_of(response: dns.message.Message) -> Answer:
    """Read a response as the C library's resolver does: its outcome from code and sections."""
    import dns.flags
    import dns.rcode

    records = records_of(response.answer)
    authority = records_of(response.authority)
    secure = bool(response.flags & dns.flags.AD)
    authoritative = bool(response.flags & dns.flags.AA)
    code = response.rcode()
    if code == dns.rcode.NXDOMAIN:
        outcome = NOMATCH
    elif code in (dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTIMP):
        # the C library asks the next server then, and in the end has none
        outcome = AGAIN
    elif code != dns.rcode.NOERROR:
        outcome = FAIL
    else:
        outcome = SUCCEED if records else NODATA
    reason = "" if outcome == SUCCEED else dns.rcode.to_text(code)
    return Answer(outcome, records, authority, secure, authoritative, reason)
