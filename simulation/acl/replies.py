"""What a result becomes: the reply to the client and the line in the log (manual 44.6, 44.7, 44.20)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.text import follow
from eximious.simulation.acl.engine import client, tls_items
from eximious.simulation.acl.outcomes import DROP, FAIL, AclResult
from eximious.simulation.acl.phases import NAMES

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

WIDTH = 75  #: a line as long as this is not broken
NEAR = 35  #: breaks are sought from the width back to here

#: phase -> the code of a refusal
CODES = {"auth": "503", "etrn": "458", "vrfy": "252"}
#: phases about a message: their log lines name its sender
_WITH_SENDER = frozenset(("rcpt", "mime", "data", "prdr"))
_WHAT = {
    "predata": "DATA",
    "mime": "during MIME ACL checks",
    "dkim": "DKIM ",
    "data": "after DATA",
    "prdr": "after DATA PRDR",
}
#: a code of the message's own, and perhaps an enhanced one (manual 44.20)
_CODE = re.compile(r"([0-9]{3})\s((?:[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\s)?)", re.A)


class Reply:
    """A reply: ``code``, ``enhanced`` ("5.7.1 " or empty) and ``text`` (lines separated by newlines)."""

    __slots__ = ("code", "enhanced", "text")

    def __init__(self, code: str, text: str, enhanced: str = "") -> None:
        self.code, self.text, self.enhanced = code, text, enhanced

    def lines(self) -> list[str]:
        """Give the lines as they are sent, without their ends.

        A newline at the end makes no line, and the space a further line begins with is left out.
        """
        parts: list[str] = []
        rest = self.text
        while True:
            line, newline, rest = rest.partition("\n")
            parts.append(line)
            if not newline or not rest:
                break
            rest = rest.lstrip(" \t\n\v\f\r")
        last = len(parts) - 1
        return [
            f"{self.code}{' ' if at == last else '-'}{self.enhanced}{part}" for at, part in enumerate(parts)
        ]


def refusal(ctx: Context, phase: str, result: AclResult, command: str = "") -> tuple[Reply, str]:
    """Give the reply for a result that does not accept, and the log line.

    ``command``: what followed the command's name, for phases that log it (``<bob@example.net>``); empty at
    the connection. The log line goes where ``log_reject_target`` of the state says; the one about the end of
    the connection after ``drop`` is for the session to write.
    """
    refused = result.outcome in (FAIL, DROP)
    code = CODES.get(phase, "550") if refused else "451"
    code, enhanced, user, log = own_code(ctx, code, result, phase != "vrfy")
    if refused:
        text = user if user is not None else "Administrative prohibition"
    elif result.temp_details and user is not None:
        text = user
    else:
        text = "Temporary local problem - please try later"
    what = _WHAT.get(phase)
    if what is None:
        what = f'{NAMES[phase]} in "connect" ACL' if phase == "connect" else f"{NAMES[phase]} {command}"
    sender = ""
    if phase in _WITH_SENDER:
        session = ctx.session
        authenticated = f" A={session.sender_host_authenticated}" if session.sender_host_authenticated else ""
        if authenticated and session.authenticated_id:
            authenticated += f":{session.authenticated_id}"
        sender = f"F=<{ctx.message.sender_unrewritten or ctx.message.sender_address}>{authenticated} "
    why = "" if log is None else f": {log}".partition("\n")[0]
    temporarily = "" if refused else "temporarily "
    return Reply(
        code, text, enhanced
    ), f"{client(ctx)}{tls_items(ctx)} {sender}{temporarily}rejected {what}{why}"


def own_code(
    ctx: Context, code: str, result: AclResult, check: bool = True
) -> tuple[str, str, str | None, str | None]:
    """Take a code from the front of the user's message: gives code, enhanced code, user's and log message.

    ``check``: one whose first digit is not that of ``code`` is not used, and that is logged (manual 44.20).
    """
    from eximious.interpreter.logs import log_write

    user, log = result.user, result.log
    match = _CODE.match(user) if user else None
    if user is None or match is None:
        return code, "", user, log
    text = follow(user[match.end() :], user)
    if not check or match[1][0] == code[0]:
        return match[1], match[2], text, log
    log_write(
        ctx,
        f'configured error code starts with incorrect digit (expected {code[0]}) in "{user}"',
        "main panic",
    )
    if log is user:
        log = follow(f"{code} {text}", user)
    return code, "", text, log


def split_message(text: str) -> str:
    """Give ``text`` with newlines in place of some spaces, so that lines are short.

    A line is broken at the last space up to column 75, but rather at one behind a colon; nothing before
    column 35 counts. Where there is none, at the next space or newline behind.
    """
    if len(text) <= WIDTH:
        return text
    parts = list(text)
    start = 0
    while start < len(text):
        newline = text.find("\n", start, start + WIDTH)
        if newline >= 0:
            start = newline + 1
            continue
        end = start + WIDTH
        if end >= len(text):
            break
        if text[end] == "\n":
            start = end + 1
            continue
        place = _break(text, start, end)
        if place < 0:
            break
        parts[place] = "\n"
        start = place + 1
    return follow("".join(parts), text)


def _break(text: str, start: int, end: int) -> int:
    """The place to break a line that goes on beyond ``end``; -1: nowhere."""
    found = -1
    for at in range(end, start + NEAR, -1):
        if text[at] == " ":
            if text[at - 1] == ":":
                return at
            if found < 0:
                found = at
    if found >= 0:
        return found
    for at in range(end + 1, len(text)):
        if text[at] in " \n":
            return at
    return -1
