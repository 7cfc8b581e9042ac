"""Sessions and addresses for programs: what the public API gives beside expansions.

>>> session = config.session(ip="192.0.2.1").helo("client.example").mail("a@b.example")   # doctest: +SKIP
>>> session.rcpt("joe@example.org").last.accepted                                         # doctest: +SKIP
True
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.simulation.smtp.record import Event, Statement
    from eximious.simulation.smtp.session import SmtpSession


class Reason(enum.StrEnum):
    """Why a reply is what it is: a closed set."""

    ACL = "acl"  #: an ACL decided
    NO_ACL = "no acl"  #: there is no ACL for it, and this is then usual
    SYNTAX = "syntax"  #: the command, or an address in it, is malformed
    SEQUENCE = "sequence"  #: the command may not come here
    LIMIT = "limit"  #: too many of something, or too large
    HOST = "host"  #: who the client is
    AUTHENTICATION = "authentication"  #: what AUTH came to
    VERIFICATION = "verification"  #: an address was asked about
    PROTOCOL = "protocol"  #: what the command always says


class Decision:
    """What the server said to one command. ``phase``: connect, helo, mail, rcpt, predata, data…"""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    @property
    def phase(self) -> str:
        """The phase it belongs to."""
        return self._event.phase

    @property
    def reply(self) -> list[str]:
        """The lines of the reply, without their ends."""
        return list(self._event.reply)

    @property
    def code(self) -> int:
        """The code of the reply, 0 without one."""
        return int(self._event.code) if self._event.code.isdigit() else 0

    @property
    def accepted(self) -> bool:
        """Whether the code begins with 2 or 3."""
        return 200 <= self.code < 400

    @property
    def reason(self) -> Reason:
        """Why."""
        return Reason(self._event.reason or "protocol")

    @property
    def statement(self) -> Statement | None:
        """The ACL statement that decided, with its place; None where none did."""
        return self._event.statements[-1] if self._event.statements else None

    @property
    def statements(self) -> list[Statement]:
        """All statements that were tried, in order."""
        return list(self._event.statements)

    @property
    def logs(self) -> list[tuple[str, str]]:
        """What would be logged: (which logs, line)."""
        return list(self._event.logs)

    @property
    def variables(self) -> dict[str, str]:
        """The ``acl_c…`` and ``acl_m…`` that were set, by name."""
        return dict(self._event.variables)

    def to_dict(self) -> dict[str, Any]:
        """The form it has in JSON."""
        from eximious.simulating import event_dict

        return event_dict(self._event)

    def __repr__(self) -> str:
        return f"Decision({self.phase!r}, {self.reply[-1] if self.reply else ''!r})"


class Session:
    """One SMTP session, command by command; made by :meth:`eximious.Configuration.session`.

    The methods send a command and give the session back, so that they can be chained; :attr:`last` is what was said,
    :attr:`decisions` all of it. They raise what the doors raise (Refused, Unanswered).
    """

    def __init__(self, session: SmtpSession) -> None:
        self._session = session
        session.start()

    @property
    def last(self) -> Decision:
        """The last decision."""
        return Decision(self._session.record.last)

    @property
    def decisions(self) -> list[Decision]:
        """All decisions in order."""
        return [Decision(event) for event in self._session.record.events]

    @property
    def closed(self) -> bool:
        """Whether the server has ended the session."""
        return self._session.closed

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that were taken: id, sender, recipients, fate, headers."""
        return list(self._session.record.messages)

    def send(self, line: str) -> Session:
        """Send one line, its end not included."""
        self._session.feed(line.encode("latin-1") + b"\r\n")
        return self

    def helo(self, name: str) -> Session:
        """EHLO."""
        return self.send(f"EHLO {name}")

    def auth(self, user: str, password: str) -> Session:
        """AUTH PLAIN."""
        import base64

        data = base64.b64encode(f"\0{user}\0{password}".encode("latin-1")).decode()
        return self.send(f"AUTH PLAIN {data}")

    def mail(self, sender: str, options: str = "") -> Session:
        """MAIL FROM; ``sender`` without angle brackets."""
        return self.send(f"MAIL FROM:<{sender}> {options}".rstrip())

    def rcpt(self, recipient: str, options: str = "") -> Session:
        """RCPT TO."""
        return self.send(f"RCPT TO:<{recipient}> {options}".rstrip())

    def data(self, message: bytes | str) -> Decision:
        """DATA and the message; gives the decision on it (on DATA itself where that is refused)."""
        from eximious.simulating import stuffed

        self.send("DATA")
        if self._session.receiving is not None:
            content = message.encode("latin-1") if isinstance(message, str) else message
            self._session.feed(stuffed(content))
        return self.last

    def rset(self) -> Session:
        """RSET."""
        return self.send("RSET")

    def quit(self) -> Session:
        """QUIT."""
        return self.send("QUIT")


class Verification:
    """Whether an address verifies. ``outcome``: ok, fail or defer; ``message``: why, as the log has it."""

    __slots__ = ("address", "message", "outcome", "user_message")

    def __init__(self, address: str, outcome: str, message: str, user_message: str) -> None:
        self.address, self.outcome, self.message, self.user_message = address, outcome, message, user_message

    def __bool__(self) -> bool:
        return self.outcome == "ok"

    def __repr__(self) -> str:
        return f"Verification({self.address!r}, {self.outcome!r}, {self.message!r})"
