"""dsearch: a name in a folder (manual 9.3)."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.text import untaint
from eximious.lookups.files import open_failed, reason
from eximious.lookups.registry import SINGLE_KEY, Lookup, OpenFailed, SearchDefer, lookup

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question

#: ``filter=``: which kinds of entry count
_KINDS = {"file": stat.S_ISREG, "dir": stat.S_ISDIR, "subdir": stat.S_ISDIR}


@lookup("dsearch", style=SINGLE_KEY, section="9.3")
class DirectorySearch(Lookup):
    """Gives the key if the folder has an entry of that name: no slash in it, links not followed.

    ``ret=full``: the path; ``filter=file|dir|subdir``: only such (of either kind, where two are given);
    ``key=path`` (4.98): the key may be a path below the folder.
    """

    def open(self, ctx: Context, file: str) -> None:
        try:
            # opening tells whether it may be read, without reading what may be a large folder
            ctx.env.doors.files.open(file).close()
            if ctx.env.version >= (4, 99):
                raise OpenFailed(f"{file} is not a directory (dsearch lookup)")
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        except IsADirectoryError:
            pass
        except OSError as error:
            raise open_failed(ctx, file, "for directory search", error) from None
        if not file.startswith("/"):
            raise OpenFailed(f"dirname '{file}' for dsearch is not absolute")

    def find(self, handle: None, question: Question) -> str | None:
        key = question.key
        full = path_key = False
        kinds = []
        for option in question.options:
            if option == "ret=full":
                full = True
            elif option == "key=path" and question.ctx.env.version >= (4, 98):
                path_key = True
            elif option.startswith("filter=") and option[7:] in _KINDS:
                kinds.append(option[7:])
        if path_key:
            if ".." in key.split("/"):
                raise SearchDefer(f"key for dsearch lookup contains bad component: {key}")
        elif "/" in key:
            raise SearchDefer(f"key for dsearch lookup contains a slash: {key}")
        path = f"{question.file}/{key}"
        try:
            mode = question.ctx.env.doors.files.stat(path, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SearchDefer(f"{path}: lstat: {reason(error)}") from None
        if kinds and not any(
            _KINDS[kind](mode) and not (kind == "subdir" and self._is_dots(key, question.ctx.env.version))
            for kind in kinds
        ):
            return None
        return path if full else untaint(key)

    @staticmethod
    def _is_dots(key: str, version: tuple[int, int]) -> bool:
        """Whether a key counts as ``.`` or ``..``: up to 4.96 all that begins with two dots does."""
        return key in (".", "..") or (version < (4, 97) and key.startswith(".."))
