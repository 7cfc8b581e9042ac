"""Asking databases: the one function through which every lookup's question to a server goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.databases import DEFER, FAIL, OK, Answer, Request
from eximious.interpreter.outcomes import Refused

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

__all__ = ["DEFER", "FAIL", "OK", "Answer", "Request", "ask"]


def ask(ctx: Context, request: Request, construct: str) -> Answer:
    """Put a question through the door; ``construct`` is the lookup type, for the text of a refusal."""
    door = ctx.env.doors.databases
    if door is None:
        raise Refused(f"lookup {construct}", f"asking a {request.kind} server", "--allow sql")
    answer: Answer = door.query(request)
    return answer
