"""The operators eval and eval10: whole-number arithmetic with C's operators on 64 bits.

Numbers and the results of multiplication, shifts and negation wrap around. Sums are checked, more
strictly than needed and not evenly: see :func:`_add`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, operator

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX = 2**63 - 1
_MIN = -(2**63)
_HALF = _MAX // 2
_MASK = 2**64 - 1

_SPACES = re.compile(r"[ \t\n\v\f\r]*")
_DECIMAL = re.compile(r"([0-9]+)([kKmMgG]?)[ \t\n\v\f\r]*")
#: a leading 0 makes it octal, 0x hexadecimal; after "0x" digits may be missing
_ANY_BASE = re.compile(r"(0[xX][0-9A-Fa-f]*|0[0-7]*|[1-9][0-9]*)([kKmMgG]?)[ \t\n\v\f\r]*")
_OPERATOR = re.compile(r"(<<|>>|[-+*/%&^|])")
_SIMPLE = re.compile(r" *(0|[1-9][0-9]{0,14}) *([-+*]) *(0|[1-9][0-9]{0,14}) *")
#: expressions of small decimal numbers, sums, differences, products and parentheses, with nothing to wrap
_TOKENS = re.compile(r" *(0(?![0-9])|[1-9][0-9]{0,14}(?![0-9kKmMgGxX])|[-+*()]|.)", re.DOTALL)
_QUICK_LENGTH = 200
_QUICK_TERM = 2**50
_SHIFTS = {"k": 10, "m": 20, "g": 30}
_LEVELS = {"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}


class _Wrong(Exception):
    """What is wrong with an expression, in Exim's words."""


def _wrap(value: int) -> int:
    return value if _MIN <= value <= _MAX else ((value + 2**63) & _MASK) - 2**63


def _add(left: int, right: int) -> int:
    # Exim compares its left operand twice here: any sum or difference with a large positive left side
    # overflows, as do those of two large negative numbers.
    if left >= _HALF or (left <= -_HALF and right <= -_HALF):
        raise _Wrong("overflow in sum")
    return _wrap(left + right)


def _subtract(left: int, right: int) -> int:
    if left >= _HALF or (left <= -_HALF and right <= -_HALF):
        raise _Wrong("overflow in difference")
    return _wrap(left - right)


def _divide(left: int, right: int) -> int:
    if right == -1 and left == _MIN:
        return _MAX
    if not right:
        raise _Wrong("divide by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _modulo(left: int, right: int) -> int:
    if right == -1 and left == _MIN:
        return _MAX
    if not right:
        raise _Wrong("modulo by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


_BINARY: dict[str, Callable[[int, int], int]] = {
    "|": lambda left, right: left | right,
    "^": lambda left, right: left ^ right,
    "&": lambda left, right: left & right,
    "<<": lambda left, right: _wrap(left << (right & 63)),
    ">>": lambda left, right: left >> (right & 63),
    "+": _add,
    "-": _subtract,
    "*": lambda left, right: _wrap(left * right),
    "/": _divide,
    "%": _modulo,
}


def _number(match: re.Match[str], decimal: bool) -> int:
    digits, suffix = match.groups()
    if decimal or digits[0] != "0":
        value = int(digits) if len(digits) < 19 else min(int(digits.lstrip("0")[:20] or "0"), _MAX)
    elif digits[1:2] in ("x", "X"):
        value = min(int(digits, 16), _MAX) if len(digits) > 2 else 0
    else:
        value = min(int(digits, 8), _MAX)
    return _wrap(value << _SHIFTS[suffix.lower()]) if suffix else value


def _quick(text: str) -> int | None:
    """Compute what only has small numbers, sums, products and parentheses; None where there is anything else.

    One pass: ``total`` is the sum so far, ``term`` the product behind it.
    """
    total, term = 0, 1
    outer: list[tuple[int, int]] = []
    wants_number = True
    for token in _TOKENS.findall(text):
        if wants_number:
            if token == "(":
                outer.append((total, term))
                total, term = 0, 1
            elif token == "-":
                term = -term
            elif token.isdecimal():
                term *= int(token)
                wants_number = False
            else:
                return None
        else:
            if not -_QUICK_TERM < term < _QUICK_TERM:
                return None
            wants_number = True
            if token == "+":
                total += term
                term = 1
            elif token == "-":
                total += term
                term = -1
            elif token == ")":
                if not outer:
                    return None
                inner = total + term
                total, term = outer.pop()
                term *= inner
                wants_number = False
            elif token != "*":
                return None
    if wants_number or outer or not -_QUICK_TERM < term < _QUICK_TERM:
        return None
    return total + term


def evaluate(text: str, decimal: bool) -> int:
    """Compute an expression; ``decimal``: numbers have no octal and hexadecimal forms (eval10).

    Raises ExpansionError with Exim's message, which says how far it got.
    """
    simple = _SIMPLE.fullmatch(text)
    if simple:
        # Fifteen digits: no sum can overflow, and a product only has to wrap.
        left, sign, right = simple.groups()
        if sign == "+":
            return int(left) + int(right)
        return int(left) - int(right) if sign == "-" else _wrap(int(left) * int(right))
    if len(text) < _QUICK_LENGTH:
        quick = _quick(text)
        if quick is not None:
            return quick
    read = _DECIMAL if decimal else _ANY_BASE
    values: list[int] = []
    #: operators not yet applied: (level, sign), level 0 for an open parenthesis, 9 for a unary operator
    waiting: list[tuple[int, str]] = []
    size = len(text)
    at = 0
    try:
        while True:
            # An operand: any unary operators and open parentheses, then a number.
            while True:
                at = _SPACES.match(text, at).end()  # type: ignore[union-attr]
                char = text[at : at + 1]
                if char and char in "+-~":
                    waiting.append((9, char))
                elif char == "(":
                    waiting.append((0, char))
                else:
                    break
                at += 1
            match = read.match(text, at)
            if not match:
                raise _Wrong("expecting number or opening parenthesis")
            values.append(_number(match, decimal))
            at = match.end()
            # An operator, after any closing parentheses.
            while True:
                while waiting and waiting[-1][0] == 9:
                    sign = waiting.pop()[1]
                    if sign == "-":
                        values[-1] = _wrap(-values[-1])
                    elif sign == "~":
                        values[-1] = ~values[-1]
                found = _OPERATOR.match(text, at)
                sign = found.group() if found else ""
                level = _LEVELS.get(sign, 1)
                while waiting and waiting[-1][0] >= level:
                    right_value = values.pop()
                    values[-1] = _BINARY[waiting.pop()[1]](values[-1], right_value)
                if sign:
                    waiting.append((level, sign))
                    at += len(sign)
                    break
                if not waiting:
                    if at < size:
                        raise _Wrong("expecting operator")
                    return values[0]
                if text[at : at + 1] != ")":
                    raise _Wrong("expecting closing parenthesis")
                waiting.pop()
                at = _SPACES.match(text, at + 1).end()  # type: ignore[union-attr]
    except _Wrong as problem:
        raise ExpansionError(
            f'error in expression evaluation: {problem} (after processing "{text[:at]}")'
        ) from None


@operator("eval", section="11.6", taint=CLEAN)
def eval_(text: str) -> str:
    """Compute an arithmetic expression; numbers as in C, with K, M and G. Manual 11.6."""
    return str(evaluate(text, False))


@operator("eval10", section="11.6", taint=CLEAN)
def eval10(text: str) -> str:
    """Compute an arithmetic expression of decimal numbers, which may have leading zeros. Manual 11.6."""
    return str(evaluate(text, True))
