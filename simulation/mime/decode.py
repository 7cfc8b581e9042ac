"""Taking the encoding off a part (manual 45.4): base64, quoted-printable, or nothing.

Both decoders never fail: what is wrong is passed over or copied, and noted as an anomaly.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import OverBudget
from eximious.simulation.mime.lines import find_boundary, pieces
from eximious.simulation.mime.mailbox import READ_MAX

if TYPE_CHECKING:
    from eximious.interpreter.state import Message
    from eximious.simulation.mime.mailbox import Scan, Stream

#: what one read takes of a line
LINE_MAX = 32767

#: the anomaly that a decoder found -> what its variables say
QUOTED_PRINTABLE = (1, "Broken Quoted-Printable encoding detected")
BASE64 = (2, "Broken BASE64 encoding detected")

_VALUES = {
    char: number
    for number, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
#: stands for the bytes that Exim finds in its memory where padding begins a group: nobody can know them
LEFT_OVER = 0
_OTHERS = re.compile(r"[^A-Za-z0-9+/=]")
_ESCAPE = re.compile(r"=(?:([0-9A-Fa-f]{2})|([\t \r]*\n)|)")


def part_end(scan: Scan, stream: Stream, most: int = LINE_MAX) -> int:
    """Give where the part ends that begins at the stream's place. Raises OverBudget for too much reading."""
    if scan.boundary is None:
        return stream.end
    end = find_boundary(stream.text, stream.at, stream.end, scan.boundary, most)
    scan.read += end - stream.at
    if scan.read > READ_MAX:
        raise OverBudget("characters read again and again for the parts of one message", READ_MAX)
    return end


def decoded(message: Message, scan: Scan, stream: Stream) -> tuple[str, int, int]:
    """Decode the part at the stream's place: gives a text with the start and end of the part in it.

    The anomaly variables of the message say what was wrong.
    """
    text, at, end = stream.text, stream.at, part_end(scan, stream)
    encoding = message.mime_content_transfer_encoding
    if encoding == "base64":
        result = _base64(message, text, at, end)
    elif encoding == "quoted-printable":
        result = _quoted_printable(message, text, at, end)
    elif text.find("\0", at, end) < 0:
        return text, at, end
    else:
        # what is behind a NUL is not seen, not even the end of its line
        result = "".join(text[a:b].partition("\0")[0] for a, b in pieces(text, at, end, LINE_MAX))
    return result, 0, len(result)


def _anomaly(message: Message, what: tuple[int, str]) -> None:
    message.mime_anomaly_level, message.mime_anomaly_text = what


def _base64(message: Message, text: str, at: int, end: int) -> str:
    """Base64 without its rules: other characters are passed over, padding may stand anywhere."""
    lines: list[str] = []
    for start, stop in pieces(text, at, end, LINE_MAX):
        line = text[start:stop]
        for mark in ("\r", "\n", "\0"):
            line = line.partition(mark)[0]
        lines.append(line)
    data = "".join(lines)
    if _OTHERS.search(data):
        _anomaly(message, BASE64)
        lines = [_OTHERS.sub("", line) for line in lines]
        data = "".join(lines)
    if len(data) % 4 == 0 and data.find("=", 0, -2) < 0 and not data.endswith("="):
        return a2b_base64(data).decode("latin-1")
    return _odd_base64(lines).decode("latin-1")


def _odd_base64(lines: list[str]) -> bytearray:
    """Decode where groups are not whole: padding counts as a place in its group, and a byte that was begun is written.

    Exim puts bits together in a buffer that it writes after each line; where padding leaves a byte out, what
    an earlier line left there shows through.
    """
    out = bytearray()
    buffer = bytearray([LEFT_OVER]) * (LINE_MAX + 1)
    place = at = 0
    for line in lines:
        for char in line:
            if char != "=":
                value = _VALUES[char]
                step = place & 3
                if step == 0:
                    buffer[at] = value << 2
                elif step == 3:
                    buffer[at] |= value
                    at += 1
                else:
                    buffer[at] |= value >> (4 if step == 1 else 2)
                    at += 1
                    buffer[at] = (value << (4 if step == 1 else 6)) & 0xFF
            place += 1
        if at:
            out += buffer[:at]
            if place & 3:
                buffer[0] = buffer[at]
            at = 0
    if place & 3:
        out.append(buffer[0])
    return out


def _quoted_printable(message: Message, text: str, at: int, end: int) -> str:
    """Quoted-printable: a broken escape stays as it is."""
    out: list[str] = []
    broken = False
    for start, stop in pieces(text, at, end, LINE_MAX):
        line = text[start:stop].partition("\0")[0]
        if "=" not in line:
            out.append(line)
            continue
        place = 0
        for found in _ESCAPE.finditer(line):
            out.append(line[place : found.start()])
            place = found.end()
            if found[1] is not None:
                out.append(chr(int(found[1], 16)))
            elif found[2] is not None:
                place = len(line)
                break
            else:
                out.append("=")
                broken = True
        out.append(line[place:])
    if broken:
        _anomaly(message, QUOTED_PRINTABLE)
    return "".join(out)
