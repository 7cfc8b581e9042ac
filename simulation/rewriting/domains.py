"""Changing a domain in header lines when routing has found its full name (manual 17.4, ``rewrite_headers``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax
from eximious.interpreter.header_addresses import change_addresses
from eximious.simulation.rewriting.headers import WHERE_OF_TYPE

if TYPE_CHECKING:
    from eximious.interpreter.addresses import Extracted
    from eximious.interpreter.context import Context


def rewrite_domain_in_headers(ctx: Context, old: str, new: str) -> None:
    """Replace the domain ``old`` by ``new`` in all addresses of the message's header lines."""
    wanted = str(old).lower()

    def change(item: str, found: Extracted) -> tuple[str, int, int] | None:
        address = str(found.address)
        if not found.domain or address[found.domain :].lower() != wanted:
            return None
        return f"{address[: found.domain]}{new}", found.start, found.end

    syntax = Syntax.of(ctx.env.options)
    for header in ctx.message.headers or ():
        if not header.deleted and header.type in WHERE_OF_TYPE:
            header.text = change_addresses(header.text, syntax, change)
