"""A simulated session as one page for people."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from eximious.assembly import Assembly
    from eximious.simulating import Simulation
    from eximious.simulation.smtp.record import Event, Statement


def write_report(
    assembly: Assembly,
    simulation: Simulation,
    options: argparse.Namespace,
    phase: str = "",
    indent: int | None = 2,
) -> None:
    """Write what became of a session on standard output, as ``--format``, ``--explain`` and ``--show-secrets`` say."""
    from eximious.drawing.picture import readable
    from eximious.secrets import hider

    hide: Callable[[str], str] = str if options.show_secrets else hider(assembly.environment)
    if options.format == "json":
        sys.stdout.write(hide(json.dumps(simulation.to_dict(), indent=indent)) + "\n")
    else:
        for line in report(simulation, options.explain, phase):
            sys.stdout.write(hide(readable(line)) + "\n")
    sys.stdout.flush()


def report(simulation: Simulation, explain: bool, phase: str = "") -> Iterator[str]:
    """Give the lines: each command with its reply, what decided it, what it left behind; then what became of it all."""
    for event in simulation.events:
        if phase and event.phase != phase:
            continue
        yield from _event(event, explain)
    if phase:
        return
    yield from _fate(simulation)


def _event(event: Event, explain: bool) -> Iterator[str]:
    heading = event.command or f"({event.phase})"
    yield heading if event.phase != "connect" else "(connection)"
    for line in event.reply:
        if line.strip():
            yield f"  {line}"
    if event.acl:
        yield from _statements(event, explain)
    elif event.reason and event.code[:1] in ("4", "5"):
        yield f"    reason: {event.reason}"
    for name, value in event.variables.items():
        yield f"    set {name} = {value}"
    for text in event.added:
        yield f"    adds header  {text.rstrip()}"
    for text in event.removed:
        yield f"    removes headers  {text}"
    for where, line in event.logs:
        yield f"    log ({where.replace(' ', ', ')}): {line}"


def _statements(event: Event, explain: bool) -> Iterator[str]:
    decided = event.statements[-1] if event.statements else None
    shown = event.statements if explain else [decided] if decided is not None else []
    if decided is None:
        yield f"    ACL {_short(event.acl)}"
    for statement in shown:
        mark = "decided by" if statement is decided else "tried     "
        yield f"    {mark} {_place(statement)}  {_short(statement.text)}"
        if explain:
            for step in statement.steps:
                value = f'  => "{step.value}"' if step.value is not None else ""
                why = f" ({_short(step.why)})" if step.why else ""
                yield f"        {_short(step.text)}{value}  {step.outcome}{why}"


def _place(statement: Statement) -> str:
    return statement.place.rpartition("/")[2] or "(ACL in place)"


def _short(text: str) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= 110 else text[:109] + "…"


def _fate(simulation: Simulation) -> Iterator[str]:
    yield ""
    for message in simulation.messages:
        to = ", ".join(message["recipients"]) or "nobody"
        extra = "".join(f", {word}" for word in ("frozen", "queued") if message[word])
        yield f"message {message['id']} from <{message['sender']}> for {to}: {message['fate']}{extra}"
    accepted = {one for message in simulation.messages for one in message["recipients"]}
    for event in simulation.events:
        if event.phase == "rcpt" and event.code[:1] in ("4", "5"):
            yield f"{event.command[8:].strip()}: refused with {event.reply[-1]}"
    if not simulation.messages and not simulation.lacking:
        last = next((event for event in reversed(simulation.events) if event.code[:1] in ("4", "5")), None)
        if last is not None:
            yield f"no message was accepted; the last refusal: {last.reply[-1]}"
    del accepted
