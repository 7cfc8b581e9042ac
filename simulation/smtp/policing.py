"""What ends a session early: commands sent before they may be, and too many that are no part of a transaction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.simulation.acl.engine import client, printing
from eximious.simulation.acl.state import Delay

if TYPE_CHECKING:
    from eximious.simulation.smtp.registry import Command
    from eximious.simulation.smtp.session import SmtpSession

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


def sent_too_soon(session: SmtpSession, command: Command) -> bool:
    """Whether the client has sent more than it may before it has the answer; it is then refused."""
    if not session.enforce_sync or not session._input:
        return False
    if not session.options.get("smtp_enforce_sync") or session.state.connection.enforce_sync is False:
        return False
    if command.pipelined and session.pipelining:
        return False
    if command.name in ("QUIT", "DATA", "BDAT") and session.pipelining and command.name != "DATA":
        return False
    advertised = "" if session.pipelining else " not"
    shown = printing(session.ctx, session._input[:150].decode("latin-1"))
    session.log(
        f"SMTP protocol synchronization error (next input sent too soon: pipelining was{advertised} advertised): "
        f'rejected "{session.line}" {client(session.ctx)} next input="{shown}"',
        "main reject",
    )
    session.notquit("synchronization-error", "554", "SMTP synchronization error")
    session.closed = True
    return True


def too_many(session: SmtpSession, command: Command) -> bool:
    """Count commands that are no part of a transaction (manual 14, smtp_accept_max_nonmail)."""
    if command.mail:
        return False
    once = "HELO" if command.name == "EHLO" else command.name  # the two count as one
    if command.once and once not in session.counted_once:
        session.counted_once.add(once)
        return False
    if session.count_nonmail is None:
        session.count_nonmail = session.is_host("smtp_accept_max_nonmail_hosts")
    limit = session.options.get("smtp_accept_max_nonmail")
    if not session.count_nonmail:
        return False
    session.nonmail_commands += 1
    if limit is None or session.nonmail_commands <= limit:
        return False
    session.begin_event(command.name.lower(), session.line)
    session.record.last.reason = "limit"
    session.incomplete("too many non-mail commands")
    word = session.line.split(" ")[0]
    session.log(
        f'SMTP call from {session.host()} dropped: too many nonmail commands (last was "{word}")',
        "main reject",
    )
    session.notquit("bad-commands", "554", "Too many nonmail commands")
    session.closed = True
    return True


def slow_down(session: SmtpSession, what: str, count: int) -> None:
    """Note the delay that a client gets from its so many-th MAIL or RCPT on (manual 14, smtp_ratelimit_hosts).

    ``what``: mail or rcpt; the option smtp_ratelimit_… says from which command on, how long, by how much longer each
    time, and how long at most. Nobody waits here.
    """
    text = session.options.get(f"smtp_ratelimit_{what}")
    if text is None:
        return
    threshold, first, factor, longest = (part.strip(" \t\n\v\f\r") for part in str(text).split(",")[:4])
    if count <= int(threshold) or not session.is_host("smtp_ratelimit_hosts"):
        return
    seconds = session.waits.get(what)
    if seconds is None:
        seconds = _seconds(first)
    if seconds > 0:
        session.state.delays.append(Delay(seconds, what))
        session.waits[what] = min(seconds * float(factor), _seconds(longest))


def _seconds(text: str) -> float:
    """A time with fractions, such as ``1m0.5s``."""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)([wdhms])", text))
