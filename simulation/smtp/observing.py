"""What the ACL engine told, made presentable: statements that were tried, what their steps came to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import WORDS
from eximious.simulation.smtp.record import Statement, Step

if TYPE_CHECKING:
    from typing import Any

    from eximious.simulation.smtp.record import Taken

_WORDS = {"accept": "yes", "deny": "no"}
#: conditions that are a list
_LISTS = frozenset(
    (
        "authenticated",
        "domains",
        "encrypted",
        "hosts",
        "local_parts",
        "recipients",
        "sender_domains",
        "senders",
    )
)
_LISTED = re.compile(r'.*? in "(.*)"\? (?:yes|no) \((.*)\)', re.DOTALL)
_MATCHED = re.compile(r'\? yes \(matched "(.*)"\)\Z', re.DOTALL)
_NAMED = re.compile(r'matched "!?\s*\+.*"', re.DOTALL)


def statement_of(statement: Any, outcome: int, steps: list[Taken] | None) -> Statement:
    """A statement that was tried, with the steps that were taken where they were kept."""
    shown = [_step(*one) for one in steps or ()]
    return Statement(place(statement), statement.verb, text_of(statement), _word(outcome), shown)


def _step(step: Any, value: str | None, outcome: int, lists: tuple[str, ...]) -> Step:
    text = f"{step!r} = {step.argument}" if step.argument else repr(step)
    why = ""
    if step.name in _LISTS and lists and (found := _LISTED.fullmatch(lists[-1])) is not None:
        value, why = found[1], found[2]
        inner = _MATCHED.search(lists[0]) if len(lists) > 1 and _NAMED.fullmatch(why) else None
        if inner is not None:
            why = f'{why} by "{inner[1]}"'
    return Step(text, value if value != step.argument else None, _word(outcome), why)


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
