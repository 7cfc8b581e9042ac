"""Writers of small and large database files for the lookup tests."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def cdb_hash(key: bytes) -> int:
    value = 5381
    for byte in key:
        value = ((value << 5) + value & 0xFFFFFFFF) ^ byte
    return value


def write_cdb(path: Path, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Write a cdb file (a record after the other, then 256 hash tables; cr.yp.to/cdb/cdb.txt)."""
    tables: list[list[tuple[int, int]]] = [[] for _ in range(256)]
    with path.open("wb") as out:
        out.write(bytes(2048))
        place = 2048
        for key, data in records:
            hashed = cdb_hash(key)
            tables[hashed & 255].append((hashed, place))
            out.write(struct.pack("<II", len(key), len(data)) + key + data)
            place += 8 + len(key) + len(data)
        heads = []
        for table in tables:
            size = len(table) * 2
            slots = [(0, 0)] * size
            for hashed, at in table:
                slot = (hashed >> 8) % size
                while slots[slot][1]:
                    slot = (slot + 1) % size
                slots[slot] = (hashed, at)
            heads.append((place, size))
            out.write(b"".join(struct.pack("<II", *slot) for slot in slots))
            place += size * 8
        out.seek(0)
        out.write(b"".join(struct.pack("<II", *head) for head in heads))


def write_cdb_beyond(path: Path) -> None:
    """Write a cdb file with the data of ``long`` and the record of ``gone`` behind its end, but in its last page."""
    write_cdb(path, [(b"long", b"1"), (b"gone", b"2"), (b"kept", b"3")])
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"long1") - 4, 2000)
    gone = struct.pack("<II", cdb_hash(b"gone"), data.index(b"gone2") - 8)
    struct.pack_into("<I", data, data.index(gone) + 4, len(data) + 16)
    path.write_bytes(data)
