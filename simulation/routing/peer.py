"""What another mail server says to a sender and a recipient: its answers, and how it is really asked (manual 44.38).

:class:`Said` is how far a transaction went and what ended it; described worlds and recordings hold the same as a
mapping. :class:`Peer` speaks SMTP or LMTP over the sockets door, as Exim's transport does up to RCPT.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.state import Doors
    from eximious.simulation.routing.login import Login

#: how far it went
CONNECT, BANNER, HELO, RSET, MAIL, RCPT = "connect", "banner", "helo", "rset", "mail", "rcpt"
#: what is there instead of a reply, besides names of system errors
TIMEOUT, CLOSED, MALFORMED, SETUP = "timeout", "closed", "malformed", "setup"

#: bytes of a reply that Exim takes
REPLY_LIMIT = 4096


class Said:
    """How far a transaction went, and what was said there.

    ``stage``: the last step; the others before it went well. ``reply``: lines with newlines between them. ``fails``:
    "", or why there is no reply that makes sense: ``timeout``, ``closed``, ``malformed`` (``reply`` is what was said),
    ``setup`` (``reply`` is Exim's message) or the name of a system error. ``command``: what had been sent.
    """

    __slots__ = ("command", "fails", "reply", "stage")

    def __init__(self, stage: str, reply: str, fails: str = "", command: str = "") -> None:
        self.stage, self.reply, self.fails, self.command = stage, reply, fails, command

    @property
    def accepted(self) -> bool:
        """Whether the recipient was accepted."""
        return self.stage == RCPT and not self.fails and self.reply.startswith("2")

    def as_verdict(self) -> dict[str, str]:
        """Give it as a world describes it."""
        found = {"stage": self.stage}
        if self.fails:
            found["fails"] = self.fails
            if self.reply:
                found["text"] = self.reply
        else:
            found["reply"] = self.reply
        if self.command:
            found["command"] = self.command
        return found

    @classmethod
    def of_verdict(cls, verdict: dict[str, Any]) -> Said:
        """Take a description; a failure without a stage is one to connect, a reply without one is that to RCPT."""
        fails = str(verdict.get("fails") or "")
        stage = str(verdict.get("stage") or (CONNECT if fails else RCPT))
        if stage == CONNECT and not fails:
            stage = BANNER
        reply = str(verdict.get("text") or "") if fails else str(verdict.get("reply") or "")
        if not fails and stage != RCPT and reply.startswith("2"):
            stage = RCPT
        return cls(stage, reply.replace("\r\n", "\n"), fails, str(verdict.get("command") or ""))


class Greeting:
    """How a server is greeted: ``helo`` the name, ``lmtp``; ``esmtp`` False: HELO at once.

    ``starttls``: whether TLS is tried where it is offered, ``need_tls``: nothing is done without it;
    ``tempfail_clear``: a temporary refusal to start it is no failure. ``login``: logs in, None: that is left out.
    """

    __slots__ = ("esmtp", "helo", "lmtp", "login", "need_tls", "starttls", "tempfail_clear", "tls_on_connect")

    def __init__(self, helo: str) -> None:
        self.helo = helo
        self.lmtp = self.need_tls = self.starttls = self.tls_on_connect = False
        self.esmtp = self.tempfail_clear = True
        self.login: Login | None = None


class Ended(Exception):
    """There is no reply that makes sense: ``fails`` says why."""

    def __init__(self, fails: str, reply: str = "") -> None:
        super().__init__(fails)
        self.fails, self.reply = fails, reply


class Peer:
    """A server that is really asked. ``place``: the sockets door's word for it."""

    def __init__(self, place: str, greeting: Greeting, connect: float, timeout: float) -> None:
        self.place, self.greeting = place, greeting
        self.connect_timeout, self.timeout = connect, timeout
        self._connection: Any = None
        self._received = b""
        self._offered: set[str] = set()
        #: the reply to EHLO or LHLO, "" where it came to HELO, and the command
        self.hello = self.hello_command = ""

    def ask(self, doors: Doors, recipient: str, sender: str, size: int = 0, reopen: bool = False) -> Said:
        """Say MAIL and RCPT, after RSET where something was asked already.

        ``size``: of the message, for servers that want to know. ``reopen``: connect anew where RSET does not go well.
        """
        if self._connection is not None:
            problem = self._step(RSET, "RSET")
            if problem is not None and reopen:
                self._drop()
            elif problem is not None:
                return problem
        if self._connection is None:
            problem = self._open(doors)
            if problem is not None:
                return problem
        more = f" SIZE={size}" if size > 0 and "SIZE" in self._offered else ""
        if self.greeting.login is not None:
            try:
                more += self.greeting.login.mail_parameter()
            except Ended as ended:
                return Said(MAIL, ended.reply, ended.fails)
        mail = f"MAIL FROM:<{sender}>{more}"
        if "PIPELINING" in self._offered:
            return self._pipelined(mail, f"RCPT TO:<{recipient}>")
        return self._step(MAIL, mail) or self._rcpt(f"RCPT TO:<{recipient}>")

    def ask_more(self, recipient: str) -> Said:
        """Say RCPT once more, in the transaction that there is."""
        return self._rcpt(f"RCPT TO:<{recipient}>")

    def close(self) -> None:
        """Say goodbye."""
        if self._connection is not None:
            with suppress(OSError):  # it may have gone first
                self._connection.send(b"QUIT\r\n")
            self._drop()

    # ---- steps

    def _open(self, doors: Doors) -> Said | None:
        """Connect and say EHLO or HELO; what went wrong, None if nothing did."""
        greeting = self.greeting
        try:
            self._connection = doors.sockets.connect(
                self.place, self.connect_timeout, greeting.tls_on_connect, greeting.helo
            )
        except TimeoutError:
            return Said(CONNECT, "", "ETIMEDOUT")
        except OSError as error:
            import errno

            return Said(CONNECT, error.strerror or str(error), errno.errorcode.get(error.errno or 0, "EIO"))
        self._received = b""
        self._offered = set()
        if hasattr(self._connection, "settimeout"):
            self._connection.settimeout(self.timeout)
        problem = self._step(BANNER, None)
        if problem is None:
            problem = self._hello()
        if problem is None and greeting.starttls and "STARTTLS" in self._offered:
            problem = self._start_tls()
        if (
            problem is None
            and greeting.need_tls
            and not greeting.tls_on_connect
            and "TLS" not in self._offered
        ):
            why = (
                "an attempt to start TLS failed"
                if "STARTTLS" in self._offered
                else ("the server did not offer TLS support")
            )
            problem = Said(HELO, f"a TLS session is required, but {why}", SETUP)
        if problem is None and greeting.login is not None and self.hello:
            problem = greeting.login.run(self)
            if problem is not None and problem.fails == SETUP:
                self.close()
        if problem is not None:
            if problem.fails:
                self._drop()
            else:
                self.close()
        return problem

    def _hello(self) -> Said | None:
        greeting = self.greeting
        self.hello = ""
        first: Said | None = None
        if greeting.esmtp or greeting.lmtp:
            command = f"{'LHLO' if greeting.lmtp else 'EHLO'} {greeting.helo}"
            try:
                reply = self.exchange(command)
            except Ended as ended:
                return Said(HELO, ended.reply, ended.fails, command)
            if reply.startswith("2"):
                self.hello, self.hello_command = reply, command
                lines = reply.split("\n")[1:]
                self._offered |= {line[4:].upper() for line in lines}
                self._offered |= {line[4:].split(" ")[0].upper() for line in lines}
                return None
            first = Said(HELO, reply, command=command)
            if greeting.lmtp:
                return first
        command = f"HELO {greeting.helo}"
        try:
            reply = self.exchange(command)
        except Ended as ended:
            if first is not None and ended.fails == CLOSED:
                message = f"Remote host closed connection in response to {command} (EHLO response was: {first.reply})"
                return Said(HELO, message, SETUP)
            return Said(HELO, ended.reply, ended.fails, command)
        if reply.startswith("2"):
            return None
        if first is not None:
            # Exim reads this reply behind that to EHLO, and moves it to the front without its end
            both = f"{first.reply}\0{reply}\0"
            reply = (reply + both[len(reply) :]).partition("\0")[0]
        return Said(HELO, reply, command=command)

    def _start_tls(self) -> Said | None:
        try:
            reply = self.exchange("STARTTLS")
        except Ended as ended:
            return Said(HELO, ended.reply, ended.fails, "STARTTLS")
        if not reply.startswith("2"):
            if reply.startswith("4") and not self.greeting.tempfail_clear:
                return Said(HELO, reply, command="STARTTLS")
            return None
        try:
            self._connection.secure(self.greeting.helo)
        except OSError as problem:
            return Said(HELO, f"TLS session: (SSL_connect): {problem}", SETUP)
        self._offered = {"TLS"}
        return self._hello()

    def _pipelined(self, mail: str, rcpt: str) -> Said:
        """Send both commands at once; a server that stays silent is then waited for after the second one."""
        try:
            self._connection.send(f"{mail}\r\n{rcpt}\r\n".encode("latin-1"))
            reply = self._reply()
        except (TimeoutError, Ended, OSError) as problem:
            fails = _failure(problem)
            if fails == TIMEOUT:
                return Said(RCPT, "", TIMEOUT, rcpt)
            return Said(MAIL, getattr(problem, "reply", ""), fails, mail)
        try:
            second = self._reply()
        except (TimeoutError, Ended, OSError) as problem:
            if not reply.startswith("2"):
                return Said(MAIL, reply, command=mail)
            return Said(RCPT, getattr(problem, "reply", ""), _failure(problem), rcpt)
        return Said(RCPT, second, command=rcpt) if reply.startswith("2") else Said(MAIL, reply, command=mail)

    def _step(self, stage: str, command: str | None) -> Said | None:
        """Send a command (nothing for the greeting) and read the reply; what went wrong, None if nothing did."""
        try:
            reply = self.exchange(command)
        except Ended as ended:
            return Said(stage, ended.reply, ended.fails, command or "")
        return None if reply.startswith("2") else Said(stage, reply, command=command or "")

    def _rcpt(self, command: str) -> Said:
        try:
            return Said(RCPT, self.exchange(command), command=command)
        except Ended as ended:
            return Said(RCPT, ended.reply, ended.fails, command)

    def exchange(self, command: str | None) -> str:
        """Send a command and give the reply to it, lines with newlines between them. Raises Ended."""
        try:
            if command is not None:
                self._connection.send(f"{command}\r\n".encode("latin-1"))
            return self._reply()
        except OSError as problem:
            raise Ended(_failure(problem)) from None

    def _reply(self) -> str:
        """A whole reply, its lines with newlines between them. Raises Ended, OSError."""
        lines: list[str] = []
        while True:
            while b"\n" not in self._received:
                piece = self._connection.recv(4096)
                if not piece:
                    raise Ended(CLOSED)
                self._received += piece
                if len(self._received) > REPLY_LIMIT:
                    raise Ended(MALFORMED, self._received[:REPLY_LIMIT].decode("latin-1"))
            raw, _, self._received = self._received.partition(b"\n")
            line = raw.decode("latin-1").rstrip(" \t\r\v\f")
            lines.append(line)
            if not (
                line[:3].isascii() and line[:3].isdigit() and len(line) >= 3 and line[3:4] in ("", " ", "-")
            ):
                raise Ended(MALFORMED, "\n".join(lines))
            if line[3:4] != "-":
                return "\n".join(lines)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _failure(problem: BaseException) -> str:
    if isinstance(problem, Ended):
        return problem.fails
    # what a lost connection is called depends on who noticed it when
    return TIMEOUT if isinstance(problem, TimeoutError) else CLOSED


def system_error(name: str) -> str:
    """The system's words for an error of that name (``ECONNREFUSED``), or for ``timeout``."""
    import errno

    number = getattr(errno, "ETIMEDOUT" if name == TIMEOUT else name, None)
    return os.strerror(number) if isinstance(number, int) else name
