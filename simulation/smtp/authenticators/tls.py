"""The tls authenticator: the client's certificate is enough, without AUTH (manual 40)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure
from eximious.simulation.smtp.authenticators import authenticator, check, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Exchange
    from eximious.simulation.smtp.session import SmtpSession


@authenticator("tls")
def tls(session: SmtpSession, instance: Instance, initial: str | None) -> Exchange:
    """Expand server_param1 to 3, and check server_condition."""
    values = []
    for option in ("server_param1", "server_param2", "server_param3"):
        text = instance.option(option)
        if text is None:
            break
        try:
            values.append(str(expand(text, session.ctx)))
        except Failure as failure:
            return f"defer: {failure.message}"
    set_data(session, values)
    return check(session, instance, instance.option("server_condition"))
    yield ""  # it asks for nothing
