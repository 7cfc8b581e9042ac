"""Header lines: what ``$h_``, ``$bh_``, ``$rh_`` and ``$lh_`` give of them (manual 11.5, 11.9).

A message's header lines stay as they were received, folding included; everything is worked out when an
expansion asks for it. Reading a message is in :mod:`eximious.interpreter.message_file`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eximious.interpreter.context import Context

#: what C's isspace() takes
SPACE = " \t\n\v\f\r"

#: how much an insertion takes from headers; separators and doubled colons do not count
INSERT_MAX = 64 * 1024

#: a header's type, by its name: only lines that hold addresses, and a few that reception looks for, have one
TYPES = {
    "bcc": "B",
    "cc": "C",
    "date": "D",
    "from": "F",
    "message-id": "I",
    "received": "P",
    "reply-to": "R",
    "sender": "S",
    "to": "T",
    "resent-bcc": "B",
    "resent-cc": "C",
    "resent-date": "D",
    "resent-from": "F",
    "resent-message-id": "I",
    "resent-sender": "S",
    "resent-to": "T",
}
#: types whose lines are joined with a comma
ADDRESS_TYPES = "BCFRST"


class Header:
    """One header line. ``text``: name, colon, value and the newline at its end; Tainted if from outside.

    ``type``: a letter of :data:`TYPES`, or a space; ``resent``: the name begins with ``Resent-``.
    ``deleted``: still in the message, but not visible.
    """

    __slots__ = ("deleted", "resent", "text", "type")

    def __init__(self, text: str) -> None:
        self.text = text
        name = text.partition(":")[0].rstrip(SPACE).lower()
        self.type = TYPES.get(name, " ")
        self.resent = name.startswith("resent-")
        self.deleted = False

    def __repr__(self) -> str:
        return f"Header({str(self.text)!r})"


def header_value(ctx: Context, kind: str, name: str, exists_only: bool = False) -> str | None:
    """Give what ``$h_name:`` inserts, or None if there is no such header line.

    ``kind``: "" for ``$h_`` (decoded, in the character set of headers_charset), "b" for ``$bh_`` (decoded
    only), "r" for ``$rh_`` (raw), "l" for ``$lh_`` (raw, as a list). ``name`` without its colon, in any case.
    With ``exists_only`` any text means yes. Raises nothing: words in an unknown character set stay as
    they are after decoding. Manual 11.5.
    """
    headers = ctx.message.headers
    if not headers:
        return None
    start = name.lower() + ":"
    length = len(start)
    found = [header for header in headers if header.text[:length].lower() == start and not header.deleted]
    if not found:
        return None
    if exists_only:
        return "1"
    if kind == "r":
        return _follow(_raw(header.text[length:] for header in found), found)
    if kind == "l":
        return _follow(_as_list(header.text[length:] for header in found), found)
    # one line with addresses is enough: it decides how all of that name are joined
    comma = any(header.type in ADDRESS_TYPES for header in found)
    text = _joined((header.text[length:] for header in found), ",\n" if comma else "\n")
    return _follow(_decoded(ctx, text, kind), found)


def all_headers(ctx: Context, raw: bool) -> str:
    """Give all header lines: as they are, or decoded (not converted) without the space at their ends."""
    headers = [header for header in ctx.message.headers or () if not header.deleted]
    texts = (header.text for header in headers)
    text = _raw(texts) if raw else _decoded(ctx, _joined(texts, "\n"), "b")
    return _follow(text, headers)


def _follow(text: str, headers: list[Header]) -> str:
    if text:
        for header in headers:
            if type(header.text) is Tainted:
                return Tainted(text)
    return text


def _raw(texts: Iterable[str]) -> str:
    text = "".join(texts)
    return text[:INSERT_MAX] if len(text) > INSERT_MAX else text


def _as_list(texts: Iterable[str]) -> str:
    out = ""
    for text in texts:
        element = text.rstrip("\n")[: max(0, INSERT_MAX - len(out))].replace(":", "::")
        out = f"{out}:{element}" if out else element
        if len(out) >= INSERT_MAX:
            break
    return out


def _joined(texts: Iterable[str], separator: str) -> str:
    parts: list[str] = []
    size = 0
    for text in texts:
        part = text.strip(SPACE)
        if size + len(part) > INSERT_MAX:
            part = part[: INSERT_MAX - size]
        if part:
            size += len(part) + (len(separator) if parts else 0)
            parts.append(part)
            if size >= INSERT_MAX:
                break
    return separator.join(parts)


def _decoded(ctx: Context, text: str, kind: str) -> str:
    if "=?" not in text:
        return text
    from eximious.interpreter.rfc2047 import decode

    options = ctx.env.options
    charset = None
    if kind == "":
        charset = ctx.message.headers_charset
        if charset is None:
            charset = options.get("headers_charset")
        if charset is None:
            charset = "UTF-8"
    check_length = options.get("check_rfc2047_length")
    decoded, problem = decode(text, charset, check_length is None or bool(check_length))
    if problem is not None:
        from eximious.interpreter.logs import log_write

        log_write(ctx, f"*** RFC2047 decoding problem: {problem}", "debug")
    return decoded
