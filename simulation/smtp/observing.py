"""From what the ACL engine tells to the record: which statements were tried, what their steps came to."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import WORDS
from eximious.simulation.acl.program import Step as AclStep
from eximious.simulation.smtp.record import Statement, Step

if TYPE_CHECKING:
    from typing import Any

    from eximious.simulation.smtp.session import SmtpSession

#: statements kept of one command
MOST = 500
_WORDS = {"accept": "yes", "deny": "no"}


def note(session: SmtpSession, node: Any, value: str | None, outcome: int) -> None:
    """Take one call of the engine's observer."""
    steps: list[Step] = session._observed
    word = _WORDS.get(WORDS[outcome], WORDS[outcome])
    if isinstance(node, AclStep):
        text = f"{node!r} = {node.argument}" if node.argument else repr(node)
        changed = value if value != node.argument else None
        steps.append(Step(text, changed, word))
        return
    statements = session.record.last.statements
    if len(statements) < MOST:
        statements.append(Statement(place(node), node.verb, text_of(node), word, list(steps)))
    steps.clear()


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
