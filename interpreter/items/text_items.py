"""Items that only work on their texts: hash, nhash, length, substr, tr, listquote, hmac, prvs, srs_encode.

What they compute is where the operators of the same names have it, or in a module of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.operators.portions import c_int, compute_hash, compute_nhash, extract_substr
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, OWN, item
from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_STRTOL = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_LONG_MAX = 2**63 - 1


def _number(ctx: Context, text: str, name: str, first: bool) -> int:
    """Read one of the numbers in front of the text; the second must not be negative. Empty is 0."""
    if text.isascii() and text.isdecimal() and len(text) < 10 and type(text) is str:
        return int(text)
    if type(text) is Tainted and ctx.env.version >= (4, 99):
        raise ExpansionError(f"attempt to use tainted string '{text}' for {name}")
    match = _STRTOL.fullmatch(text)
    number = 0
    if match:
        digits = match[1]
        magnitude = digits.lstrip("+-0")[:20]
        number = int(magnitude or "0")
        number = max(-number, -_LONG_MAX - 1) if digits[0] == "-" else min(number, _LONG_MAX)
        number = c_int(number)
    if (text and not match) or (not first and number < 0):
        raise ExpansionError(
            f'"{text}" is not a{"" if first else " positive"} number (in "{name}" expansion)'
        )
    return number


def _numbers(ctx: Context, args: list[str], name: str) -> tuple[str, int, int]:
    """Give the text and the numbers before it; -1 for a second one that is not there."""
    first = _number(ctx, args[0], name, True)
    if args[2] is None:
        return args[1], first, -1
    return args[2], first, _number(ctx, args[1], name, False)


@item("hash", section="11.5", args=(2, 3), taint=OWN)
def hash_(ctx: Context, args: list[str]) -> str:
    """``${hash{length}{size}{text}}``: Exim's text hash; the size may be left out. Manual 11.5."""
    text, length, size = _numbers(ctx, args, "hash")
    # Later versions take an empty size for none; before them it is zero, which kills Exim.
    if not size and args[1] == "" and ctx.env.version >= (4, 97):
        size = -1
    return follow(compute_hash(text, length, size), text)


@item("nhash", section="11.5", args=(2, 3), taint=CLEAN)
def nhash(ctx: Context, args: list[str]) -> str:
    """``${nhash{n}{m}{text}}``: a number below n, or two as ``div/mod``. Manual 11.5.

    An empty number kills Exim up to 4.96; 4.99 fails without a message.
    """
    text, first, second = _numbers(ctx, args, "nhash")
    if ctx.env.version >= (4, 97) and "" in (args[:1] if args[2] is None else args[:2]):
        raise ExpansionError("")
    return compute_nhash(text, first, second)


@item("length", section="11.5", args=(2, 2), taint=OWN)
def length(ctx: Context, args: list[str]) -> str:
    """``${length{n}{text}}``: the first n bytes. Manual 11.5."""
    text = args[1]
    return follow(extract_substr(text, 0, _number(ctx, args[0], "length", False)), text)


@item("substr", section="11.5", args=(2, 3), taint=OWN)
def substr(ctx: Context, args: list[str]) -> str:
    """``${substr{start}{length}{text}}``: part of the text. Manual 11.5."""
    text, start, size = _numbers(ctx, args, "substr")
    return follow(extract_substr(text, start, size), text)


@item("tr", section="11.5", args=(3, 3), taint=OWN)
def tr(ctx: Context, args: list[str]) -> str:
    """``${tr{text}{from}{to}}``: replace characters one by one. Manual 11.5.

    Of a character that is twice in ``from`` the last place counts; a ``to`` that is too short repeats its
    last character, and an empty one changes nothing.
    """
    text, old, new = args
    if not new:
        return text
    last = len(new) - 1
    return follow(text.translate({ord(char): new[min(at, last)] for at, char in enumerate(old)}), text)


@item("listquote", section="11.5", args=(2, 2), taint=OWN)
def listquote(ctx: Context, args: list[str]) -> str:
    """``${listquote{separator}{text}}``: the text as one element of a list; empty becomes a space.

    Only the first character of the separator counts. Manual 11.5, since 4.94.
    """
    separator, text = args[0][:1], args[1]
    if not text:
        return " "
    return follow(text.replace(separator, separator * 2), text) if separator else text


@item("hmac", section="11.5", args=(3, 3), taint=CLEAN)
def hmac(ctx: Context, args: list[str]) -> str:
    """``${hmac{md5}{secret}{text}}``: a keyed digest (RFC 2104) in hexadecimal; md5 or sha1. Manual 11.5."""
    name, secret, text = args
    if name not in ("md5", "sha1"):
        raise ExpansionError(f'hmac algorithm "{name}" is not recognised')
    from hmac import new

    return new(secret.encode("latin-1"), text.encode("latin-1"), name).hexdigest()


@item("prvs", section="11.5", args=(2, 3), taint=OWN)
def prvs(ctx: Context, args: list[str]) -> str:
    """``${prvs{address}{secret}{keydigit}}``: sign an address for a week (BATV). Manual 11.5."""
    from eximious.interpreter.prvs import prvs_sign

    address, secret, key = args
    return follow(prvs_sign(address, secret, key, ctx.env.doors.clock.now()), address, key)


@item("srs_encode", section="58.3", args=(3, 3), taint=OWN)
def srs_encode(ctx: Context, args: list[str]) -> str:
    """``${srs_encode{secret}{return_path}{domain}}``: rewrite a return path (SRS0). Manual 58.3.

    An empty return path stays empty, since 4.96. Raises ExpansionError with the address parser's message.
    """
    from eximious.interpreter.addresses import Syntax, parse_extract_address
    from eximious.interpreter.srs import srs_encode as encode

    secret, return_path, domain = args
    if not return_path and ctx.env.version >= (4, 96):
        return ""
    found = parse_extract_address(return_path, False, Syntax.of(ctx.env.options))
    if found.address is None:
        raise ExpansionError(found.error)
    return encode(secret, return_path, found.address, found.domain, domain, ctx.env.doors.clock.now())
