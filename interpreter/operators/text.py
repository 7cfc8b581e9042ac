"""Operators on plain text: case, escaping, quoting, cleaning. Bytes only, no character set but UTF-8's form.

The C locale holds: only ASCII letters have case, only ASCII characters print.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.registry import CLEAN, OWN, operator
from eximious.interpreter.text import Tainted, untaint

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER = str.maketrans(_UPPER, _UPPER.lower())
_TO_UPPER = str.maketrans(_UPPER.lower(), _UPPER)

_OCTAL = {code: f"\\{code:03o}" for code in (*range(1, 32), *range(127, 256))}
_NAMED = {"\b": "\\b", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}
#: tab and backslash stay
_ESCAPES = {code: text for code, text in _OCTAL.items() if code != 9} | str.maketrans(_NAMED)
_ESCAPES_BELOW_128 = {code: text for code, text in _ESCAPES.items() if code < 128}
_ESCAPES_8BIT = {code: text for code, text in _OCTAL.items() if code >= 127} | {92: "\\134"}
_HEX = {code: f"\\x{code:02x}" for code in range(1, 256) if not 33 <= code <= 126}

_RX_SPECIAL = re.compile(r"([^0-9A-Za-z])")
_BARE_WORD = re.compile(r"[0-9A-Za-z_.-]+")
_BARE_LOCAL_PART = re.compile(r"(?!\.)[0-9A-Za-z!#$%&'*+/=?^_`{|}~.-]+(?<!\.)")
_QUOTES = str.maketrans({"\n": "\\n", "\r": "\\r", "\\": "\\\\", '"': '\\"'})


@operator("lc", section="11.6")
def lc(text: str) -> str:
    """Give the text with ASCII letters in lower case. Manual 11.6."""
    return text.lower() if text.isascii() else text.translate(_TO_LOWER)


@operator("uc", section="11.6")
def uc(text: str) -> str:
    """Give the text with ASCII letters in upper case. Manual 11.6."""
    return text.upper() if text.isascii() else text.translate(_TO_UPPER)


@operator("bless", section="11.6", taint=CLEAN)
def bless(text: str) -> str:
    """Give the text without taint. 4.94 only; in no manual."""
    return untaint(text)


@operator("strlen", section="11.6", taint=CLEAN)
def strlen(text: str) -> str:
    """Give the number of bytes, in decimal. Manual 11.6."""
    return str(len(text))


@operator("escape", section="11.6", takes="ctx")
def escape(ctx: Context, text: str) -> str:
    """Give the text with non-printing characters as ``\\n`` or ``\\ooo``; backslash and tab stay as they are.

    Bytes from 128 up count as printing where print_topbitchars is set. Manual 11.6.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ESCAPES_BELOW_128 if ctx.env.options.get("print_topbitchars") else _ESCAPES)


def translate(text: str, table: dict[int, str]) -> str:
    """Replace characters; the result is tainted if the text is and a character of it is left."""
    result = text.translate(table)
    if type(text) is Tainted and any(ord(char) not in table for char in text):
        return Tainted(result)
    return result


@operator("escape8bit", section="11.6", taint=OWN)
def escape8bit(text: str) -> str:
    """Give the text with bytes from 127 up, and backslashes, as ``\\ooo``. Manual 11.6."""
    return translate(text, _ESCAPES_8BIT)


@operator("hexquote", section="11.6", taint=OWN)
def hexquote(text: str) -> str:
    """Give the text with all but the bytes 33 to 126 as ``\\xhh`` (backslashes stay). Manual 11.6."""
    return translate(text, _HEX)


@operator("rxquote", section="11.6")
def rxquote(text: str) -> str:
    """Give the text with a backslash before all but ASCII letters and digits. Manual 11.6."""
    return text if text.isascii() and text.isalnum() else _RX_SPECIAL.sub(r"\\\1", text)


def quote_word(text: str) -> str:
    """Give the text in double quotes, unless it is only letters, digits, ``_``, ``.`` and ``-``."""
    if _BARE_WORD.fullmatch(text):
        return text
    return f'"{text.translate(_QUOTES)}"'


@operator("quote_local_part", section="11.6")
def quote_local_part(text: str) -> str:
    """Quote a local part where RFC 2822 needs it: also for a dot at an end, and for any 8-bit byte."""
    if _BARE_LOCAL_PART.fullmatch(text):
        return text
    return f'"{text.translate(_QUOTES)}"'


#: one character, or what is to become one question mark: the alternatives are tried in this order.
#: Overlong forms of three and four bytes pass, surrogates and anything above U+10FFFF do not.
_UTF8_PIECES = (
    r"(?P<good>[\x01-\x7f]+"
    r"|[\xc2-\xdf][\x80-\xbf]"
    r"|[\xe0-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    r"|[\xf0-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})"
    # Complete, but not allowed.
    r"|\xed[\xa0-\xbf][\x80-\xbf]|[\xf4-\xf7][\x80-\xbf]{3}"
    # Broken off by a byte that does not continue it. That byte, if not ASCII, is swallowed with it.
    r"|(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf7][\x80-\xbf]{0,2})[\xc0-\xff]?"
    r"|[\x80-\xff]"
)


@operator("utf8clean", section="11.6")
def utf8clean(text: str) -> str:
    """Give the text with each bad UTF-8 sequence as ``?``. Manual 11.6."""
    if text.isascii():
        return text
    # Compiled on first use: few configurations have this operator, and start-up counts.
    return re.sub(_UTF8_PIECES, lambda piece: piece.group("good") or "?", text)


_UTF8_LENGTHS = ((0x20, 1, 0x1F), (0x10, 2, 0x0F), (0x08, 3, 0x07), (0x04, 4, 0x03))


@operator("from_utf8", section="11.6")
def from_utf8(text: str) -> str:
    """Turn UTF-8 into ISO-8859-1, characters from 256 up into ``_``.

    Only the first byte of a sequence is looked at for its length. A character 0 ends the text, that in which
    the operator stands included, so it is given as the last. Where a sequence is cut off at the end Exim
    reads on into whatever is there, zeros mostly. Manual 11.6.
    """
    if text.isascii():
        return text
    codes = text.encode("latin-1")
    size = len(codes)
    out: list[str] = []
    at = 0
    while at < size:
        code = codes[at]
        at += 1
        # Continuation bytes by themselves stay as they are.
        if code >= 0xC0:
            more, low = 5, 0x01
            for bit, length, mask in _UTF8_LENGTHS:
                if not code & bit:
                    more, low = length, mask
                    break
            code &= low
            for byte in codes[at : at + more].ljust(more, b"\0"):
                code = code << 6 | byte & 0x3F
            at += more
            if not code:
                out.append("\0")
                break
        out.append(chr(code) if code < 256 else "_")
    return "".join(out)
