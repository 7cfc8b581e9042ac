"""What ``control = submission`` does to a message that comes by SMTP (manual 47.1, 48.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax, parse_extract_address
from eximious.interpreter.headers import Header
from eximious.interpreter.submission import fix_phrase
from eximious.interpreter.text import follow

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession


def fix_submission(session: SmtpSession) -> None:
    """Add Message-Id:, Date: and From: where they are missing, and see to Sender: and the envelope sender."""
    from eximious.interpreter.variables.clock import full_date
    from eximious.interpreter.variables.computed import primary_hostname, qualify_domain

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
    identity = session.connection.authenticated_id
    domain = effects.submission_domain
    submitter = ""
    if identity:
        if domain is None:
            submitter = f"{identity}@{qualify_domain(ctx)}"
        elif domain == "":
            submitter = str(identity)
        else:
            submitter = f"{identity}@{domain}"
        if "@" not in submitter:
            submitter = f"{submitter}@{qualify_domain(ctx)}"
    name = effects.submission_name or ""
    sender = submitter or str(message.sender_address)
    source = identity or message.sender_address
    if not own("F"):
        if sender:
            text = f"{fix_phrase(str(name))} <{sender}>" if name else sender
            headers.append(Header(follow(f"{prefix}From: {text}\n", source)))
    elif submitter and not effects.sender_retain:
        line = own("F")[0].text
        found = parse_extract_address(line.partition(":")[2].strip(), False, Syntax.of(session.options))
        if not found.address or str(found.address).lower() != submitter.lower():
            text = f"{fix_phrase(str(name))} <{submitter}>" if name else submitter
            headers.append(Header(follow(f"{prefix}Sender: {text}\n", source)))
    if submitter and domain is not None and not effects.sender_retain and message.sender_address:
        message.sender_address = follow(submitter, source)
    if not own("D"):
        clock = ctx.env.doors.clock
        headers.append(Header(f"{prefix}Date: {full_date(clock.localtime(clock.now()))}\n"))
