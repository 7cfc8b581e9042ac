"""A session that cannot go on: every command gets 421 until the client leaves (RFC 5321, 3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import SPACE
from eximious.simulation.smtp.registry import find

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession


class ClosedDown:
    """Takes the commands of a client that has been told that there is a problem here."""

    def __init__(self, session: SmtpSession, message: str) -> None:
        """Tell the client; ``message`` is said again for each command."""
        self.reply = f"421 {message}"
        self._begun = b""
        session.closed_down = True
        session.say(self.reply)

    def take(self, session: SmtpSession, data: bytes) -> bytes | None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        line, newline, rest = (self._begun + data).partition(b"\n")
        if not newline:
            self._begun = line
            return None
        self._begun = b""
        text = line.decode("latin-1").rstrip(SPACE)
        session.begin_event("", text)
        found = find(text, session.env.version)
        name = found[0].name if found is not None and not found[1].strip(SPACE) else ""
        if name == "QUIT":
            session.say(f"221 {session.active_hostname} closing connection")
            session.closed = True
        elif name == "RSET":
            session.say("250 Reset OK")
        else:
            session.say(self.reply)
        return rest

    def lost(self, session: SmtpSession) -> None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        session.closed = True
