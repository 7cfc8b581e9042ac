"""Text as a truth value, and the two conditions that ask what Exim is doing (manual 11.8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.integers import ARITH_MAX, ARITH_MIN, SPACE
from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import condition

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_DIGITS = re.compile(r"-?[0-9]*\Z")
_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def truth_of(text: str) -> bool | None:
    """Give the value of what both conditions, and ``condition =`` in an ACL, know; None for other text."""
    if not text:
        return False
    if _DIGITS.match(text):
        digits = text.lstrip("-").lstrip("0")
        if not digits:
            return False
        # As C's atoi(): a 64-bit number, of which the lower half is looked at; 4294967296 is false.
        value = min(max(int(("-" if text[0] == "-" else "") + digits[:20]), ARITH_MIN), ARITH_MAX)
        return value & 0xFFFFFFFF != 0
    return _WORDS.get(text.lower())


@condition("bool", section="11.8", args=1)
def boolean(ctx: Context, text: str) -> bool:
    """True for ``true``, ``yes`` and numbers that are not 0; false for ``false``, ``no``, 0 and nothing.

    Case and surrounding white space do not matter; anything else is an error.
    """
    text = text.strip(SPACE)
    value = truth_of(text)
    if value is None:
        raise ExpansionError(f'unrecognised boolean value "{shown(text, ctx.env.version)}"')
    return value


@condition("bool_lax", section="11.8", args=1, takes="text")
def bool_lax(text: str) -> bool:
    """As routers read their ``condition``: only nothing, ``0``, ``no`` and ``false`` are false.

    Of numbers only the single characters ``0`` and ``-`` are false: ``00`` is true.
    """
    text = text.strip(SPACE)
    if len(text) > 1 and _DIGITS.match(text):
        return True
    return truth_of(text) is not False


@condition("first_delivery", section="11.8", args=0)
def first_delivery(ctx: Context) -> bool:
    """This is the message's first delivery attempt (false outside deliveries)."""
    return bool(getattr(ctx.message, "first_delivery", False))


@condition("queue_running", section="11.8", args=0)
def queue_running(ctx: Context) -> bool:
    """The delivery was started by a queue runner."""
    return bool(getattr(ctx.session, "queue_running", False))
