"""Finding hosts: addresses for names, names for addresses, and which addresses are this host's.

By the system's functions (hosts file, then DNS) or by the DNS alone, as Exim does each (manual 10.12, 10.14,
17.x). Host lists, routing and ``$sender_host_name`` share this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import (
    AGAIN,
    FAIL,
    NODATA,
    NOMATCH,
    SUCCEED,
    Asking,
    in_domain_list,
    is_secure,
    lookup,
    reverse_name,
)
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context
    from eximious.interpreter.dns import Answer

# how a search for a host ends (Exim's words without HOST_)
FOUND, FOUND_LOCAL, FIND_FAILED, FIND_AGAIN, FIND_SECURITY, IGNORED = (
    "found", "found local", "failed", "again", "security", "ignored",
)  # fmt: skip

NO_MX = -1


class Host:
    """A host: ``name``, ``address`` (None: not known), ``mx`` (preference; -1: none), ``port`` (of SRV; -1).

    ``secure``: whether its records were signed, None where nobody asked.
    """

    __slots__ = ("address", "mx", "name", "order", "port", "secure", "status")

    def __init__(self, name: str, address: str | None = None, mx: int = NO_MX, port: int = -1) -> None:
        self.name, self.address, self.mx, self.port = name, address, mx, port
        self.order = 0
        self.secure: bool | None = None
        self.status = ""

    def __repr__(self) -> str:
        return f"Host({self.name!r}, {self.address!r}, mx={self.mx})"


class Hosts:
    """What a search gave: ``outcome``, ``hosts`` in order of use, ``full_name``, ``removed`` (local ones were
    taken out), ``message``: why there are none, as traces say it."""

    __slots__ = ("full_name", "hosts", "message", "outcome", "removed")

    def __init__(
        self,
        outcome: str,
        hosts: list[Host] | None = None,
        full_name: str = "",
        removed: bool = False,
        message: str = "",
    ) -> None:
        self.outcome, self.hosts, self.full_name = outcome, hosts or [], full_name
        self.removed, self.message = removed, message


# ---- this host


def local_addresses(ctx: Context) -> list[str]:
    """The addresses that are this host's: local_interfaces and extra_local_interfaces (manual 13.8)."""
    known: list[str] | None = ctx.env.kept.get("local addresses")
    if known is not None:
        return known
    options = ctx.env.options
    no_ipv6 = bool(options.get("disable_ipv6"))
    default = "0.0.0.0" if no_ipv6 else "<; ::0 ; 0.0.0.0"
    found: dict[str, None] = {}
    for name in ("local_interfaces", "extra_local_interfaces"):
        text = options.get(name)
        if text is None:
            text = default if name == "local_interfaces" else ""
        for item in split_list(_expanded(ctx, text)):
            address = without_port(item)
            parsed = parse_ip(address)
            if parsed is None:
                raise ExpansionError(f'Malformed IP address "{item}" in {name}')
            bits, number = parsed
            if number:
                found[address] = None
                continue
            for running in ctx.env.doors.resolver.interfaces():
                if (":" in running) == (bits == 128) and not (no_ipv6 and bits == 128):
                    found[running] = None
    known = ctx.env.kept["local addresses"] = list(found)
    return known


def without_port(item: str) -> str:
    """Give the address of ``address.port``, ``[address]:port`` or a plain address."""
    if item.startswith("["):
        inside, bracket, _ = item[1:].partition("]")
        return inside if bracket else item
    if ":" not in item and item.count(".") == 4:
        return item.rpartition(".")[0]
    if ":" in item and "." in item:
        head, _, port = item.rpartition(".")
        if port.isdigit() and parse_ip(item) is None:
            return head
    return item


def _expanded(ctx: Context, text: str) -> str:
    from eximious.interpreter.engine import expand

    return expand(text, ctx)


def is_local(ctx: Context, address: str) -> bool:
    """Whether an address is this host's; 0.0.0.0 counts as such."""
    return address == "0.0.0.0" or address in local_addresses(ctx)


def scan_for_local(ctx: Context, hosts: list[Host]) -> Hosts:
    """Take out a local host and what is not preferred to it (manual 17.6 "self").

    FOUND_LOCAL where the best one is local; else FOUND, or FIND_FAILED where no host left has an address.
    """
    treat = ctx.env.options.get("hosts_treat_as_local")
    keep = 0  # hosts before the ones with the preference value of the host in hand
    outcome = FIND_FAILED
    for at, host in enumerate(hosts):
        if in_domain_list(ctx, host.name, treat) or (
            host.address is not None and is_local(ctx, host.address)
        ):
            if keep == 0:
                return Hosts(FOUND_LOCAL, hosts)
            return Hosts(outcome, hosts[:keep], removed=True)
        if host.address is not None:
            outcome = FOUND
        if at + 1 < len(hosts) and hosts[at + 1].mx != host.mx:
            keep = at + 1
    return Hosts(outcome, hosts)


# ---- addresses for a name


def find_by_name(
    ctx: Context,
    host: Host,
    ignore: str | None = None,
    *,
    qualify_single: bool = False,
    search_parents: bool = False,
    check_local: bool = False,
) -> Hosts:
    """Find a host's addresses as the system's functions do: hosts file, then DNS, IPv6 before IPv4.

    ``ignore``: a host list of addresses to pass over (ignore_target_hosts). ``check_local``: say
    FOUND_LOCAL where an address is this host's.
    """
    asking = Asking(qualify_single=qualify_single, search_parents=search_parents)
    addresses: list[str] = []
    full_name = host.name
    temporary = passed_over = False
    for type_ in _families(ctx, host.name):
        found, name, again = _by_family(ctx, host.name, type_, asking)
        temporary = temporary or again
        if found:
            full_name = name
        for address in found:
            if ignored(ctx, host.name, address, ignore):
                passed_over = True
            elif address not in addresses:
                addresses.append(address)
    if addresses:
        hosts = [Host(full_name, address, host.mx, host.port) for address in addresses]
        if check_local:
            scanned = scan_for_local(ctx, hosts)
            scanned.full_name = full_name
            return scanned
        return Hosts(FOUND, hosts, full_name)
    if passed_over:
        return Hosts(IGNORED, full_name=full_name)
    if temporary:
        nonexist = in_domain_list(ctx, host.name, ctx.env.options.get("dns_again_means_nonexist"))
        return Hosts(FIND_FAILED if nonexist else FIND_AGAIN, full_name=full_name)
    if not ctx.env.log_testing:
        log_write(ctx, f"no IP address found for host {host.name}{_during(ctx)}")
    return Hosts(FIND_FAILED, full_name=full_name)


def _during(ctx: Context) -> str:
    """Where a log line about a host comes from, as Exim adds it."""
    session = ctx.session
    if not session.sender_host_address:
        return ""
    full = session.sender_fullhost
    if not full:
        name = session.sender_host_name
        full = f"{name} [{session.sender_host_address}]" if name else f"[{session.sender_host_address}]"
    return f" (during SMTP connection from {full})"


def _families(ctx: Context, name: str) -> tuple[str, ...]:
    options = ctx.env.options
    if options.get("disable_ipv6") or in_domain_list(ctx, name, options.get("dns_ipv4_lookup")):
        return ("A",)
    return "AAAA", "A"


def _by_family(ctx: Context, name: str, type_: str, asking: Asking) -> tuple[list[str], str, bool]:
    """One family's addresses, the host's full name, and whether the DNS gave a temporary error."""
    literal = parse_ip(name)
    if literal is not None:
        wanted = literal[0] == (32 if type_ == "A" else 128)
        return ([name.partition("%")[0]] if wanted else []), name, False
    found, full_name = _in_hosts_file(ctx, name, type_)
    if found:
        return found, full_name, False
    if ".." in name:  # no name: the C library asks nobody
        return [], name, False
    answer = _system_query(ctx, name, type_, asking)
    if answer.outcome == SUCCEED:
        cname = [record.data[0] for record in answer.of("CNAME")]
        found = [str(record.data[0]) for record in answer.of(type_)]
        first = next(answer.of(type_), None)
        # a CNAME that leads to no such record counts as a failure that may pass
        return found, first.name if first is not None else (cname[-1] if cname else name), first is None
    return [], name, answer.outcome in (AGAIN, FAIL)


def _system_query(ctx: Context, name: str, type_: str, asking: Asking) -> Answer:
    """A question of the C library's own: none of Exim's checks, and nothing is kept."""
    options = ctx.env.options
    answer: Answer = ctx.env.doors.resolver.query(
        name,
        type_,
        edns=options.get("dns_use_edns0"),
        retrans=options.get("dns_retrans") or 0,
        retry=options.get("dns_retry") or 0,
        qualify_single=asking.qualify_single,
        search_parents=asking.search_parents,
    )
    return answer


def _in_hosts_file(ctx: Context, name: str, type_: str) -> tuple[list[str], str]:
    """A name's addresses in the hosts file, and its first name there."""
    table = hosts_file(ctx)
    found: list[str] = []
    full_name = name
    wanted = name.lower().rstrip(".")
    for address, names in table:
        if (":" in address) == (type_ == "AAAA") and wanted in (one.lower() for one in names):
            if not found:
                full_name = names[0]
            found.append(address)
    return found, full_name


def hosts_file(ctx: Context) -> list[tuple[str, list[str]]]:
    """The hosts file's lines: address and names (hosts(5))."""
    table: list[tuple[str, list[str]]] | None = ctx.env.kept.get("hosts file")
    if table is None:
        table = []
        for line in ctx.env.doors.resolver.hosts().splitlines():
            words = line.partition("#")[0].split()
            if len(words) > 1 and parse_ip(words[0]) is not None:
                table.append((words[0], words[1:]))
        ctx.env.kept["hosts file"] = table
    return table


def ignored(ctx: Context, name: str, address: str, ignore: str | None) -> bool:
    """Whether an address is in a list such as ignore_target_hosts."""
    if not ignore:
        return False
    from importlib import import_module

    match_host = import_module("eximious.conditions.lists.match").match_host
    result = match_host(ctx, ignore, name=name, address=address)
    if result.captures is not None:
        ctx.captures = result.captures
    return bool(result.matched)


# ---- the DNS alone


def find_by_mx(ctx: Context, host: Host, ignore: str | None = None, asking: Asking | None = None) -> Hosts:
    """Find the hosts of a domain's MX records, with addresses, in the order of use; local ones taken out.

    FIND_FAILED where there is no MX record, none of the hosts has an address, or one says "no mail"
    (RFC 7505). Manual 17.x, 10.9 ("@mx_any").
    """
    asking = asking or Asking()
    answer, full_name = lookup(ctx, host.name, "MX", asking)
    if answer.outcome in (NOMATCH, NODATA):
        return Hosts(FIND_FAILED, full_name=full_name)
    if answer.outcome != SUCCEED:
        return Hosts(FIND_AGAIN, full_name=full_name)
    hosts: list[Host] = []
    for record in answer.of("MX"):
        preference, name = record.data
        if not name and not any(True for one in answer.of("MX") if one is not record):
            return Hosts(FIND_FAILED, full_name=full_name, message="null MX")
        if any(one.name.lower() == name.lower() and one.mx <= preference for one in hosts):
            continue
        hosts.append(Host(name, mx=preference))
    for one in hosts:
        one.order = one.mx * 1000 + ctx.env.doors.chance.below(500)
    hosts.sort(key=lambda one: one.order)
    with_addresses: list[Host] = []
    outcomes = []
    for one in hosts:
        found = set_addresses(ctx, one, ignore, asking)
        outcomes.append(found.outcome)
        if found.outcome == FOUND:
            with_addresses += found.hosts
        elif found.outcome != IGNORED:
            with_addresses.append(one)
    if not with_addresses and hosts:  # where all are to be ignored, the last stays, without an address
        with_addresses = hosts[-1:]
    scanned = scan_for_local(ctx, with_addresses)
    scanned.full_name = full_name
    if scanned.outcome == FIND_FAILED and FIND_AGAIN in outcomes:
        scanned.outcome = FIND_AGAIN
    return scanned


def set_addresses(ctx: Context, host: Host, ignore: str | None, asking: Asking) -> Hosts:
    """Find the addresses of one host in the DNS: AAAA, then A, of a name or of an address literal."""
    literal = parse_ip(host.name)
    if literal is not None:
        if ignored(ctx, host.name, host.name, ignore):
            return Hosts(IGNORED)
        return Hosts(FOUND, [_copy(host, host.name)])
    found: list[Host] = []
    again = passed_over = False
    for type_ in _families(ctx, host.name):
        answer, _ = lookup(ctx, host.name, type_, asking)
        if answer.outcome != SUCCEED:
            again = again or answer.outcome in (AGAIN, FAIL)
            continue
        for record in answer.of(type_):
            address = str(record.data[0])
            if ignored(ctx, host.name, address, ignore):
                passed_over = True
            elif not any(one.address == address for one in found):
                if record.name.lower() != host.name.lower():
                    host.name = record.name  # the name behind an alias
                copy = _copy(host, address)
                copy.secure = is_secure(ctx, answer) if asking.dnssec else None
                found.append(copy)
    if found:
        return Hosts(FOUND, found)
    if passed_over:
        return Hosts(IGNORED)
    return Hosts(FIND_AGAIN if again else FIND_FAILED)


def _copy(host: Host, address: str) -> Host:
    copy = Host(host.name, address, host.mx, host.port)
    copy.order = host.order
    return copy


# ---- a name for the client's address


def look_up_name(ctx: Context) -> bool:
    """Find the client's name by its address, and check that the name leads back to it (manual 10.14).

    Sets ``sender_host_name`` and its aliases in the session, or ``host_lookup_failed`` or
    ``host_lookup_deferred``. Says whether there is a name.
    """
    session = ctx.session
    session.host_lookup_failed = session.host_lookup_deferred = 0
    session.sender_host_dnssec = False
    address = session.sender_host_address
    tell = ctx.listener or (lambda line: None)
    tell(f"looking up host name for {address}")
    order = ctx.env.options.get("host_lookup_order") or "bydns:byaddr"
    names: list[str] = []
    for way in split_list(order):
        if way.lower() == "bydns":
            answer, _ = lookup(ctx, reverse_name(address), "PTR", Asking(dnssec=True))
            if answer.outcome == SUCCEED:
                session.sender_host_dnssec = is_secure(ctx, answer)
                names = [str(record.data[0]).lower() for record in answer.of("PTR") if record.data[0]]
                if names:
                    for name in names:
                        tell(f'IP address lookup yielded "{name}"')
                    break
            elif answer.outcome == AGAIN:
                session.host_lookup_deferred = 1
                return False
        elif way.lower() == "byaddr":
            tell("IP address lookup using gethostbyaddr()")
            found = _by_address(ctx, address)
            if not found:
                tell(f"IP address lookup failed: h_errno={_TRY_AGAIN if found is None else _HOST_NOT_FOUND}")
            if found is None:
                session.host_lookup_deferred = 1
                return False
            if found:
                names = found
                for name in names:
                    tell(f'IP address lookup yielded "{name}"')
                break
    if not names:
        log_write(ctx, f"no host name found for IP address {address}")
        session.host_lookup_msg = " (failed to find host name from IP address)"
        session.host_lookup_failed = 1
        return False
    kept: list[str] = []
    wanted = parse_ip(address)
    for name in names:
        found_hosts = set_addresses(ctx, Host(name), None, Asking(dnssec=bool(session.sender_host_dnssec)))
        if found_hosts.outcome == FIND_AGAIN:
            tell("temporary error for host name lookup")
            session.host_lookup_deferred = 1
            return False
        _tell_addresses(name, found_hosts.hosts, wanted, address, tell)
        if session.sender_host_dnssec and not all(one.secure for one in found_hosts.hosts):
            session.sender_host_dnssec = False
        if any(parse_ip(one.address or "") == wanted for one in found_hosts.hosts):
            kept.append(name)
    if not kept:
        tell(f"{address} does not match any IP address for {names[0]}")
        session.host_lookup_msg = f" ({address} does not match any IP address for {names[0]})"
        session.host_lookup_failed = 1
        return False
    session.sender_host_name = Tainted(kept[0])
    session.sender_host_aliases = [Tainted(name) for name in kept[1:]]
    return True


def _tell_addresses(
    name: str, hosts: list[Host], wanted: tuple[int, int] | None, address: str, tell: Callable[[str], None]
) -> None:
    """Tell which addresses a name of the client has, up to the client's own."""
    if not hosts:
        tell(f"no IP addresses found for {name}")
        return
    tell(f"checking addresses for {name}")
    for one in hosts:
        if parse_ip(one.address or "") == wanted:
            tell(f"  {one.address} OK")
            return
        tell(f"  {one.address}")
    tell(f"no IP address for {name} matched {address}")


#: what the system's resolver says (h_errno): there is no such host, or not now
_HOST_NOT_FOUND, _TRY_AGAIN = 1, 2


def _by_address(ctx: Context, address: str) -> list[str] | None:
    """The names that the system gives an address: hosts file, then DNS. None: a temporary error."""
    wanted = parse_ip(address)
    for line_address, names in hosts_file(ctx):
        if parse_ip(line_address) == wanted:
            return [name.lower() for name in names]
    answer = _system_query(ctx, reverse_name(address), "PTR", Asking())
    if answer.outcome == SUCCEED:
        return [str(record.data[0]).lower() for record in answer.of("PTR") if record.data[0]]
    return None if answer.outcome == AGAIN else []
