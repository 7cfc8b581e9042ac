"""Authenticators whose verdict others give: dovecot, cyrus_sasl, gsasl, heimdal_gssapi (manual 36 to 39).

The verdicts door is asked with the driver's name, the mechanism and what the client sent; a described world
says who may pass. Nothing is guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.smtp.authenticators import authenticator, check, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Exchange
    from eximious.simulation.smtp.session import SmtpSession


@authenticator("cyrus_sasl", "dovecot", "gsasl", "heimdal_gssapi")
def elsewhere(session: SmtpSession, instance: Instance, initial: str | None) -> Exchange:
    """Ask for the client's data, and for the verdict on them."""
    data = initial
    if data is None:
        data = yield ""
    parts = (data or "").split("\0")
    user = parts[1] if len(parts) > 1 else parts[0]
    mechanism = str(instance.option("public_name"))
    verdict = session.env.doors.verdicts.ask(str(instance.driver), mechanism, *parts)
    set_data(session, [user])
    if isinstance(verdict, str):
        return f"defer: {verdict}"
    if not verdict:
        return "fail"
    return check(session, instance, instance.option("server_condition"))
