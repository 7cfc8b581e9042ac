"""IP addresses as host lists read them: plain, with a scope, with a mask (manual 10.12).

Addresses are (bits, number) pairs: bits is 32 or 128. Strictness is that of the C library's inet_pton.
"""

from __future__ import annotations

import re
from functools import lru_cache

_V4 = re.compile(r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\Z")
_GROUP = re.compile(r"[0-9a-fA-F]{1,4}\Z")
_MASK = re.compile(r"[ \t\n\v\f\r]*\+?([0-9]+)\Z")


def parse_v4(text: str) -> int:
    """Give the number of a dotted quad, -1 where it is none (leading zeros are not allowed)."""
    match = _V4.match(text)
    if match is None:
        return -1
    a, b, c, d = map(int, match.groups())
    if a > 255 or b > 255 or c > 255 or d > 255:
        return -1
    return a << 24 | b << 16 | c << 8 | d


def _parse_v6(text: str) -> int:
    head, double, tail = text.partition("::")
    if double and ("::" in tail or tail.startswith(":")):
        return -1
    left = _groups(head, not double)
    right = _groups(tail, True) if double else []
    if left is None or right is None:
        return -1
    missing = 8 - len(left) - len(right)
    if missing < 1 if double else missing:
        return -1
    number = 0
    for group in (*left, *([0] * missing), *right):
        number = number << 16 | group
    return number


def _groups(text: str, may_end_v4: bool) -> list[int] | None:
    if not text:
        return []
    groups = []
    parts = text.split(":")
    if may_end_v4 and "." in parts[-1]:
        v4 = parse_v4(parts.pop())
        if v4 < 0:
            return None
        tail = [v4 >> 16, v4 & 0xFFFF]
    else:
        tail = []
    for part in parts:
        if _GROUP.match(part) is None:
            return None
        groups.append(int(part, 16))
    return groups + tail


@lru_cache(maxsize=1024)  # the same few are read again and again
def parse_ip(text: str) -> tuple[int, int] | None:
    """Read an address without a mask; an IPv6 one may have a scope (``%eth0``), which is dropped."""
    if ":" in text:
        if "/" in text:
            return None
        cut = text.find("%")
        number = _parse_v6(text if cut < 0 else text[:cut])
        return None if number < 0 else (128, number)
    number = parse_v4(text)
    return None if number < 0 else (32, number)


def parse_net(text: str) -> tuple[int, int, int] | None:
    """Read an address with an optional ``/mask``: (bits, number, mask of as many bits).

    A mask beyond the size of the address is all bits, an empty one none. RFC 4632.
    """
    slash = text.find("/")
    if slash < 0:
        address = parse_ip(text)
        return None if address is None else (*address, (1 << address[0]) - 1)
    length = 0
    if slash + 1 < len(text):
        match = _MASK.match(text, slash + 1)
        if match is None:
            return None
        length = int(match[1]) if len(match[1]) < 19 else 2**63 - 1
    address = None if "%" in text else parse_ip(text[:slash])  # a scope and a mask do not go together
    if address is None:
        return None
    return (*address, _mask(address[0], length))


def _mask(bits: int, length: int) -> int:
    # The length is kept in a C int; one that comes out negative counts modulo 32 in the first word only.
    length &= 0xFFFFFFFF
    if length & 0x80000000:
        length = 32 - (32 - length & 31)
    length = min(length, bits)
    return ((1 << length) - 1) << (bits - length)


def unmapped(address: tuple[int, int]) -> tuple[int, int]:
    """Give the IPv4 address that an IPv4-mapped IPv6 address stands for, others as they are."""
    bits, number = address
    if bits == 128 and number >> 32 == 0xFFFF:
        return 32, number & 0xFFFFFFFF
    return address


def key_text(bits: int, number: int, mask_length: int, separator: str) -> str:
    """Write an address as a lookup key: IPv6 in full, ``/mask`` unless that is -1 (10.13)."""
    if mask_length >= 0:
        length = min(mask_length, bits)
        number &= ((1 << length) - 1) << (bits - length)
    if bits == 32:
        text = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    else:
        text = separator.join(f"{number >> shift & 0xFFFF:04x}" for shift in range(112, -16, -16))
    return text if mask_length < 0 else f"{text}/{mask_length}"
