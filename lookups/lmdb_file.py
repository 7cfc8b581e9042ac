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

from eximious.lookups.files import reason
from eximious.lookups.paged import Corrupt
from eximious.lookups.registry import SearchDefer

if TYPE_CHECKING:
    from collections.abc import Callable
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
DEPTHS = range(32)  #: the library's own limit
PAGES_KEPT = 32768  #: pages that are known at a time, their first keys among them
KEY_LIMIT = 511  #: bytes of a key, as the library is usually built
FALSE_HITS = 4  #: places in a leaf that hold a key's bytes but no such key, before it is searched in order
FRESH = 1.0  #: seconds after which newer data is looked for
WRONG_TYPE = "MDB_CORRUPTED: Located page was wrong type"
INCOMPATIBLE = "MDB_INCOMPATIBLE: Operation and DB incompatible, or DB flags changed"


_Leaf = tuple[int, int, int, int]


class NotLmdb(Corrupt):
    """The file is no LMDB file at all, or of another version."""


class LmdbFile:
    """An open file and what of it is in use."""

    __slots__ = (
        "_data",
        "_firsts",
        "_head",
        "_lengths",
        "_meta",
        "_node",
        "_pages",
        "_places",
        "_quad",
        "_root",
        "_short",
        "_size",
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
        #: size of a short value and, where there is more to see to, a number that is not 0
        self._size = Struct("<HI" if self.little else ">IH").unpack_from
        self._lengths = [self._short(length) for length in range(KEY_LIMIT + 1)]
        (self.page_size,) = Struct(order + "I").unpack_from(meta, 40)
        if not 512 <= self.page_size <= 65536 or self.page_size & (self.page_size - 1):
            raise NotLmdb("MDB_INVALID: File is not an LMDB file")
        self._transaction = -1
        self._until = 0.0
        self._root = NO_PAGE
        self._pages = 0
        self._data: mmap | bytes = b""
        #: the pages that are known by the first keys in them, which are in order: places in a leaf (six bytes on, its
        #: pointers, their end, its end); the number of a page that nobody has looked at yet, whatever it is
        self._firsts: list[bytes] = []
        self._places: list[_Leaf | int] = []
        self._refresh()

    def asker(self) -> Callable[[str], str | None]:
        """What gives the value of a key as text, None where there is none; raises SearchDefer.

        The usual way with little called: pages that are known, the first place that looks like the key, a short
        value. Whatever else there is, :meth:`get` sees to. What is used again and again is at hand in local names.
        """
        # these lists are changed, never replaced
        firsts, places, lengths = self._firsts, self._places, self._lengths
        short, size_of = self._short, self._size
        file, until = self._data, self._until
        find, rfind = file.find, file.rfind

        def text(text: str) -> str | None:
            nonlocal file, until, find, rfind
            key = text.encode("latin-1")
            if monotonic() < until:
                leaf = places[bisect_right(firsts, key) - 1]
                if type(leaf) is tuple and len(key) <= KEY_LIMIT:
                    six, pointers, lower, end = leaf
                    wanted = lengths[len(key)] + key
                    # looking for the bytes of length and key is faster than a search in order; from the end,
                    # because it then goes by the first byte, a length, which is rarer there than a key's last
                    at = rfind(wanted, lower, end)
                    if at < 0:
                        return None
                    # a node begins six bytes before, if the page points there
                    pointer = find(short(at - six), pointers, lower)
                    if pointer > 0 and not pointer & 1:
                        size, rest = size_of(file, at - 6)
                        at += len(wanted)
                        size += at
                        if not rest and size <= end:
                            return file[at:size].decode("latin-1")
            try:
                data = self.get(key)
            except (Corrupt, OSError) as error:
                shown = reason(error) if isinstance(error, OSError) else str(error)
                raise SearchDefer(f"LMDB: lookup error: {shown}") from None
            finally:
                # newer data may have been taken
                file, until = self._data, self._until
                find, rfind = file.find, file.rfind
            return None if data is None else data.decode("latin-1")

        return text

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, None where there is none; raises Corrupt."""
        if monotonic() > self._until:
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
        unpack = self._quad
        transactions = unpack(read(144, 8))[0], unpack(read(size + 144, 8))[0]
        self._until = monotonic() + FRESH
        newest = max(transactions)
        # what has been cut off must not be touched
        if newest == self._transaction and self.reader.size() >= len(self._data):
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
        """As :meth:`get`, in what is known of the file now."""
        if self._root == NO_PAGE:
            return None
        for _ in DEPTHS:
            at = bisect_right(self._firsts, key) - 1
            leaf: _Leaf | int | None = self._places[at]
            if isinstance(leaf, int):
                leaf = self._know(at, leaf)
            if leaf is not None:
                place = leaf[1] - HEADER
                return self._in_leaf(place, leaf[2] - place, key)
        raise Corrupt(WRONG_TYPE)

    def _know(self, at: int, number: int) -> _Leaf | None:
        """Take the page behind the first key ``at`` apart; gives what is kept of a leaf, None for a branch.

        The keys of a branch come in the place of its own, so that in the end one search finds the leaf.
        """
        size = self.page_size
        place, kind, lower = self._page(number)
        if kind & LEAF2:
            raise Corrupt(INCOMPATIBLE)
        if lower < HEADER or lower > size - 8:
            raise Corrupt(WRONG_TYPE)
        if kind & LEAF:
            leaf = self._places[at] = place + 6, place + HEADER, place + lower, place + size
            return leaf
        if not kind & BRANCH:
            raise Corrupt(WRONG_TYPE)
        keys, numbers = self._branch(place, lower)
        keys[0] = self._firsts[at]  # the first key of a branch counts as lowest, whatever it says
        if len(self._firsts) + len(keys) > PAGES_KEPT:
            self._forget()
            keys[0], at = b"", 0
        self._firsts[at : at + 1] = keys
        self._places[at : at + 1] = numbers
        return None

    def _forget(self) -> None:
        """Forget the pages that are known."""
        self._firsts[:], self._places[:] = [b""], [self._root]

    def _branch(self, place: int, lower: int) -> tuple[list[bytes], list[int]]:
        data = self._data[place : place + self.page_size]
        order = "<" if self.little else ">"
        count = (lower - HEADER) >> 1
        if not count:
            raise Corrupt(WRONG_TYPE)
        keys: list[bytes] = []
        numbers: list[int] = []
        for offset in Struct(f"{order}{count}H").unpack_from(data, HEADER):
            if offset > self.page_size - 8:
                raise Corrupt(WRONG_TYPE)
            low, high, top, length = self._node(data, offset)
            if offset + 8 + length > self.page_size:
                raise Corrupt(WRONG_TYPE)
            keys.append(data[offset + 8 : offset + 8 + length])
            numbers.append(low | high << 16 | top << 32)
        return keys, numbers

    def _in_leaf(self, place: int, lower: int, key: bytes) -> bytes | None:
        """A key in a leaf, whose pointers end at ``lower``."""
        if lower == HEADER:
            return None
        leaf, pack = self._data[place : place + self.page_size], self._short
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
