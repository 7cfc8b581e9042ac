"""The dnslookup router: hosts for a domain from the DNS (manual 17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_domain
from eximious.interpreter.engine import expand
from eximious.interpreter.hosts import FIND_AGAIN, FIND_FAILED, FIND_SECURITY, FOUND, FOUND_LOCAL
from eximious.interpreter.hosts_dns import ADDRESSES, MX, SRV, Found, find_by_dns
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import follow
from eximious.simulation.routing.hostlists import search_for, self_action
from eximious.simulation.routing.registry import router_driver
from eximious.simulation.routing.results import DECLINE, DEFER, OK, PASS
from eximious.simulation.routing.run import SENDER, Stop

if TYPE_CHECKING:
    from eximious.interpreter.hosts_dns import Search
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun


@router_driver("dnslookup", section="17")
def dnslookup(run: RouterRun, address: RoutedAddress) -> str:
    """Route by SRV, MX or address records; a domain without any is declined."""
    run.say(f"{run.name} router called for {address.address}\n  domain = {address.domain}")
    search = _search(run, address)
    found = _find(run, address, search)
    if found is None:
        return DECLINE
    full_name = found.full_name
    domain = address.domain
    if full_name != domain:
        if full_name.lower() == domain.lower():
            local_part = address.address.rpartition("@")[0]
            address.address = follow(f"{local_part}@{full_name}", address.address)
        else:
            return run.change_domain(address, full_name, bool(run.option("rewrite_headers")))
    if found.outcome == FOUND_LOCAL:
        action = self_action(run, address, found.hosts[0])
        if action != OK:
            return action
    elif run.option("check_secondary_mx") and not found.removed:
        run.say("check_secondary_mx set and local host not secondary")
        return DECLINE
    run.set_properties(address)
    address.hosts = tuple(found.hosts)
    address.transport = run.transport(address)
    run.queue(address)
    return OK


def _search(run: RouterRun, address: RoutedAddress) -> Search:
    kinds: tuple[str, ...] = (MX, ADDRESSES)
    service = ""
    text = run.option("check_srv")
    if text is not None:
        try:
            service = expand(text, run.ctx)
            kinds = (SRV, MX, ADDRESSES)
        except ForcedFailure:
            pass
        except Failure as failure:
            message = f'{run.name} router: failed to expand "{text}": {failure.message}'
            raise run.stop(address, DEFER, message) from None
    search = search_for(run, kinds)
    search.service = service
    search.srv_fail, search.mx_fail = run.option("srv_fail_domains"), run.option("mx_fail_domains")
    search.ipv4_only, search.ipv4_prefer = (
        _flag(run, address, "ipv4_only"),
        _flag(run, address, "ipv4_prefer"),
    )
    if _may_rename(run, address):
        search.qualify_single = bool(run.option("qualify_single"))
        search.search_parents = bool(run.option("search_parents"))
    return search


def _may_rename(run: RouterRun, address: RoutedAddress) -> bool:
    """Whether a domain may become another: not that of a sender whose header lines could not be rewritten any more."""
    return run.mode != SENDER or not run.option("rewrite_headers") or address.parent is not None


def _flag(run: RouterRun, address: RoutedAddress, option: str) -> bool:
    """An option that is expanded to a truth; unset, empty, 0, no and false are not."""
    text = run.option(option)
    if not isinstance(text, str):
        return bool(text)
    try:
        value = expand(text, run.ctx)
    except ForcedFailure:
        return False
    except Failure as failure:
        from eximious.interpreter.logs import log_write

        line = f'failed to expand condition "{text}" for {run.name} router: {failure.message}'
        log_write(run.ctx, line, "main panic")
        return False
    return bool(value) and value.lower() not in ("0", "no", "false")


def _find(run: RouterRun, address: RoutedAddress, search: Search) -> Found | None:
    """Search for the domain, then for it with each of widen_domains behind; None: declined."""
    names = [str(address.domain)]
    widen = run.option("widen_domains") if _may_rename(run, address) else None
    rest = iter(split_list(widen)) if widen else iter(())
    for name in names:
        if name is not names[0]:
            run.say(f"{run.name} router widened {address.domain} to {name}")
        found = find_by_dns(run.ctx, name, search)
        following = next(rest, None)
        if following is not None:
            names.append(f"{address.domain}.{following}")
        first = found.first
        if found.outcome in (FOUND, FOUND_LOCAL) and (first is None or first.mx < 0):
            needs_mx = _listed(run, address, found.full_name, "mx_domains", "lookup defer for mx_domains")
            if needs_mx:
                run.say(f"{run.name} router rejected {found.full_name}: no MX record(s)")
                continue
        if found.outcome == FIND_SECURITY:
            raise run.stop(address, DEFER, "host lookup done insecurely")
        if found.outcome == FIND_AGAIN:
            if run.option("pass_on_timeout"):
                run.say(f"{run.name} router timed out, and pass_on_timeout is set")
                raise Stop(PASS)
            raise run.stop(address, DEFER, "host lookup did not complete")
        if found.outcome != FIND_FAILED:
            return found
        _failed(run, address, found)
    return None


def _listed(run: RouterRun, address: RoutedAddress, name: str, option: str, deferred: str) -> bool:
    text = run.option(option)
    if text is None:
        return False
    result = match_domain(run.ctx, name, text)
    if result.deferred:
        raise run.stop(address, DEFER, deferred)
    return result.matched


def _failed(run: RouterRun, address: RoutedAddress, found: Found) -> None:
    """Nothing was found for a name: stop where that is certain, say why."""
    if _listed(
        run,
        address,
        found.full_name,
        "fail_defer_domains",
        "lookup defer for fail_defer_domains option",
    ):
        run.say(f"{run.name} router: matched fail_defer_domains")
        message = "missing MX, or all MXs point to missing A records, and defer requested"
        raise run.stop(address, DEFER, message)
    first = found.first
    if first is not None and first.mx >= 0 and first.address is None:
        address.pass_message = True
        if not first.name:
            address.message = "an MX or SRV record indicated no SMTP service"
        else:
            address.message = "all relevant MX records point to non-existent hosts"
            if not run.ctx.env.options.get("allow_mx_to_ip") and parse_ip(first.name) is not None:
                address.user_message = (
                    f"It appears that the DNS operator for {address.domain}\n"
                    "has installed an invalid MX record with an IP address\n"
                    "instead of a domain name on the right hand side."
                )
                address.message += " or (invalidly) to IP addresses"
        raise Stop(DECLINE)
    if found.bad_name:
        address.message = (
            f'mail domain "{first.name if first is not None else address.domain}" is syntactically invalid'
        )
        raise Stop(DECLINE)
