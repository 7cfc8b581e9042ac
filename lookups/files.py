"""Opening and checking the files of the types that search in files, with Exim's words for what goes wrong."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.files import open_reason
from eximious.lookups.registry import OpenFailed

if TYPE_CHECKING:
    from typing import BinaryIO

    from eximious.interpreter.context import Context


def reason(error: OSError) -> str:
    """What the C library says for an error."""
    return os.strerror(error.errno) if error.errno else str(error)


def open_failed(ctx: Context, file: str, purpose: str, error: OSError) -> OpenFailed:
    """The error for a file that cannot be opened: ``failed to open FILE PURPOSE: REASON``."""
    why = open_reason(ctx, error.errno) if error.errno else str(error)
    return OpenFailed(f"failed to open {file} {purpose}: {why}")


def check_regular(ctx: Context, opened: BinaryIO, file: str, type_: str) -> None:
    """Close and raise OpenFailed where an opened file is no regular file (what is no real file passes)."""
    try:
        mode = os.fstat(opened.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return
    if not stat.S_ISREG(mode):
        opened.close()
        raise not_regular(file, type_)


def not_regular(file: str, type_: str) -> OpenFailed:
    """The error for a folder, device or pipe in the place of a file."""
    return OpenFailed(f"{file} is not a regular file ({type_} lookup)")
