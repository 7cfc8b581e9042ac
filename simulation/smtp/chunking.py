"""BDAT: a message that comes in chunks, and what may stand between two of them (RFC 3030; manual 48)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.message_file import message_id
from eximious.interpreter.text import Tainted
from eximious.simulation.smtp.content import Store, begin, in_body, lose, recipients_there
from eximious.simulation.smtp.registry import command, find

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession

_SIZE = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*")


@command("bdat", mail=True)
def bdat(session: SmtpSession, argument: str) -> None:
    """BDAT: a chunk of the message follows at once."""
    if not session.chunking:
        session.protocol_error(
            "smtp_protocol_error", 503, None, "BDAT command used when CHUNKING not advertised"
        )
        return
    wanted = _size(session, argument)
    if wanted is None:
        return
    size, last = wanted
    if size == 0 and not last:
        session.protocol_error("smtp_protocol_error", 504, None, "zero size for BDAT command")
        return
    if not recipients_there(session, "BDAT"):
        session.receiving = Flush(size)
        return
    chunks = Chunks(session)
    chunks.expect(size, last)
    session.receiving = chunks


def _size(session: SmtpSession, argument: str) -> tuple[int, bool] | None:
    """The size of a chunk in bytes and whether it is the last; None: there is none, which is told."""
    match = _SIZE.match(argument)
    if match is None:
        session.protocol_error("smtp_protocol_error", 501, None, "missing size for BDAT command")
        return None
    return int(match[1][:20]) & 0xFFFFFFFF, argument[match.end() :].upper() == "LAST"


class Chunks:
    """A message in chunks: each of the size that its BDAT said, and commands between them."""

    def __init__(self, session: SmtpSession) -> None:
        """The first BDAT."""
        begin(session)
        self.store = Store(session)
        self.left = self.size = 0
        self.last = False
        self._between = False
        self._only_reset = False
        self._line = b""
        #: the size that BDAT gave for the chunk that is due, None: it has come, and was acknowledged
        self._due: int | None = None

    def expect(self, size: int, last: bool) -> None:
        """A BDAT command."""
        self.left = self.size = size
        self.last = last
        self._between = False

    def take(self, session: SmtpSession, data: bytes) -> bytes | None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        if self._between:
            return self._command(session, data)
        piece, rest = data[: self.left], data[self.left :]
        self.store.add(piece)
        self.left -= len(piece)
        if self.left:
            return None
        if not self.last:
            session.say(f"250 {self.size} byte chunk received")
            self._between = True
            if in_body(self.store.text()):  # the header has been dealt with
                session.ctx.message.message_exim_id = message_id(session.ctx)
            return rest
        self._received(session, self.size)
        return rest

    def _received(self, session: SmtpSession, size: int | None) -> None:
        from eximious.simulation.smtp.reception import received

        session.receiving = None
        received(session, self.store.text(), self.store.size, chunk=size)

    # ---- between two chunks

    def _command(self, session: SmtpSession, data: bytes) -> bytes | None:
        """Take a command: BDAT, NOOP, RSET or QUIT; behind any other one only RSET and QUIT."""
        line, newline, rest = (self._line + data).partition(b"\n")
        if not newline:
            self._line = line
            return None
        self._line = b""
        text = line.decode("latin-1").rstrip(SPACE)
        session.line = text
        session.ctx.session.smtp_command = Tainted(text)
        session.begin_event("", text)
        found = find(text, session.env.version)
        name = found[0].name if found is not None else ""
        argument = found[1].lstrip(SPACE) if found is not None else ""
        if found is not None and argument and not found[0].arguments:
            name = ""
        if name == "RSET":
            self._reset(session)
        elif name == "QUIT":
            self._quit(session)
        elif self._only_reset:
            self._complain(session, "only RSET accepted now")
            if session.closed:
                self._cut_off(session)
        elif name == "NOOP":
            session.history.append("NOOP")
            session.say("250 OK")
        elif name == "BDAT":
            self._next(session, argument)
        else:
            self._complain(session, "only BDAT permissible after non-LAST BDAT")
            session.closed, self._only_reset = False, True
        return rest

    def _complain(self, session: SmtpSession, message: str, code: int = 503) -> None:
        session.protocol_error("smtp_protocol_error", code, None, message)

    def _next(self, session: SmtpSession, argument: str) -> None:
        wanted = _size(session, argument)
        if wanted is None:
            session.closed, session.receiving = False, None
            session.reset()
            session.ctx.message.message_exim_id = ""
            return
        size, last = wanted
        if size == 0 and not last:
            self._due = 0
            self._complain(session, "zero size for BDAT command", 504)
            session.closed, self._only_reset = False, True
        elif size == 0:
            self._received(session, size)
        else:
            self.expect(size, last)

    def _reset(self, session: SmtpSession) -> None:
        from eximious.simulation.smtp.inquiry import rset

        session.history.append("RSET")
        session.receiving = None
        rset(session, "")
        session.ctx.message.message_exim_id = ""

    def _quit(self, session: SmtpSession) -> None:
        from eximious.simulation.smtp.inquiry import quit_

        session.history.append("QUIT")
        quit_(session, "")
        session.notquit_done = False
        self._cut_off(session)

    def _cut_off(self, session: SmtpSession) -> None:
        """No chunk follows. Where a header line has just ended Exim takes the message for whole, and goes on."""
        text = self.store.text()
        if in_body(text) or not text.endswith(b"\n"):
            self.lost(session)
            return
        session.closed = False
        self._received(session, self._due)

    def lost(self, session: SmtpSession) -> None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        session.ctx.message.message_exim_id = ""
        lose(session, self.store)


class Flush:
    """A chunk that nobody wants."""

    def __init__(self, size: int) -> None:
        """A chunk of ``size`` bytes."""
        self.left = size

    def take(self, session: SmtpSession, data: bytes) -> bytes | None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        rest = data[self.left :]
        self.left -= min(self.left, len(data))
        if self.left:
            return None
        session.receiving = None
        return rest

    def lost(self, session: SmtpSession) -> None:
        """See :class:`eximious.simulation.smtp.content.Receiving`. It ends as where a command was expected."""
        session.receiving = None
