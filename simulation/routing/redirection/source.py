"""Where redirection data comes from: an expanded text, or a file whose owner and mode are checked (manual 22.1)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import Tainted
from eximious.simulation.routing.redirection.items import LARGEST, Wrong

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context

#: how a text that is a filter begins, blanks and case apart, and what is said of each kind
FILTERS = {"# exim filter": "an Exim", "# sieve filter": "a Sieve"}


class Checks:
    """What is asked of a file: permitted owners and groups (None: anybody's), mode bits it must not have.

    ``user``: uid and gid of whoever reads it; None: Exim itself, which may read anything here.
    ``ignore_eacces``, ``ignore_enotdir``: these errors count as absence.
    """

    __slots__ = ("groups", "ignore_eacces", "ignore_enotdir", "modemask", "owners", "user")

    def __init__(self) -> None:
        self.owners: set[int] | None = None
        self.groups: set[int] | None = None
        self.modemask = 0o022
        self.ignore_eacces = self.ignore_enotdir = False
        self.user: tuple[int, int] | None = None


def filter_kind(text: str) -> str:
    """Say which kind of filter a text is by its beginning: "an Exim", "a Sieve", or "" (manual 22.3)."""
    if not text.startswith("#"):
        return ""
    for head, kind in FILTERS.items():
        at = 0
        for character in head:
            if character == " ":
                while at < len(text) and text[at] in " \t\n\v\f\r":
                    at += 1
            elif at < len(text) and text[at].lower() == character:
                at += 1
            else:
                break
        else:
            return kind
    return ""


def expanded(ctx: Context, text: str) -> str | None:
    """Expand ``data`` or ``file``; None after a forced failure. Raises Wrong."""
    try:
        return expand(text, ctx)
    except ForcedFailure:
        return None
    except Failure as failure:
        raise Wrong(f'failed to expand "{text}": {failure.message}') from None


def read_file(ctx: Context, path: str, checks: Checks) -> str | None:
    """Read a redirection file, ``path`` beginning with a slash; None where it does not exist. Raises Wrong."""
    if type(path) is Tainted and ctx.env.version >= (4, 94):
        raise Wrong(f"Tainted name '{path}' for file read not permitted\n")
    files = ctx.env.doors.files
    try:
        if checks.user is not None:
            from eximious.simulation.routing.files import check_access

            check_access(ctx, path, checks.user)
        entry = files.stat(path)
        _check_file(path, entry, checks)
        with files.open(path) as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError as problem:
        if not checks.ignore_enotdir:
            _check_parent(ctx, path, problem)
        return None
    except NotADirectoryError as problem:
        if checks.ignore_enotdir:
            return None
        raise Wrong(_open_failed(path, problem)) from None
    except PermissionError as problem:
        if checks.ignore_eacces:
            return None
        message = _open_failed(path, problem)
        if checks.user is not None:
            message += f" (euid={checks.user[0]} egid={checks.user[1]})"
        raise Wrong(message) from None
    except OSError as problem:
        raise Wrong(_open_failed(path, problem)) from None
    return data.decode("latin-1").partition("\0")[0]


def looked_at(ctx: Context, path: str) -> str | None:
    """Look whether a file is there: None if it is not, else what is wrong with finding that out, "" if nothing is."""
    stat_of = ctx.env.doors.files.stat
    try:
        stat_of(path)
    except FileNotFoundError as problem:
        try:
            _check_parent(ctx, path, problem)
        except Wrong as wrong:
            return wrong.message
        return None
    except OSError as problem:
        return f"failed to stat {path} ({os.strerror(problem.errno) if problem.errno else problem})"
    return ""


def _open_failed(path: str, problem: OSError) -> str:
    return f"failed to open {path}: {os.strerror(problem.errno) if problem.errno else problem}"


def _check_file(path: str, entry: Any, checks: Checks) -> None:
    if not stat.S_ISREG(entry.st_mode):
        raise Wrong(f"{path} is not a regular file")
    unwanted = entry.st_mode & checks.modemask
    if unwanted:
        raise Wrong(f"bad mode (0{entry.st_mode:o}) for {path}: 0{unwanted:o} bit(s) unexpected")
    owner_is_good = checks.owners is None or entry.st_uid in checks.owners
    group_is_good = checks.groups is None or entry.st_gid in checks.groups
    if not owner_is_good or not group_is_good:
        raise Wrong(f"bad {'group' if owner_is_good else 'owner'} for {path}")
    if entry.st_size > LARGEST:
        raise Wrong(f"{path} is too big (max {LARGEST})")


def _check_parent(ctx: Context, path: str, problem: OSError) -> None:
    """A file that is not there in a folder that is not there either may be on a disk that is not mounted."""
    folder = path[: path.rindex("/") + 1] + "."
    try:
        ctx.env.doors.files.stat(folder)
    except OSError as trouble:
        reason = os.strerror(trouble.errno) if trouble.errno else str(trouble)
        raise Wrong(f"failed to stat {folder} ({reason})") from None
