"""Asking the DNS by Exim's rules: names checked, CNAMEs followed, failures named (manual 9.10, 14.10).

The door (:class:`eximious.interpreter.protocols.Resolver`) answers one question at a time; what Exim does
around a question is here. Nothing here opens a socket, and dnspython is not needed to read an answer.

Outcomes are Exim's: SUCCEED, NOMATCH (no such name), NODATA (no such record), AGAIN (temporary), FAIL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.logs import log_write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from eximious.interpreter.context import Context

SUCCEED, NOMATCH, NODATA, AGAIN, FAIL = "succeed", "nomatch", "nodata", "again", "fail"

CHECK_NAMES = r"(?i)^(?>(?(1)\.|())[^\W](?>[a-z0-9/_-]*[^\W])?)+(\.?)$"  #: default of dns_check_names_pattern
CSA_SEARCH_LIMIT = 5  #: default of dns_csa_search_limit


class Record:
    """One record: ``name`` without its last dot, ``type`` as text, ``ttl`` in seconds, ``data`` by type.

    ``data``: A, AAAA (address,); CNAME, NS, PTR (name,); MX (preference, name); SRV (priority, weight, port,
    name); SOA (server, mailbox, serial, refresh, retry, expire, minimum); TXT, SPF the strings; TLSA (usage,
    selector, matching type, hexadecimal); other types (text,). Names have no last dot; the root is empty.
    """

    __slots__ = ("data", "name", "ttl", "type")

    def __init__(self, name: str, type_: str, ttl: int, data: tuple[Any, ...]) -> None:
        self.name, self.type, self.ttl, self.data = name, type_, ttl, data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self._all())

    def _all(self) -> tuple[Any, ...]:
        return self.name, self.type, self.ttl, self.data

    def __repr__(self) -> str:
        return f"Record({self.name!r}, {self.type!r}, {self.ttl!r}, {self.data!r})"


class Answer:
    """An answer: ``outcome``, the records of the answer section in their order, those of the authority.

    ``secure``: the AD flag; ``authoritative``: the AA flag. ``reason``: why there is no answer (traces).
    """

    __slots__ = ("authoritative", "authority", "outcome", "reason", "records", "secure")

    def __init__(
        self,
        outcome: str,
        records: list[Record] | None = None,
        authority: list[Record] | None = None,
        secure: bool = False,
        authoritative: bool = False,
        reason: str = "",
    ) -> None:
        self.outcome = outcome
        self.records = [] if records is None else records
        self.authority = [] if authority is None else authority
        self.secure, self.authoritative, self.reason = secure, authoritative, reason

    def of(self, type_: str) -> Iterator[Record]:
        """The records of one type."""
        return (record for record in self.records if record.type == type_)

    def __repr__(self) -> str:
        return f"Answer({self.outcome}, {self.records!r})"


class Asking:
    """How questions are asked: what Exim sets in the resolver before it asks.

    ``dnssec``: ask for signed data. ``retrans`` (seconds) and ``retry`` (times), 0 for the resolver's own.
    ``qualify_single`` and ``search_parents``: try the resolver's domain, or its search list.
    """

    __slots__ = ("dnssec", "qualify_single", "retrans", "retry", "search_parents")

    def __init__(
        self,
        dnssec: bool = False,
        qualify_single: bool = False,
        search_parents: bool = False,
        retrans: int = 0,
        retry: int = 0,
    ) -> None:
        self.dnssec, self.qualify_single, self.search_parents = dnssec, qualify_single, search_parents
        self.retrans, self.retry = retrans, retry


PLAIN = Asking()


def basic_lookup(ctx: Context, name: str, type_: str, asking: Asking = PLAIN) -> Answer:
    """Ask one question; the records may be a CNAME only. Failures are kept for the run, as in Exim."""
    options = ctx.env.options
    if not name.isascii():
        converted = _with_alabels(name)
        if converted is None:
            return Answer(NOMATCH, reason="name syntax")
        name = converted
    pattern = options.get("dns_check_names_pattern")
    if pattern is None:
        pattern = CHECK_NAMES
    if pattern and type_ not in ("PTR", "TXT"):
        checked = name
        if type_ in ("SRV", "TLSA"):
            while checked.startswith("_") and "." in checked:
                checked = checked.partition(".")[2]
        if not _name_is_good(pattern, checked):
            return Answer(NOMATCH, reason="name syntax")
    failures: dict[tuple[str | bool, ...], tuple[Answer, float | None]] = ctx.env.kept.setdefault(
        "dns failures", {}
    )
    key = (name[:255].lower(), type_, asking.dnssec, asking.qualify_single, asking.search_parents)
    known = failures.get(key)
    if known is not None and (known[1] is None or known[1] > ctx.env.doors.clock.now()):
        return known[0]
    answer: Answer = ctx.env.doors.resolver.query(
        name,
        type_,
        dnssec=asking.dnssec,
        edns=options.get("dns_use_edns0"),
        retrans=asking.retrans or options.get("dns_retrans") or 0,
        retry=asking.retry or options.get("dns_retry") or 0,
        qualify_single=asking.qualify_single,
        search_parents=asking.search_parents,
    )
    if answer.outcome == SUCCEED:
        return answer
    if answer.outcome == AGAIN and _again_means_nonexist(ctx, name):
        answer = Answer(NOMATCH, reason="dns_again_means_nonexist")
    # What is kept has no packet to show that it was signed; it is kept as long as the SOA record says.
    soa = next((record for record in answer.authority if record.type == "SOA"), None)
    until = None if soa is None else ctx.env.doors.clock.now() + min(soa.ttl, soa.data[6])
    failures[key] = Answer(answer.outcome, reason=answer.reason), until
    if soa is None:
        answer.secure = False
    return answer


def _again_means_nonexist(ctx: Context, name: str) -> bool:
    """Whether the option dns_again_means_nonexist has the name; looking that up may not ask for the same again."""
    inside: set[str] = ctx.env.kept.setdefault("dns_again_means_nonexist", set())
    wanted = name.lower()
    if wanted in inside:
        log_write(ctx, f"dns_again_means_nonexist recursion seen for {name} (assuming nonexist)")
        return True
    inside.add(wanted)
    try:
        return in_domain_list(ctx, name, ctx.env.options.get("dns_again_means_nonexist"))
    finally:
        inside.discard(wanted)


def lookup(ctx: Context, name: str, type_: str, asking: Asking = PLAIN) -> tuple[Answer, str]:
    """Ask, and ask again where a CNAME leads (``dns_cname_loops`` times). Gives answer and full name.

    An answer is secure only if all of the chain was.
    """
    options = ctx.env.options
    loops = options.get("dns_cname_loops")
    full_name = name
    secure = True
    asked = name
    for round_ in range((1 if loops is None else int(loops)) + 1):
        answer = basic_lookup(ctx, asked, type_, asking)
        if answer.outcome != SUCCEED:
            return answer, full_name
        cname = found = None
        for record in answer.records:
            if record.type == type_:
                found = found or record
                if cname is not None:
                    break
            elif record.type == "CNAME":
                cname = record
        if round_ == 0:
            first = cname or found
            if first is not None and first.name != full_name and not first.name.startswith("*"):
                full_name = first.name
        if found is not None:
            if not secure:
                answer = Answer(SUCCEED, answer.records, answer.authority)
            return answer, full_name
        if cname is None:
            return Answer(FAIL, reason="no record in the answer"), full_name
        asked = cname.data[0]
        secure = secure and is_secure(ctx, answer)
    log_write(ctx, f"CNAME loop for {name} encountered")
    return Answer(FAIL, reason="CNAME loop"), full_name


def special_lookup(ctx: Context, name: str, type_: str, asking: Asking = PLAIN) -> tuple[Answer, str]:
    """As :func:`lookup`, for the types MXH, ZNS, SOA and CSA too (manual 9.12)."""
    if type_ == "MXH":
        return lookup(ctx, name, "MX", asking)
    if type_ in ("ZNS", "SOA"):
        return _ancestors(ctx, name, "NS" if type_ == "ZNS" else "SOA", asking)
    if type_ == "CSA":
        return _csa(ctx, name, asking)
    return lookup(ctx, name, type_, asking)


def _ancestors(ctx: Context, name: str, type_: str, asking: Asking) -> tuple[Answer, str]:
    """The first of the name and its parents that has such records."""
    rest = name
    while True:
        answer, full_name = lookup(ctx, rest, type_, asking)
        if answer.outcome not in (NOMATCH, NODATA):
            return answer, full_name
        _, dot, rest = rest.partition(".")
        if not dot:
            return Answer(NOMATCH), name


def _csa(ctx: Context, name: str, asking: Asking) -> tuple[Answer, str]:
    """Client SMTP Authorization: the name's own record, else an assertion by a parent, from the top down."""
    answer, _ = lookup(ctx, f"_client._smtp.{name}", "SRV", asking)
    if answer.outcome in (SUCCEED, AGAIN):
        return answer, name
    at = name.rfind(".")
    if at < 0:
        return Answer(NOMATCH), name
    limit = ctx.env.options.get("dns_csa_search_limit")
    limit = CSA_SEARCH_LIMIT if limit is None else int(limit)
    ipv6 = False
    suffix = name[at:].lower()
    if suffix == ".arpa":
        if at > 8 and name[at - 8 :].lower() == ".in-addr.arpa":
            at, limit = at - 8, 3
        elif at > 4 and name[at - 4 :].lower() == ".ip6.arpa":
            at, limit, ipv6 = at - 4, 3, True
    if answer.outcome == NOMATCH:
        # Exim means to stop here only where the top or second level does not exist; 4.96 always stops
        return Answer(NOMATCH), name
    for _ in range(limit):
        at = at - 8 if ipv6 else name.rfind(".", 0, at)
        if at <= 0:
            return Answer(NOMATCH), name
        parent = name[at + 1 :]
        answer, _ = lookup(ctx, f"_client._smtp.{parent}", "SRV", asking)
        if answer.outcome == AGAIN:
            return answer, name
        if answer.outcome != SUCCEED:
            continue
        for record in answer.of("SRV"):
            priority, _, port, _ = record.data
            if priority == 1 and port & 1:
                return answer, parent
    return Answer(NOMATCH), name


def is_secure(ctx: Context, answer: Answer) -> bool:
    """Whether an answer is signed data: the AD flag, or AA from a server that is trusted (dns_trust_aa)."""
    if answer.secure:
        return True
    trusted = ctx.env.options.get("dns_trust_aa")
    if not answer.authoritative or not trusted:
        return False
    name = _authority_name(answer)
    return name is not None and in_domain_list(ctx, name, trusted)


def _authority_name(answer: Answer) -> str | None:
    for record in answer.authority:
        if record.type in ("NS", "SOA"):
            return record.name
    return None


def reverse_name(address: str) -> str:
    """Give the name under in-addr.arpa or ip6.arpa for an IP address (RFC 1035, RFC 3596)."""
    if ":" not in address:
        return ".".join(reversed(address.split("."))) + ".in-addr.arpa"
    from eximious.interpreter.ipaddress import parse_ip

    parsed = parse_ip(address)
    if parsed is None:
        raise ValueError(f"not an IP address: {address}")
    return ".".join(reversed(f"{parsed[1]:032x}")) + ".ip6.arpa"


def in_domain_list(ctx: Context, name: str, list_text: str | None) -> bool:
    """Match a name against an option that is a domain list.

    As in Exim it leaves its captures behind, and its subject as ``$0`` to whoever sets that next. The
    matcher builds on this package, so it is found by name, as the registries find their modules.
    """
    if not list_text:
        return False
    from importlib import import_module

    result = import_module("eximious.conditions.lists.match").match_domain(ctx, name, list_text)
    if result.captures is not None:
        ctx.captures = result.captures
        ctx.scratch["matched subject"] = name.lower()
    return bool(result.matched)


def _with_alabels(name: str) -> str | None:
    """A name with its UTF-8 labels as A-labels (RFC 5891); None where it cannot have them."""
    from eximious.interpreter import idna

    small = "".join([char.lower() if char.isascii() else char for char in name])
    try:
        return idna.to_ascii(small.encode("latin-1").decode("utf-8"))
    except (UnicodeDecodeError, idna.IdnaError):
        return None


def _name_is_good(pattern: str, name: str) -> bool:
    """Whether a name passes dns_check_names_pattern."""
    if pattern == CHECK_NAMES:
        return _DEFAULT_NAMES.match(name) is not None
    from eximious.interpreter.regex import compile_regex

    return compile_regex(pattern).matches(name)


_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9/_-]*[A-Za-z0-9_])?"
#: what the default pattern accepts, said without its conditional group
_DEFAULT_NAMES = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?$", re.ASCII)
