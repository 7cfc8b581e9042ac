"""Writing a decoded part to a file, as the condition ``decode`` does (manual 45.4).

Files in the message's own scan folder, which Exim removes when the ACLs are done, are really written where the files
door allows it, and else only kept in memory; other places are only written where that is allowed.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import split_list
from eximious.interpreter.outcomes import Lacking
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.mime.decode import decoded
from eximious.simulation.mime.mailbox import scan_of

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.simulation.mime.mailbox import Scan

#: numbers that files get; the last one is written over and over
_NUMBERS = 1024


def decode_part(ctx: Context, argument: str) -> int:
    """Decode the part in hand to where ``argument`` says: default, a folder, a path, or a name (manual 45.4).

    Sets ``$mime_decoded_filename`` and ``$mime_content_size``. OK, FAIL where nothing is to be decoded, DEFER where
    it cannot be written. Raises Refused where that is not allowed.
    """
    scan = scan_of(ctx)
    stream = scan.stream
    if stream is None:
        return FAIL
    words = split_list(argument)
    option = words[0] if words else "default"
    if option in ("false", "0"):
        return FAIL
    if option == "default":
        path = _numbered(ctx, scan, scan.folder)
    elif not option.startswith("/"):
        path = f"{scan.folder}/{option}"
    elif _is_folder(ctx, option):
        path = _numbered(ctx, scan, option)
    else:
        path = option
    text, start, end = found = decoded(ctx.message, scan, stream)
    ctx.message.mime_decoded_filename = path
    try:
        scan.write(ctx, path, text[start:end])
    except Lacking:
        if not scan.owns(path):
            raise
    except OSError:
        return DEFER
    scan.files[path] = found
    ctx.message.mime_content_size = (end - start + 1023) // 1024
    return OK


def _numbered(ctx: Context, scan: Scan, folder: str) -> str:
    """The first path in a folder, of those with a number, where there is no file yet."""
    name = ctx.message.message_exim_id
    first = scan.kept.get(f"number in {folder}", 0)
    for number in range(first, _NUMBERS):
        path = f"{folder}/{name}-{number:05d}"
        if path not in scan.files and (folder == scan.folder or not _exists(ctx, path)):
            break
    scan.kept[f"number in {folder}"] = min(number + 1, _NUMBERS - 1)
    return path


def _exists(ctx: Context, path: str) -> bool:
    try:
        ctx.env.doors.files.stat(path)
    except OSError:
        return False
    return True


def _is_folder(ctx: Context, path: str) -> bool:
    try:
        return stat.S_ISDIR(ctx.env.doors.files.stat(path).st_mode)
    except OSError:
        return False
