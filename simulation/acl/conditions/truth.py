"""``condition =`` and the modifiers that only mark something (manual 44.19, 44.22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.expansion.truth import truth_of
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.acl.registry import condition, modifier

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step


@condition("condition")
def condition_(evaluation: Evaluation, argument: str, step: Step) -> int:
    """True for ``yes``, ``true`` and numbers other than 0; false for ``no``, ``false``, 0 and nothing."""
    truth = truth_of(argument)
    if truth is None:
        evaluation.log = f'invalid "condition" value "{argument}"'
        return DEFER
    return OK if truth else FAIL


@modifier("continue")
@modifier("endpass")
@modifier("log_message", section="44.20")
@modifier("message", section="44.20")
def mark(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Nothing more than what expanding the argument does; the engine looks at the other three itself."""
    return OK
