"""Comparing two texts or two numbers: ``eq``, ``lti``, ``>=`` and their like (manual 11.8).

Order is that of the bytes. Upper and lower case are the same for ASCII letters only, as in the C locale.
Without regard to case, a first text that begins the second counts as the greater: ``gti {a}{ab}`` is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.integers import expanded_string_integer
from eximious.interpreter.registry import condition

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

SECTION = "11.8"

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def fold(text: str) -> str:
    """Give ``text`` with its ASCII letters in lower case; other bytes stay."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def compare_folded(left: str, right: str) -> int:
    """Give a number below, at or above 0 as ``left`` comes before, with or after ``right``, but for case.

    If one is the beginning of the other, the first counts as the greater, even where it is the shorter one.
    """
    left, right = fold(left), fold(right)
    if left == right:
        return 0
    return -1 if left < right and not right.startswith(left) else 1


@condition("eq", section=SECTION, args=2, takes="text")
def eq(left: str, right: str) -> bool:
    """Both are the same, byte for byte."""
    return left == right


@condition("eqi", section=SECTION, args=2, takes="text")
def eqi(left: str, right: str) -> bool:
    """Both are the same but for case."""
    return fold(left) == fold(right)


@condition("lt", section=SECTION, args=2, takes="text")
def lt(left: str, right: str) -> bool:
    """The first comes before the second."""
    return left < right


@condition("lti", section=SECTION, args=2, takes="text")
def lti(left: str, right: str) -> bool:
    """The first comes before the second, but for case; see compare_folded."""
    return compare_folded(left, right) < 0


@condition("le", section=SECTION, args=2, takes="text")
def le(left: str, right: str) -> bool:
    """The first does not come after the second."""
    return left <= right


@condition("lei", section=SECTION, args=2, takes="text")
def lei(left: str, right: str) -> bool:
    """The first does not come after the second, but for case; see compare_folded."""
    return compare_folded(left, right) <= 0


@condition("gt", section=SECTION, args=2, takes="text")
def gt(left: str, right: str) -> bool:
    """The first comes after the second."""
    return left > right


@condition("gti", section=SECTION, args=2, takes="text")
def gti(left: str, right: str) -> bool:
    """The first comes after the second, but for case; see compare_folded."""
    return compare_folded(left, right) > 0


@condition("ge", section=SECTION, args=2, takes="text")
def ge(left: str, right: str) -> bool:
    """The first does not come before the second."""
    return left >= right


@condition("gei", section=SECTION, args=2, takes="text")
def gei(left: str, right: str) -> bool:
    """The first does not come before the second, but for case; see compare_folded."""
    return compare_folded(left, right) >= 0


def _number(ctx: Context, text: str) -> int:
    """The value of one side; unlike elsewhere, nothing at all counts as 0."""
    return expanded_string_integer(text, False, ctx.env.version) if text else 0


@condition("=", section=SECTION, args=2)
def equal(ctx: Context, left: str, right: str) -> bool:
    """Both are the same number."""
    return _number(ctx, left) == _number(ctx, right)


@condition("==", section=SECTION, args=2)
def equal_too(ctx: Context, left: str, right: str) -> bool:
    """The same as ``=``."""
    return _number(ctx, left) == _number(ctx, right)


@condition("<", section=SECTION, args=2)
def less(ctx: Context, left: str, right: str) -> bool:
    """The first number is smaller."""
    return _number(ctx, left) < _number(ctx, right)


@condition("<=", section=SECTION, args=2)
def less_or_equal(ctx: Context, left: str, right: str) -> bool:
    """The first number is not greater."""
    return _number(ctx, left) <= _number(ctx, right)


@condition(">", section=SECTION, args=2)
def greater(ctx: Context, left: str, right: str) -> bool:
    """The first number is greater."""
    return _number(ctx, left) > _number(ctx, right)


@condition(">=", section=SECTION, args=2)
def greater_or_equal(ctx: Context, left: str, right: str) -> bool:
    """The first number is not smaller."""
    return _number(ctx, left) >= _number(ctx, right)
