"""The cram_md5 authenticator: a keyed digest of a challenge (manual 35; RFC 2195)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.outcomes import NotEvaluated
from eximious.simulation.smtp.authenticators import Cancelled, Trouble, authenticator, check, client, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Attempt, Exchange, Lines
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
    wanted = _digest(secret, challenge)
    if not hmac.compare_digest(wanted.encode(), digest.encode("latin-1")):
        return "fail"
    return check(session, instance, instance.option("server_condition"))


def _digest(secret: str, challenge: str) -> str:
    return hmac.new(secret.encode("latin-1"), challenge.encode("latin-1"), "md5").hexdigest()


@client("cram_md5")
def answer_challenge(attempt: Attempt) -> Lines:
    """Send client_name and the digest of the challenge under client_secret (manual 35.2)."""
    from eximious.interpreter.operators.encodings import base64

    secret, name = _expanded(attempt)
    yield attempt.command()
    if not attempt.reply.startswith("3"):
        return False  # a server that lets everybody in has not understood
    challenge = attempt.challenge()
    if challenge is None:
        # the real one shows its own command from the place on where it takes the challenge to be
        raise Trouble(f"bad base 64 string in challenge: {attempt.command()[4:]}")
    if isinstance(name, Tainted) and attempt.ctx.env.version >= (4, 96):
        whose = f"client_name of authenticator {attempt.instance.name}"
        raise NotEvaluated(whose, 'it is tainted, and the real one dies of that ("Taint mismatch")')
    text, _, _ = challenge.partition("\0")
    yield base64(f"{name} {_digest(secret, text)}")
    return attempt.reply.startswith("2")


def _expanded(attempt: Attempt) -> tuple[str, str]:
    """The secret and the name. Both are expanded; the name's failure decides, under the secret's text."""
    option = attempt.instance.option
    from eximious.interpreter.variables.computed import primary_hostname

    texts = str(option("client_secret")), option("client_name") or str(primary_hostname(attempt.ctx))
    values: list[str | None] = []
    forced, message = False, ""
    for text in texts:
        try:
            values.append(expand(text, attempt.ctx))
        except Failure as failure:
            values.append(None)
            forced, message = isinstance(failure, ForcedFailure), failure.message
    secret, name = values
    if secret is not None and name is not None:
        return secret, name
    if forced:
        raise Cancelled
    raise attempt.failed(texts[0] if secret is None else texts[1], message)
