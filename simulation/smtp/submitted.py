"""What ``control = submission`` does to a message that comes by SMTP (manual 47.1, 48.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax, parse_extract_address
from eximious.interpreter.headers import Header
from eximious.interpreter.operators.text import quote_local_part
from eximious.interpreter.submission import fix_phrase
from eximious.interpreter.text import follow
from eximious.interpreter.variables.clock import full_date
from eximious.interpreter.variables.computed import primary_hostname, qualify_domain

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession


def fix_submission(session: SmtpSession) -> None:
    """Add Message-Id:, Date: and From: where they are missing, and see to Sender: and the envelope sender."""
    ctx, message, effects = session.ctx, session.ctx.message, session.state.message
    headers = message.headers
    assert headers is not None
    resent = any(header.resent and not header.deleted for header in headers)
    prefix = "Resent-" if resent else ""

    def own(type_: str) -> list[Header]:
        return [one for one in headers if one.type == type_ and one.resent == resent and not one.deleted]

    if not effects.sender_retain:
        for header in own("S"):
            header.deleted = True
    if not own("I"):
        line = f"{prefix}Message-Id: <E{message.message_exim_id}@{primary_hostname(ctx)}>\n"
        headers.append(Header(line))
    submitter = _submitter(session)
    given = str(message.sender_address)
    name = fix_phrase(str(effects.submission_name or ""))
    source = session.connection.authenticated_id or message.sender_address
    if not own("F") and (given or submitter):
        sender = given or submitter
        headers.append(Header(follow(f"{prefix}From: {f'{name} <{sender}>' if name else sender}\n", source)))
    if submitter and not effects.sender_retain:
        line = own("F")[0].text
        found = parse_extract_address(line.partition(":")[2].strip(), False, Syntax.of(session.options))
        if not found.address or str(found.address).lower() != submitter.lower():
            text = f"{name} <{submitter}>" if name else submitter
            headers.append(Header(follow(f"{prefix}Sender: {text}\n", source)))
        if given:
            message.sender_unrewritten = message.sender_address
            message.sender_address = follow(submitter, source)
    if not own("D"):
        clock = ctx.env.doors.clock
        headers.append(Header(f"{prefix}Date: {full_date(clock.localtime(clock.now()))}\n"))


def _submitter(session: SmtpSession) -> str:
    """The address of the user that has authenticated, "" where nobody has (manual 48.1)."""
    identity = str(session.connection.authenticated_id or "")
    domain = session.state.message.submission_domain
    if not identity or domain == "":
        return identity
    return f"{quote_local_part(identity)}@{qualify_domain(session.ctx) if domain is None else domain}"
