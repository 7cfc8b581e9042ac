"""Exim's reading of whole numbers out of expanded text: ``${if = {a}{b}}``, counts, ``bool``, ports…

64-bit, decimal only, with the suffixes K, M and G. It does not know ``${eval:}``'s arithmetic.
"""

from __future__ import annotations

import re

from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError

ARITH_MAX = 2**63 - 1
ARITH_MIN = -(2**63)

#: what C's isspace() takes in the C locale
SPACE = " \t\n\v\f\r"

_NUMBER = re.compile(r"[+-]?[0-9]+")
_SHIFT = {"k": 10, "m": 20, "g": 30}


def expanded_string_integer(text: str, is_plus: bool, version: tuple[int, int]) -> int:
    """Read the whole of ``text`` as a 64-bit integer; white space around it is skipped.

    Text of nothing but white space (at least one character) is 0; the empty text is an error here: the
    comparison conditions take it as 0 before they come to this. ``is_plus`` refuses negative numbers.
    ``0x10`` and ``1T`` are errors, ``010`` is ten, ``1K`` is 1024.

    Raises ExpansionError with Exim's message for ``version``. Manual 11.8 ("=", numeric comparison).
    """
    if text.isdecimal() and text.isascii() and len(text) < 19:
        return int(text)
    rest = text.lstrip(SPACE)
    if not rest and text:
        return 0
    match = _NUMBER.match(rest)
    if match is None:
        raise ExpansionError(f'integer expected but "{shown(rest, version)}" found')
    digits = match.group()
    end = match.end()
    # Only as many digits as can matter: a number of a million digits costs no more than one of twenty.
    magnitude = digits.lstrip("+-").lstrip("0") or "0"
    value = int(magnitude[:20])
    if digits[0] == "-":
        value = -value
    if value < 0 and is_plus:
        raise ExpansionError(f'non-negative integer expected but "{shown(rest, version)}" found')
    shift = _SHIFT.get(rest[end : end + 1].lower())
    if shift is not None:
        value <<= shift
        end += 1
    if len(magnitude) > 20 or not ARITH_MIN <= value <= ARITH_MAX:
        raise ExpansionError(f'absolute value of integer "{shown(rest, version)}" is too large (overflow)')
    if rest[end:].lstrip(SPACE):
        raise ExpansionError(f'invalid integer "{shown(rest, version)}"')
    return value
