"""Modifiers that set, log, delay, queue, add and remove (manual 44.19)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar.config_values import parse_time
from eximious.interpreter.listsplit import SPACE, split_list, split_spans
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.engine import printing
from eximious.simulation.acl.headers import add_headers, remove_headers
from eximious.simulation.acl.outcomes import DEFER, OK
from eximious.simulation.acl.registry import modifier
from eximious.simulation.acl.state import Delay

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

_LOGS = ("main", "panic", "reject")
_LOG_WORD = re.compile("main|panic|reject")


@modifier("set")
def set_(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Set a variable: ``acl_c…`` for the connection, ``acl_m…`` for the message, or DKIM's verdict."""
    ctx, name = evaluation.ctx, step.variable or ""
    if name.startswith("acl_"):
        (ctx.session.acl_c if name[4] == "c" else ctx.message.acl_m)[name] = argument
    else:
        setattr(ctx.message, name, argument)
    return OK


@modifier("logwrite")
def logwrite(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Write to the main log, or to those named between colons at the front."""
    text, logs = argument, []
    if text.startswith(":"):
        at = 1
        while at < len(text) and text[at] != ":":
            word = _LOG_WORD.match(text, at)
            if word is None:
                text = f':unknown log name in "{argument}" in "logwrite" in {evaluation.where} ACL'
                logs, at = ["main", "panic"], 0
                break
            logs.append(word.group())
            at = word.end()
            if text[at : at + 1] == ",":
                at += 1
        text = text[at + 1 :]
    text = text.lstrip(" \t\n\v\f\r")
    evaluation.write(printing(evaluation.ctx, text), " ".join(dict.fromkeys(logs)) or "main")
    return OK


@modifier("log_reject_target")
def log_reject_target(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Say to which logs a rejection goes; no list: to none."""
    logs: dict[str, None] = {}
    for word in split_list(argument):
        if word in _LOGS:
            logs[word] = None
            continue
        logs.update(main=None, reject=None)
        evaluation.write(
            f'unknown log name "{word}" in "log_reject_target" in {evaluation.where} ACL', "main panic"
        )
    evaluation.state.log_reject_target = tuple(logs)
    return OK


@modifier("delay")
def delay(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Note a delay; nobody waits (the real one's ``-bh`` does not either)."""
    seconds = parse_time(argument)
    if seconds < 0:
        return evaluation.error(
            f'syntax error in argument for "delay" modifier: "{argument}" is not a time value'
        )
    evaluation.trace(f"delay modifier requests {seconds}-second delay")
    evaluation.trace("delay skipped in -bh checking mode")
    evaluation.state.delays.append(Delay(seconds, evaluation.phase))
    return OK


@modifier("queue")
def queue(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Name the queue that the message goes to."""
    if type(argument) is Tainted and evaluation.ctx.env.version >= (4, 94):
        return evaluation.error(f"attempt to use tainted value '{argument}' for queue name")
    if "/" in argument:
        return evaluation.error(f"Directory separator not permitted in queue name: '{argument}'")
    evaluation.ctx.message.queue_name = argument
    return OK


@modifier("add_header", section="44.23")
def add_header(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Add header lines to the message."""
    add_headers(evaluation.ctx, evaluation.state, argument)
    return OK


@modifier("remove_header", section="44.24")
def remove_header(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Remove header lines from the message."""
    remove_headers(evaluation.state, argument)
    return OK


@modifier("bmi_optin")
def bmi_optin(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Note the opt-in that Brightmail gets for the recipient."""
    evaluation.state.message.bmi_optin = argument
    return OK


@modifier("udpsend")
def udpsend(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Note a datagram: host, port and text, separated by colons. It is not sent."""
    found = list(split_spans(argument))
    if len(found) < 2:
        return evaluation.error(f'missing destination {"port" if found else "host"} in "udpsend" modifier')
    host, port = found[0][0], found[1][0]
    text = argument[found[1][2] :].lstrip(SPACE)[1:]
    if not re.fullmatch(r"\s*[+-]?[0-9]+|", port, re.A):
        return evaluation.error('bad destination port in "udpsend" modifier')
    from eximious.interpreter.ipaddress import parse_ip

    if parse_ip(host) is None:
        from eximious.interpreter.hosts import FIND_AGAIN, FIND_FAILED, Host, find_by_name

        if find_by_name(evaluation.ctx, Host(host)).outcome in (FIND_AGAIN, FIND_FAILED):
            evaluation.log = 'DNS lookup failed in "udpsend" modifier'
            return DEFER
    evaluation.trace(f"udpsend [{host}]:{int(port or 0)} {text}")
    evaluation.trace(f"udpsend {len(text)} bytes")
    evaluation.state.udp.append((host, int(port or 0), text))
    return OK
