"""dbm, dbmnz, dbmjz: DBM files (manual 9.3): Berkeley DB as Debian's Exim has it, gdbm where Python does."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from eximious.interpreter.logs import log_write
from eximious.lookups.bdb import BerkeleyFile
from eximious.lookups.files import open_failed
from eximious.lookups.paged import Corrupt, PageReader
from eximious.lookups.registry import SINGLE_KEY, Lookup, OpenFailed, lookup

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question

_GDBM_MAGICS = (0x13579ACD, 0x13579ACE, 0x13579ACF, 0x13579AD0, 0x13579AD1)


def _is_gdbm(head: bytes) -> bool:
    return len(head) == 4 and any(struct.unpack(order + "I", head)[0] in _GDBM_MAGICS for order in "<>")


class _Gdbm:
    """A gdbm file behind the same two methods."""

    def __init__(self, path: str) -> None:
        import dbm.gnu

        self.opened: Any = dbm.gnu.open(path, "r")  # noqa: SIM115

    def get(self, key: bytes) -> bytes | None:
        found: bytes | None = self.opened.get(key)
        return found

    def close(self) -> None:
        self.opened.close()


class _Open:
    """An open file of either kind. ``ctx``: of the lookup that opened it, for the log."""

    __slots__ = ("_get", "ctx", "file", "source")

    def __init__(self, ctx: Context, file: str, source: BerkeleyFile | _Gdbm) -> None:
        self.ctx, self.file, self.source = ctx, file, source
        self._get = source.get

    def text(self, key: str) -> str | None:
        """The value of a key as text, None where there is none, or where a page is broken (as observed)."""
        try:
            data = self._get(key.encode("latin-1"))
        except (Corrupt, OSError) as error:
            log_write(self.ctx, f"Berkeley DB error: {self.file}: {error}")
            return None
        return None if data is None else data.decode("latin-1")

    def text_with_zero(self, key: str) -> str | None:
        """As :meth:`text`, for a key that is stored with a zero byte at its end."""
        return self.text(key + "\0")


class _Dbm(Lookup):
    """What the three have in common: the file."""

    def open(self, ctx: Context, file: str) -> _Open:
        words = f"failed to open {file} as a db (v4.1+) file: "
        try:
            opened = ctx.env.doors.files.open(file)
        except OSError as error:
            raise open_failed(ctx, file, "as a db (v4.1+) file", error) from None
        try:
            if _is_gdbm(opened.read(4)):
                opened.close()
                return _Open(ctx, file, _Gdbm(ctx.env.doors.files.local_path(file)))
            return _Open(ctx, file, BerkeleyFile(PageReader(opened)))
        except ImportError:
            raise OpenFailed(f"failed to open {file} as a gdbm file: Python has no gdbm here") from None
        except (Corrupt, OSError) as error:
            opened.close()
            log_write(ctx, f"Berkeley DB error: {file}: {error}")
            # Exim shows the errno that something else left: that there is no such file
            raise OpenFailed(words + "No such file or directory") from None

    def close(self, handle: _Open) -> None:
        source = handle.source
        if isinstance(source, BerkeleyFile):
            source.reader.close()
        else:
            source.close()


@lookup("dbm", style=SINGLE_KEY, section="9.3")
class Dbm(_Dbm):
    """The key with a trailing zero byte, as exim_dbmbuild writes it."""

    def asker(self, handle: _Open) -> Callable[[str], str | None]:
        return handle.text_with_zero

    def find(self, handle: _Open, question: Question) -> str | None:
        return handle.text_with_zero(question.key)


@lookup("dbmnz", style=SINGLE_KEY, section="9.3")
class Dbmnz(_Dbm):
    """The key without a zero byte."""

    def asker(self, handle: _Open) -> Callable[[str], str | None]:
        return handle.text

    def find(self, handle: _Open, question: Question) -> str | None:
        return handle.text(question.key)


@lookup("dbmjz", style=SINGLE_KEY, section="9.3")
class Dbmjz(_Dbm):
    """The key is a list, joined with zero bytes (what SASL's databases have)."""

    def find(self, handle: _Open, question: Question) -> str | None:
        from eximious.interpreter.listsplit import split_list

        return handle.text("\0".join(split_list(question.key)))
