"""The spa authenticator (NTLM; manual 38): its exchange is not computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import NotEvaluated
from eximious.simulation.smtp.authenticators import authenticator

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Exchange
    from eximious.simulation.smtp.session import SmtpSession


@authenticator("spa")
def spa(session: SmtpSession, instance: Instance, initial: str | None) -> Exchange:
    """Raise NotEvaluated: whether a client knows the password is not worked out, and never guessed."""
    raise NotEvaluated(f"authenticator {instance.name}", "exchanges of the spa driver are not computed")
    yield ""  # an exchange is a generator
