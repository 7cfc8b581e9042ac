"""Opening files for the evaluator, with Exim's words for what goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from typing import BinaryIO

    from eximious.interpreter.context import Context


def open_for_reading(ctx: Context, path: str) -> BinaryIO:
    """Open a file through the door. Raises ExpansionError with Exim's message ("failed to open ...").

    A tainted name is refused from 4.94 on (manual 11.5, readfile).
    """
    if type(path) is Tainted and ctx.env.version >= (4, 94):
        raise ExpansionError(_failed(ctx, path, 13))
    try:
        return ctx.env.doors.files.open(path)
    except OSError as error:
        if error.errno == 21:  # a folder can be opened for reading, and has nothing to read
            import io

            return io.BytesIO(b"")
        raise ExpansionError(_failed(ctx, path, error.errno or 5)) from None


def _failed(ctx: Context, path: str, number: int) -> str:
    return f"failed to open {path}: {open_reason(ctx, number)}"


def open_reason(ctx: Context, number: int) -> str:
    """Why a file could not be opened, for an errno; where it may not be, who was not permitted. Manual 11.5."""
    import os

    who = ""
    if number == 13:
        from eximious.interpreter.variables.computed import caller

        uid, gid = caller(ctx.env)
        who = f" (euid={uid} egid={gid})"
    return os.strerror(number) + who
