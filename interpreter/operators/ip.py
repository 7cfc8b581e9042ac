"""Operators on IP addresses: mask, ipv6norm, ipv6denorm, reverse_ip.

An address is read as the C library's inet_pton reads it, after a scope (``%eth0``) has been cut off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_BYTE = r"(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_IPV4 = re.compile(rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}")
_GROUPS = re.compile(r"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*")
_SCOPE = re.compile(r"[!-.0-~]*")
_MASK = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")


class IpAddress(NamedTuple):
    """An address: ``bits`` is 32 or 128; ``slash`` the offset of the slash before a mask, -1 without one."""

    bits: int
    number: int
    slash: int = -1


def _ipv4(text: str) -> int | None:
    match = _IPV4.fullmatch(text)
    if not match:
        return None
    a, b, c, d = map(int, match.groups())
    return a << 24 | b << 16 | c << 8 | d


def _groups(text: str) -> list[int] | None:
    if not text:
        return []
    return [int(group, 16) for group in text.split(":")] if _GROUPS.fullmatch(text) else None


def _ipv6(text: str) -> int | None:
    tail: list[int] = []
    if "." in text:
        text, colon, last = text.rpartition(":")
        quad = _ipv4(last)
        if quad is None or not colon:
            return None
        tail = [quad >> 16, quad & 0xFFFF]
        if text.endswith(":"):
            text += ":"
    head, gap, rest = text.partition("::")
    before, after = _groups(head), _groups(rest)
    if before is None or after is None:
        return None
    after += tail
    missing = 8 - len(before) - len(after)
    if (missing < 1) if gap else (missing != 0):
        return None
    number = 0
    for group in (*before, *([0] * missing), *after):
        number = number << 16 | group
    return number


def parse_ip(text: str, mask: bool = False) -> IpAddress | None:
    """Read an IP address, followed by ``/`` and a number if ``mask`` allows it; None if it is none.

    The number may be missing, and is not checked against the size of the address. There is no mask after
    a scope.
    """
    slash = -1
    if mask:
        slash = text.find("/")
        if slash >= 0:
            digits = text[slash + 1 :]
            found = _MASK.fullmatch(digits)
            if digits and (not found or _c_long(found[1]) < 0):
                return None
            text = text[:slash]
    number: int | None
    if ":" in text:
        text, percent, scope = text.partition("%")
        if percent and (slash >= 0 or not _SCOPE.fullmatch(scope)):
            return None
        number = _ipv6(text)
        return None if number is None else IpAddress(128, number, slash)
    number = _ipv4(text)
    return None if number is None else IpAddress(32, number, slash)


def _c_long(digits: str) -> int:
    number = int(digits.lstrip("+-").lstrip("0")[:20] or "0")
    return max(-number, -(2**63)) if digits[0] == "-" else min(number, 2**63 - 1)


def ip_text(bits: int, number: int, separator: str = ":") -> str:
    """Write an address: IPv4 as a dotted quad, IPv6 as eight groups of four digits."""
    if bits == 32:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    digits = f"{number:032x}"
    return separator.join([digits[at : at + 4] for at in range(0, 32, 4)])


def ipv6_short(number: int) -> str:
    """Write an IPv6 address without leading zeros; the first of the longest runs of zero groups is ``::``.

    A run may be a single group, and a run of all eight is written ``:``, as Exim does it.
    """
    groups = [f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    best, length = 0, 0
    at = 0
    while at < 8:
        end = at
        while end < 8 and groups[end] == "0":
            end += 1
        if end - at > length:
            best, length = at, end - at
        at = end + 1
    if length == 8:
        return ":"
    if not length:
        return ":".join(groups)
    return f"{':'.join(groups[:best])}::{':'.join(groups[best + length :])}"


@operator("mask", section="11.6", takes="arg", taint=CLEAN)
def mask(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Cut an IP address to the length after its slash.

    IPv6 is written in full with dots between the groups, or short with colons as ``mask_n``. Manual 11.6.
    """
    address = parse_ip(text, True)
    if address is None:
        raise ExpansionError(f'"{shown(text, ctx.env.version)}" is not an IP address')
    bits, number, slash = address
    if slash < 0:
        raise ExpansionError(f'missing mask value in "{shown(text, ctx.env.version)}"')
    length = 0
    found = _MASK.fullmatch(text, slash + 1)
    if found:
        length = (_c_long(found[1]) + 2**31) % 2**32 - 2**31
    if not 0 <= length <= bits:
        raise ExpansionError(f'mask value too big in "{shown(text, ctx.env.version)}"')
    number = number >> (bits - length) << (bits - length)
    if bits == 128 and arg and arg[0] == "n":
        return f"{ipv6_short(number)}/{length}"
    return f"{ip_text(bits, number, '.')}/{length}"


def _as_ipv6(ctx: Context, text: str) -> int:
    address = parse_ip(text)
    if address is None:
        raise ExpansionError(f'"{shown(text, ctx.env.version)}" is not an IP address')
    return address.number if address.bits == 128 else 0xFFFF << 32 | address.number


@operator("ipv6norm", section="11.6", takes="ctx", taint=CLEAN)
def ipv6norm(ctx: Context, text: str) -> str:
    """Write an IPv6 address short; IPv4 is mapped into IPv6. Manual 11.6.

    Where groups are left out Exim counts the zero byte behind the address as part of it, which cuts off the
    rest of the text that the operator stands in. So that byte is given here.
    """
    short = ipv6_short(_as_ipv6(ctx, text))
    return f"{short}\0" if "::" in short or short == ":" else short


@operator("ipv6denorm", section="11.6", takes="ctx", taint=CLEAN)
def ipv6denorm(ctx: Context, text: str) -> str:
    """Write an IPv6 address in full; IPv4 is mapped into IPv6. Manual 11.6."""
    return ip_text(128, _as_ipv6(ctx, text))


@operator("reverse_ip", section="11.6", taint=CLEAN)
def reverse_ip(text: str) -> str:
    """Write an IP address as DNS names have it: its bytes or hexadecimal digits from last to first.

    A mask may follow and is ignored. Manual 11.6.
    """
    address = parse_ip(text, True)
    if address is None:
        raise ExpansionError(f"reverse_ip() not given an IP address [{text}]")
    bits, number, _ = address
    if text.startswith("::ffff:"):
        # Only this spelling is taken for an IPv4 address inside. Where it is none, what is left is read
        # as if a gap of zeros stood after its first group.
        rest = re.split("[/%]", text[7:], maxsplit=1)[0]
        quad = _ipv4(rest)
        if quad is not None:
            bits, number = 32, quad
        elif ":" in rest:
            number = _ipv6(rest.replace(":", "::", 1)) or 0
    if bits == 32:
        return ".".join(ip_text(32, number).split(".")[::-1])
    return ".".join(f"{number:032x}"[::-1])
