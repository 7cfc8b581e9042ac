"""The item imapfolder: folder names in the modified UTF-7 of IMAP (RFC 3501 5.1.3, manual 60.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import OWN, item
from eximious.interpreter.text import follow

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_INVALID = "Invalid or incomplete multibyte or wide character"
_INCOMPLETE = "Invalid argument"
#: glibc looks at the length of a sequence first, and at what it stands for only when it is there
_CUT_OFF_UTF8 = re.compile(rb"[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf7][\x80-\xbf]{0,2}")
#: UTF-16 units that are converted before the next are looked at
_CHUNK = 128


@item("imapfolder", section="60.2", args=(1, 3), taint=OWN)
def imapfolder(ctx: Context, args: list[str]) -> str:
    """``${imapfolder{name}{separator}{specials}}``: a folder's name as IMAP servers store it. Manual 60.2."""
    from eximious.interpreter.operators.rfc2047 import headers_charset

    name, separator, specials = args
    if separator is None:
        separator = "/"
    elif len(separator) != 1:
        raise ExpansionError(f'IMAP folder separator must be one character, found "{separator}"')
    return imap_utf7(name, headers_charset(ctx), separator, specials or "")


def imap_utf7(name: str, charset: str, separator: str, specials: str) -> str:
    """Encode a folder name.

    ``separator`` becomes a dot, once for several, and goes at the end and (one) at the start. ``specials``
    are encoded though they would not have to be. Raises ExpansionError with Exim's message for a dot or
    slash that is neither, and for bytes that are no text in ``charset``.
    """
    start = 1 if name.startswith(separator) else 0
    plain = rf"[^\x00-\x1f\x7f-\xff./&{re.escape(separator + specials)}]*"
    if re.fullmatch(plain, name[start:]):
        return follow(name[start:], name)  # a name that is encoded is not tainted
    units, problem = _units(name[start:].encode("latin-1"), charset)
    out: list[str] = []
    encoded: list[int] = []
    after_separator = False
    checked = len(units) - len(units) % _CHUNK if problem else len(units)
    for unit in units[:checked]:
        char = chr(unit)
        if unit < 0x20 or unit >= 0x7F or (char in specials and char != separator):
            encoded.append(unit)
            after_separator = False
            continue
        if char in "./" and char != separator:
            raise ExpansionError(f"imapfolder: illegal character '{char}'")
        if encoded:
            out.append(_base64(encoded))
            encoded = []
        if char == separator:
            if not after_separator:
                out.append(".")
            after_separator = True
        else:
            out.append("&-" if char == "&" else char)
            after_separator = False
    if problem:
        raise ExpansionError(problem)
    if encoded:
        out.append(_base64(encoded))
    return "".join(out).removesuffix(".")


def _base64(units: list[int]) -> str:
    from binascii import b2a_base64

    data = b"".join([unit.to_bytes(2, "big") for unit in units])
    return f"&{b2a_base64(data, newline=False).decode('ascii').rstrip('=').replace('/', ',')}-"


def _units(data: bytes, charset: str) -> tuple[list[int], str]:
    """Convert to UTF-16 code units, as far as that goes, and give Exim's message if it does not."""
    import codecs

    problem = ""
    try:
        codec = codecs.lookup(charset)
        if not codec._is_text_encoding:
            raise LookupError
    except (LookupError, ValueError):
        raise ExpansionError(
            f'imapfolder: iconv_open("UTF-16BE", "{charset}") failed: {_INCOMPLETE} '
            "(maybe unsupported conversion)"
        ) from None
    try:
        text = codec.decode(data, "strict")[0]
    except UnicodeDecodeError as error:
        cut_off = error.reason == "unexpected end of data"
        if codec.name == "utf-8" and _CUT_OFF_UTF8.fullmatch(data, error.start):
            cut_off = True
        reason = _INCOMPLETE if cut_off else _INVALID
        problem = f"imapfolder: iconv() failed to convert from {charset}: {reason}"
        text = codec.decode(data[: error.start], "strict")[0]
    encoded = text.encode("utf-16-be", "surrogatepass")
    return [encoded[at] << 8 | encoded[at + 1] for at in range(0, len(encoded), 2)], problem
