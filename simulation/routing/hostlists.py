"""Lists of hosts as manualroute and queryprogram have them, and what ``self`` does (manual 15.1, 20.4 to 20.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.hosts import (
    FIND_AGAIN,
    FIND_FAILED,
    FIND_SECURITY,
    FOUND_LOCAL,
    IGNORED,
    Host,
    Hosts,
    find_by_name,
)
from eximious.interpreter.hosts_dns import ADDRESSES, MX, Search, find_by_dns
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.logs import log_write
from eximious.simulation.routing.results import DECLINE, DEFER, FAIL, OK, PASS
from eximious.simulation.routing.run import Stop

if TYPE_CHECKING:
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun

ERRNO_UNKNOWNHOST, ERRNO_DNSDEFER = -25, -11


class How:
    """How hosts are looked up: ``byname``, ``bydns``, and the options of direct DNS lookups."""

    __slots__ = ("bydns", "byname", "ipv4_only", "ipv4_prefer")

    def __init__(self) -> None:
        self.byname = self.bydns = self.ipv4_only = self.ipv4_prefer = False


def build_hosts(run: RouterRun, text: str, randomize: bool) -> list[Host]:
    """Make hosts of a list; with ``randomize`` the order is by chance inside each group (``+`` divides them)."""
    groups: list[list[Host]] = [[]]
    for item in split_list(text):
        if item == "+":
            groups.append([])
        elif item:
            groups[-1].append(Host(str(item)))
    if randomize:
        below = run.ctx.env.doors.chance.below
        for group in groups:
            for at in range(len(group) - 1, 0, -1):
                other = below(at + 1)
                group[at], group[other] = group[other], group[at]
    return [host for group in groups for host in group]


def take_port(host: Host) -> int:
    """Take a port off a host's name (``name:25``, ``[address]:25``); gives it, -1 where there is none."""
    head, colon, digits = host.name.rpartition(":")
    if not colon or not head or not digits.isascii() or not digits.isdigit():
        return -1
    # an IPv6 address without brackets has colons of its own, which look the same to Exim
    host.name = head[1:-1] if head.startswith("[") and head.endswith("]") else head
    return int(digits)


def search_for(run: RouterRun, kinds: tuple[str, ...], how: How | None = None) -> Search:
    """Give a DNS search with the router's generic options."""
    search = Search(kinds)
    search.ignore = run.option("ignore_target_hosts")
    search.dnssec_request, search.dnssec_require = (
        run.option("dnssec_request_domains"),
        run.option("dnssec_require_domains"),
    )
    if how is not None:
        search.ipv4_only, search.ipv4_prefer = how.ipv4_only, how.ipv4_prefer
    return search


def look_up_hosts(
    run: RouterRun, address: RoutedAddress, hosts: list[Host], how: How, when_not_found: str
) -> list[Host]:
    """Find the addresses of hosts in order; this host and what follows it is cut off, or ``self`` decides.

    ``when_not_found``: what host_find_failed says. Stops the router as that says, and for deferrals.
    """
    found: list[Host] = []
    self_send = False
    for at, host in enumerate(hosts):
        # what is not looked up yet stays with the address if the router gives up here
        address.hosts = (*found, *hosts[at:])
        port = take_port(host)
        run.say(f"finding IP address for {host.name}")
        result = _look_up(run, host, how)
        outcome = result.outcome
        if outcome == FIND_SECURITY:
            message = f"host lookup for {host.name} done insecurely"
            raise run.stop(address, DEFER, message, ERRNO_DNSDEFER)
        if outcome == FIND_AGAIN:
            if run.option("pass_on_timeout"):
                run.say(f"{run.name} router timed out and pass_on_timeout set")
                raise Stop(PASS)
            message = f"host lookup for {host.name} did not complete (DNS timeout?)"
            raise run.stop(address, DEFER, message, ERRNO_DNSDEFER)
        if outcome in (FIND_FAILED, IGNORED):
            if when_not_found == "ignore":
                continue
            _not_found(run, address, host.name, when_not_found, getattr(result, "bad_name", False))
        if port >= 0:
            for one in result.hosts:
                one.port = port
        if outcome == FOUND_LOCAL and not self_send:
            if found:
                run.say("Removed from host list")
                break
            action = self_action(run, address, result.hosts[0])
            if action != OK:
                address.hosts = ()
                raise Stop(action)
            self_send = True
        found += result.hosts
    return found


def _look_up(run: RouterRun, host: Host, how: How) -> Hosts:
    name = host.name
    if len(name) > 3 and name[-3:].lower() == "/mx":
        run.say("doing DNS MX lookup for " + name[:-3])
        host.name = name[:-3]
        return find_by_dns(run.ctx, host.name, search_for(run, (MX,), how))
    if how.byname or parse_ip(name) is not None:
        run.say("calling host_find_byname")
        return _by_name(run, host)
    run.say("doing DNS lookup")
    result: Hosts = find_by_dns(run.ctx, name, search_for(run, (ADDRESSES,), how))
    if result.outcome == FIND_FAILED and not how.bydns:
        run.say("DNS lookup failed: trying getipnodebyname")
        return _by_name(run, host)
    return result


def _by_name(run: RouterRun, host: Host) -> Hosts:
    return find_by_name(
        run.ctx, host, run.option("ignore_target_hosts"), qualify_single=True, check_local=True
    )


def _not_found(run: RouterRun, address: RoutedAddress, name: str, what: str, bad_name: bool) -> None:
    if what == "pass":
        raise Stop(PASS)
    if what == "decline":
        raise Stop(DECLINE)
    more = ": syntax error in name" if bad_name else ""
    message = f'lookup of host "{name}" failed in {run.name} router{more}'
    if what == "fail":
        raise run.stop(address, FAIL, message, ERRNO_UNKNOWNHOST)
    if what == "freeze":
        address.special_action = "freeze"
    raise run.stop(address, DEFER, message, ERRNO_UNKNOWNHOST)


def self_action(run: RouterRun, address: RoutedAddress, host: Host) -> str:
    """Do what ``self`` says where the first host is this one; gives OK (go on), or the router's result."""
    if host.mx >= 0:
        message = "lowest numbered MX record points to local host"
    else:
        message = "remote host address is the local host"
    code, rewrite = run.router.derived.get("self", ("freeze", False))
    domain = address.domain
    if code == "send":
        run.say(f"{message}: {domain}: configured to try delivery anyway")
        address.self_send = True
        return OK
    if code == "reroute":
        new = run.option("self")
        run.say(f"{message}: {domain}: domain changed to {new}")
        return run.change_domain(address, new, rewrite)
    address.message = message
    if code == "freeze":
        full = run.ctx.session.sender_fullhost
        if full:
            why = f"while verifying <{address.address}> from host {full}"
        else:
            why = f"while routing <{address.address}>"
        log_write(run.ctx, f"{message}: {domain} ({why})")
        address.special_action = "freeze"
        return DEFER
    if code == "pass":
        run.say(f"{message}: {domain}: passed to next router (self = pass)")
        address.self_hostname = host.name
        return PASS
    if code == "fail":
        address.pass_message = True
        return FAIL
    return DEFER
