"""Reading Berkeley DB files (hash versions 7 to 10, btree versions 8 to 10) without its library.

Reads by page, follows only what is in bounds, and raises Corrupt for what is not. Write-ahead logs are not
looked at, as Exim does not.
"""

from __future__ import annotations

from bisect import bisect_right
from struct import Struct
from typing import TYPE_CHECKING

from eximious.lookups.paged import Corrupt

if TYPE_CHECKING:
    from eximious.lookups.paged import PageReader

HASH_MAGIC, BTREE_MAGIC = 0x061561, 0x053162
META_SIZE = 512
HASH_FLAGS, BTREE_FLAGS = 0x07, 0xE7  #: those of a meta page that the library takes, alone
_PAGE_HEADER = 26
P_IBTREE, P_LBTREE, P_HASH, P_HASH_UNSORTED, P_LDUP = 3, 5, 13, 2, 12
H_KEYDATA, H_DUPLICATE, H_OFFPAGE, H_OFFDUP = 1, 2, 3, 4
B_KEYDATA, B_DUPLICATE, B_OVERFLOW, B_DELETED = 1, 2, 3, 0x80
#: the text whose hash the meta page holds, so that a reader can tell the hash function
_CHARKEY = b"%$sniglet^&\0"
_KEY_ITEM, _TREE_KEY = bytes((H_KEYDATA,)), bytes((B_KEYDATA,))
PAGES_KEPT = 4096  #: internal pages that are kept taken apart; the library keeps pages, too
LONG_KEY = 64  #: shorter keys are never kept on pages of their own (from a quarter of a page on they are)
#: longest item that is put together from overflow pages
ITEM_LIMIT = 1 << 30


def fnv(key: bytes) -> int:
    """Hash function of hash files: FNV-1 with the start value 0."""
    value = 0
    for byte in key:
        value = (value * 16777619 & 0xFFFFFFFF) ^ byte
    return value


def torek(key: bytes) -> int:
    """The older hash function: h * 33 + byte."""
    value = 0
    for byte in key:
        value = value * 33 + byte & 0xFFFFFFFF
    return value


class BerkeleyFile:
    """An open file of one of the two formats; raises Corrupt where it is neither."""

    __slots__ = (
        "_hash",
        "_head",
        "_internal",
        "_pack",
        "high",
        "inline",
        "is_hash",
        "low",
        "page_size",
        "reader",
        "root",
        "shorts",
        "spares",
        "top",
        "words",
    )

    def __init__(self, reader: PageReader) -> None:
        self.reader = reader
        meta = reader.read(0, META_SIZE)
        for order in "<>":
            magic, version, page_size = Struct(order + "III").unpack_from(meta, 12)
            if magic in (HASH_MAGIC, BTREE_MAGIC):
                break
        else:
            raise Corrupt("unexpected file type or format")
        self.is_hash = magic == HASH_MAGIC
        if not (7 if self.is_hash else 8) <= version <= 10:
            raise Corrupt("unsupported version")
        if page_size < 512 or page_size > 65536 or page_size & (page_size - 1):
            raise Corrupt("bad page size")
        if reader.size() % page_size:
            raise Corrupt("file size not a multiple of the pagesize")
        if meta[24] or meta[26] & 7:
            raise Corrupt("encrypted, partitioned, or with checksums")
        if self.is_hash and not 0 < meta[25] < 14:
            raise Corrupt("illegal page type or format")
        if Struct(order + "I").unpack_from(meta, 48)[0] & ~(HASH_FLAGS if self.is_hash else BTREE_FLAGS):
            raise Corrupt("unknown flag or combination of flags")
        self.page_size = page_size
        self.shorts, self.words = Struct(order + "H"), Struct(order + "I")
        #: number, page before and after, count, high water mark, level and kind of a page, from its number on
        self._head = Struct(order + "8xIIIHHBB").unpack_from
        self._pack = self.shorts.pack
        #: internal page -> (first keys, pages below)
        self._internal: dict[int, tuple[list[bytes], list[int]]] = {}
        self._hash = fnv
        self.top = self.high = self.low = self.root = 0
        #: up to which length a key is in the page of a tree itself, -1 where that is not known
        self.inline = -1
        self.spares: tuple[int, ...] = ()
        if self.is_hash:
            self.top, self.high, self.low = Struct(order + "III").unpack_from(meta, 72)
            (check,) = self.words.unpack_from(meta, 92)
            self.spares = Struct(order + "32I").unpack_from(meta, 96)
            # that it is neither is not seen by the library: it hashes as it does by default
            self._hash = torek if check == torek(_CHARKEY) else fnv
        else:
            (self.root,) = self.words.unpack_from(meta, 88)
            # how many keys a page must have room for; with more, shorter ones are kept apart
            if self.words.unpack_from(meta, 76)[0] == 2:
                self.inline = LONG_KEY

    def get(self, key: bytes) -> bytes | None:
        """The data of the first record with ``key``, None where there is none; raises Corrupt."""
        return self._hash_get(key) if self.is_hash else self._btree_get(key)

    def _page(self, number: int) -> bytes:
        # the number in a page is not looked at, as the library does not
        return self.reader.read(number * self.page_size, self.page_size)

    def _offsets(self, page: bytes) -> tuple[int, ...]:
        (count,) = self.shorts.unpack_from(page, 20)
        if _PAGE_HEADER + count * 2 > self.page_size:
            raise Corrupt("too many entries")
        order = self.shorts.format[0]
        offsets: tuple[int, ...] = Struct(f"{order}{count}H").unpack_from(page, _PAGE_HEADER)
        if offsets and not (min(offsets) >= _PAGE_HEADER and max(offsets) < self.page_size):
            raise Corrupt("entry out of bounds")
        return offsets

    # ---- hash

    def _hash_get(self, key: bytes) -> bytes | None:
        hashed = self._hash(key)
        bucket = hashed & self.high
        if bucket > self.top:
            bucket &= self.low
        number = bucket + self.spares[min(31, bucket.bit_length())]
        seen = 0
        size = self.page_size
        while number:
            page = self.reader.read(number * size, size)
            own, _, following, count, _, _, kind = self._head(page)
            if not own:
                return None  # nobody has used the page yet, whatever is in it
            if kind not in (P_HASH, P_HASH_UNSORTED):
                raise Corrupt(f"page {number}: illegal page type or format")
            found = self._key_in(page, key, _PAGE_HEADER + count * 2)
            if found is not None:
                start, end = found
                if _PAGE_HEADER <= start < end and page[start] == H_KEYDATA:
                    return page[start + 1 : end]
                return self._hash_item(page, start, end)
            number = following
            seen += size
            if number and seen > self.reader.size():
                raise Corrupt("pages in a circle")
        return None

    def _key_in(self, page: bytes, key: bytes, top: int) -> tuple[int, int] | None:
        """Where in a page the data of ``key`` begins and ends; None if the key is not there.

        Items are keys and data in turn, the first at the end of the page; their places end at ``top``.
        """
        size = self.page_size
        if top > size:
            raise Corrupt("too many entries")
        pack, short = self._pack, self.shorts.unpack_from
        # looking for the bytes of an item is much faster than looking at the items (see lmdb_file)
        wanted = _KEY_ITEM + key
        at = page.rfind(wanted, top)
        while at >= 0:
            pointer = page.find(pack(at), _PAGE_HEADER, top)
            while pointer & 1 and pointer > 0:
                pointer = page.find(pack(at), pointer + 1, top)
            if pointer > 0 and not (pointer - _PAGE_HEADER) & 2 and pointer + 4 <= top:
                end = size if pointer == _PAGE_HEADER else short(page, pointer - 2)[0]
                if end - at == len(wanted):
                    return short(page, pointer + 2)[0], at
            at = page.rfind(wanted, top, at + len(wanted) - 1)
        if len(key) > LONG_KEY:
            offsets = self._offsets(page)
            for index in range(0, len(offsets) - 1, 2):
                start = offsets[index]
                if page[start] == H_OFFPAGE and start + 12 <= size:
                    length = self.words.unpack_from(page, start + 8)[0]
                    first = self.words.unpack_from(page, start + 4)[0]
                    if length == len(key) and self._overflow(first, length) == key:
                        return offsets[index + 1], start
        return None

    def _hash_item(self, page: bytes, start: int, end: int) -> bytes:
        if not _PAGE_HEADER <= start < end:
            raise Corrupt("entry out of order")
        kind = page[start]
        if kind == H_KEYDATA:
            return page[start + 1 : end]
        if kind == H_DUPLICATE and end - start >= 3:
            (size,) = self.shorts.unpack_from(page, start + 1)
            if start + 3 + size <= end:
                return page[start + 3 : start + 3 + size]
        if kind == H_OFFPAGE and end - start >= 12:
            first, size = (
                self.words.unpack_from(page, start + 4)[0],
                self.words.unpack_from(page, start + 8)[0],
            )
            return self._overflow(first, size)
        if kind == H_OFFDUP and end - start >= 8:
            return self._first_duplicate(self.words.unpack_from(page, start + 4)[0])
        raise Corrupt("unknown kind of data")

    # ---- btree

    def _btree_get(self, key: bytes) -> bytes | None:
        number = self.root
        size = self.page_size
        for _ in range(64):
            internal = self._internal.get(number)
            if internal is None:
                page = self.reader.read(number * size, size)
                _, _, _, count, _, level, kind = self._head(page)
                if kind == P_LBTREE and level == 1:
                    return self._leaf_get(page, _PAGE_HEADER + count * 2, key)
                if kind != P_IBTREE:
                    raise Corrupt(f"page {number}: illegal page type or format")
                try:
                    internal = self._internal_page(page)
                except Corrupt:
                    number = self._below(page, key)
                    continue
                if len(self._internal) >= PAGES_KEPT:
                    self._internal.clear()
                self._internal[number] = internal
            number = internal[1][bisect_right(internal[0], key) - 1]
        raise Corrupt("tree too deep")

    def _internal_page(self, page: bytes) -> tuple[list[bytes], list[int]]:
        """First keys and numbers of the pages below an internal page."""
        offsets = self._offsets(page)
        if not offsets:
            raise Corrupt("no pages below")
        # the first key of an internal page counts as lowest
        keys = [b"", *(self._tree_item(page, offset, 12) for offset in offsets[1:])]
        return keys, [self.words.unpack_from(page, offset + 4)[0] for offset in offsets]

    def _below(self, page: bytes, key: bytes) -> int:
        """The page below a damaged internal page: only what the library looks at has to be sound."""
        offsets = self._offsets(page)
        base, left = 0, len(offsets)
        if not left:
            raise Corrupt("no pages below")
        while left:
            middle = base + left // 2
            found = self._tree_item(page, offsets[middle], 12) if middle else b""
            if found == key and middle:
                base = middle + 1
                break
            if found < key:
                base, left = middle + 1, left - 1
            left //= 2
        number: int = self.words.unpack_from(page, offsets[max(base - 1, 0)] + 4)[0]
        return number

    def _leaf_get(self, page: bytes, top: int, key: bytes) -> bytes | None:
        pack, size = self._pack, self.page_size
        # as in _key_in; of records with one key the first place is wanted, which they all share
        at = page.rfind(pack(len(key)) + _TREE_KEY + key, top)
        if at >= 0 and top <= size:
            pointer = page.find(pack(at), _PAGE_HEADER, top)
            if pointer > 0 and not (pointer - _PAGE_HEADER) & 3 and pointer + 4 <= top:
                (start,) = self.shorts.unpack_from(page, pointer + 2)
                if _PAGE_HEADER <= start <= size - 3 and page[start + 2] == B_KEYDATA:
                    end = start + 3 + self.shorts.unpack_from(page, start)[0]
                    if end <= size:
                        return page[start + 3 : end]
        elif len(key) <= self.inline and page.find(key, _PAGE_HEADER) < 0:
            return None
        offsets = self._offsets(page)
        low, high = 0, len(offsets) // 2
        while low < high:
            middle = (low + high) // 2
            if self._tree_item(page, offsets[middle * 2], 3) < key:
                low = middle + 1
            else:
                high = middle
        while low < len(offsets) // 2 and self._tree_item(page, offsets[low * 2], 3) == key:
            start = offsets[low * 2 + 1]
            if not page[start + 2] & B_DELETED:
                if page[start + 2] == B_DUPLICATE:
                    return self._first_duplicate(self.words.unpack_from(page, start + 4)[0])
                return self._tree_item(page, start, 3)
            low += 1
        return None

    def _tree_item(self, page: bytes, start: int, head: int) -> bytes:
        if start + head > self.page_size:
            raise Corrupt("entry out of bounds")
        kind = page[start + 2] & ~B_DELETED
        if kind == B_KEYDATA:
            (size,) = self.shorts.unpack_from(page, start)
            if start + head + size > self.page_size:
                raise Corrupt("entry out of bounds")
            return page[start + head : start + head + size]
        # the item of an internal page holds the reference of its overflow item as its data
        at = start if head == 3 else start + head
        if kind == B_OVERFLOW and at + 12 <= self.page_size:
            first, size = self.words.unpack_from(page, at + 4)[0], self.words.unpack_from(page, at + 8)[0]
            return self._overflow(first, size)
        raise Corrupt("unknown kind of item")

    # ---- both

    def _overflow(self, number: int, size: int) -> bytes:
        if size > min(ITEM_LIMIT, self.reader.size()):
            raise Corrupt("item too long")
        parts = []
        left = size
        while left:
            page = self._page(number)
            (used,) = self.shorts.unpack_from(page, 22)
            used = min(used, left)
            if not 0 < used <= self.page_size - _PAGE_HEADER:
                raise Corrupt(f"page {number}: illegal page type or format")
            parts.append(page[_PAGE_HEADER : _PAGE_HEADER + used])
            left -= used
            (number,) = self.words.unpack_from(page, 16)
        return b"".join(parts)

    def _first_duplicate(self, number: int) -> bytes:
        for _ in range(64):
            page = self._page(number)
            offsets = self._offsets(page)
            if not offsets:
                raise Corrupt("no duplicates")
            if page[25] in (P_LDUP, P_LBTREE):
                return self._tree_item(page, offsets[0], 3)
            if page[25] != P_IBTREE:
                raise Corrupt(f"page {number}: illegal page type or format")
            (number,) = self.words.unpack_from(page, offsets[0] + 4)
        raise Corrupt("tree too deep")
