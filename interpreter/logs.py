"""What Exim would write to its logs, for whoever listens (the environment's ``log``, if it has one)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.interpreter.context import Context


def log_write(ctx: Context, line: str, where: str = "main") -> None:
    """Hand a line (without its time stamp) on. ``where``: main, reject, panic, or several in one text."""
    write = getattr(ctx.env, "log", None)
    if write is not None:
        write(line, where)
