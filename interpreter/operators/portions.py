"""Parts of text and Exim's own hashes: hash, nhash, length and substr, as operators.

The functions that compute are shared with the items of the same names. Numbers are C ints: 32 bits
that wrap around. What kills or exhausts the real Exim (a division by zero, a hash or a part of
negative or absurd size) is an error here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import cycle
from operator import mul
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

#: Exim's alphabet has r, t and s in this order
_HASH_CODES = "abcdefghijklmnopqrtsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_DEFAULT_HASH_SIZE = 26
#: what the bytes are multiplied by, over and over
_PRIMES: tuple[int, ...] = (
    113,
    109,
    107,
    103,
    101,
    97,
    89,
    83,
    79,
    73,
    71,
    67,
    61,
    59,
    53,
    47,
    43,
    41,
    37,
    31,
)
_PRIMES += (29, 23, 19, 17, 13, 11, 7, 5, 3)

_NUMBERS = re.compile(r"([0-9]+)(?:_([0-9]+))?")
_NON_DIGIT = re.compile(r"[^0-9]")


def c_int(value: int) -> int:
    """Give ``value`` as a 32-bit int holds it."""
    return (value + 0x80000000) % 0x100000000 - 0x80000000


def _int(digits: str) -> int:
    # Only 32 bits count, and these are in the last 32 digits.
    return int(digits) if len(digits) < 10 else c_int(int(digits[-32:]))


def extract_substr(text: str, start: int, length: int = -1) -> str:
    """Give part of a text (``${substr``): ``length`` characters from ``start``; -1: to the end.

    A negative ``start`` counts from the right, and then no length means all to the left of it. What lies
    outside the text is left out.
    """
    size = len(text)
    if start >= 0:
        return text[start:] if length < 0 else text[start : start + length]
    start += size
    if start < 0:
        return text[: max(length + start, 0)]
    if length < 0:
        return text[:start]
    return text[start : start + length]


def compute_hash(text: str, length: int, size: int = -1) -> str:
    """Give Exim's text hash (``${hash``): ``length`` characters out of the first ``size`` of 62.

    -1 as ``size`` means 26. Text that is not longer than ``length`` is given as it is. Raises
    ExpansionError for a size over 62; also for a negative length and size 0, which kill the real Exim.
    """
    if size < 0:
        size = _DEFAULT_HASH_SIZE
    elif size > len(_HASH_CODES):
        raise ExpansionError(f'hash count "{size}" too big')
    if length >= len(text):
        return text
    if length < 0:
        raise ExpansionError(f'hash length "{length}" is negative')
    if not length:
        return ""
    if not size:
        raise ExpansionError("hash count is zero")
    codes = bytearray(text.encode("latin-1"))
    at = 0
    for position in range(length, len(codes)):
        code = codes[position]
        shift = (code + position) & 7
        codes[at] ^= (code << shift | code >> (8 - shift)) & 0xFF
        at += 1
        if at == length:
            at = 0
    return "".join([_HASH_CODES[code % size] for code in codes[:length]])


def compute_nhash(text: str, first: int, second: int = -1) -> str:
    """Give Exim's numeric hash (``${nhash``): below ``first``, or as ``div/mod`` with two numbers.

    -1 as ``second`` means that there is one number. Raises ExpansionError for a zero, which kills the real
    Exim.
    """
    codes = text.encode("latin-1")
    total = sum(map(mul, codes, _PRIMES if len(codes) <= len(_PRIMES) else cycle(_PRIMES)))
    # The divisor is an int that C turns into an unsigned long.
    divisor = (first if second < 0 else c_int(first * second)) & 0xFFFFFFFFFFFFFFFF
    if not divisor or not second:
        raise ExpansionError("nhash with a number that is zero")
    total %= divisor
    if second < 0:
        return str(total)
    return f"{total // second}/{total % second}"


@lru_cache(maxsize=256)
def read_numbers(arg: str | None, name: str) -> tuple[int, int]:
    """Read the one or two numbers after an operator's name: ``3_5`` in ``substr_3_5``; -1: no second.

    Raises ExpansionError with Exim's message.
    """
    if arg is None:
        raise ExpansionError(f"missing values after {name}")
    if not arg:
        return 0, -1
    match = _NUMBERS.fullmatch(arg)
    if not match:
        raise ExpansionError(f'non-digit after underscore in "{name}"')
    first, second = match.groups()
    return _int(first), -1 if second is None else _int(second)


def _hash(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Hash text into letters and digits: ``hash_length_size``. Manual 11.6."""
    first, second = read_numbers(arg, name)
    return compute_hash(text, first, second)


def _nhash(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Hash text into one number, ``nhash_n``, or two, ``nhash_n_m``. Manual 11.6."""
    first, second = read_numbers(arg, name)
    return compute_nhash(text, first, second)


def _length(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Give the first ``n`` bytes: ``length_n``. Manual 11.6."""
    if arg is None:
        raise ExpansionError(f"missing values after {name}")
    if _NON_DIGIT.search(arg):
        raise ExpansionError(f'non-digit after underscore in "{name}"')
    return extract_substr(text, 0, _int(arg or "0"))


def _substr(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Give part of the text: ``substr_start_length``. Manual 11.6."""
    if arg and arg[0] == "-":
        first, second = read_numbers(arg[1:], name)
        return extract_substr(text, -first, second)
    first, second = read_numbers(arg, name)
    return extract_substr(text, first, second)


def _register() -> None:
    functions: dict[Callable[..., str], tuple[str, ...]] = {
        _hash: ("hash", "h"),
        _length: ("length", "l"),
        _substr: ("substr", "s"),
    }
    for function, names in functions.items():
        for name in names:
            operator(name, section="11.6", takes="arg")(function)
    for name in ("nhash", "nh"):
        operator(name, section="11.6", takes="arg", taint=CLEAN)(_nhash)


_register()
