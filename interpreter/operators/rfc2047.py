"""The operators rfc2047 and rfc2047d: encoded words in header lines.

Decoding is in :mod:`eximious.interpreter.rfc2047`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import OWN, operator
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

#: what makes encoding necessary; spaces alone do not
_TO_ENCODE = re.compile(r"[^ -~]|[?=()<>@,;:\\\".\[\]_]")
_Q = {code: f"={code:02X}" for code in range(256)} | {
    code: chr(code) for code in range(33, 127) if not _TO_ENCODE.match(chr(code))
}
_Q[32] = "_"
_FULL = 67


def headers_charset(ctx: Context) -> str:
    """Give the character set that header texts are in for this evaluation."""
    charset = ctx.message.headers_charset
    if charset is None:
        charset = ctx.env.options.get("headers_charset")
    return "UTF-8" if charset is None else charset


def quote_2047(text: str, charset: str, fold: bool = False) -> str:
    """Encode text as encoded words, if a character needs it (RFC 2047, the Q encoding).

    Words are begun anew where one is full, but not between the first and the second, the third and the
    fourth… of encoded bytes that follow each other, so that most two-byte characters stay whole. ``fold``
    puts line breaks between words instead of spaces.
    """
    if not _TO_ENCODE.search(text):
        return text
    opening = f"=?{charset}?Q?"
    between = "?=\n " if fold else "?= "
    out = [opening]
    length = 0
    first_of_two = False
    for char in text:
        if length > _FULL and not first_of_two:
            out.append(between + opening)
            length = len(opening)
        length += 1
        code = _Q[ord(char)]
        out.append(code)
        if len(code) > 1:
            length += 2
            first_of_two = not first_of_two
        else:
            first_of_two = False
    out.append("?=")
    return "".join(out)


@operator("rfc2047", section="11.6", takes="ctx", taint=OWN)
def rfc2047(ctx: Context, text: str) -> str:
    """Encode text in the character set headers_charset for a header line, if needed. Manual 11.6.

    A tainted text gives a tainted one unless nothing of it is left as it was.
    """
    encoded = quote_2047(text, headers_charset(ctx))
    if type(text) is Tainted and any(_Q[ord(char)] == char for char in text):
        return Tainted(encoded)
    return encoded


@operator("rfc2047d", section="11.6", takes="ctx")
def rfc2047d(ctx: Context, text: str) -> str:
    """Decode encoded words into the character set headers_charset.

    Words over 75 bytes stay while check_rfc2047_length is set. Raises ExpansionError where a character set
    is unknown. Manual 11.6.
    """
    from eximious.interpreter.rfc2047 import decode

    check_length = ctx.env.options.get("check_rfc2047_length")
    decoded, problem = decode(text, headers_charset(ctx), check_length is None or bool(check_length))
    if problem is not None:
        raise ExpansionError(problem)
    return decoded
