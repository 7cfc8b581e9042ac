"""The plaintext authenticator: PLAIN, LOGIN and whatever else sends its data in clear (manual 34)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.outcomes import Failure
from eximious.simulation.smtp.authenticators import authenticator, check, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Exchange
    from eximious.simulation.smtp.session import SmtpSession

#: data that are looked at
MOST = 20


@authenticator("plaintext")
def plaintext(session: SmtpSession, instance: Instance, initial: str | None) -> Exchange:
    """Ask for each of server_prompts that the initial data (separated by NUL) leave open, then check."""
    text = instance.option("server_prompts")
    prompts: list[str] = []
    if text:
        try:
            prompts = [str(one) for one in split_list(expand(text, session.ctx))]
        except Failure as failure:
            return f"defer: {failure.message}"
    data: list[str] = []
    if initial is not None:
        data = initial.split("\0")[:MOST]
    while len(data) < len(prompts):
        answer = yield prompts[len(data)]
        data += (answer or "").split("\0")
        data = data[:MOST]
    set_data(session, data)
    return check(session, instance, instance.option("server_condition"))
