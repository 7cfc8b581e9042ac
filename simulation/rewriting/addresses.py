"""Rewriting of envelope addresses (manual 31.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import parse_find_at
from eximious.interpreter.text import follow
from eximious.simulation.rewriting.rules import (
    ENVELOPE_FROM,
    ENVELOPE_TO,
    SMTP_RECIPIENT,
    SMTP_SENDER,
    exist_for,
    rewrite_one,
)

if TYPE_CHECKING:
    from eximious.interpreter.context import Context


def qualify(ctx: Context, text: str, is_recipient: bool) -> str:
    """Give an address with a domain: qualify_domain or qualify_recipient where it has none (manual 14)."""
    if parse_find_at(text) >= 0 or not text:
        return text
    from eximious.interpreter.variables.computed import qualify_domain, qualify_recipient

    domain = (qualify_recipient if is_recipient else qualify_domain)(ctx)
    return follow(f"{text}@{domain}", text)


def rewrite_address(ctx: Context, text: str, *, is_recipient: bool) -> str:
    """Qualify an envelope address and rewrite it by the global rules (manual 31.2)."""
    text = qualify(ctx, text, is_recipient)
    rules = ctx.env.configuration.rewrite
    where = ENVELOPE_TO if is_recipient else ENVELOPE_FROM
    if not exist_for(ctx, rules, where):
        return text
    return rewrite_one(ctx, text, where, rules).text


def rewrite_at_smtp_time(ctx: Context, text: str, *, is_recipient: bool) -> str:
    """Rewrite what MAIL or RCPT has, before anything else looks at it (manual 31.9, flag S)."""
    rules = ctx.env.configuration.rewrite
    where = SMTP_RECIPIENT if is_recipient else SMTP_SENDER
    if not exist_for(ctx, rules, where):
        return text
    return rewrite_one(ctx, text, where, rules).text
