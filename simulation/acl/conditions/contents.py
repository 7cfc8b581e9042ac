"""``decode``, ``regex`` and ``mime_regex``: what is in the message (manual 45.4, 45.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.registry import condition

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step


@condition("decode", section="45.4")
def decode(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Decode the MIME part in hand into a file."""
    from eximious.simulation.mime.writing import decode_part

    return decode_part(evaluation.ctx, argument)


@condition("regex", section="45.5")
def regex(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether a line of the message, or of the MIME part, matches one of the regular expressions."""
    from eximious.simulation.mime.expressions import regex as matches

    return matches(evaluation.ctx, argument)


@condition("mime_regex", section="45.5")
def mime_regex(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the decoded MIME part matches one of the regular expressions."""
    from eximious.simulation.mime.expressions import mime_regex as matches

    return matches(evaluation.ctx, argument)
