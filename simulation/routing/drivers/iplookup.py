"""The iplookup router: asks a server for another address (manual 19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.hosts import FOUND, FOUND_LOCAL, Host, find_by_name
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.text import Tainted
from eximious.simulation.routing.children import make_child
from eximious.simulation.routing.registry import router_driver
from eximious.simulation.routing.results import DECLINE, DEFER, OK, PASS

if TYPE_CHECKING:
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun

#: bytes of an answer that are looked at
ANSWER_LIMIT = 255


@router_driver("iplookup", section="19")
def iplookup(run: RouterRun, address: RoutedAddress) -> str:
    """Send a query to the first host that answers, and route to the address that its answer has."""
    ctx = run.ctx
    query_option = run.option("query")
    own = f"{address.local_part}@{address.domain}"
    query = f"{own} {own}"
    if query_option:
        try:
            query = str(expand(query_option, ctx))
        except Failure as failure:
            message = f"{run.name} router: failed to expand {query_option}: {failure.message}"
            raise run.stop(address, DEFER, message) from None
    run.say(f'{run.name} router query is "{query}"')
    answer = _ask(run, query)
    if answer is None:
        run.say(f"{run.name} router failed to get anything")
        if run.option("optional"):
            return PASS
        raise run.stop(address, DEFER, f"{run.name} router: failed to communicate with any host")
    new = _address(run, address, answer, own if not query_option else "")
    if new is None:
        return DECLINE
    if "@" not in new:
        message = f"{run.name} router: reroute string {new} is not of the form user@domain"
        log_write(ctx, message)
        raise run.stop(address, DEFER, message)
    child = make_child(address, new)
    child.errors_to = run.errors_address(address)
    child.extra_headers, child.removed_headers = run.munge_headers(address)
    child.start_router = run.redirect_router
    address.child_count += 1
    run.queues.new.appendleft(child)
    run.queues.succeeded.append(address)
    return OK


def _address(run: RouterRun, address: RoutedAddress, answer: str, own: str) -> str | None:
    """The new address in an answer; None where the answer is for something else."""
    ctx = run.ctx
    pattern = run.option("response_pattern")
    if pattern is not None:
        from eximious.interpreter.regex import compile_regex

        found = compile_regex(pattern).search(answer)
        if found is None:
            run.say(f"{run.name} router: {pattern} failed to match response {answer}")
            return None
        ctx.captures = found
        text = answer
    else:
        end = 0
        while end < len(answer) and answer[end] not in SPACE:
            end += 1
        text = Tainted(answer[:end])
        ctx.captures = [text]
        if own and answer[end:].lstrip(SPACE) != own:
            run.say(f"{run.name} router: failed to match identification in response {answer}")
            return None
    reroute = run.option("reroute")
    if reroute is None:
        return text
    try:
        return expand(reroute, ctx)
    except Failure as failure:
        message = f"{run.name} router: failed to expand {reroute}: {failure.message}"
        raise run.stop(address, DEFER, message) from None
    finally:
        ctx.captures = []


def _ask(run: RouterRun, query: str) -> str | None:
    """The answer of the first host that gives one."""
    ctx = run.ctx
    protocol = "inet" if run.option("protocol") == "tcp" else "udp"
    port, timeout = run.option("port"), float(run.option("timeout") or 0)
    for name in split_list(run.option("hosts")):
        run.say(f"calling host {name}")
        if parse_ip(name) is not None:
            addresses = [str(name)]
        else:
            found = find_by_name(ctx, Host(str(name)))
            if found.outcome not in (FOUND, FOUND_LOCAL):
                continue
            addresses = [host.address for host in found.hosts if host.address is not None]
        for at in addresses:
            place = f"[{at}]" if ":" in at else at
            try:
                connection = ctx.env.doors.sockets.connect(f"{protocol}:{place}:{port}", timeout)
            except OSError as problem:
                run.say(f"connection to {at} failed: {problem.strerror}")
                continue
            try:
                connection.send(query.encode("latin-1"))
                data = connection.recv(ANSWER_LIMIT)
            except OSError:
                run.say(f"recv failed from {at}")
                continue
            finally:
                connection.close()
            if data:
                run.say(f'{run.name} router received "{data.decode("latin-1")}" from {at}')
                return Tainted(data.decode("latin-1").partition("\0")[0])
    return None
