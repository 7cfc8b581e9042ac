"""The manualroute router: hosts by rules of the configuration (manual 20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_domain
from eximious.grammar.config_values import dequote
from eximious.interpreter.hosts import Host
from eximious.interpreter.listsplit import SPACE, split_default
from eximious.interpreter.logs import log_write
from eximious.interpreter.text import follow
from eximious.simulation.routing.hostlists import How, build_hosts, look_up_hosts
from eximious.simulation.routing.registry import router_driver
from eximious.simulation.routing.results import DECLINE, DEFER, FAIL, OK, PASS
from eximious.simulation.routing.run import LOCAL_TRANSPORTS, expanded_bool

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun


@router_driver("manualroute", section="20")
def manualroute(run: RouterRun, address: RoutedAddress) -> str:
    """Route by the first rule of route_list that is for the domain, or by route_data."""
    rule = _rule(run, address)
    if rule is None:
        return DECLINE
    hosts_text, options = rule
    run.say(f"original list of hosts = '{hosts_text}' options = '{options}'")
    if run.option("route_list") is not None or hosts_text:
        expanded = run.expand_data(address, hosts_text, f"{run.name} router: ")
        run.ctx.captures = []
        if expanded is None:
            return DECLINE
        hosts_text = expanded
    run.say(f"expanded list of hosts = '{hosts_text}' options = '{options}'")
    how, randomize, transport = _options(run, address, str(options))
    run.set_properties(address)
    if transport is None:
        transport = run.transport(address)
    if transport is not None and transport.driver in LOCAL_TRANSPORTS:
        if hosts_text:
            address.hosts = (Host(str(hosts_text)),)
        address.transport = transport
        run.queue(address)
        return OK
    if not hosts_text:
        if not run.verifying:
            message = f"error in {run.name} router: no host(s) specified for domain {address.domain}"
            log_write(run.ctx, message)
            raise run.stop(address, DEFER, message)
    else:
        hosts = build_hosts(run, hosts_text, randomize)
        address.hosts = tuple(look_up_hosts(run, address, hosts, how, run.option("host_find_failed")))
        if not address.hosts:
            return _all_ignored(run, address)
        if transport is None and not run.verifying:
            log_write(run.ctx, f"Error in {run.name} router: no transport defined")
            raise run.stop(address, DEFER, "error in router: transport missing")
    address.transport = transport
    run.queue(address)
    return OK


def _rule(run: RouterRun, address: RoutedAddress) -> tuple[str, str] | None:
    """The hosts and options of the rule for the domain; None where there is none."""
    text = run.option("route_list")
    if text is None:
        data = run.expand_data(address, run.option("route_data"))
        if data is None:
            return None
        hosts, at = _word(data, _past_space(data, 0))
        return (hosts, data[_past_space(data, at) :]) if hosts else None
    for item in split_default(text, ";"):
        run.say(f"route_item = {item}")
        start = _past_space(item, 0)
        if start >= len(item):
            continue
        pattern, at = _word(item, start)
        result = match_domain(run.ctx, address.domain, pattern, single=True)
        if result.deferred:
            raise run.stop(address, DEFER, "lookup defer in route_list")
        if result.matched:
            run.ctx.captures = result.captures or [address.domain]
            if not run.ctx.captures:
                run.ctx.captures = [address.domain]
            run.ctx.value = result.data
            hosts, at = _word(item, _past_space(item, at))
            return hosts, item[_past_space(item, at) :]
    return None


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


def _word(text: str, at: int) -> tuple[str, int]:
    """The word, or quoted text, at an offset, and where it ends."""
    if text.startswith('"', at):
        value, end, _ = dequote(str(text), at)
        return follow(value, text), end
    end = at
    while end < len(text) and text[end] not in SPACE:
        end += 1
    return follow(text[at:end], text), end


def _options(run: RouterRun, address: RoutedAddress, text: str) -> tuple[How, bool, Instance | None]:
    """The options of a rule: how hosts are looked up, whether in random order, a transport of its own.

    A word counts for the first option, and then for the first transport, that begins with it.
    """
    how = How()
    randomize = expanded_bool(run.ctx, address, run.name, "hosts_randomize", run.option("hosts_randomize"))
    transport: Instance | None = None
    rest = text
    while rest:
        word = rest.split(None, 1)[0] if rest.strip(SPACE) else ""
        if "randomize".startswith(word):
            randomize = True
        elif "no_randomize".startswith(word):
            randomize = False
        elif "byname".startswith(word):
            how.byname, how.bydns = True, False
        elif "bydns".startswith(word):
            how.byname, how.bydns = False, True
        elif "ipv4_prefer".startswith(word):
            how.ipv4_prefer = True
        elif "ipv4_only".startswith(word):
            how.ipv4_only = True
        else:
            transports = run.ctx.env.configuration.transports
            transport = next((one for name, one in transports.items() if name.startswith(word)), None)
            if transport is None:
                message = f'unknown routing option or transport name "{rest}"'
                log_write(run.ctx, f"Error in {run.name} router: {message}")
                raise run.stop(address, DEFER, f"error in router: {message}")
        rest = rest[len(word) :].lstrip(SPACE)
    return how, randomize, transport


def _all_ignored(run: RouterRun, address: RoutedAddress) -> str:
    """What host_all_ignored says where no host could be found."""
    run.say("host_find_failed ignored every host")
    what = run.option("host_all_ignored")
    if what == "decline":
        return DECLINE
    if what == "pass":
        return PASS
    address.message = (
        f"lookup failed for all hosts in {run.name} router: host_find_failed=ignore host_all_ignored={what}"
    )
    if what == "freeze":
        address.special_action = "freeze"
    return FAIL if what == "fail" else DEFER
