"""What ``-brw`` shows: an address in all the places where rules may meet it (manual 31.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax, parse_extract_address, parse_find_at
from eximious.interpreter.text import follow
from eximious.simulation.rewriting.rules import (
    BCC,
    CC,
    ENVELOPE_FROM,
    ENVELOPE_TO,
    FROM,
    HEADERS,
    REPLY_TO,
    SENDER,
    SMTP_SENDER,
    TO,
    exist_for,
    rewrite_one,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.interpreter.context import Context

#: in the order in which they are shown
SHOWN = {
    SENDER: "  sender",
    FROM: "    from",
    TO: "      to",
    CC: "      cc",
    BCC: "     bcc",
    REPLY_TO: "reply-to",
    ENVELOPE_FROM: "env-from",
    ENVELOPE_TO: "  env-to",
}


def test_rewriting(ctx: Context, text: str) -> Iterator[str]:
    """Give the lines that Exim prints about an address (which may have a phrase and comments)."""
    rules = ctx.env.configuration.rewrite
    if not rules:
        yield "No rewrite rules are defined"
        return
    if exist_for(ctx, rules, SMTP_SENDER):
        result = rewrite_one(ctx, text, SMTP_SENDER, rules)
        if result.changed and result.text != text:
            yield f"    SMTP: {result.text or '<>'}"
    if not any(exist_for(ctx, rules, where) for where in SHOWN):
        return
    if parse_find_at(text) < 0:
        from eximious.interpreter.variables.computed import qualify_domain

        text = follow(f"{text}@{qualify_domain(ctx)}", text)
    found = parse_extract_address(text, False, Syntax.of(ctx.env.options))
    if not found.address:
        yield f"Syntax error in {text}"
        yield found.error[:1].upper() + found.error[1:]
        return
    for where, label in SHOWN.items():
        result = rewrite_one(ctx, follow(found.address, text), where, rules, may_be_whole=True)
        if not result.text:
            yield f"{label}: <>"
        elif result.whole or where not in HEADERS:
            yield f"{label}: {result.text}"
        else:
            yield f"{label}: {text[: found.start]}{result.text}{text[found.end :]}"
