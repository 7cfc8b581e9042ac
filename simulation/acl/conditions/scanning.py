"""``malware`` and ``spam``: what scanners say of the message (manual 45.1, 45.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.registry import condition

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step


@condition("malware", section="45.1")
def malware(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether a virus is found whose name matches."""
    from eximious.simulation.scanners.malware import malware as scan

    return scan(evaluation, argument)


@condition("spam", section="45.3")
def spam(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the scanner takes the message for spam."""
    from eximious.simulation.scanners.spam import spam as scan

    return scan(evaluation, argument)
