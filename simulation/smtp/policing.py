"""What ends a session early: commands sent before they may be, and too many that are no part of a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.engine import client, printing

if TYPE_CHECKING:
    from eximious.simulation.smtp.registry import Command
    from eximious.simulation.smtp.session import SmtpSession


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
