"""cdb: constant databases of D. J. Bernstein's format (manual 9.3).

A file begins with 256 pairs (place, slots) of hash tables; a slot is (hash, place of the record), a
record (key length, data length, key, data), all little-endian 32-bit numbers.
"""

from __future__ import annotations

import os
import stat
from struct import Struct
from typing import TYPE_CHECKING

from eximious.lookups.files import open_failed, reason
from eximious.lookups.paged import Corrupt, PageReader
from eximious.lookups.registry import SINGLE_KEY, Lookup, OpenFailed, SearchDefer, lookup

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question

HEADER = 2048
_PAIR = Struct("<II")
#: slots read at a time while a table is walked
_AHEAD = 16
#: data fetched together with a record's head and key
_GUESS = 256


def cdb_hash(key: bytes) -> int:
    """The hash of a key: 32 bits, from 5381 on, h * 33 XOR byte."""
    value = 5381
    for byte in key:
        value = (value * 33 & 0xFFFFFFFF) ^ byte
    return value


class CdbFile:
    """An open cdb file and its header. ``name``: what messages call it."""

    __slots__ = ("header", "name", "reader", "size")

    def __init__(self, reader: PageReader, name: str = "") -> None:
        self.reader, self.name = reader, name
        self.size = reader.size()
        self.header = reader.read(0, HEADER)

    def text(self, key: str) -> str | None:
        """The value of a key as text, None where there is none; raises SearchDefer."""
        try:
            data = self.get(key.encode("latin-1"))
        except Corrupt:
            raise SearchDefer(f"cdb: corrupt cdb file {self.name} (too short)") from None
        except OSError as error:
            raise SearchDefer(f"cdb: cannot read {self.name}: {reason(error)}") from None
        return None if data is None else data.decode("latin-1")

    def get(self, key: bytes) -> bytes | None:
        """The data of the first record with ``key``; raises Corrupt."""
        hashed = cdb_hash(key)
        place, slots = _PAIR.unpack_from(self.header, (hashed & 255) * 8)
        if not slots:
            return None
        if place + slots * 8 > self.size:
            raise Corrupt("too short")
        length = len(key)
        read, unpack = self.reader.read, _PAIR.unpack_from
        slot = (hashed >> 8) % slots
        left = slots
        while left:
            count = min(_AHEAD, left, slots - slot)
            table = read(place + slot * 8, count * 8)
            for at in range(0, count * 8, 8):
                found, record = unpack(table, at)
                if not record:
                    return None
                if found == hashed:
                    data = self._record(record, key, length)
                    if data is not None:
                        return data
            left -= count
            slot = (slot + count) % slots
        return None

    def _record(self, record: int, key: bytes, length: int) -> bytes | None:
        if record + 8 > self.size:
            raise Corrupt("too short")
        head = self.reader.read(record, min(8 + length + _GUESS, self.size - record))
        key_length, data_length = _PAIR.unpack_from(head)
        if key_length != length:
            return None
        start = 8 + length
        if record + start > self.size:
            raise Corrupt("too short")
        if head[8:start] != key:
            return None
        if record + start + data_length > self.size:
            raise Corrupt("too short")
        if start + data_length <= len(head):
            return head[start : start + data_length]
        return self.reader.read(record + start, data_length)


@lookup("cdb", style=SINGLE_KEY, section="9.3")
class Cdb(Lookup):
    """Keys are compared byte by byte."""

    def open(self, ctx: Context, file: str) -> CdbFile:
        try:
            opened = ctx.env.doors.files.open(file)
        except IsADirectoryError as error:
            # Exim opens a folder well enough and then cannot read from it
            raise open_failed(f"cannot read header from {file}", "for cdb lookup", error) from None
        except OSError as error:
            raise open_failed(file, "for cdb lookup", error) from None
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
        handle.reader.close()
