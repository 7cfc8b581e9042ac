"""dbm, dbmnz, dbmjz: DBM files (manual 9.3): Berkeley DB as Debian's Exim has it, gdbm where Python does."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from eximious.interpreter.logs import log_write
from eximious.interpreter.text import to_bytes, to_text
from eximious.lookups.bdb import BerkeleyFile
from eximious.lookups.files import reason
from eximious.lookups.paged import Corrupt, PageReader
from eximious.lookups.registry import SINGLE_KEY, Lookup, OpenFailed, lookup

if TYPE_CHECKING:
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


class _Dbm(Lookup):
    """What the three have in common: the file; a broken page means that nothing is found (as observed)."""

    def open(self, ctx: Context, file: str) -> BerkeleyFile | _Gdbm:
        words = f"failed to open {file} as a db (v4.1+) file: "
        try:
            opened = ctx.env.doors.files.open(file)
        except OSError as error:
            raise OpenFailed(words + reason(error)) from None
        try:
            if _is_gdbm(opened.read(4)):
                opened.close()
                return _Gdbm(ctx.env.doors.files.local_path(file))
            return BerkeleyFile(PageReader(opened))
        except ImportError:
            raise OpenFailed(f"failed to open {file} as a gdbm file: Python has no gdbm here") from None
        except (Corrupt, OSError) as error:
            opened.close()
            log_write(ctx, f"Berkeley DB error: {file}: {error}")
            # Exim shows the errno that something else left: that there is no such file
            raise OpenFailed(words + "No such file or directory") from None

    def close(self, handle: BerkeleyFile | _Gdbm) -> None:
        if isinstance(handle, BerkeleyFile):
            handle.reader.close()
        else:
            handle.close()

    def fetch(self, handle: BerkeleyFile | _Gdbm, key: str, question: Question) -> str | None:
        try:
            data = handle.get(to_bytes(key))
        except (Corrupt, OSError) as error:
            log_write(question.ctx, f"Berkeley DB error: {question.file}: {error}")
            return None
        return None if data is None else to_text(data)


@lookup("dbm", style=SINGLE_KEY, section="9.3")
class Dbm(_Dbm):
    """The key with a trailing zero byte, as exim_dbmbuild writes it."""

    def find(self, handle: BerkeleyFile | _Gdbm, question: Question) -> str | None:
        return self.fetch(handle, question.key + "\0", question)


@lookup("dbmnz", style=SINGLE_KEY, section="9.3")
class Dbmnz(_Dbm):
    """The key without a zero byte."""

    def find(self, handle: BerkeleyFile | _Gdbm, question: Question) -> str | None:
        return self.fetch(handle, question.key, question)


@lookup("dbmjz", style=SINGLE_KEY, section="9.3")
class Dbmjz(_Dbm):
    """The key is a list, joined with zero bytes (what SASL's databases have)."""

    def find(self, handle: BerkeleyFile | _Gdbm, question: Question) -> str | None:
        from eximious.interpreter.listsplit import split_list

        return self.fetch(handle, "\0".join(split_list(question.key)), question)
