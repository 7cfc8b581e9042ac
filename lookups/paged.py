"""Reading database files by page, checked: whatever is in the file, a read ends or raises Corrupt.

Files are read with ``pread`` where the door gives a real file, else by seeking; nothing is read whole.
A mapping is quicker, but ends the process (SIGBUS, as it does Exim) where what has been cut off is touched: it
is for files that never shrink, as LMDB's, or where it is looked often enough whether they have.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap
    from typing import BinaryIO


class Corrupt(Exception):
    """The file is not what its format demands."""


class PageReader:
    """Random reads of an open file."""

    __slots__ = ("descriptor", "file")

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        try:
            self.descriptor = file.fileno()
        except (OSError, AttributeError):
            self.descriptor = -1

    def size(self) -> int:
        """The file's size in bytes, now."""
        if self.descriptor >= 0:
            return os.fstat(self.descriptor).st_size
        return self.file.seek(0, os.SEEK_END)

    def read(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes at ``offset``; raises Corrupt where the file has fewer."""
        if self.descriptor >= 0:
            data = os.pread(self.descriptor, size, offset)
            while len(data) < size:
                more = os.pread(self.descriptor, size - len(data), offset + len(data))
                if not more:
                    raise Corrupt("the file is too short")
                data += more
            return data
        self.file.seek(offset)
        data = self.file.read(size)
        if len(data) < size:
            raise Corrupt("the file is too short")
        return data

    def __getitem__(self, part: slice) -> bytes:
        """As slices of a mapping, but exactly the bytes from start to stop."""
        return self.read(part.start, part.stop - part.start)

    def map(self) -> mmap | bytes:
        """The file mapped into memory, as long as it is now (what is no real file: its bytes)."""
        if self.descriptor < 0:
            self.file.seek(0)
            return self.file.read()
        from mmap import ACCESS_READ, mmap

        return mmap(self.descriptor, 0, access=ACCESS_READ)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
