"""The time: the system's, or one that stands still until it is told to go on."""

from __future__ import annotations

import re
import time
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo
    from typing import Any

_POSIX = re.compile(
    r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?[0-9]{1,3}(?::[0-9]{2}){0,2}"
    r"(?P<summer>(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)(?:[+-]?[0-9]{1,3}(?::[0-9]{2}){0,2})?(?P<rule>,[\w.:,/+-]+)?)?"
)
#: what the C library takes for a summer time without rule
_DEFAULT_RULE = ",M3.2.0,M11.1.0"


class RealClock:
    """The system's time, in the zone of the option timezone; where that is unset, in the system's."""

    def __init__(self, zone: str | None = None) -> None:
        self._zone = zone
        self._options: Any = None
        self._ahead = 0.0

    def use_options(self, options: Any) -> None:
        """Take the zone from these main options."""
        self._options = options

    @property
    def zone(self) -> str:
        """The zone in effect, "" for the system's own."""
        if self._zone is not None:
            return self._zone
        named = self._options.get("timezone") if self._options is not None else None
        return str(named) if named else ""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time go on by so many seconds, which nobody waits for."""
        self._ahead += seconds

    def localtime(self, seconds: float) -> time.struct_time:
        """As time.localtime, in the zone in effect."""
        zone = self.zone
        return local_time(seconds, zone) if zone else time.localtime(seconds)


class FixedClock(RealClock):
    """A time that stands still. Without a zone it is UTC, so that answers are the same everywhere."""

    def __init__(self, seconds: float, zone: str | None = None) -> None:
        super().__init__(zone)
        self.seconds = seconds

    def now(self) -> float:
        """The time that was set."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time go on by so many seconds."""
        self.seconds += seconds

    def localtime(self, seconds: float) -> time.struct_time:
        """As time.localtime, in the zone in effect."""
        return local_time(seconds, self.zone or "UTC")


@lru_cache(maxsize=64)  # a time that stands still is asked for again and again
def local_time(seconds: float, zone: str) -> time.struct_time:
    """The local time in a zone that is named as in the variable TZ; an unknown one is UTC (tzset(3))."""
    found = _zone(zone)
    if found is None:
        utc = time.gmtime(seconds)
        return time.struct_time((*utc[:9], "UTC", 0))
    from datetime import datetime

    moment = datetime.fromtimestamp(int(seconds), found)
    summer = moment.dst()
    offset = moment.utcoffset()
    fields = moment.timetuple()
    return time.struct_time(
        (
            *fields[:8],
            int(bool(summer)),
            moment.tzname() or "",
            int(offset.total_seconds()) if offset is not None else 0,
        )
    )


@cache
def _zone(name: str) -> tzinfo | None:
    """A zone from the system's database or, failing that, from a description in POSIX form."""
    from zoneinfo import ZoneInfo

    name = name.removeprefix(":")
    if name in ("", "UTC", "GMT"):
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        pass
    found = _POSIX.fullmatch(name)
    if found is None:
        return None
    if found["summer"] and not found["rule"]:
        name += _DEFAULT_RULE
    from io import BytesIO

    # a zone file (RFC 8536) without transitions, whose last line holds the rule
    counts = bytes(16) + (1).to_bytes(4, "big") + (4).to_bytes(4, "big")
    block = b"TZif2" + bytes(15) + counts + bytes(6) + b"UTC\0"
    try:
        return ZoneInfo.from_file(BytesIO(block + block + b"\n" + name.encode("ascii") + b"\n"))
    except (ValueError, OSError):
        return None
