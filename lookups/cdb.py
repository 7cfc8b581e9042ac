"""cdb: constant databases of D. J. Bernstein's format (manual 9.3).

A file begins with 256 pairs (place, slots) of hash tables; a slot is (hash, place of the record), a
record (key length, data length, key, data), all little-endian 32-bit numbers.

A file is mapped into memory, as Exim maps it, and read here, every step checked. A file that is asked often is
then asked through the library cdbx where that is installed (the extra ``cdb``).
"""

from __future__ import annotations

import os
import stat
from struct import Struct
from time import monotonic
from typing import TYPE_CHECKING

from eximious.lookups.files import open_failed, reason
from eximious.lookups.paged import Corrupt, PageReader
from eximious.lookups.registry import SINGLE_KEY, Lookup, OpenFailed, SearchDefer, lookup

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question

HEADER = 2048
PAGE = 4096  #: of memory
_PAIR = Struct("<II").unpack
_HEADER = Struct("<512I").unpack
#: seconds after which it is looked whether a mapped file has been cut: what is gone must not be touched
FRESH = 0.05
#: lookups after which the library is taken: importing it, and looking through the tables, pays only then
OFTEN = 1000
#: the library takes this place of a record for "where I am", and so finds other things than Exim
_ODD_PLACE = b"\xff\xff\xff\xff"
_LIBRARY_LIMIT = (
    1 << 31
)  #: longest file that the library is given; with longer ones its numbers may wrap around


def cdb_hash(key: bytes) -> int:
    """The hash of a key: 32 bits, from 5381 on, h * 33 XOR byte."""
    value = 5381
    for byte in key:
        value = (value * 33 & 0xFFFFFFFF) ^ byte
    return value


class CdbFile:
    """An open cdb file and its header. ``name``: what messages call it."""

    __slots__ = ("_asked", "_data", "_quick", "_until", "header", "name", "reader", "size")

    def __init__(self, reader: PageReader, name: str = "") -> None:
        self.reader, self.name = reader, name
        self._data: mmap | bytes | PageReader
        try:
            self._data = reader.map()
            self.size = len(self._data)
        except (OSError, ValueError):
            self._data, self.size = reader, reader.size()  # not every file system can map
        self.header: tuple[int, ...] = _HEADER(self._data[0:HEADER])
        #: until when the file is taken to be as long as it was
        self._until = 0.0
        self._asked = 0
        #: the library's own search, when it is in use
        self._quick: Callable[[str], bytes | None] | None = None

    def text(self, key: str) -> str | None:
        """The value of a key as text, None where there is none; raises SearchDefer."""
        try:
            quick = self._quick
            if quick is not None and monotonic() < self._until:
                try:
                    data = quick(key)
                    return None if data is None else data.decode("latin-1")
                except (OSError, MemoryError, OverflowError):
                    pass  # below it is seen what is wrong
            data = self.get(key.encode("latin-1"))
        except Corrupt:
            raise SearchDefer(f"cdb: corrupt cdb file {self.name} (too short)") from None
        except OSError as error:
            raise SearchDefer(f"cdb: cannot read {self.name}: {reason(error)}") from None
        return None if data is None else data.decode("latin-1")

    def get(self, key: bytes) -> bytes | None:
        """The data of the first record with ``key``; raises Corrupt."""
        if monotonic() > self._until:
            self._look()
        self._asked += 1
        if self._asked == OFTEN:
            self._take_library()
        hashed = cdb_hash(key)
        at = (hashed & 255) << 1
        slots = self.header[at + 1]
        if not slots:
            return None
        place, size, data = self.header[at], self.size, self._data
        end = place + slots * 8
        if end > size:
            raise Corrupt("too short")
        at = place + (hashed >> 8) % slots * 8
        for _ in range(slots):
            found, record = _PAIR(data[at : at + 8])
            if not record:
                return None
            if found == hashed:
                start = record + 8
                key_length, data_length = _PAIR(
                    data[record:start] if start <= size else self._beyond(record, start)
                )
                if key_length == len(key):
                    record = start + key_length
                    if (data[start:record] if record <= size else self._beyond(start, record)) == key:
                        stop = record + data_length
                        return data[record:stop] if stop <= size else self._beyond(record, stop)
            at += 8
            if at == end:
                at = place
        return None

    def _beyond(self, start: int, stop: int) -> bytes:
        """What Exim finds behind the end of a mapped file: zeros to the end of the page; raises Corrupt behind that.

        There Exim dies. Before a record's place has been followed it does look where the file ends.
        """
        if stop > self.size + (-self.size % PAGE):
            raise Corrupt("too short")
        there = self._data[start : self.size] if start < self.size else b""
        return there.ljust(stop - start, b"\0")

    def close(self) -> None:
        """Close the file."""
        self._quick, self._data = None, b""
        self.reader.close()

    def _look(self) -> None:
        """Touch nothing of the mapping any more if the file has been cut."""
        if self.reader.size() < self.size:
            self._data, self._quick = self.reader, None
        self._until = monotonic() + FRESH

    def _take_library(self) -> None:
        """Let the library answer from now on, if it is there and would answer as :meth:`get` does."""
        data, first = self._data, self.size
        if self.reader.descriptor < 0 or isinstance(data, PageReader) or self.size > _LIBRARY_LIMIT:
            return
        for place, slots in zip(self.header[::2], self.header[1::2]):
            if slots:
                if place + slots * 8 > self.size:
                    return
                first = min(first, place)
        if data.find(_ODD_PLACE, first) >= 0:
            return
        try:
            from cdbx import CDB

            self._quick = CDB(self.reader.descriptor, mmap=True).get
        except (ImportError, OSError, ValueError, OverflowError):
            return


@lookup("cdb", style=SINGLE_KEY, section="9.3")
class Cdb(Lookup):
    """Keys are compared byte by byte."""

    def open(self, ctx: Context, file: str) -> CdbFile:
        try:
            opened = ctx.env.doors.files.open(file)
        except IsADirectoryError as error:
            # Exim opens a folder well enough and then cannot read from it
            raise open_failed(ctx, f"cannot read header from {file}", "for cdb lookup", error) from None
        except OSError as error:
            raise open_failed(ctx, file, "for cdb lookup", error) from None
        reader = PageReader(opened)
        try:
            if reader.size() < HEADER:
                # the reason is what errno happened to be before: nothing set it
                raise OpenFailed(f"failed to open {file} too short for cdb lookup: Success")
            if reader.descriptor >= 0 and not stat.S_ISREG(os.fstat(reader.descriptor).st_mode):
                raise OpenFailed(f"{file} is not a regular file (cdb lookup)")
            return CdbFile(reader, file)
        except OSError as error:
            reader.close()
            raise OpenFailed(
                f"failed to open cannot read header from {file} for cdb lookup: {reason(error)}"
            ) from None
        except (Corrupt, OpenFailed) as error:
            reader.close()
            if isinstance(error, OpenFailed):
                raise
            raise OpenFailed(f"failed to open {file} too short for cdb lookup: Success") from None

    def asker(self, handle: CdbFile) -> Callable[[str], str | None]:
        return handle.text

    def find(self, handle: CdbFile, question: Question) -> str | None:
        return handle.text(question.key)

    def close(self, handle: CdbFile) -> None:
        handle.close()
