"""Operators on time intervals: time_eval and time_interval. No clock is asked."""

from __future__ import annotations

import re

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, operator

_PART = re.compile(r"([0-9]+)([wdhms])")
_INTERVAL = re.compile(r"(?:[0-9]+[wdhms])+")
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


def _c_int(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def _digits(text: str) -> int:
    # Only the low 32 bits count, and these do not need more than the last 32 digits.
    return int(text[-32:])


def read_interval(text: str) -> int:
    """Give the seconds of a time such as ``1w2d3h4m5s``, -1 if it is none.

    Parts may stand in any order and more than once. The sum is a 32-bit int that wraps; a negative one is
    no time. Manual 6.16.
    """
    if not _INTERVAL.fullmatch(text):
        return -1
    total = _c_int(sum(_digits(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))
    return total if total >= 0 else -1


def format_interval(seconds: int) -> str:
    """Write seconds (a 32-bit int) as weeks to seconds, leaving out what is zero. Manual 6.16."""
    sign = ""
    if seconds < 0:
        if seconds == -(2**31):
            return "-5d3h14m8s"  # has no positive counterpart; the weeks get lost
        sign, seconds = "-", -seconds
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    weeks, days = divmod(days, 7)
    parts = ((weeks, "w"), (days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    return sign + "".join([f"{count}{unit}" for count, unit in parts if count]) if seconds else "0s"


@operator("time_eval", section="11.6", taint=CLEAN)
def time_eval(text: str) -> str:
    """Give the seconds of an Exim time interval. Manual 11.6."""
    seconds = read_interval(text)
    if seconds < 0:
        raise ExpansionError(f'string "{text}" is not an Exim time interval in "time_eval" operator')
    return str(seconds)


@operator("time_interval", section="11.6", taint=CLEAN)
def time_interval(text: str) -> str:
    """Write a number of seconds as an Exim time interval. Manual 11.6."""
    if not text:
        return "0s"
    if not (text.isascii() and text.isdecimal()):
        raise ExpansionError(f'string "{text}" is not a positive number in "time_interval" operator')
    return format_interval(_c_int(_digits(text)))
