"""Reading a message from a file, as ``exim -bem`` does: header lines, the local fix-ups, the body's size.

Exim receives the file as it would a message from its caller, up to the point where it would be written
to the spool. The header lines that a submission gets (Message-Id:, From:, Date:) are added, and what the
reception would measure is measured. Nothing is kept on disk.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.interpreter.headers import SPACE, Header
from eximious.interpreter.text import Tainted, taint
from eximious.interpreter.variables.computed import localhost_number, pid

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

_LINE = re.compile(r"[^\r\n]*")
_HEADER = re.compile(r"(?![ \t\n\v\f\r])[^\x00-\x20\x7f:]*[ \t\n\v\f\r]*:")
_BODY_LINE = re.compile(r"[^\n]\n")
#: what is taken for the first line of a UUCP message (option uucp_from_pattern)
UUCP_FROM = (
    r"^From\s+(\S+)\s+(?:[a-zA-Z]{3},?\s+)?"
    r"(?:[a-zA-Z]{3}\s+\d?\d|\d?\d\s+[a-zA-Z]{3}\s+\d\d(?:\d\d)?)\s+\d\d?:\d\d?"
)
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class MessageAbandoned(Exception):
    """The message is refused while its header is read; ``message`` is what Exim logs (exit code 1)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def read_test_message(
    ctx: Context,
    data: bytes,
    *,
    login: str = "root",
    full_name: str | None = None,
    trusted: bool = True,
    sender_given: bool = False,
    extract_recipients: bool = False,
    dot_ends: bool = True,
) -> list[str]:
    """Put a message into ``ctx.message`` and give the lines that Exim prints on the way.

    ``data``: the file. ``login``: the caller's; ``full_name``: ``-F``; ``trusted``: the caller is;
    ``sender_given``: ``-f`` was used; ``extract_recipients``: ``-t``; ``dot_ends``: a line that is only a dot
    ends the message (no ``-i``). To be called when the origin has been applied. Addresses without a domain
    get one; rewriting rules are not applied. Raises MessageAbandoned. Manual 5.2 (``-bem``), 47.
    """
    from eximious.interpreter.submission import Submission

    message = ctx.message
    reader = MessageReader(data.decode("latin-1"), ctx, dot_ends)
    reader.read_headers()
    notices: list[str] = []
    if not sender_given:
        for line in reader.from_lines:
            notices.append('Sender taken from "From " line')
            sender_given = take_sender(ctx, line, trusted)
    message.headers = reader.headers
    message.received_count = 1 + sum(1 for header in reader.headers if header.type == "P")
    message.received_time = int(ctx.env.doors.clock.now())
    message.message_exim_id = message_id(ctx)
    if not reader.headers:
        notices.append("Warning: no message headers read")
    submission = Submission(ctx, login, full_name, trusted, sender_given)
    notices += submission.fix(extract_recipients)
    reader.read_body()
    _measure(ctx, reader)
    return notices


def take_sender(ctx: Context, text: str, trusted: bool) -> bool:
    """Take the sender of a ``From `` line; says whether it is one. ``trusted``: nobody else is behind it."""
    from eximious.interpreter.origin import OriginError, sender_address

    try:
        ctx.message.sender_address = sender_address(ctx.env, taint(text))
    except OriginError:
        return False
    if trusted:
        ctx.session.authenticated_sender = ""
    return True


def _measure(ctx: Context, reader: MessageReader) -> None:
    from eximious.interpreter.variables.computed import visible_limit

    message, body = ctx.message, reader.body
    message.body = body.encode("latin-1")
    limit = visible_limit(ctx.env)
    shown = body.replace("\0", " ").replace("\n", " ")
    # not tainted, and without regard to message_body_newlines: unlike those of a message on the spool
    message.message_body = shown[:limit]
    message.message_body_end = shown[-limit:] if limit else ""
    message.message_body_size = len(body)
    message.message_size = reader.size + len(body)
    message.body_linecount = reader.body_lines
    message.body_zerocount = reader.zeros
    message.message_linecount = reader.lines + reader.body_lines
    message.max_received_linelength = reader.longest


def message_id(ctx: Context) -> str:
    """Make an id for a message from the time and the process: 16 characters, 23 from 4.97 on (manual 3.4)."""
    now = ctx.env.doors.clock.now()
    seconds, micro = int(now), int(now % 1 * 1_000_000)
    number = int(pid(ctx))
    host = localhost_number(ctx)
    if ctx.env.version >= (4, 97):
        part = int(host) * 1_000_000 // 4 + micro // 4 if host != "0" else micro // 2
        return f"{base62(seconds, 6)}-{base62(number, 11)}-{base62(part, 4)}"
    part = int(host) * 200 + micro // 5000 if host != "0" else micro // 500
    return f"{base62(seconds, 6)}-{base62(number, 6)}-{base62(part, 2)}"


@lru_cache(maxsize=256)
def base62(number: int, width: int) -> str:
    """A number in digits, capital and small letters, as message ids have it."""
    out = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        out = _BASE62[digit] + out
    return out


class MessageReader:
    """One pass over the text of a message: ``at`` is where it stands.

    ``from_line`` is asked before the first header line whether one that begins with ``From `` is passed over
    (options ignore_fromline_hosts and ignore_fromline_local), None: it is.
    """

    def __init__(
        self, text: str, ctx: Context, dot_ends: bool, from_line: Callable[[], bool] | None = None
    ) -> None:
        self.from_line = from_line
        self.text, self.ctx, self.dot_ends = text, ctx, dot_ends
        self.at = 0
        self.ended = False
        self.headers: list[Header] = []
        self.from_lines: list[str] = []
        self.body = ""
        self.size = self.lines = self.body_lines = self.zeros = self.longest = 0
        #: whether the first line ended with CRLF: then a bare LF in the header ends no line
        self.first_crlf: bool | None = None
        #: a space that such an LF puts before the body
        self.before_body = ""
        #: the line that ended the header without being empty; what is received by SMTP begins its body with it
        self.first_of_body = ""
        options = ctx.env.options
        self.maximum = _size(options.get("header_maxsize"), 1024 * 1024)
        self.line_maximum = _size(options.get("header_line_maxsize"), 0)

    # ---- header lines

    def read_headers(self) -> None:
        """Read up to the empty line, or whatever else ends the header."""
        while not self.ended:
            line = self._logical_line()
            if line is None:
                return
            if not self._line(line):
                self.first_of_body = line
                return

    def _logical_line(self) -> str | None:
        """The next line with its continuations; None at the end of the header."""
        parts: list[str] = []
        if self.dot_ends and self.text.startswith(".", self.at):
            parts.append(self._dot())
            if self.ended and parts == [""]:
                return None
        text, length = self.text, len(self.text)
        written, line_start = len(parts[0]) if parts else 0, 0
        while True:
            stop = _LINE.match(text, self.at).end()  # type: ignore[union-attr]
            parts.append(text[self.at : stop])
            written += stop - self.at
            if self.size + written >= self.maximum:
                raise MessageAbandoned(
                    "ridiculously long message header received from NULL "
                    f"(more than {self.maximum} characters): message abandoned"
                )
            if text.startswith("\r", stop) and not text.startswith("\n", stop + 1):
                # a bare CR becomes a newline and a space
                parts.append("\n ")
                written += 2
                self.at = stop + 1
                continue
            space = self._line_end(stop)
            self.lines += 1
            self.longest = max(self.longest, written - line_start)
            parts.append("\n")
            written += 1
            line_start = written
            if written == 1:
                self.size += 1
                self.before_body = space
                return None
            if not self.ended:
                following = space or text[self.at : self.at + 1]
                if following == " " or following == "\t":
                    parts.append(following)
                    written += 1
                    self.at += not space
                    continue
                self.ended = self.at >= length
            self.size += written
            return "".join(parts)

    def _line_end(self, stop: int) -> str:
        """Pass the end of a physical line; gives the space that is put behind it."""
        text = self.text
        if stop >= len(text):
            self.at, self.ended = len(text), True
        elif text[stop] == "\r":
            self.at = stop + 2
            if self.first_crlf is None:
                self.first_crlf = True
        else:
            self.at = stop + 1
            if self.first_crlf:
                return " "
            self.first_crlf = False
        return ""

    def _dot(self) -> str:
        """Pass a dot at the start of a line and, if it stands alone, end; gives it where it is data."""
        text, after = self.text, self.at + 1
        if text.startswith("\r\n", after):
            self.at, self.ended = after + 2, True
            return ""
        if text.startswith("\n", after):
            self.at = after + 1
            if self.first_crlf:
                return ".\n"
            self.ended = True
            return ""
        self.at = after
        # at the very end the end-of-file mark itself becomes a character
        return "." if after < len(text) else ".\xff"

    def _line(self, line: str) -> bool:
        """Take one logical line; False: it is no header line, so the header ends here."""
        if not self.headers and (self.from_line is None or self.from_line()):
            sender = _uucp_sender(line, self.ctx)
            if sender is not None:
                self.from_lines.append(sender)
                return True
        if not _HEADER.match(line):
            if line[0] not in SPACE:
                # Exim does not see a NUL that is right behind a dot at the start
                self.zeros += line.count("\0") - line.startswith(".\0")
            return False
        if "\0" in line:
            line = line.replace("\0", "?")
        while True:
            # continuation lines at the end that are only white space go
            bare = line[:-1].rstrip(" \t")
            if not bare.endswith("\n"):
                break
            self.size -= len(line) - len(bare)
            line = bare
        if self.line_maximum and len(line) > self.line_maximum:
            raise MessageAbandoned(
                "overlong message header line received from NULL "
                f"(more than {self.line_maximum} characters): message abandoned"
            )
        self.headers.append(Header(Tainted(line)))
        return True

    # ---- body

    def read_body(self) -> None:
        """Read the rest; a line that is only a dot ends it unless dots are data."""
        if self.ended:
            return
        body = self.before_body + self.text[self.at :]
        if not self.dot_ends:
            self.body_lines = body.count("\n")
        else:
            if body == "." or body.startswith(".\n"):
                self.body_lines = 1
                return
            end = body.find("\n.\n")
            if end >= 0:
                body = body[: end + 1]
            elif body.endswith("\n."):
                body = body[:-1]
            # Exim does not count empty lines here
            self.body_lines = len(_BODY_LINE.findall(body))
        self.body = body
        self.zeros += body.count("\0")
        if body and not body.endswith("\n"):
            self.body_lines += 1


def _size(value: object, default: int) -> int:
    return default if value is None else int(value)  # type: ignore[call-overload]


def _uucp_sender(line: str, ctx: Context) -> str | None:
    """The sender in a ``From `` line; None: it is none."""
    options = ctx.env.options
    pattern, template = options.get("uucp_from_pattern"), options.get("uucp_from_sender")
    if pattern is None or pattern == UUCP_FROM:
        found = re.match(UUCP_FROM, line, re.A)
        groups = None if found is None else [found[0], found[1]]
    else:
        from eximious.interpreter.regex import compile_regex

        groups = compile_regex(str(pattern)).search(line)
    if groups is None:
        return None
    if template is None or template == "$1":
        return groups[1] if len(groups) > 1 else ""
    from eximious.interpreter.engine import expand

    saved, ctx.captures = ctx.captures, groups
    try:
        return expand(str(template), ctx)
    finally:
        ctx.captures = saved
