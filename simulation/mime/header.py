"""A part's header as the MIME walker reads it: lines unfolded, comments and spaces taken out, parameters.

This is Exim's own reading (manual 45.4), not that of RFC 2045: a semicolon ends a value inside quotes too, values
are cut where the buffer is full, and of a line that no newline ends nothing is seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.rfc2047 import decode
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from eximious.interpreter.state import Message
    from eximious.simulation.mime.mailbox import Stream

#: size of the buffer for one header line, and for one line while a boundary is looked for
HEADER_MAX = 8192

#: header that is looked at -> attribute of the message
HEADERS = {
    "content-type:": "mime_content_type",
    "content-disposition:": "mime_content_disposition",
    "content-transfer-encoding:": "mime_content_transfer_encoding",
    "content-id:": "mime_content_id",
    "content-description:": "mime_content_description",
}
_LONGEST = max(map(len, HEADERS))
#: parameter -> attribute of the message
PARAMETERS = {
    "name=": "mime_filename",
    "filename=": "mime_filename",
    "charset=": "mime_charset",
    "boundary=": "mime_boundary",
}
_PARAMETER = re.compile(r"(?:name|filename|charset|boundary)=|filename\*", re.A | re.I)
_QUOTED = re.compile(r'"([^"]*+)"(?=;)')
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")

# a line in which nothing but spaces has to go, up to the next that does not go on with it
_SIMPLE = re.compile(
    r"([^\x00-\x1f\\()=]++(?:=\x20*+[^\x00-\x20;][^\x00-\x1f;]*+(?:;[^\x00-\x1f\\()=]*+|(?=\n)))*+)\n(?=[^\t ])"
)
_PIECES = re.compile(r"([^=]*+)(?:(=)\x20*+([^;]*+;?+))?+")
# what may be taken at once, since each of its characters would be treated alike
_VALUE = re.compile(r"[^\x00-\x1f;]+")
_PLAIN = re.compile(r"[^\x00-\x1f\\()=]+")
_COMMENT = re.compile(r"[^\n\\()]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]+")


def read_header(stream: Stream) -> str | None:
    """Read one header line, up to its semicolon at the end; None at the end of the header or of the text.

    What stands behind an equals sign keeps its spaces and comments up to the next semicolon; elsewhere spaces
    and comments in round brackets go.
    """
    text, end, at = stream.text, stream.end, stream.at
    if text.startswith("\n", at, end):
        stream.at = at + 1
        return None
    simple = _SIMPLE.match(text, at, min(end, at + HEADER_MAX))
    if simple is not None:
        stream.at = simple.end()
        return _without_spaces(simple[1])
    out: list[str] = []
    size = 0  # characters in out
    value = 0  # 1: behind an equals sign, 2: in a value
    brackets = 0
    while at < end:
        # no more than there is room for, so that the last one is seen where the buffer is full
        if value == 2:
            run = _VALUE.match(text, at, min(end, at + HEADER_MAX - size))
        elif value:
            run = None
        elif brackets:
            run = _COMMENT.match(text, at, end)
        else:
            run = _PLAIN.match(text, at, min(end, at + HEADER_MAX - size))
        if run is not None:
            at = run.end()
            if brackets:
                continue
            piece = run[0]
            if not value and " " in piece:
                piece = piece.replace(" ", "")
            if piece:
                out.append(piece)
                size += len(piece)
            if size >= HEADER_MAX:
                break
            if at >= end:
                continue
        char = text[at]
        at += 1
        last = False
        if char < " ":
            if char != "\n":
                # a tab too, since it is a control character
                more = _CONTROL.match(text, at, end)
                if more is not None:
                    at = more.end()
                continue
            if out:
                if at >= end:
                    stream.at = at
                    return None
                if text[at] in "\t ":
                    at += 1
                    continue
            char, last = ";", True
        if value:
            if char == " " and value == 1:
                continue
            value = 0 if char == ";" else 2
        else:
            if char == " ":
                continue
            if char == "\\":
                if at >= end:
                    stream.at = at
                    return None
                char = text[at]
                at += 1
            elif char == "(":
                brackets += 1
                continue
            elif char == ")" and brackets:
                brackets -= 1
                continue
            elif char == "=" and not brackets:
                value = 1
            if brackets:
                if last:
                    break
                continue
        out.append(char)
        size += 1
        if last or size >= HEADER_MAX:
            break
    else:
        stream.at = at
        return None
    stream.at = at
    if size == 1:
        return None
    line = "".join(out)
    return line if not line or line[-1] == ";" else line[:-1] + ";"


def _without_spaces(line: str) -> str | None:
    """Give a simple line with its semicolon at the end, the spaces outside of values taken out."""
    if " " in line:
        plain, equals, value = line.partition("=")
        if equals and ";" not in value:
            return f"{plain.replace(' ', '')}{equals}{value.lstrip(' ')};"
        pieces: list[str] = []
        for plain, equals, value in _PIECES.findall(line):
            pieces += plain.replace(" ", ""), equals, value
        line = "".join(pieces)
    return f"{line};" if line else None


def take_header(message: Message, line: str, check_length: bool) -> None:
    """Put what a header line says into the variables of the part, if it is one of those that count."""
    name = line[: line.find(":", 0, _LONGEST) + 1].lower()
    if name not in HEADERS:
        return
    semicolon = line.find(";", len(name))
    if semicolon < 0:
        semicolon = len(line)
    value = line[len(name) : semicolon]
    # small letters for capitals of ASCII only
    value = value.lower() if value.isascii() else value.encode("latin-1").lower().decode("latin-1")
    setattr(message, HEADERS[name], Tainted(value))
    if semicolon + 1 < len(line):
        _parameters(message, line, semicolon + 1, name == "content-disposition:", check_length)


def _parameters(message: Message, line: str, at: int, disposition: bool, check_length: bool) -> None:
    """Take the parameters from ``at`` on. The pieces of an RFC 2231 file name are joined as they come."""
    raw = name = ""  # the file name's pieces as they stand, and decoded
    charset: str | None = None
    failed = False
    while at < len(line):
        start = _PARAMETER.match(line, at)
        if start is None:
            pass
        elif start[0][-1] == "*":
            stop = line.find(";", at + 9)
            stop = len(line) if stop < 0 else stop
            equals = line.find("=", at + 9, stop)
            found, at = parameter_value(line, equals + 1) if equals >= 0 else ("", stop)
            raw += found
            if found and not failed:
                if charset is None:
                    before, quote, after = found.partition("'")
                    if quote:
                        charset, found = before or None, after.lstrip("'")
                piece = _decoded(found, charset or "")
                failed = piece is None
                if piece is not None:
                    name += piece
                    message.mime_filename = Tainted(name)
        else:
            found, at = parameter_value(line, start.end())
            if "=?" in found:
                found = decode(found, None, check_length, b" ")[0]
            setattr(message, PARAMETERS[start[0].lower()], Tainted(found))
        at = (at if line.startswith(";", at) else next_semicolon(line, at)) + 1
    if disposition and failed:
        message.mime_filename = Tainted(raw)


def next_semicolon(line: str, at: int) -> int:
    """Give the place of the next semicolon that is not between quotes, or the end."""
    while True:
        semicolon = line.find(";", at)
        if semicolon < 0:
            return len(line)
        quote = line.find('"', at, semicolon)
        if quote < 0:
            return semicolon
        close = line.find('"', quote + 1)
        if close < 0:
            return len(line)
        at = close + 1


def parameter_value(line: str, at: int) -> tuple[str, int]:
    """Give the value that begins here, without its quotes, and the place of the semicolon after it."""
    quoted = _QUOTED.match(line, at)
    if quoted is not None:
        return quoted[1], quoted.end()
    parts: list[str] = []
    while True:
        semicolon = line.find(";", at)
        stop = len(line) if semicolon < 0 else semicolon
        quote = line.find('"', at, stop)
        if quote < 0:
            parts.append(line[at:stop])
            return "".join(parts), stop
        close = line.find('"', quote + 1)
        close = len(line) if close < 0 else close
        parts += line[at:quote], line[quote + 1 : close]
        at = min(close + 1, len(line))


def _decoded(piece: str, charset: str) -> str | None:
    """A piece of a file name of RFC 2231; None where it cannot be decoded. Its bytes are not converted."""
    quoted = _PERCENT.sub(r"=\1", piece)
    word = f"=?{charset}?Q?{quoted}?="
    name, _ = decode(word, None, False, b" ")
    return None if len(name) == len(word) else name
