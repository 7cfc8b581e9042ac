"""lmdb: LMDB files, read only (manual 9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.files import reason
from eximious.lookups.lmdb_file import LmdbFile
from eximious.lookups.paged import Corrupt, PageReader
from eximious.lookups.registry import SINGLE_KEY, Lookup, OpenFailed, lookup

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question


@lookup("lmdb", style=SINGLE_KEY, section="9.3")
class Lmdb(Lookup):
    """Keys are compared byte by byte; a value ends at a NUL, or where its data ends."""

    def open(self, ctx: Context, file: str) -> LmdbFile:
        try:
            opened = ctx.env.doors.files.open(file)
        except OSError as error:
            raise OpenFailed(f"LMDB: Unable to open environment with {file}: {reason(error)}") from None
        try:
            return LmdbFile(PageReader(opened))
        except (Corrupt, OSError) as error:
            opened.close()
            shown = reason(error) if isinstance(error, OSError) else str(error)
            raise OpenFailed(f"LMDB: Unable to open environment with {file}: {shown}") from None

    def asker(self, handle: LmdbFile) -> Callable[[str], str | None]:
        return handle.asker()

    def find(self, handle: LmdbFile, question: Question) -> str | None:
        return handle.asker()(question.key)

    def close(self, handle: LmdbFile) -> None:
        handle.close()
