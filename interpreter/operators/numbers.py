"""Operators that write and read numbers in other bases, and randint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.integers import expanded_string_integer
from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

BASE32_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
BASE62_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_ULONG_MAX = 2**64 - 1
_STRTOUL = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]*)")


def _decimal(ctx: Context, text: str, name: str) -> int:
    """Read as C's strtoul reads a whole text: white space and a sign may lead, -1 is the largest number."""
    if not text:
        return 0
    match = _STRTOUL.fullmatch(text)
    if not match or not text[-1].isdigit():
        raise ExpansionError(
            f'argument for {name} operator is "{shown(text, ctx.env.version)}", which is not a decimal number'
        )
    sign, digits = match.groups()
    if len(digits) > 20:
        return _ULONG_MAX
    number = int(digits or "0")
    if number > _ULONG_MAX:
        return _ULONG_MAX
    return -number & _ULONG_MAX if sign == "-" else number


def _from_digits(ctx: Context, text: str, name: str, base: int, digits: dict[str, int]) -> str:
    number = 0
    try:
        # Digits shifted out of 64 bits are lost; so that this stays linear, they are dropped on the way.
        for char in text:
            number = (number * base + digits[char]) & _ULONG_MAX
    except KeyError:
        raise ExpansionError(
            f'argument for {name} operator is "{shown(text, ctx.env.version)}", '
            f"which is not a base {base} number"
        ) from None
    return str(number if number < 2**63 else number - 2**64)


_BASE32_VALUES = {digit: value for value, digit in enumerate(BASE32_DIGITS)}
_BASE62_VALUES = {digit: value for value, digit in enumerate(BASE62_DIGITS)}


@operator("base32", section="11.6", takes="ctx", taint=CLEAN)
def base32(ctx: Context, text: str) -> str:
    """Write a decimal number with 32 digits, a to z and 2 to 7; nothing for 0. Manual 11.6."""
    number = _decimal(ctx, text, "base32")
    out = ""
    while number:
        out = BASE32_DIGITS[number & 31] + out
        number >>= 5
    return out


@operator("base32d", section="11.6", takes="ctx", taint=CLEAN)
def base32d(ctx: Context, text: str) -> str:
    """Read a base 32 number into decimal, as a signed 64-bit number. Manual 11.6."""
    return _from_digits(ctx, text, "base32d", 32, _BASE32_VALUES)


@operator("base62", section="11.6", takes="ctx", taint=CLEAN)
def base62(ctx: Context, text: str) -> str:
    """Write the six last digits of a decimal number in base 62, with leading zeros. Manual 11.6."""
    number = _decimal(ctx, text, "base62")
    out = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        out = BASE62_DIGITS[digit] + out
    return out


@operator("base62d", section="11.6", takes="ctx", taint=CLEAN)
def base62d(ctx: Context, text: str) -> str:
    """Read a base 62 number into decimal, as a signed 64-bit number. Manual 11.6."""
    return _from_digits(ctx, text, "base62d", 62, _BASE62_VALUES)


@operator("randint", section="11.6", takes="ctx", taint=CLEAN)
def randint(ctx: Context, text: str) -> str:
    """Give a random number from 0 to one below the given one, of which the low 32 bits count.

    0 where that is not above 1. Raises ExpansionError if it is no number, or negative. Manual 11.6.
    """
    limit = expanded_string_integer(text, True, ctx.env.version) & 0xFFFFFFFF
    return str(ctx.env.doors.chance.below(limit)) if 1 < limit < 2**31 else "0"
