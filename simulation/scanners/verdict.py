"""By what a described world knows a message when it is asked for a verdict on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.interpreter.context import Context


def message_id(ctx: Context) -> str:
    """The text of the message's Message-ID: line, empty where it has none."""
    for header in ctx.message.headers or ():
        if header.type == "I" and not header.resent and not header.deleted:
            return str(header.text).partition(":")[2].strip(" \t\r\n")
    return ""
