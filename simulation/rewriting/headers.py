"""Rewriting of addresses in header lines (manual 31.2, 31.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax
from eximious.interpreter.header_addresses import change_addresses
from eximious.interpreter.logs import log_write
from eximious.interpreter.text import follow
from eximious.simulation.rewriting.addresses import qualify
from eximious.simulation.rewriting.rules import (
    BCC,
    CC,
    FROM,
    REPLY_TO,
    SENDER,
    TO,
    exist_for,
    rewrite_one,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eximious.grammar.config_rules import Rewriting
    from eximious.interpreter.addresses import Extracted
    from eximious.interpreter.context import Context

#: the type of a header line -> where its addresses stand
WHERE_OF_TYPE = {"S": SENDER, "F": FROM, "T": TO, "C": CC, "B": BCC, "R": REPLY_TO}
_SENDERS = frozenset((SENDER, FROM, REPLY_TO))


def rewrite_header(
    ctx: Context,
    line: str,
    type_: str,
    rules: Sequence[Rewriting],
    *,
    qualify_sender: bool = True,
    qualify_recipient: bool = True,
) -> str:
    """Give a header line with its addresses qualified and rewritten; the same object where nothing changes.

    ``type_``: the letter of the line's type; lines of others than the six with addresses stay. An address without
    domain is qualified where that is permitted, and otherwise left alone, rules and all.
    """
    where = WHERE_OF_TYPE.get(type_)
    if where is None:
        return line
    is_sender = where in _SENDERS
    permitted = qualify_sender if is_sender else qualify_recipient
    has_rules = exist_for(ctx, rules, where)

    def change(item: str, found: Extracted) -> tuple[str, int, int] | None:
        address = follow(str(found.address), line)
        changed = False
        if not found.domain:
            if not permitted:
                return None
            address, changed = qualify(ctx, address, not is_sender), True
        start, end = found.start, found.end
        if has_rules:
            result = rewrite_one(ctx, address, where, rules, may_be_whole=True)
            if result.changed and result.text != address:
                changed = True
                if result.whole:
                    start, end = 0, len(item)
            address = result.text
        return (str(address), start, end) if changed else None

    what = "qualify/rewrite" if ctx.env.version >= (4, 97) else "rewrite" if rules else ""

    def complain(error: str) -> None:
        if what:
            log_write(ctx, f"{what}: {error}")

    return change_addresses(line, Syntax.of(ctx.env.options), change, complain)


def rewrite_headers(ctx: Context, *, qualify_sender: bool = True, qualify_recipient: bool = True) -> None:
    """Rewrite the header lines of the message by the global rules, as it is received (manual 31.2)."""
    rules = ctx.env.configuration.rewrite
    for header in ctx.message.headers or ():
        if not header.deleted and header.type in WHERE_OF_TYPE:
            header.text = rewrite_header(
                ctx,
                header.text,
                header.type,
                rules,
                qualify_sender=qualify_sender,
                qualify_recipient=qualify_recipient,
            )
