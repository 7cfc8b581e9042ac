"""Reading LMDB files page by page, every step checked.

The library trusts what it maps into memory: a truncated or damaged file ends the process. Here everything
is checked before it is followed, so that the worst is Corrupt. The main database of a file in the format of
version 1, of either byte order, with keys in byte order, is what can be read. As the library does, a reader
keeps to what was committed when it began; it looks for newer data now and then.
"""

from __future__ import annotations

from bisect import bisect_right
from struct import Struct
from time import monotonic
from typing import TYPE_CHECKING

from eximious.lookups.paged import Corrupt

if TYPE_CHECKING:
    from mmap import mmap

    from eximious.lookups.paged import PageReader

MAGIC = 0xBEEFC0DE
DATA_VERSION = 1
BRANCH, LEAF, OVERFLOW, META, LEAF2 = 1, 2, 4, 8, 0x20
BIG_DATA, SUB_DATA, DUP_DATA = 1, 2, 4
REVERSE_KEY, INTEGER_KEY = 2, 8
NO_PAGE = (1 << 64) - 1
HEADER = 16
META_SIZE = 152
MAX_DEPTH = 32  #: the library's own limit
BRANCHES_KEPT = 4096  #: branch pages that are kept taken apart
FALSE_HITS = 4  #: places in a leaf that hold a key's bytes but no such key, before it is searched in order
FRESH = 1.0  #: seconds after which newer data is looked for
WRONG_TYPE = "MDB_CORRUPTED: Located page was wrong type"
INCOMPATIBLE = "MDB_INCOMPATIBLE: Operation and DB incompatible, or DB flags changed"


class NotLmdb(Corrupt):
    """The file is no LMDB file at all, or of another version."""


class LmdbFile:
    """An open file and what of it is in use."""

    __slots__ = (
        "_branches",
        "_checked",
        "_data",
        "_head",
        "_meta",
        "_node",
        "_pages",
        "_quad",
        "_root",
        "_short",
        "_transaction",
        "little",
        "page_size",
        "reader",
    )

    def __init__(self, reader: PageReader) -> None:
        self.reader = reader
        try:
            meta = reader.read(0, META_SIZE)
        except Corrupt:
            raise NotLmdb("MDB_INVALID: File is not an LMDB file") from None
        for order in "<>":
            magic, version = Struct(order + "II").unpack_from(meta, 16)
            if magic == MAGIC:
                break
        else:
            raise NotLmdb("MDB_INVALID: File is not an LMDB file")
        if version != DATA_VERSION:
            raise NotLmdb("MDB_VERSION_MISMATCH: Database environment version mismatch")
        self.little = order == "<"
        self._meta = Struct(order + "IIQQIHHQQQQQIHHQQQQQQQ")
        self._node = Struct(order + "HHHH")
        self._quad = Struct(order + "Q")
        self._head = Struct(order + "QHHH")
        self._short = Struct(order + "H")
        (self.page_size,) = Struct(order + "I").unpack_from(meta, 40)
        if not 512 <= self.page_size <= 65536 or self.page_size & (self.page_size - 1):
            raise NotLmdb("MDB_INVALID: File is not an LMDB file")
        self._transaction = -1
        self._checked = 0.0
        self._root = NO_PAGE
        self._pages = 0
        self._data: mmap | bytes = b""
        #: branch page -> (first keys, children)
        self._branches: dict[int, tuple[list[bytes], list[int]]] = {}
        self._refresh()

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, None where there is none; raises Corrupt."""
        if monotonic() - self._checked > FRESH:
            self._refresh()
        try:
            return self._find(key)
        except Corrupt:
            # somebody may have committed in between and used pages again
            before = self._transaction
            self._refresh()
            if self._transaction == before:
                raise
            return self._find(key)

    def close(self) -> None:
        """Close the file."""
        if not isinstance(self._data, bytes):
            self._data.close()
        self._data = b""
        self.reader.close()

    def _refresh(self) -> None:
        """Take the newer of the two meta pages, and map the file as it is now."""
        read, size = self.reader.read, self.page_size
        unpack = self._quad.unpack
        transactions = unpack(read(144, 8))[0], unpack(read(size + 144, 8))[0]
        self._checked = monotonic()
        newest = max(transactions)
        if newest == self._transaction:
            return
        page = 1 if transactions[1] >= transactions[0] else 0
        fields = self._meta.unpack_from(read(page * size, META_SIZE), HEADER)
        if fields[0] != MAGIC or fields[1] != DATA_VERSION:
            raise Corrupt(WRONG_TYPE)
        flags, root, last = fields[13], fields[19], fields[20]
        if flags & (REVERSE_KEY | INTEGER_KEY):
            raise Corrupt(INCOMPATIBLE)
        self._root, self._transaction = root, newest
        self._branches.clear()
        self._data = self.reader.map()
        self._pages = min(last + 1, len(self._data) // size)

    def _page(self, number: int) -> tuple[int, int, int]:
        """Place, kind and end of the pointers of a page; raises Corrupt where it is another, or not there."""
        if number >= self._pages:
            raise Corrupt("MDB_PAGE_NOTFOUND: Requested page not found")
        place = number * self.page_size
        name, _, kind, lower = self._head.unpack_from(self._data, place)
        if name != number:
            raise Corrupt(WRONG_TYPE)
        return place, kind, lower

    def _find(self, key: bytes) -> bytes | None:
        number = self._root
        if number == NO_PAGE:
            return None
        branches = self._branches
        for _ in range(MAX_DEPTH):
            branch = branches.get(number)
            if branch is None:
                page, kind, lower = self._page(number)
                if kind & LEAF:
                    return self._in_leaf(page, kind, lower, key)
                if not kind & BRANCH:
                    raise Corrupt(WRONG_TYPE)
                branch = self._branch(page, number)
            number = branch[1][bisect_right(branch[0], key) - 1]
        raise Corrupt(WRONG_TYPE)

    def _branch(self, page: int, number: int) -> tuple[list[bytes], list[int]]:
        data = self._data[page : page + self.page_size]
        order = "<" if self.little else ">"
        (lower,) = Struct(order + "H").unpack_from(data, 12)
        count = (lower - HEADER) >> 1
        if lower <= HEADER or lower > self.page_size:
            raise Corrupt(WRONG_TYPE)
        keys: list[bytes] = []
        children: list[int] = []
        for offset in Struct(f"{order}{count}H").unpack_from(data, HEADER):
            if offset > self.page_size - 8:
                raise Corrupt(WRONG_TYPE)
            low, high, top, length = self._node.unpack_from(data, offset)
            if offset + 8 + length > self.page_size:
                raise Corrupt(WRONG_TYPE)
            keys.append(data[offset + 8 : offset + 8 + length])
            children.append(low | high << 16 | top << 32)
        keys[0] = b""  # the first key of a branch counts as lowest, whatever it says
        if len(self._branches) >= BRANCHES_KEPT:
            self._branches.clear()
        self._branches[number] = keys, children
        return keys, children

    def _in_leaf(self, page: int, kind: int, lower: int, key: bytes) -> bytes | None:
        size = self.page_size
        if kind & LEAF2:
            raise Corrupt(INCOMPATIBLE)
        if lower < HEADER or lower > size - 8:
            if lower == HEADER:
                return None
            raise Corrupt(WRONG_TYPE)
        leaf = self._data[page : page + size]
        short, unpack = self._short.pack, self._node.unpack_from
        # looking for the bytes of length and key is faster than a search in order
        wanted = short(len(key)) + key
        at = lower + 5
        for _ in range(FALSE_HITS):
            at = leaf.find(wanted, at + 1)
            if at < 0:
                return None
            # a node begins six bytes before, if the page points there
            pointer = leaf.find(short(at - 6), HEADER, lower)
            while pointer & 1 and pointer > 0:
                pointer = leaf.find(short(at - 6), pointer + 1, lower)
            if pointer > 0:
                low, high, flags, length = unpack(leaf, at - 6)
                if flags or not self.little:
                    return self._value(leaf, at - 6)
                start = at + 2 + length
                if high or start + low > size:
                    raise Corrupt(WRONG_TYPE)
                return leaf[start : start + low]
        return self._in_order(leaf, lower, key)

    def _in_order(self, leaf: bytes, lower: int, key: bytes) -> bytes | None:
        unpack, limit = self._node.unpack_from, self.page_size - 8
        low, high = 0, (lower - HEADER) >> 1
        while low < high:
            middle = (low + high) >> 1
            offset = unpack(leaf, HEADER + middle + middle)[0]
            if offset > limit:
                raise Corrupt(WRONG_TYPE)
            found = leaf[offset + 8 : offset + 8 + unpack(leaf, offset)[3]]
            if found < key:
                low = middle + 1
            elif found == key:
                return self._value(leaf, offset)
            else:
                high = middle
        return None

    def _value(self, leaf: bytes, offset: int) -> bytes:
        low, high, flags, length = self._node.unpack_from(leaf, offset)
        start = offset + 8 + length
        size = (low | high << 16) if self.little else (high | low << 16)
        if flags & (SUB_DATA | DUP_DATA):
            raise Corrupt(INCOMPATIBLE)
        if not flags & BIG_DATA:
            if start + size > self.page_size:
                raise Corrupt(WRONG_TYPE)
            return leaf[start : start + size]
        if start + 8 > self.page_size:
            raise Corrupt(WRONG_TYPE)
        place, kind, _ = self._page(self._quad.unpack_from(leaf, start)[0])
        if not kind & OVERFLOW:
            raise Corrupt(WRONG_TYPE)
        if place + HEADER + size > len(self._data):
            raise Corrupt("MDB_PAGE_NOTFOUND: Requested page not found")
        return self._data[place + HEADER : place + HEADER + size]
