"""Conditions whose answer comes from scanners, messages or verdicts that nothing here has yet.

Each is refused by name, after the checks that Exim makes before it asks; none is guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import NotEvaluated
from eximious.simulation.acl.registry import condition

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

#: condition -> what it needs
NEEDS = {
    "atrn_domains": "a session in which the client asked for ATRN",
    "dcc": "the verdict of a DCC server",
    "demime": "the parts of a MIME message",
    "dkim_signers": "the verdict on the message's DKIM signatures",
    "dkim_status": "the verdict on the message's DKIM signatures",
    "dmarc_status": "the message's DMARC verdict",
    "spf": "the client's SPF verdict",
    "spf_guess": "the client's SPF verdict",
}


def place(step: Step) -> str:
    """Name a step with its place, for people."""
    kind = "modifier" if step.is_modifier else "condition"
    source = step.span.source
    if source is None:
        return f'ACL {kind} "{step.name}"'
    position = source.position(step.span.start)
    return f'ACL {kind} "{step.name}" ({position.file}:{position.line})'


def _elsewhere(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Say that it cannot be answered here."""
    raise NotEvaluated(place(step), f"it needs {NEEDS[step.name]}")


for _name in NEEDS:
    condition(_name)(_elsewhere)
