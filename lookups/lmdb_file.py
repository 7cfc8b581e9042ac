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
    from typing import Any

    from eximious.lookups.paged import PageReader

MAGIC = 0xBEEFC0DE
DATA_VERSION = 1
BRANCH, LEAF, OVERFLOW, META, LEAF2 = 1, 2, 4, 8, 0x20
BIG_DATA, SUB_DATA, DUP_DATA = 1, 2, 4
REVERSE_KEY, INTEGER_KEY = 2, 8
NO_PAGE = (1 << 64) - 1
HEADER = 16
META_SIZE = 152
DEPTHS = range(32)  #: the library's own limit
PAGES_KEPT = 32768  #: pages that are kept taken apart
FALSE_HITS = 4  #: places in a leaf that hold a key's bytes but no such key, before it is searched in order
FRESH = 1.0  #: seconds after which newer data is looked for
WRONG_TYPE = "MDB_CORRUPTED: Located page was wrong type"
INCOMPATIBLE = "MDB_INCOMPATIBLE: Operation and DB incompatible, or DB flags changed"


class NotLmdb(Corrupt):
    """The file is no LMDB file at all, or of another version."""


class LmdbFile:
    """An open file and what of it is in use."""

    __slots__ = (
        "_data",
        "_head",
        "_kept",
        "_meta",
        "_node",
        "_pages",
        "_quad",
        "_root",
        "_short",
        "_top",
        "_transaction",
        "_until",
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
        self._node = Struct(order + "HHHH").unpack_from
        self._quad = Struct(order + "Q").unpack_from
        self._head = Struct(order + "QHHH").unpack_from
        self._short = Struct(order + "H").pack
        (self.page_size,) = Struct(order + "I").unpack_from(meta, 40)
        if not 512 <= self.page_size <= 65536 or self.page_size & (self.page_size - 1):
            raise NotLmdb("MDB_INVALID: File is not an LMDB file")
        self._transaction = -1
        self._until = 0.0
        self._root = NO_PAGE
        self._pages = 0
        self._data: mmap | bytes = b""
        #: the root. A page: None and its number; a branch's first keys and pages; a leaf's place and
        #: the end of its pointers
        self._top: tuple[Any, Any] = (None, NO_PAGE)
        self._kept = 0
        self._refresh()

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, None where there is none; raises Corrupt."""
        if monotonic() > self._until:
            self._refresh()
        try:
            # the usual way with nothing called: pages that are known, the first place that looks like the
            # key, a short value; whatever else there is, _find sees to
            first, second = self._top
            for _ in DEPTHS:
                if first.__class__ is not list:
                    break
                first, second = second[bisect_right(first, key) - 1]
            if first.__class__ is slice:
                leaf = self._data[first]
                # looking for the bytes of length and key is faster than a search in order; from the end,
                # because it then goes by the first byte, a length, which is rarer there than a key's last
                pack = self._short
                at = leaf.rfind(pack(len(key)) + key, second) - 6
                if at < 0:
                    return None
                # a node begins six bytes before, if the page points there
                pointer = leaf.find(pack(at), HEADER, second)
                if pointer > 0 and not pointer & 1:
                    low, high, flags, length = self._node(leaf, at)
                    start = at + 8 + length
                    if not flags and not high and start + low <= self.page_size and self.little:
                        return leaf[start : start + low]
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
        unpack = self._quad
        transactions = unpack(read(144, 8))[0], unpack(read(size + 144, 8))[0]
        self._until = monotonic() + FRESH
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
        self._forget()
        self._data = self.reader.map()
        self._pages = min(last + 1, len(self._data) // size)

    def _page(self, number: int) -> tuple[int, int, int]:
        """Place, kind and end of the pointers of a page; raises Corrupt where it is another, or not there."""
        if number >= self._pages:
            raise Corrupt("MDB_PAGE_NOTFOUND: Requested page not found")
        place = number * self.page_size
        name, _, kind, lower = self._head(self._data, place)
        if name != number:
            raise Corrupt(WRONG_TYPE)
        return place, kind, lower

    def _find(self, key: bytes) -> bytes | None:
        """As :meth:`get`, where pages are not known yet, or it is not as simple."""
        if self._root == NO_PAGE:
            return None
        node = self._top
        if node[0] is None:
            node = self._top = self._known(self._root)
        for _ in DEPTHS:
            keys, rest = node
            if not isinstance(keys, list):
                return None if rest == HEADER else self._in_leaf(self._data[keys], rest, key)
            at = bisect_right(keys, key) - 1
            node = rest[at]
            if node[0] is None:
                if self._kept >= PAGES_KEPT:
                    # this one is not kept, and from now on others are
                    self._forget()
                node = rest[at] = self._known(node[1])
        raise Corrupt(WRONG_TYPE)

    def _known(self, number: int) -> tuple[Any, Any]:
        """A page taken apart: a branch's first keys and children, or a leaf's place and end of pointers."""
        size = self.page_size
        place, kind, lower = self._page(number)
        if kind & LEAF2:
            raise Corrupt(INCOMPATIBLE)
        if lower < HEADER or lower > size - 8:
            raise Corrupt(WRONG_TYPE)
        self._kept += 1
        if kind & LEAF:
            return slice(place, place + size), lower
        if not kind & BRANCH:
            raise Corrupt(WRONG_TYPE)
        return self._branch(place, lower)

    def _forget(self) -> None:
        """Forget the pages that are known."""
        self._top, self._kept = (None, self._root), 0

    def _branch(self, place: int, lower: int) -> tuple[list[bytes], list[tuple[Any, Any]]]:
        data = self._data[place : place + self.page_size]
        order = "<" if self.little else ">"
        count = (lower - HEADER) >> 1
        if not count:
            raise Corrupt(WRONG_TYPE)
        keys: list[bytes] = []
        children: list[tuple[Any, Any]] = []
        for offset in Struct(f"{order}{count}H").unpack_from(data, HEADER):
            if offset > self.page_size - 8:
                raise Corrupt(WRONG_TYPE)
            low, high, top, length = self._node(data, offset)
            if offset + 8 + length > self.page_size:
                raise Corrupt(WRONG_TYPE)
            keys.append(data[offset + 8 : offset + 8 + length])
            children.append((None, low | high << 16 | top << 32))
        keys[0] = b""  # the first key of a branch counts as lowest, whatever it says
        self._kept += count >> 4  # what is known costs about as much as a few leaves more
        return keys, children

    def _in_leaf(self, leaf: bytes, lower: int, key: bytes) -> bytes | None:
        """A key in the bytes of a leaf, whose pointers end at ``lower``."""
        pack = self._short
        wanted = pack(len(key)) + key
        at = leaf.rfind(wanted, lower)
        if at < 0:
            return None
        pointer = leaf.find(pack(at - 6), HEADER, lower)
        for _ in range(FALSE_HITS):
            while pointer & 1 and pointer > 0:
                pointer = leaf.find(pack(at - 6), pointer + 1, lower)
            if pointer > 0:
                return self._value(leaf, at - 6)
            at = leaf.rfind(wanted, lower, at + len(wanted) - 1)
            if at < 0:
                return None
            pointer = leaf.find(pack(at - 6), HEADER, lower)
        return self._in_order(leaf, lower, key)

    def _in_order(self, leaf: bytes, lower: int, key: bytes) -> bytes | None:
        unpack, limit = self._node, self.page_size - 8
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
        low, high, flags, length = self._node(leaf, offset)
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
        place, kind, _ = self._page(self._quad(leaf, start)[0])
        if not kind & OVERFLOW:
            raise Corrupt(WRONG_TYPE)
        if place + HEADER + size > len(self._data):
            raise Corrupt("MDB_PAGE_NOTFOUND: Requested page not found")
        return self._data[place + HEADER : place + HEADER + size]
