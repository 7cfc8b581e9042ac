"""Hosts of a domain from the DNS, as routing wants them: SRV, then MX, then address records (manual 17.3).

:func:`find_by_dns` knows everything that options of routers can ask for; what it does not know is what the result
is used for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import (
    AGAIN,
    FAIL,
    NOMATCH,
    SUCCEED,
    Answer,
    Asking,
    in_domain_list,
    is_secure,
    lookup,
)
from eximious.interpreter.hosts import (
    FIND_AGAIN,
    FIND_FAILED,
    FIND_SECURITY,
    FOUND,
    FOUND_LOCAL,
    IGNORED,
    Host,
    Hosts,
    ignored,
    scan_for_local,
)
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.logs import log_write

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

SRV, MX, ADDRESSES = "SRV", "MX", "addresses"


class Search:
    """What to look for, and how.

    ``kinds``: SRV, MX and ADDRESSES, as far as they are wanted; ``service``: for SRV. ``ignore``: a host list of
    addresses to pass over. ``srv_fail`` and ``mx_fail``: domains whose failed lookups count as no record.
    ``dnssec_request`` and ``dnssec_require``: domains (lists). ``ipv4_only``, ``ipv4_prefer``: as the options.
    """

    __slots__ = (
        "dnssec_request", "dnssec_require", "ignore", "ipv4_only", "ipv4_prefer", "kinds", "mx_fail", "qualify_single",
        "search_parents", "service", "srv_fail",
    )  # fmt: skip

    def __init__(self, kinds: tuple[str, ...] = (ADDRESSES,)) -> None:
        self.kinds = kinds
        self.service = ""
        self.ignore: str | None = None
        self.srv_fail: str | None = None
        self.mx_fail: str | None = None
        self.dnssec_request: str | None = None
        self.dnssec_require: str | None = None
        self.ipv4_only = self.ipv4_prefer = False
        self.qualify_single = self.search_parents = False


class Found(Hosts):
    """What came of it. ``first``: the first host even where nothing is of use: its ``mx`` and name say why.

    ``bad_name``: the name asked for could not be a domain.
    """

    __slots__ = ("bad_name", "first")

    def __init__(self, outcome: str, hosts: list[Host] | None = None, full_name: str = "") -> None:
        super().__init__(outcome, hosts, full_name)
        self.first: Host | None = None
        self.bad_name = False


def find_by_dns(ctx: Context, name: str, search: Search) -> Found:
    """Find the hosts for a domain (or the addresses of a host) in the DNS.

    The outcome is FOUND, FOUND_LOCAL (the best one is this host), FIND_FAILED, FIND_AGAIN or FIND_SECURITY.
    """
    require = in_domain_list(ctx, name, search.dnssec_require)
    request = require or in_domain_list(ctx, name, search.dnssec_request)
    asking = Asking(
        dnssec=request, qualify_single=search.qualify_single, search_parents=search.search_parents
    )
    found = Found(FIND_FAILED, full_name=name)
    answer: Answer | None = None
    kind = ""
    if SRV in search.kinds:
        kind = SRV
        answer = _service(ctx, name, search, asking, require, found)
        if answer is None:
            return found
    if (answer is None or answer.outcome != SUCCEED) and MX in search.kinds:
        kind = MX
        answer = _exchangers(ctx, name, search, asking, require, found)
        if answer is None:
            return found
    if answer is None or answer.outcome != SUCCEED:
        if ADDRESSES in search.kinds:
            _own_addresses(ctx, name, search, asking, require, found)
        return found
    hosts = _targets(ctx, answer, kind)
    if not hosts:
        return found
    found.first = hosts[0]
    if len(hosts) == 1 and not hosts[0].name:
        return found  # no service: RFC 7505, RFC 2782
    return _resolved(ctx, hosts, search, asking, require, found, is_secure(ctx, answer))


def _insecure(ctx: Context, line: str) -> None:
    if not ctx.env.log_testing:
        log_write(ctx, line)


def _service(
    ctx: Context, name: str, search: Search, asking: Asking, require: bool, found: Found
) -> Answer | None:
    """The SRV records; None where the search ends there."""
    prefix = f"_{search.service}._tcp."
    answer, full_name = lookup(ctx, f"{prefix}{name[:256]}", "SRV", asking)
    if full_name.lower() != f"{prefix}{name}".lower() and full_name.startswith(prefix):
        found.full_name = full_name[len(prefix) :]
    if answer.outcome == SUCCEED and require and not is_secure(ctx, answer):
        log_write(ctx, f"dnssec fail on SRV for {name[:256]}", "host_lookup_failed main")
        answer = Answer(FAIL)
    if answer.outcome in (FAIL, AGAIN) and not in_domain_list(ctx, name, search.srv_fail):
        found.outcome = FIND_AGAIN
        return None
    return answer


def _exchangers(
    ctx: Context, name: str, search: Search, asking: Asking, require: bool, found: Found
) -> Answer | None:
    """The MX records; None where the search ends there."""
    answer, found.full_name = lookup(ctx, name, "MX", asking)
    if answer.outcome == NOMATCH:
        found.bad_name = answer.reason == "name syntax"
        return None
    if answer.outcome == SUCCEED and require and not is_secure(ctx, answer):
        _insecure(ctx, f"dnssec fail on MX for {name[:256]}")
        if not in_domain_list(ctx, name, search.mx_fail):
            found.outcome = FIND_SECURITY
            return None
        answer = Answer(FAIL)
    if answer.outcome in (FAIL, AGAIN) and not in_domain_list(ctx, name, search.mx_fail):
        found.outcome = FIND_AGAIN
        return None
    return answer


def _own_addresses(
    ctx: Context, name: str, search: Search, asking: Asking, require: bool, found: Found
) -> None:
    """The domain's own address records."""
    host = Host(name)
    outcome, hosts, full_name = _addresses(ctx, host, search, asking, require, False)
    if full_name:
        found.full_name = full_name
    found.first = hosts[0] if hosts else host
    found.bad_name = host.status == "bad name"
    if outcome != FOUND:
        found.outcome = FIND_FAILED if outcome == IGNORED else outcome
        return
    scanned = scan_for_local(ctx, hosts)
    found.outcome, found.hosts, found.removed = scanned.outcome, scanned.hosts, scanned.removed


# ---- hosts that records point to


def _targets(ctx: Context, answer: Answer, kind: str) -> list[Host]:
    """The hosts of MX or SRV records in the order of use, without doubles."""
    hosts: list[Host] = []
    below = ctx.env.doors.chance.below
    for record in answer.of(kind):
        if kind == MX:
            preference, name = record.data
            weight, port = below(500), -1
        else:
            preference, weight, port, name = record.data
        known = next((one for one in hosts if one.name.lower() == name.lower()), None)
        if known is not None:
            if preference >= known.mx:
                continue
            hosts.remove(known)
        host = Host(name, mx=preference, port=port)
        host.order = preference * 1000 + weight
        hosts.append(host)
    hosts.sort(key=lambda one: one.order)
    if kind == SRV:
        hosts = _by_weight(hosts, below)
    return hosts


def _by_weight(hosts: list[Host], below: object) -> list[Host]:
    """Order the hosts of one priority by chance, in proportion to their weights (RFC 2782)."""
    out: list[Host] = []
    rest = list(hosts)
    while rest:
        group = [one for one in rest if one.mx == rest[0].mx]
        rest = rest[len(group) :]
        while group:
            weights = [one.order % 1000 for one in group]
            total = sum(weights)
            pick = below(total + 1) if total else 0  # type: ignore[operator]
            running = 0
            for at, weight in enumerate(weights):
                running += weight
                if running >= pick:
                    out.append(group.pop(at))
                    break
    return out


def _resolved(
    ctx: Context,
    hosts: list[Host],
    search: Search,
    asking: Asking,
    require: bool,
    found: Found,
    secure: bool,
) -> Found:
    """Find the addresses of hosts, and take this host out."""
    with_addresses: list[Host] = []
    trouble = ""
    to_addresses = bool(ctx.env.options.get("allow_mx_to_ip"))
    for host in hosts:
        host.secure = secure if asking.dnssec else None
        outcome, several, _ = _addresses(ctx, host, search, asking, require, to_addresses)
        if outcome == FOUND:
            with_addresses += several
            continue
        if outcome in (FIND_AGAIN, FIND_SECURITY):
            trouble = outcome
        if outcome != IGNORED:
            host.status = "unusable"
            with_addresses.append(host)
    if not with_addresses:
        # all of them are to be ignored
        found.first = hosts[-1]
        found.outcome = trouble or FIND_FAILED
        return found
    with_addresses = _six_before_four(ctx, _without_doubles(with_addresses), search)
    found.first = with_addresses[0]
    scanned = scan_for_local(ctx, with_addresses)
    found.hosts, found.removed = scanned.hosts, scanned.removed
    found.outcome = scanned.outcome
    if scanned.outcome == FIND_FAILED and trouble:
        found.outcome = trouble
    return found


def _without_doubles(hosts: list[Host]) -> list[Host]:
    """Leave out addresses that a host before has already, with the same port."""
    known: set[tuple[str, int]] = set()
    out = []
    for host in hosts:
        if host.address is not None:
            if (host.address, host.port) in known:
                continue
            known.add((host.address, host.port))
        out.append(host)
    return out


def _six_before_four(ctx: Context, hosts: list[Host], search: Search) -> list[Host]:
    """Put IPv6 addresses before others of the same preference (RFC 3974), or behind them with ipv4_prefer."""
    if ctx.env.options.get("disable_ipv6"):
        return hosts
    out: list[Host] = []
    at = 0
    while at < len(hosts):
        end = at
        while end < len(hosts) and hosts[end].mx == hosts[at].mx:
            end += 1
        group = hosts[at:end]
        if hosts[at].mx >= 0 and all(one.address is not None for one in group):
            preferred = search.ipv4_prefer

            def is_first(one: Host, four: bool = preferred) -> bool:
                return (":" not in str(one.address)) is four

            group = [one for one in group if is_first(one)] + [one for one in group if not is_first(one)]
        out += group
        at = end
    return out


def _addresses(
    ctx: Context, host: Host, search: Search, asking: Asking, require: bool, literal_is_good: bool
) -> tuple[str, list[Host], str]:
    """The addresses of one host: outcome, a host for each address, the full name."""
    literal = parse_ip(host.name)
    if literal is not None and literal_is_good:
        if ignored(ctx, host.name, host.name, search.ignore):
            return IGNORED, [], ""
        return FOUND, [_copy(host, host.name)], ""
    found: list[Host] = []
    full_name = ""
    again = passed_over = insecure = False
    for type_ in _families(ctx, host.name, search):
        answer, name = lookup(ctx, host.name, type_, asking)
        if answer.outcome != SUCCEED:
            if answer.outcome in (AGAIN, FAIL):
                again = True
            elif answer.reason == "name syntax":
                host.status = "bad name"
            continue
        full_name = full_name or name
        secure = is_secure(ctx, answer)
        if require and not secure:
            _insecure(ctx, f"dnssec fail on {type_} for {host.name[:256]}")
            insecure = insecure or type_ == "A"  # an insecure AAAA alone counts as none
            continue
        for record in answer.of(type_):
            address = str(record.data[0])
            if ignored(ctx, host.name, address, search.ignore):
                passed_over = True
            elif not any(one.address == address for one in found):
                if record.name.lower() != host.name.lower():
                    host.name = record.name  # the name behind an alias
                copy = _copy(host, address)
                copy.secure = secure and host.secure is not False if asking.dnssec else None
                found.append(copy)
    if found:
        return FOUND, found, full_name
    if passed_over:
        return IGNORED, [], full_name
    if insecure:
        return FIND_SECURITY, [], full_name
    return (FIND_AGAIN if again else FIND_FAILED), [], full_name


def _families(ctx: Context, name: str, search: Search) -> tuple[str, ...]:
    options = ctx.env.options
    if (
        options.get("disable_ipv6")
        or search.ipv4_only
        or in_domain_list(ctx, name, options.get("dns_ipv4_lookup"))
    ):
        return ("A",)
    return ("A", "AAAA") if search.ipv4_prefer else ("AAAA", "A")


def _copy(host: Host, address: str) -> Host:
    copy = Host(host.name, address, host.mx, host.port)
    copy.order = host.order
    return copy


__all__ = ["ADDRESSES", "FOUND_LOCAL", "MX", "SRV", "Found", "Search", "find_by_dns"]
