"""Punycode (RFC 3492), with the failures of the libraries that Exim is built with.

Only the bare algorithm: the prefix ``xn--`` and what may stand in a label are the callers' business.
"""

from __future__ import annotations

from eximious.interpreter.outcomes import OverBudget

_BASE, _T_MIN, _T_MAX, _SKEW, _DAMP = 36, 1, 26, 38, 700
_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)} | {
    digit.upper(): value for value, digit in enumerate(_DIGITS)
}
_UINT_MAX = 2**32 - 1
#: the algorithm takes time by the square of the length
LONGEST = 20_000

BAD_INPUT, BIG_OUTPUT, OVERFLOW = "bad input", "big output", "overflow"


class PunycodeError(Exception):
    """What went wrong: BAD_INPUT, BIG_OUTPUT or OVERFLOW."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def _adapt(delta: int, count: int, first: bool) -> int:
    delta = delta // _DAMP if first else delta // 2
    delta += delta // count
    steps = 0
    while delta > ((_BASE - _T_MIN) * _T_MAX) // 2:
        delta //= _BASE - _T_MIN
        steps += _BASE
    return steps + (_BASE - _T_MIN + 1) * delta // (delta + _SKEW)


def encode(codes: list[int], room: int) -> str:
    """Encode code points into at most ``room`` characters. Raises PunycodeError."""
    if len(codes) > LONGEST:
        raise OverBudget("characters in punycode", LONGEST)
    out = [chr(code) for code in codes if code < 128]
    # Room for the delimiter is kept free while basic characters are copied.
    if len(out) + 1 > room and out:
        raise PunycodeError(BIG_OUTPUT)
    handled = basic = len(out)
    if basic:
        out.append("-")
    bound, delta, bias = 128, 0, 72
    while handled < len(codes):
        least = min(code for code in codes if code >= bound)
        delta += (least - bound) * (handled + 1)
        if delta > _UINT_MAX:
            raise PunycodeError(OVERFLOW)
        bound = least
        for code in codes:
            if code < bound:
                delta += 1
            elif code == bound:
                number, k = delta, _BASE
                while True:
                    if len(out) >= room:
                        raise PunycodeError(BIG_OUTPUT)
                    threshold = min(max(k - bias, _T_MIN), _T_MAX)
                    if number < threshold:
                        break
                    number -= threshold
                    out.append(_DIGITS[threshold + number % (_BASE - threshold)])
                    number //= _BASE - threshold
                    k += _BASE
                out.append(_DIGITS[number])
                bias = _adapt(delta, handled + 1, handled == basic)
                delta = 0
                handled += 1
        delta += 1
        bound += 1
    return "".join(out)


def decode(
    text: str, room: int, more_digits: dict[str, int] | None = None, highest: int = _UINT_MAX
) -> list[int]:
    """Decode into at most ``room`` code points, none above ``highest``. Raises PunycodeError.

    ``more_digits``: characters that count as digits besides letters and digits. A hyphen at the very start
    delimits nothing.
    """
    values = _VALUES if more_digits is None else _VALUES | more_digits
    if len(text) > LONGEST:
        raise OverBudget("characters in punycode", LONGEST)
    delimiter = max(text.rfind("-"), 0)
    if delimiter > room:
        raise PunycodeError(BIG_OUTPUT)
    out: list[int] = []
    for char in text[:delimiter]:
        if char > "\x7f":
            raise PunycodeError(BAD_INPUT)
        out.append(ord(char))
    at = delimiter + 1 if delimiter else 0
    number, bound, bias = 0, 128, 72
    size = len(text)
    while at < size:
        before, weight, k = number, 1, _BASE
        while True:
            digit = values.get(text[at]) if at < size else None
            if digit is None:
                raise PunycodeError(BAD_INPUT)
            at += 1
            number += digit * weight
            if number > _UINT_MAX:
                raise PunycodeError(OVERFLOW)
            threshold = min(max(k - bias, _T_MIN), _T_MAX)
            if digit < threshold:
                break
            weight *= _BASE - threshold
            if weight > _UINT_MAX:
                raise PunycodeError(OVERFLOW)
            k += _BASE
        bias = _adapt(number - before, len(out) + 1, before == 0)
        bound += number // (len(out) + 1)
        if bound > _UINT_MAX:
            raise PunycodeError(OVERFLOW)
        if bound > highest:
            raise PunycodeError(BAD_INPUT)
        number %= len(out) + 1
        if len(out) >= room:
            raise PunycodeError(BIG_OUTPUT)
        out.insert(number, bound)
        number += 1
    return out
