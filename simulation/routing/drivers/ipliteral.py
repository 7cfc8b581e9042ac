"""The ipliteral router: domains that are addresses in brackets (manual 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_host
from eximious.interpreter.hosts import FOUND_LOCAL, Host, scan_for_local
from eximious.interpreter.ipaddress import parse_ip
from eximious.simulation.routing.hostlists import self_action
from eximious.simulation.routing.registry import router_driver
from eximious.simulation.routing.results import DECLINE, OK

if TYPE_CHECKING:
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun


@router_driver("ipliteral", section="18")
def ipliteral(run: RouterRun, address: RoutedAddress) -> str:
    """Route to the address that the domain is; decline any other domain, and addresses that are to be ignored."""
    domain = address.domain
    run.say(f"{run.name} router called for {address.address}: domain = {domain}")
    if not domain.startswith("[") or not domain.endswith("]"):
        return DECLINE
    literal = str(domain[1:-1])
    for prefix in ("ipv6:", "ipv4:"):
        if literal.lower().startswith(prefix):
            literal = literal[len(prefix) :]
            break
    parsed = parse_ip(literal)
    if parsed is None or (parsed[0] != 32 and run.ctx.env.options.get("disable_ipv6")):
        return DECLINE
    ignore = run.option("ignore_target_hosts")
    if ignore is not None and match_host(run.ctx, ignore, name=str(domain), address=literal).matched:
        run.say(f"{literal} is in ignore_target_hosts")
        address.message = "IP literal host explicitly ignored"
        return DECLINE
    host = Host(str(domain), literal)
    if scan_for_local(run.ctx, [host]).outcome == FOUND_LOCAL:
        action = self_action(run, address, host)
        if action != OK:
            return action
    address.hosts = (host,)
    run.set_properties(address)
    address.transport = run.transport(address)
    run.queue(address)
    return OK
