"""The protocols of SpamAssassin's spamd and of Rspamd, and the list of servers (manual 45.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar.config_values import parse_time
from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import split_list
from eximious.simulation.mime.mailbox import scan_of
from eximious.simulation.scanners.link import SCAN, ScannerError, connect, reason
from eximious.simulation.scanners.spam import LABEL

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Doors
    from eximious.simulation.scanners.link import Link

#: servers that are used
SERVERS_MAX = 32
#: bytes of an answer
ANSWER_MAX = 32599

_NUMBER = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_SPAMD = re.compile(
    rf"SPAMD/\s*\S{{1,7}}\s*0\s*EX_OK\s*Content-length:\s*[+-]?\d+{_NUMBER}/{_NUMBER}\s*", re.A
)
_OLD_SPAMD = re.compile(rf"SPAMD/\s*\S{{1,7}}\s*0\s*EX_OK\s*Spam:\s*\S+\s*;{_NUMBER}\s*/{_NUMBER}\s*", re.A)
_RSPAMD = re.compile(
    rf"RSPAMD/\s*(\S{{1,7}})(?:\s*0\s*EX_OK\s*Metric:\s*default;\s*(\S{{1,7}})"
    rf"(?:{_NUMBER}(?:\s*/{_NUMBER}(?:\s*/{_NUMBER}(\s*))?)?)?)?",
    re.A,
)


class _Server:
    """One of the servers, as the option describes it."""

    __slots__ = ("failed", "place", "priority", "retry", "rspamd", "timeout", "weight")

    def __init__(self) -> None:
        self.place = ""
        self.priority = self.weight = 1
        self.timeout, self.retry = SCAN, 0
        self.rspamd = self.failed = False


class _Log:
    """What is to be logged: lines for the main log, and the error."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(f"{LABEL} {text}")


def ask(ctx: Context, doors: Doors, setting: str, user: str) -> dict[str, Any]:
    """Ask one of the servers about the message in hand; gives score and threshold, or an error, with what to log."""
    log = _Log()
    answer: dict[str, Any]
    try:
        server, link = _connected(ctx, doors, _servers(ctx, setting, log), log)
        try:
            text = _exchange(ctx, server, link, user)
        finally:
            link.close()
        answer = _rspamd(ctx, text) if server.rspamd else _spamd(ctx, text)
    except ScannerError as error:
        answer = {"error": error.message}
    if ctx.session.callout_address:
        answer["address"] = str(ctx.session.callout_address)
    if log.lines:
        answer["log"] = log.lines
    return answer


def _servers(ctx: Context, setting: str, log: _Log) -> list[_Server]:
    servers: list[_Server] = []
    for item in split_list(setting):
        words = split_list(item) if item.startswith("<") else split_list(item, " ")
        server = _Server()
        place = 1 if words and words[0].startswith("/") else 2
        for word in words[place:]:
            _parameter(ctx, server, word, log)
        if len(words) < place:
            log.note(f"warning - invalid spamd address: '{item}'")
            continue
        server.place = " ".join(words[:place])
        servers.append(server)
        if len(servers) >= SERVERS_MAX:
            break
    if not servers:
        raise ScannerError("no useable spamd server addresses in spamd_address configuration option.")
    return servers


def _parameter(ctx: Context, server: _Server, word: str, log: _Log) -> None:
    """Take a parameter of a server; a wrong one is only logged."""
    name, _, value = word.partition("=")
    digits = re.match(r"\s*\+?(\d+)", value)
    if name in ("pri", "weight") and digits is not None:
        setattr(server, "priority" if name == "pri" else "weight", int(digits[1]) & 0xFFFFFFFF)
    elif name == "time" and "=" in word:
        start, dash, end = value.partition("-")
        if not dash or _time(start) is None or _time(end) is None:
            log.note(f"warning - invalid spamd time value: '{value}'")
    elif word == "variant=rspamd":
        server.rspamd = True
    elif name in ("tmo", "retry") and "=" in word:
        seconds = parse_time(value)
        if seconds < 0:
            log.note(f"warning - invalid spamd {'timeout' if name == 'tmo' else name} value: '{value}'")
        elif name == "tmo":
            server.timeout = seconds
        else:
            server.retry = seconds
    else:
        log.note(f"warning - invalid spamd parameter: '{word}'")


def _time(text: str) -> int | None:
    """A time of day in seconds: HOUR[.MINUTE[.SECOND]]."""
    found = re.match(r"\s*(\d+)(?:\.(\d+)(?:\.(\d+))?)?", text)
    if found is None:
        return None
    return int(found[1]) * 3600 + int(found[2] or 0) * 60 + int(found[3] or 0)


def _choose(ctx: Context, servers: list[_Server]) -> _Server | None:
    """One of those that have not failed, of the highest priority, at random by their weights."""
    left = [server for server in servers if not server.failed]
    if len(servers) == 1 or not left:
        return left[0] if left else None
    highest = max(server.priority for server in left)
    left = [server for server in left if server.priority == highest]
    weights = sum(server.weight for server in left)
    if not weights:
        return None
    number = ctx.env.doors.chance.below(weights)
    for server in left:
        number -= server.weight
        if number < 0:
            return server
    return None


def _connected(ctx: Context, doors: Doors, servers: list[_Server], log: _Log) -> tuple[_Server, Link]:
    while (server := _choose(ctx, servers)) is not None:
        # a second try, where there is one, comes at once: nobody waits here
        for last in (not server.retry, True):
            try:
                return server, connect(ctx, doors, server.place, server.timeout)
            except ScannerError as error:
                if last:
                    log.note(f"spamd: {error.message}")
                    break
        server.failed = True
    raise ScannerError("all spamd servers failed")


def _exchange(ctx: Context, server: _Server, link: Link, user: str) -> str:
    """Send the request and the message; gives the answer."""
    where = link.address
    data = scan_of(ctx).text(ctx).encode("latin-1")
    if server.rspamd:
        request = _rspamd_request(ctx, len(data))
    else:
        request = f"REPORT SPAMC/1.2\r\nUser: {user}\r\nContent-length: {len(data)}\r\n\r\n"
    try:
        link.send(request.encode("latin-1"))
    except OSError as error:
        raise ScannerError(f"spamd {where} send failed: {reason(error)}") from None
    try:
        link.send(data)
    except TimeoutError:
        raise ScannerError(f"timed out writing spamd {where}, socket") from None
    except OSError as error:
        raise ScannerError(f"{reason(error)} on spamd {where} socket") from None
    if not server.rspamd:
        link.shutdown()
    answer = b""
    try:
        while len(answer) < ANSWER_MAX and (piece := link.recv(ANSWER_MAX - len(answer))):
            answer += piece
    except OSError as error:
        raise ScannerError(f"error reading from spamd {where}, socket: {reason(error)}") from None
    return answer.decode("latin-1")


def _rspamd_request(ctx: Context, size: int) -> str:
    message, session = ctx.message, ctx.session
    lines = [
        "CHECK RSPAMC/1.3",
        f"Content-length: {size}",
        f"Queue-Id: {message.message_exim_id}",
        f"From: <{message.sender_address}>",
        f"Recipient-Number: {len(message.recipients)}",
        *(f"Rcpt: <{recipient}>" for recipient in message.recipients),
    ]
    for name, variable in (("Helo", "sender_helo_name"), ("Hostname", "sender_host_name")):
        value = expand(f"${variable}", ctx)
        if value:
            lines.append(f"{name}: {value}")
    if session.sender_host_address:
        lines.append(f"IP: {session.sender_host_address}")
    if session.authenticated_id:
        lines.append(f"User: {session.authenticated_id}")
    return "\r\n".join(lines) + "\r\n\r\n"


def _spamd(ctx: Context, text: str) -> dict[str, Any]:
    found = _SPAMD.match(text) or _OLD_SPAMD.match(text)
    if found is None:
        raise ScannerError(f"cannot parse spamd {ctx.session.callout_address} output")
    return {"score": float(found[1]), "threshold": float(found[2]), "report": text[found.end() :]}


def _rspamd(ctx: Context, text: str) -> dict[str, Any]:
    found = _RSPAMD.match(text)
    groups = [] if found is None else [group for group in found.groups()[:5] if group is not None]
    if found is None or len(groups) < 5 or found.end() >= len(text):
        number = len(groups) if text else -1
        raise ScannerError(f"cannot parse spamd {ctx.session.callout_address}, output: {number}")
    report = text[found.end() :]
    answer = {"score": float(found[3]), "threshold": float(found[4]), "report": report, "action": ""}
    if report.startswith("Action: "):
        answer["action"] = report[len("Action: ") :].partition("\0")[0].partition("\r")[0][:31]
    return answer
