"""The queryprogram router: asks a program where an address goes (manual 21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.fields import extract_named
from eximious.interpreter.items.outside import command_arguments
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.text import Tainted, follow
from eximious.simulation.routing.hostlists import How, build_hosts, look_up_hosts
from eximious.simulation.routing.redirection.items import (
    DEFERRED,
    DELIVERED,
    FAILED,
    Rules,
    Wrong,
    parse_list,
)
from eximious.simulation.routing.registry import router_driver
from eximious.simulation.routing.results import DECLINE, DEFER, FAIL, OK, PASS

if TYPE_CHECKING:
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun

#: bytes of the program's answer that are looked at
LINE_LIMIT = 1023


@router_driver("queryprogram", section="21")
def queryprogram(run: RouterRun, address: RoutedAddress) -> str:
    """Run the command, and do what the first word of its answer says."""
    run.set_properties(address)
    run.user_and_group(address, "command_user", "command_group")
    answer = _ask(run, address)
    run.say(f"command wrote: {answer}")
    word, _, data = _first_word(answer)
    lower = word.lower()
    if lower == "redirect":
        return _redirect(run, address, data)
    if lower == "accept":
        return _accept(run, address, data)
    if lower == "decline":
        return DECLINE
    if lower == "pass":
        return PASS
    address.message = data
    if lower == "fail":
        address.pass_message = True
        return FAIL
    if lower == "freeze":
        address.special_action = "freeze"
    elif lower != "defer":
        address.message = f"bad command yield: {word} {data}"
        log_write(run.ctx, f"{run.name} router: {address.message}", "panic")
    return DEFER


def _ask(run: RouterRun, address: RoutedAddress) -> str:
    """What the command writes, without blanks around it. Stops the router where it fails."""
    command, where = run.option("command"), "queryprogram router"
    try:
        arguments = command_arguments(run.ctx, command, True, where)
    except Failure as failure:
        raise run.stop(address, DEFER, failure.message) from None
    if run.ctx.env.version >= (4, 96):
        for number, argument in enumerate(arguments):
            if type(argument) is Tainted:
                message = f"Tainted arg {number} for {where} command: '{argument}'"
                raise run.stop(address, DEFER, message)
    if not arguments:
        raise run.stop(address, DEFER, f"{run.name} router couldn't create child process: Invalid argument")
    timeout = float(run.option("timeout") or 0)
    folder = run.option("current_directory")
    try:
        if folder:
            run.ctx.env.doors.files.stat(folder)
    except OSError:
        raise run.stop(address, DEFER, f"{run.name} router: command returned non-zero code 127") from None
    try:
        code, output = run.ctx.env.doors.processes.run(arguments, "", timeout or 3600.0)
    except TimeoutError:
        raise run.stop(address, DEFER, f"{run.name} router: command timed out") from None
    if code > 0:
        message = f"{run.name} router: command returned non-zero code {code}"
        raise run.stop(address, DEFER, message)
    if code < 0:
        raise run.stop(address, DEFER, f"{run.name} router: command killed by signal {-code}")
    if not output:
        raise run.stop(address, DEFER, f"{run.name} router: command failed to return data")
    text = output[:LINE_LIMIT].partition("\0")[0].strip(SPACE)
    return Tainted(text) if run.ctx.env.version >= (4, 99) else text


def _first_word(text: str) -> tuple[str, str, str]:
    """The first word, and what is behind the blank after it."""
    end = 0
    while end < len(text) and text[end] not in SPACE:
        end += 1
    return follow(text[:end], text), "", follow(text[end + 1 :], text)


def _redirect(run: RouterRun, address: RoutedAddress, data: str) -> str:
    """Addresses only: no files, no pipes, no included lists."""
    from eximious.simulation.routing.drivers.redirect import add_children

    rules = Rules(run.ctx, address.domain, None)
    rules.allow_fail = rules.forbid_blackhole = rules.forbid_include = True
    rules.rewrite = bool(run.ctx.env.configuration.rewrite)
    try:
        parsed = parse_list(data, rules)
    except Wrong as wrong:
        raise run.stop(address, DEFER, f"error in redirect data: {wrong.message}") from None
    if parsed.outcome == DEFERRED:
        address.message = parsed.message or "forced defer"
        address.user_message = parsed.message
        return DEFER
    if parsed.outcome == FAILED:
        add_children(run, address, parsed.addresses, (None, None, False))
        address.message = parsed.message if parsed.message is not None else "forced rejection"
        address.user_message = parsed.message
        return FAIL
    if parsed.outcome != DELIVERED:
        raise run.stop(address, DEFER, "error in redirect data: no addresses supplied")
    add_children(run, address, parsed.addresses, (None, None, False))
    for child in parsed.addresses:
        if child.kind:
            child.message, child.errno = f"delivery to {child.kind} forbidden", 0
    run.queues.succeeded.append(address)
    return OK


def _accept(run: RouterRun, address: RoutedAddress, data: str) -> str:
    """``transport=``, ``hosts=``, ``lookup=`` and ``data=``, in any order, each optional."""
    value = extract_named("data", data)
    if value:
        address.address_data = follow(value, data)
    name = extract_named("transport", data)
    if name:
        transport = run.ctx.env.configuration.transports.get(name)
        if transport is None:
            message = f"unknown transport name {name} yielded by command"
            log_write(run.ctx, f"{run.name} router: {message}", "panic")
            raise run.stop(address, DEFER, message)
    else:
        transport = run.transport(address)
    address.transport = transport
    hosts = extract_named("hosts", data)
    if hosts:
        how = How()
        lookup = extract_named("lookup", data)
        if lookup == "byname":
            how.byname = True
        elif lookup == "bydns":
            how.bydns = True
        elif lookup:
            message = f'bad lookup type "{lookup}" yielded by command'
            log_write(run.ctx, f"{run.name} router: {message}", "panic")
            raise run.stop(address, DEFER, message)
        address.hosts = tuple(look_up_hosts(run, address, build_hosts(run, hosts, False), how, "defer"))
    run.queue(address)
    return OK
