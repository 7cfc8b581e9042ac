"""The router option ``require_files``: files that must be there, or must not (manual 15.1)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.simulation.routing.results import DEFER, OK, SKIP

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.simulation.routing.address import RoutedAddress

    Say = Callable[[str], None]


def check_files(ctx: Context, address: RoutedAddress, text: str, say: Say | None = None) -> str:
    """Check the items of ``require_files``; gives OK, SKIP, or DEFER with the message in the address."""
    if say is not None:
        say("checking require_files")
    user: tuple[int, int] | None = None
    for item in split_list(text):
        try:
            value = str(expand(item, ctx))
        except ForcedFailure:
            continue
        except Failure as failure:
            address.message = f'failed to expand "{item}" for require_files: {failure.message}'
            return DEFER
        if not value:
            continue
        if "/" not in value:
            found = _user(ctx, value)
            if isinstance(found, str):
                address.message = found
                return DEFER
            user = found
            if say is not None:
                say(f"check subsequent files for access by {value}")
            continue
        no_access_is_absent = invert = False
        if value.startswith("+"):
            no_access_is_absent, value = True, value[1:].lstrip(SPACE)
        if value.startswith("!"):
            invert, value = True, value[1:].lstrip(SPACE)
        if not value.startswith("/"):
            address.message = f'require_files: "{value}" is not absolute'
            return DEFER
        there, trouble = _exists(ctx, value, user)
        if say is not None:
            say(f"file check: {item}")
            if value != item:
                say(f"expanded file: {value}")
        if not there and trouble is not None:
            denied = isinstance(trouble, PermissionError)
            if not (denied and no_access_is_absent) and not isinstance(trouble, FileNotFoundError):
                address.message = f"require_files: error for {value}: {trouble.strerror}"
                return DEFER
        if there == invert:
            return SKIP
    return OK


def _user(ctx: Context, value: str) -> tuple[int, int] | str:
    """Uid and gid of ``user`` or ``user,group``, names or numbers; a text is what is wrong."""
    name, comma, group = value.partition(",")
    users = ctx.env.doors.users
    entry: Any = users.getpwnam(name)
    if entry is not None:
        uid = entry.pw_uid
    elif name.isascii() and name.isdigit():
        uid = int(name)
    else:
        return f'user "{value}" for require_files not found'
    if not comma:
        if entry is None:
            return f"group missing after numerical uid {uid} for require_files"
        return uid, entry.pw_gid
    found: Any = users.getgrnam(group)
    if found is not None:
        return uid, found.gr_gid
    if group.isascii() and group.isdigit():
        return uid, int(group)
    return f'group "{group}" for require_files not found\n'


def _exists(ctx: Context, path: str, user: tuple[int, int] | None) -> tuple[bool, OSError | None]:
    """Whether a file is there, and for a user: whether that one may read it; with the error otherwise."""
    files = ctx.env.doors.files
    try:
        files.stat(path)
        if user is not None:
            check_access(ctx, path, user)
    except OSError as problem:
        return False, problem
    return True, None


def check_access(ctx: Context, path: str, user: tuple[int, int]) -> None:
    """Check that somebody may pass all folders of a path and read its end; raises PermissionError if not.

    Symbolic links are followed by the system's own rules only at the end of the path.
    """
    files = ctx.env.doors.files
    parts = [part for part in path.split("/") if part]
    at = "/"
    for number, part in enumerate(parts):
        at = os.path.join(at, part)
        entry = files.stat(at)
        last = number == len(parts) - 1
        wanted = 4 if last else 1
        if not stat.S_ISDIR(entry.st_mode) and not last:
            raise NotADirectoryError(20, "Not a directory", at)
        if not _may(ctx, entry, user, wanted):
            raise PermissionError(13, "Permission denied", at)


def _may(ctx: Context, entry: os.stat_result, user: tuple[int, int], wanted: int) -> bool:
    uid, gid = user
    if entry.st_uid == uid:
        return bool(entry.st_mode >> 6 & wanted)
    if entry.st_gid == gid:
        return bool(entry.st_mode >> 3 & wanted)
    return bool(entry.st_mode & wanted)
