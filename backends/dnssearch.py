"""What the C library's resolver does around a question: search list, queries on the wire, waiting times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import AGAIN, NODATA, NOMATCH, SUCCEED, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import dns.message

    One = Callable[[str, str, dict[str, Any]], Answer]


def searched(one: One, name: str, rdtype: str, how: dict[str, Any], search: Sequence[str]) -> Answer:
    """Ask for a name and, as ``qualify_single`` and ``search_parents`` say, for it below the search list.

    A name with a dot is tried as it is first, one without a dot last (ndots 1). resolver(3).
    """
    qualify, parents = bool(how.get("qualify_single")), bool(how.get("search_parents"))
    if name.endswith("."):
        return one(name, rdtype, how)
    dots = "." in name
    candidates = []
    if (not dots and qualify) or (dots and parents):
        candidates = list(search) if parents else list(search)[:1]
    if not candidates:
        return one(name, rdtype, how)
    first: Answer | None = None
    if dots:
        first = one(name, rdtype, how)
        if first.outcome == SUCCEED:
            return first
    no_data = again = False
    for domain in candidates:
        answer = one(f"{name}.{domain}", rdtype, how)
        if answer.outcome == SUCCEED:
            return answer
        if answer.outcome == NODATA:
            no_data = True
        elif answer.outcome == AGAIN:
            if answer.reason != "SERVFAIL":
                return first or answer
            again = True
        elif answer.outcome != NOMATCH:
            return first or answer
    if first is None:
        first = one(name, rdtype, how)
        if first.outcome == SUCCEED:
            return first
    if first.outcome != NOMATCH:
        return first
    if no_data:
        return Answer(NODATA)
    return Answer(AGAIN, reason="SERVFAIL") if again else first


def escaped(name: str) -> str:
    """A name as zone files write it: what is no letter, digit or the like by its number; escapes stay."""
    safe = "".join(char if "!" <= char < "\x7f" else f"\\{ord(char):03d}" for char in name)
    return "\\@" if safe == "@" else safe


def wire_query(name: str, rdtype: str, how: dict[str, Any]) -> dns.message.Message | None:
    """The query for a question, None where the name cannot be asked for (a label too long, or empty)."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rdatatype

    if not name:
        return None
    try:
        asked = dns.name.from_text(escaped(name))
    except (dns.exception.DNSException, ValueError):
        return None
    query = dns.message.make_query(asked, dns.rdatatype.from_text(rdtype))
    edns = how.get("edns")
    if how.get("dnssec"):
        query.flags |= dns.flags.AD
        query.use_edns(0, dns.flags.DO, payload=1200)
    elif edns is not None and edns not in (-1, 0):
        query.use_edns(0, payload=1200)
    return query
