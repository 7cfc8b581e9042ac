"""A whole SMTP session made of facts about a message: what ``eximious simulate`` and ``Configuration.simulate`` run.

:func:`script` says what the client would send; :class:`Simulation` is what came of it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from eximious.assembly import Assembly
    from eximious.simulation.smtp.record import Event
    from eximious.simulation.smtp.session import SmtpSession

#: phases that can be run alone
PHASES = (
    "connect", "helo", "starttls", "auth", "mail", "rcpt", "predata", "mime", "dkim", "prdr", "data", "quit", "notquit",
    "vrfy", "expn", "etrn",
)  # fmt: skip


class Client:
    """Who sends, and how. ``tls``: None, or values of ``$tls_in_…``; ``auth``: None, or (user, password)."""

    __slots__ = ("auth", "helo", "ident", "interface", "ip", "port", "tls")

    def __init__(
        self,
        ip: str,
        *,
        helo: str = "client.example",
        port: int = 0,
        interface: str = "",
        ident: str = "",
        tls: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> None:
        self.ip, self.helo, self.port, self.interface, self.ident = ip, helo, port, interface, ident
        self.tls = dict(tls) if tls is not None else None
        self.auth = auth


class Refusal(Exception):
    """A fact about the client that makes no sense; the text says which."""


def open_session(
    assembly: Assembly, client: Client, *, explain: bool = False, phase: str = "", enforce_sync: bool = False
) -> SmtpSession:
    """Make a session for a client, in state of its own. Raises Refusal."""
    from eximious.assembly import fresh_context
    from eximious.interpreter.origin import OriginError, address_and_port
    from eximious.interpreter.text import Tainted
    from eximious.simulation.smtp.session import SmtpSession

    try:
        address, port = address_and_port(client.ip)
        interface, own_port = address_and_port(client.interface) if client.interface else ("", -1)
    except OriginError as problem:
        raise Refusal(problem.message.removeprefix("exim abandoned: ")) from None
    ctx = fresh_context(assembly.environment)
    connection = ctx.session
    connection.sender_host_address = str(address)
    connection.sender_host_port = client.port or port
    connection.sender_ident = Tainted(client.ident) if client.ident else ""
    if interface:
        connection.received_ip_address, connection.received_port = str(interface), own_port or 25
    session = SmtpSession(ctx, host_checking=False, callouts=True, explain=explain, enforce_sync=enforce_sync)
    session.described_tls = client.tls
    session.only_phase = phase
    return session


class Simulation:
    """A session that was run: ``events`` in order, ``messages`` that were accepted, what was said on both sides.

    ``transcript``: (side, line): C for the client, S for the server. ``lacking``: what the world did not answer, "" if
    nothing is. Everything is text of one character a byte, as the server has it.
    """

    def __init__(self, session: SmtpSession) -> None:
        self.session = session
        self.transcript: list[tuple[str, str]] = []
        self.lacking = ""
        self.hint = ""

    def say(self, data: bytes) -> None:
        """Note what the client sends: no secrets, and of long data the ends only."""
        text = data.decode("latin-1")
        if self.session.dialogue is not None:
            text = "…\r\n"
        elif text[:5].upper() == "AUTH ":
            words = text.split(None, 2)
            text = " ".join([*words[:2], *(["…"] if len(words) > 2 else [])]) + "\r\n"
        lines = text.split("\n")
        if len(lines) > 12:
            lines = [*lines[:8], f"… {len(lines) - 11} more lines", *lines[-3:]]
        self.transcript += [("C", line.rstrip("\r")) for line in lines if line]

    def hear(self, data: bytes) -> None:
        """Note what the server answers."""
        lines = data.decode("latin-1").split("\n")
        self.transcript += [("S", line.rstrip("\r")) for line in lines if line.strip()]

    @property
    def events(self) -> list[Event]:
        """What happened, command by command."""
        return self.session.record.events

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that were accepted, or discarded."""
        return self.session.record.messages

    @property
    def refused(self) -> bool:
        """Whether any command was refused, or nothing was accepted."""
        return any(event.code[:1] in ("4", "5") for event in self.events)

    def reply(self, phase: str) -> str:
        """The last line of the last reply of a phase, "" where there was none."""
        found = [event for event in self.events if event.phase == phase and event.reply]
        return found[-1].reply[-1] if found else ""

    @property
    def logs(self) -> list[tuple[str, str]]:
        """All lines that were logged: (which logs, line)."""
        return [entry for event in self.events for entry in event.logs]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form (see the schema ``simulate``)."""
        return {
            "events": [event_dict(event) for event in self.events],
            "messages": [plain(message) for message in self.messages],
            "transcript": [{"side": side, "line": meant(line)} for side, line in self.transcript],
            "refused": self.refused,
            **({"lacking": self.lacking} if self.lacking else {}),
        }


def meant(text: str) -> str:
    """Text of one character a byte as it is meant: UTF-8 where it is that."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def plain(value: Any) -> Any:
    """Values as JSON has them."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return meant(value) if isinstance(value, str) else value


def event_dict(event: Event) -> dict[str, Any]:
    """One event as JSON has it."""
    out: dict[str, Any] = {
        "phase": event.phase,
        "command": event.command,
        "reply": list(event.reply),
        "reason": event.reason,
        "acl": event.acl,
        "statements": [
            {
                "place": one.place,
                "verb": one.verb,
                "text": one.text,
                "outcome": one.outcome,
                "steps": [
                    {"text": step.text, "outcome": step.outcome}
                    | ({"value": step.value} if step.value is not None else {})
                    | ({"why": step.why} if step.why else {})
                    for step in one.steps
                ],
            }
            for one in event.statements
        ],
        "logs": [{"to": where.split(), "line": line} for where, line in event.logs],
        "headers_added": event.added,
        "headers_removed": event.removed,
        "variables": event.variables,
    }
    found = plain(out)
    assert isinstance(found, dict)
    return found


# ---- running


def script(
    client: Client, sender: str, recipients: Iterable[str], message: bytes, session: SmtpSession
) -> Iterable[bytes]:
    """Give what a client would send, command by command, as the session's answers permit."""
    yield f"EHLO {client.helo}\r\n".encode("latin-1")
    if client.tls is not None and session.tls_advertised:
        yield b"STARTTLS\r\n"
        yield f"EHLO {client.helo}\r\n".encode("latin-1")
    if client.auth is not None:
        yield from _authenticate(client.auth, session)
    yield f"MAIL FROM:<{sender}> SIZE={len(message)}\r\n".encode("latin-1")
    if session.sender is None:
        yield b"QUIT\r\n"
        return
    for recipient in recipients:
        yield f"RCPT TO:<{recipient}>\r\n".encode("latin-1")
    if not session.recipients and not session.discarded:
        yield b"QUIT\r\n"
        return
    yield b"DATA\r\n"
    if session.receiving is not None:
        yield stuffed(message)
    yield b"QUIT\r\n"


def stuffed(message: bytes) -> bytes:
    """A message as DATA carries it: lines ended by CRLF, dots doubled, a dot alone at the end (RFC 5321 4.5.2)."""
    text = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if not text.endswith(b"\r\n"):
        text += b"\r\n"
    if text.startswith(b"."):
        text = b"." + text
    return text.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _authenticate(auth: tuple[str, str], session: SmtpSession) -> Iterable[bytes]:
    user, password = auth
    offered = [str(one.option("public_name")).upper() for one in session.advertised_authenticators]

    def encoded(text: str) -> bytes:
        return base64.b64encode(text.encode("latin-1"))

    if "PLAIN" in offered or not offered:
        yield b"AUTH PLAIN " + encoded(f"\0{user}\0{password}") + b"\r\n"
    elif "LOGIN" in offered:
        yield b"AUTH LOGIN\r\n"
        for part in (user, password):
            if session.dialogue is not None:
                yield encoded(part) + b"\r\n"
    elif "CRAM-MD5" in offered:
        yield b"AUTH CRAM-MD5\r\n"
        if session.dialogue is not None:
            yield encoded(f"{user} {_digest(session, password)}") + b"\r\n"
    else:
        yield b"AUTH " + offered[0].encode("latin-1") + b" " + encoded(f"\0{user}\0{password}") + b"\r\n"


def _digest(session: SmtpSession, password: str) -> str:
    import hmac

    challenge = base64.b64decode(session.record.last.reply[-1][4:])
    return hmac.new(password.encode("latin-1"), challenge, "md5").hexdigest()


def run(simulation: Simulation, lines: Iterable[bytes]) -> Simulation:
    """Let a client that sends ``lines`` talk to the session, up to the end."""
    from eximious.interpreter.outcomes import Refused, Unanswered

    session = simulation.session
    try:
        simulation.hear(session.start())
        for data in lines:
            if session.closed:
                break
            simulation.say(data)
            simulation.hear(session.feed(data))
        if not session.closed:
            simulation.hear(session.end())
    except (Refused, Unanswered) as lacking:
        from eximious.world_options import lacking_text

        simulation.lacking = str(lacking)
        simulation.hint = lacking_text(lacking)
    return simulation
