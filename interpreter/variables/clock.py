"""``$tod_…``: the time in effect, in Exim's forms."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Environment

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _local(ctx: Context) -> Any:
    clock = ctx.env.doors.clock
    return clock.localtime(clock.now())


def zone(local: Any) -> str:
    """The offset from UTC as ``+hhmm``."""
    offset = (local.tm_gmtoff or 0) // 60
    sign, offset = ("-", -offset) if offset < 0 else ("+", offset)
    return f"{sign}{offset // 60:02d}{offset % 60:02d}"


@lru_cache(maxsize=64)
def full_date(local: Any) -> str:
    """A time as in a Date: line (RFC 5322)."""
    return (
        f"{_DAYS[local.tm_wday]}, {local.tm_mday:02d} {_MONTHS[local.tm_mon - 1]} {local.tm_year} "
        f"{local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d} {zone(local)}"
    )


def tod_bsdinbox(ctx: Context) -> str:
    """As in the first line of a message in a mailbox file; the day has always two digits."""
    t = _local(ctx)
    return (
        f"{_DAYS[t.tm_wday]} {_MONTHS[t.tm_mon - 1]} {t.tm_mday:02d} "
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} {t.tm_year}"
    )


def tod_epoch(ctx: Context) -> str:
    """Seconds since the epoch."""
    return str(int(ctx.env.doors.clock.now()))


def tod_epoch_l(ctx: Context) -> str:
    """Microseconds since the epoch."""
    return str(int(ctx.env.doors.clock.now() * 1_000_000))


def tod_full(ctx: Context) -> str:
    """As in a Date: line."""
    return full_date(_local(ctx))


def tod_log(ctx: Context) -> str:
    """As in the log, with milliseconds where log_selector has them, but never with the zone."""
    clock = ctx.env.doors.clock
    now = clock.now()
    t = clock.localtime(now)
    text = f"{t.tm_year}-{t.tm_mon:02d}-{t.tm_mday:02d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
    if log_selected(ctx.env, "millisec"):
        text += f".{int(now % 1 * 1000):03d}"
    return text


def tod_logfile(ctx: Context) -> str:
    """The date as yyyymmdd."""
    t = _local(ctx)
    return f"{t.tm_year}{t.tm_mon:02d}{t.tm_mday:02d}"


def tod_zone(ctx: Context) -> str:
    """The local offset from UTC."""
    return zone(_local(ctx))


def tod_zulu(ctx: Context) -> str:
    """UTC as yyyymmddhhmmssZ."""
    from time import gmtime

    t = gmtime(ctx.env.doors.clock.now())
    return f"{t.tm_year}{t.tm_mon:02d}{t.tm_mday:02d}{t.tm_hour:02d}{t.tm_min:02d}{t.tm_sec:02d}Z"


def log_selected(env: Environment, word: str, default: bool = False) -> bool:
    """Say whether the option log_selector turns a word on (manual 53.16)."""
    text = env.options.get("log_selector")
    return _turned_on(str(text), word, default) if text else default


@lru_cache(maxsize=1024)
def _turned_on(text: str, word: str, default: bool) -> bool:
    on = default
    for part in text.replace("+", " +").replace("-", " -").split():
        if part[1:] in (word, "all"):
            on = part[0] == "+"
    return on
