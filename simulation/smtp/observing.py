"""What the ACL engine told, made presentable: statements that were tried, what their steps came to."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import WORDS
from eximious.simulation.smtp.record import Statement, Step

if TYPE_CHECKING:
    from typing import Any

_WORDS = {"accept": "yes", "deny": "no"}


def statement_of(statement: Any, outcome: int, steps: list[tuple[Any, str | None, int]] | None) -> Statement:
    """A statement that was tried, with the steps that were taken where they were kept."""
    shown = [_step(*one) for one in steps or ()]
    return Statement(place(statement), statement.verb, text_of(statement), _word(outcome), shown)


def _step(step: Any, value: str | None, outcome: int) -> Step:
    text = f"{step!r} = {step.argument}" if step.argument else repr(step)
    return Step(text, value if value != step.argument else None, _word(outcome))


def _word(outcome: int) -> str:
    return _WORDS.get(WORDS[outcome], WORDS[outcome])


@lru_cache(maxsize=4096)
def place(statement: Any) -> str:
    """File and line of a statement."""
    source = statement.node.source
    if source is None:
        return ""
    position = source.position(statement.node.start)
    return f"{position.file}:{position.line}"


@lru_cache(maxsize=4096)
def text_of(statement: Any) -> str:
    """A statement in one line, as it was written."""
    parts = []
    for step in statement.steps:
        parts.append(f"{step!r} = {step.argument}" if step.argument else repr(step))
    return f"{statement.verb} {'; '.join(parts)}".rstrip()
