"""Operators that read RFC 2822 addresses: address, addresses, domain, local_part.

The reading itself is in :mod:`eximious.interpreter.addresses`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.addresses import (
    PLAIN,
    Groups,
    Syntax,
    parse_extract_address,
    parse_find_address_end,
)
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

#: an option can only permit literals, excess brackets, UTF-8, or a dot at the end of a domain
_OPTIONS_MATTER = re.compile(r"[\[<\x80-\xff]|\.\s*(?:\(|$)")
_SPACES = " \t\n\v\f\r"


def _syntax(ctx: Context, text: str) -> Syntax:
    return Syntax.of(ctx.env.options) if _OPTIONS_MATTER.search(text) else PLAIN


@operator("address", section="11.6", takes="ctx")
def address(ctx: Context, text: str) -> str:
    """Give the bare address of an RFC 2822 mailbox; empty if it cannot be read. Manual 11.6."""
    return parse_extract_address(text, False, _syntax(ctx, text)).address or ""


@operator("domain", section="11.6", takes="ctx")
def domain(ctx: Context, text: str) -> str:
    """Give the domain of the address in ``text``; empty if there is none. Manual 11.6."""
    found = parse_extract_address(text, False, _syntax(ctx, text))
    return found.address[found.domain :] if found.address and found.domain else ""


@operator("local_part", section="11.6", takes="ctx")
def local_part(ctx: Context, text: str) -> str:
    """Give the local part of the address in ``text``; empty if it cannot be read. Manual 11.6."""
    found = parse_extract_address(text, False, _syntax(ctx, text))
    if not found.address:
        return ""
    return found.address[: found.domain - 1] if found.domain else found.address


@operator("addresses", section="11.6", takes="ctx")
def addresses(ctx: Context, text: str) -> str:
    """Give the addresses of a header line's list, joined by a colon or by the ``x`` of a leading ``>x``.

    Items that cannot be read are left out; separators inside an address are doubled. Raises ExpansionError
    if nothing follows the ``>``. Manual 11.6.
    """
    separator = ":"
    at = len(text) - len(text.lstrip(_SPACES))
    if text.startswith(">", at):
        if at + 1 == len(text):
            raise ExpansionError(f"output separator missing in expanding ${{addresses:{text[at:]}}}")
        separator = text[at + 1]
        at += 2
    syntax = Syntax.of(ctx.env.options)
    groups = Groups()
    found: list[str] = []
    while True:
        end = parse_find_address_end(text, at)
        one = parse_extract_address(text[at:end], False, syntax, groups).address
        if one is not None:
            # A space keeps an address that begins with the separator from looking like a doubled one.
            if found and one.startswith(separator):
                one = f" {one}"
            found.append(one.replace(separator, separator * 2) if separator in one else one)
        if end >= len(text):
            return separator.join(found)
        at = end + 1
