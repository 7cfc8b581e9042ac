"""Comparing two texts or two numbers: ``eq``, ``lti``, ``>=`` and their like (manual 11.8).

Order is that of the bytes. Upper and lower case are the same for ASCII letters only, as in the C locale.
Without regard to case, a first text that begins the second counts as the greater: ``gti {a}{ab}`` is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.comparing import compare_folded, fold
from eximious.interpreter.integers import expanded_string_integer
from eximious.interpreter.registry import condition

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

SECTION = "11.8"


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
