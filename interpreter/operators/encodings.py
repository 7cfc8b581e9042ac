"""Operators for encodings of bytes as text: the base64 family, hex2b64, xtextd."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from typing import TYPE_CHECKING

from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_SPACES = str.maketrans("", "", " \t\n\v\f\r")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_XTEXT = re.compile(r"\+([0-9A-Fa-f]{2})|\+")


def b64encode(data: bytes) -> str:
    """Give base64 without line breaks."""
    return b2a_base64(data, newline=False).decode("ascii")


def b64decode(text: str) -> bytes | None:
    """Decode base64 as Exim does: white space anywhere is ignored, padding is needed; None if it is wrong."""
    if not _BASE64.fullmatch(text):
        text = text.translate(_SPACES)
        if not _BASE64.fullmatch(text):
            return None
    return a2b_base64(text.encode("latin-1"))


def base64(text: str) -> str:
    """Encode in base64. Manual 11.6 (str2b64 is its old name)."""
    return b64encode(text.encode("latin-1"))


operator("base64", section="11.6")(base64)
operator("str2b64", section="11.6")(base64)


@operator("base64d", section="11.6", takes="arg")
def base64d(ctx: Context, text: str, argument: str | None, name: str) -> str:
    """Decode base64; the result ends before the first zero byte. Manual 11.6."""
    data = b64decode(text)
    if data is None:
        raise ExpansionError(
            f'string "{shown(text, ctx.env.version)}" is not well-formed for "{name}" operator'
        )
    if 0 in data:
        data = data[: data.index(0)]
    return data.decode("latin-1")


@operator("hex2b64", section="11.6")
def hex2b64(text: str) -> str:
    """Turn hexadecimal digits, in pairs, into base64. Manual 11.6."""
    if not _HEX.fullmatch(text):
        raise ExpansionError(f'"{text}" is not a hex string')
    if len(text) & 1:
        raise ExpansionError(f'"{text}" contains an odd number of characters')
    return b64encode(bytes.fromhex(text))


@operator("xtextd", section="11.6")
def xtextd(text: str) -> str:
    """Decode the xtext of RFC 3461: ``+`` and two hex digits are a byte. Since 4.98.

    A zero byte ends the result, and with it the text that the operator stands in. An escape that is not
    complete is an error (it ends the real Exim).
    """

    def byte(match: re.Match[str]) -> str:
        digits = match.group(1)
        if digits is None:
            raise ExpansionError(f'"{text}" is not xtext')
        return chr(int(digits, 16))

    start, zero, _ = _XTEXT.sub(byte, text).partition("\0")
    return start + zero
