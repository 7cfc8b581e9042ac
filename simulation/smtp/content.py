"""DATA: how the message comes in (manual 48; RFC 5321 4.1.1.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.text import Tainted
from eximious.simulation.acl.outcomes import OK
from eximious.simulation.smtp.arrival import Arrival
from eximious.simulation.smtp.reception import received
from eximious.simulation.smtp.registry import command

if TYPE_CHECKING:
    from typing import Protocol

    from eximious.simulation.smtp.session import SmtpSession

    class Receiving(Protocol):
        """What takes input instead of commands."""

        def take(self, session: SmtpSession, data: bytes) -> bytes | None:
            """Take input; gives what is left behind the end, None as long as there is none."""

        def lost(self, session: SmtpSession) -> None:
            """The client is gone in the middle."""


#: bytes of a message kept where the configuration sets no limit
MOST = 512 << 20


@command("data", arguments=False, mail=True)
def data(session: SmtpSession, argument: str) -> None:
    """DATA: ask for the message, unless nobody is to have it."""
    if not recipients_there(session, "DATA"):
        return
    if session.has_acl("acl_smtp_predata"):
        message = session.ctx.message
        message.enable_dollar_recipients = True
        result = session.acl("predata", "acl_smtp_predata")
        message.enable_dollar_recipients = False
        if result.outcome != OK:
            session.state.message.cutthrough = False
            session.refuse("predata", result)
            return
        if result.user:
            session.user_message("354", result)
            session.receiving = Message(session)
            return
    session.say('354 Enter message, ending with "." on a line by itself')
    session.receiving = Message(session)


def recipients_there(session: SmtpSession, verb: str) -> bool:
    """Whether a message may come (``verb``: DATA or BDAT); where not, the client is told."""
    session.pipe_connect = False
    if not session.discarded and not session.recipients:
        session.record.last.reason = "sequence"
        if session.rcpt_response is not None and session.rcpt_response_same:
            session.respond("503", "All RCPT commands were rejected with this error:", final=False)
            # kept without its end from here on: what a later RCPT is answered differs from it, where it has one
            session.rcpt_response = session.rcpt_response.removesuffix("\r\n")
            session.respond("503", session.rcpt_response, final=False)
        if session.pipelining and session.last_was_rcpt:
            session.say(f"503 Valid RCPT command must precede {verb}")
        else:
            message = f"valid RCPT command must precede {verb}"
            session.protocol_error("smtp_protocol_error", 503, None, message)
        return False
    if session.too_many and session.options.get("recipients_max_reject"):
        session.sender = None
        session.say("554 Too many recipients")
        return False
    return True


class Store:
    """The bytes of a message as they come; beyond the limit they are only counted."""

    def __init__(self, session: SmtpSession) -> None:
        limit = session.size_limit or MOST
        self.most = limit + 65_536
        self.parts: list[bytes] = []
        self.size = self.kept = 0

    def add(self, piece: bytes) -> None:
        """Take a piece."""
        self.size += len(piece)
        if self.kept <= self.most:
            self.parts.append(piece)
            self.kept += len(piece)

    def text(self) -> bytes:
        """What was kept."""
        return b"".join(self.parts)


#: a line of a header, or what goes on with one
_HEADER = re.compile(rb"[ \t]|[!-9;-~]+[ \t]*:")


def begin(session: SmtpSession) -> None:
    """A message begins to come: it has no id yet."""
    session.ctx.message.message_exim_id = ""
    session.arrival = Arrival(session.env.doors.clock.now())


class Message:
    """The message behind DATA: up to a line that is a dot.

    The lines of a message that begins with one ended by CRLF all have to be, so that nobody can hide an end in it
    (RFC 5321 2.3.8, 4.1.1.4).
    """

    def __init__(self, session: SmtpSession) -> None:
        begin(session)
        self.store = Store(session)
        self._tail = b"\n"
        self._crlf: bool | None = None
        self._strict = session.env.version >= (4, 96)

    def take(self, session: SmtpSession, data: bytes) -> bytes | None:
        """See :class:`Receiving`."""
        if self._crlf is None:
            first = (self._tail + data).find(b"\n", 1)
            if first > 0:
                self._crlf = (self._tail + data)[first - 1 : first] == b"\r"
        joined = self._tail + data
        end, behind = self._end(joined)
        already = len(self._tail)
        if end < 0:
            # what could be the beginning of the end stays for the next piece
            keep = min(len(joined), 4)
            self.store.add(joined[already:] if already <= len(joined) else b"")
            self._tail = joined[len(joined) - keep :]
            return None
        if end + 1 > already:
            self.store.add(joined[already : end + 1])
        elif end + 1 < already:
            self._unsay(already - end - 1)
        session.receiving = None
        received(session, self._unstuffed(), self.store.size)
        return joined[behind:]

    def _unsay(self, size: int) -> None:
        """Give back bytes that were stored and belong to the end."""
        text = self.store.text()
        self.store.parts = [text[: len(text) - size]]
        self.store.size -= size
        self.store.kept = len(self.store.parts[0])

    def _end(self, joined: bytes) -> tuple[int, int]:
        """The offset of the newline before the last dot, and of what is behind; -1 where there is no end."""
        if self.store.size < len(self._tail):  # nothing is before what is looked at
            for mark in (b"\n.\r\n", b"\n.\n"):
                if joined.startswith(mark):
                    return 0, len(mark)
        crlf = self._crlf and self._strict
        ends = (b"\r\n.\r\n",) if crlf else (b"\n.\n", b"\n.\r\n")
        best = (-1, -1)
        for mark in ends:
            at = joined.find(mark)
            if at >= 0 and (best[0] < 0 or at < best[0]):
                newline = at + 1 if crlf else at
                best = (newline, at + len(mark))
        return best

    def _unstuffed(self) -> bytes:
        text = self.store.text()
        if text.startswith(b"."):
            text = text[1:]
        return text.replace(b"\n.", b"\n")

    def lost(self, session: SmtpSession) -> None:
        """See :class:`Receiving`."""
        from eximious.simulation.smtp.reception import header_refused

        if header_refused(session, self._unstuffed()):
            session.receiving = None  # the rest was swallowed, and the next command does not come
            return
        lose(session, self.store)


def in_body(text: bytes) -> bool:
    """Whether something of the body has come: behind an empty line, or behind a first line that is no header."""
    at = 0
    while at < len(text):
        end = text.find(b"\n", at) + 1
        line = text[at : end or len(text)]
        if line in (b"\n", b"\r\n"):
            return True
        if not _HEADER.match(line):
            return 0 < end < len(text)
        at += len(line)
    return False


def lose(session: SmtpSession, store: Store) -> None:
    """The connection is lost inside a message."""
    session.receiving = None
    message, text = session.ctx.message, store.text()
    if b"\n" in text.lstrip(b"\r\n") and session.ctx.listener is not None:
        session.is_host("ignore_fromline_hosts")  # the first line was looked at
    if session.logs("lost_incoming_connection"):
        where = "" if in_body(text) else " (after header)" if text.endswith(b"\n") else " (header)"
        if session.env.version >= (4, 97) and message.sender_address:
            where += f" F=<{message.sender_address}>"
        session.log(f"{session.connection_info()} lost while reading message data{where}")
    session.notquit("connection-lost", "", "")
    session.say("421 Lost incoming connection")
    session.closed = True


def tainted(text: str) -> str:
    """What came from the client."""
    return Tainted(text)
