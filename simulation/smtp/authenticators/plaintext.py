"""The plaintext authenticator: PLAIN, LOGIN and whatever else sends its data in clear (manual 34)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.operators.encodings import base64
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.text import Tainted
from eximious.simulation.smtp.authenticators import Cancelled, Trouble, authenticator, check, client, set_data

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.authenticators import Attempt, Exchange, Lines
    from eximious.simulation.smtp.session import SmtpSession

#: data that are looked at
MOST = 20
#: the server's prompts that ``$auth1``… keep
KEPT = 3
_CARETS = re.compile(r"\^\^|\^")
#: before 4.95 the character behind a doubled caret was not looked at
_OLD_CARETS = re.compile(r"(?s)\^\^.?|\^")


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


@client("plaintext")
def send_items(attempt: Attempt) -> Lines:
    """Send the items of client_send, the first one with AUTH (manual 34.7)."""
    option = attempt.instance.option
    for number, item in enumerate(split_list(option("client_send") or "")):
        try:
            data = with_zeros(attempt, attempt.expanded(str(item)))
        except (Cancelled, Trouble):
            if number:
                yield "*"
            raise
        yield base64(data) if number else attempt.command(data)
        if not attempt.reply.startswith("3"):
            return attempt.reply.startswith("2")
        prompt, reply = attempt.challenge(), attempt.reply
        if prompt is None and not option("client_ignore_invalid_base64"):
            yield "*"
            raise Cancelled(f'Invalid base64 string in server response "{reply}"')
        prompts = attempt.ctx.session.auth
        if len(prompts) < KEPT:
            prompts.append(Tainted((prompt or "").partition("\0")[0]))
    return False


def with_zeros(attempt: Attempt, text: str) -> str:
    """Give data with single carets made zero bytes, and doubled ones single."""
    carets = _CARETS if attempt.ctx.env.version >= (4, 95) else _OLD_CARETS
    return carets.sub(lambda found: found[0][1:] or "\0", text)
