"""What Exim would write to its logs, for whoever listens (the environment's ``log``, if it has one)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

#: bytes that fit into the real one's buffer of 8192 behind the date and the time in seconds
ROOM = 8_169
#: what 4.99 puts where it has cut a line off
CUT = "<trunc>"


def log_write(ctx: Context, line: str, where: str = "main") -> None:
    """Hand a line (without its time stamp) on. ``where``: main, reject, panic, or several in one text."""
    write = getattr(ctx.env, "log", None)
    if write is not None:
        write(line, where)


def stamp_end(ctx: Context) -> str:
    """What a log line has behind the seconds of its time: milliseconds, zone and process id, as options say (53.4)."""
    from eximious.interpreter.variables.clock import log_selected, zone
    from eximious.interpreter.variables.computed import pid

    env = ctx.env
    parts = []
    clock = env.doors.clock
    if log_selected(env, "millisec"):
        parts.append(f"{int(clock.now() % 1 * 1000):03d} ")
    if env.options.get("log_timezone"):
        parts.append(f"{zone(clock.localtime(clock.now()))} ")
    if log_selected(env, "pid"):
        parts.append(f"[{pid(ctx)}] ")
    return "".join(parts)


def fitted(ctx: Context, identity: str, line: str) -> str:
    """A line of the log as it fits into the real one's buffer, behind the message's id where there is one.

    Where it does not fit, Exim says so instead; 4.99 cuts it off.
    """
    start = f"{identity} " if identity else ""
    whole = f"{start}{line}"
    room = ROOM - len(stamp_end(ctx))
    if len(whole) <= room:
        return whole
    if ctx.env.version >= (4, 99):
        return whole[: room - 1 - len(CUT)] + CUT
    return f"{start}**** log string overflowed log buffer ****"
