"""The operator stat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

#: first letter of the symbolic mode; sockets and the rest are "?"
_KINDS = {0o010000: "p", 0o020000: "c", 0o040000: "d", 0o060000: "b", 0o100000: "-"}
_RIGHTS = ("---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx")


def symbolic_mode(mode: int) -> str:
    """Write a file mode as ls does, but with a question mark for a socket."""
    out = _KINDS.get(mode & 0o170000, "?")
    for shift, special, letters in ((6, 0o4000, "Ss"), (3, 0o2000, "Ss"), (0, 0o1000, "Tt")):
        rights = _RIGHTS[mode >> shift & 7]
        if mode & special:
            rights = rights[:2] + letters[rights[2] == "x"]
        out += rights
    return out


@operator("stat", section="11.6", takes="ctx", taint=CLEAN)
def stat(ctx: Context, text: str) -> str:
    """Give what the system's stat says about a path, as ``name=value`` items; links are followed.

    Raises ExpansionError with the system's reason. Text from outside is not refused. Manual 11.6.
    """
    try:
        found = ctx.env.doors.files.stat(text)
    except OSError as error:
        from os import strerror

        raise ExpansionError(f"stat({text}) failed: {strerror(error.errno or 5)}") from None
    mode = found.st_mode
    return (
        f"mode={mode & 0o77777:04o} smode={symbolic_mode(mode)} inode={found.st_ino} device={found.st_dev} "
        f"links={found.st_nlink} uid={found.st_uid} gid={found.st_gid} size={found.st_size} "
        f"atime={int(found.st_atime)} mtime={int(found.st_mtime)} ctime={int(found.st_ctime)}"
    )
