"""The cram_md5 authenticator: a keyed digest of a challenge (manual 35; RFC 2195)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.simulation.smtp.authenticators import authenticator, check, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Exchange
    from eximious.simulation.smtp.session import SmtpSession


@authenticator("cram_md5")
def cram_md5(session: SmtpSession, instance: Instance, initial: str | None) -> Exchange:
    """Send a challenge, and compare the digest of it with the one that the secret gives."""
    if initial is not None:
        return "unexpected"
    from eximious.interpreter.variables.computed import pid, primary_hostname

    now = int(session.env.doors.clock.now())
    challenge = f"<{pid(session.ctx)}.{now}@{primary_hostname(session.ctx)}>"
    answer = yield challenge
    user, _, digest = (answer or "").rpartition(" ")
    set_data(session, [user.rstrip(" ")])
    if not user:
        return "fail"
    try:
        secret = expand(str(instance.option("server_secret")), session.ctx)
    except ForcedFailure:
        return "fail"
    except Failure as failure:
        return f"defer: {failure.message}"
    wanted = hmac.new(secret.encode("latin-1"), challenge.encode("latin-1"), "md5").hexdigest()
    if not hmac.compare_digest(wanted.encode(), digest.encode("latin-1")):
        return "fail"
    return check(session, instance, instance.option("server_condition"))
