"""The external authenticator: the client says who it is, and something else has proved it (manual 41; RFC 4422)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.text import Tainted
from eximious.simulation.smtp.authenticators import Trouble, authenticator, check, client, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Attempt, Exchange, Lines
    from eximious.simulation.smtp.session import SmtpSession


@authenticator("external")
def external(session: SmtpSession, instance: Instance, initial: str | None) -> Exchange:
    """Take the identity, expand server_param2 and server_param3, and check server_condition."""
    data = initial
    if data is None:
        data = yield ""
    set_data(session, (data or "").split("\0")[:1])
    for number, option in ((2, "server_param2"), (3, "server_param3")):
        text = instance.option(option)
        if text is None:
            continue
        try:
            value = expand(text, session.ctx)
        except Failure as failure:
            return f"defer: {failure.message}"
        values = session.connection.auth
        while len(values) < number:
            values.append("")
        values[number - 1] = Tainted(value)
        session.ctx.captures = ["", *values]
    return check(session, instance, instance.option("server_condition"))


@client("external")
def assert_identity(attempt: Attempt) -> Lines:
    """Send client_send with AUTH (manual 41.3); there is nothing to say to a challenge."""
    from eximious.simulation.smtp.authenticators.plaintext import with_zeros

    yield attempt.command(with_zeros(attempt, attempt.expanded(attempt.instance.option("client_send") or "")))
    if attempt.reply.startswith("3"):
        yield "*"
        raise Trouble(f"Too few items in client_send in {attempt.instance.name} authenticator")
    return attempt.reply.startswith("2")
