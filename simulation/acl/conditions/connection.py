"""``authenticated`` and ``encrypted``: lists of plain texts about the connection (manual 44.22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_local_part
from eximious.interpreter.text import follow
from eximious.simulation.acl.conditions.lists import conclude
from eximious.simulation.acl.outcomes import FAIL
from eximious.simulation.acl.registry import condition

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step


@condition("authenticated")
def authenticated(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the client has authenticated, by one of the authenticators listed."""
    ctx = evaluation.ctx
    name = ctx.session.sender_host_authenticated
    return conclude(evaluation, match_local_part(ctx, name, argument)) if name else FAIL


@condition("encrypted")
def encrypted(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the connection is encrypted, with one of the ciphers listed.

    Of a cipher with colons in its name the part between the first two counts.
    """
    ctx = evaluation.ctx
    cipher = ctx.session.tls_in.cipher
    if not cipher:
        return FAIL
    parts = cipher.split(":")
    name = follow(parts[1] if len(parts) > 1 else cipher, cipher)
    return conclude(evaluation, match_local_part(ctx, name, argument))
