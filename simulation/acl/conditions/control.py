"""``control =`` (manual 44.21); the controls themselves are in :mod:`eximious.simulation.acl.controls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.controls import run_control
from eximious.simulation.acl.registry import modifier

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step


@modifier("control", section="44.21")
def control(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Do what a control says."""
    return run_control(evaluation, argument)
