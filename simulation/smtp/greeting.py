"""HELO and EHLO: the client's name, and what is offered (manual 14, 48; RFC 5321 4.1.1.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_domain
from eximious.conditions.lists.result import ListPanic
from eximious.interpreter.engine import expand
from eximious.interpreter.hosts import look_up_name
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.engine import printing
from eximious.simulation.acl.outcomes import OK
from eximious.simulation.smtp.auth import advertised
from eximious.simulation.smtp.registry import command
from eximious.simulation.smtp.xclient import offered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.simulation.acl.outcomes import AclResult
    from eximious.simulation.smtp.session import SmtpSession

#: letters, digits, dots and hyphens are always allowed
_USUAL = re.compile("[A-Za-z0-9.-]+").fullmatch


@command("helo", once=True)
def helo(session: SmtpSession, argument: str) -> None:
    """HELO: the old greeting."""
    session.esmtp = False
    _greeted(session, "HELO", argument)


@command("ehlo", once=True)
def ehlo(session: SmtpSession, argument: str) -> None:
    """EHLO: the greeting that asks for extensions."""
    session.esmtp = True
    _greeted(session, "EHLO", argument)


def _greeted(session: SmtpSession, verb: str, argument: str) -> None:
    connection = session.connection
    connection.sender_helo_name = ""
    if not session.helo_accept_junk and not acceptable(session, argument):
        session.record.last.reason = "syntax"
        session.say(f"501 Syntactically invalid {verb} argument(s)")
        shown = printing(session.ctx, argument) if argument else "(no argument given)"
        session.log(
            f"rejected {verb} from {session.host()}: syntactically invalid argument(s): {shown}",
            "main reject",
        )
        session.synprot_errors += 1
        if session.synprot_errors > int(session.options.get("smtp_max_synprot_errors") or 0):
            session.dropped_for_errors()
        return
    connection.sender_helo_name = Tainted(argument)
    if connection.sender_host_address and not _checked(session, verb):
        return
    _set_up_spf(session)
    result: AclResult | None = None
    if session.has_acl("acl_smtp_helo"):
        result = session.acl("helo", "acl_smtp_helo")
        if result.outcome != OK:
            session.refuse("helo", result)
            connection.sender_helo_name = ""
            session.rebuild_fullhost()
            return
    else:
        session.record.last.reason = "no acl"
    _answer(session, result)


def _set_up_spf(session: SmtpSession) -> None:
    """Expand what SPF says to clients, as Exim does for each client that greets; an error ends its process."""
    text = session.options.get("spf_smtp_comment_template") or ""
    if "$" not in text:
        return
    try:
        expand(str(text), session.ctx)
    except Failure:
        raise ListPanic("expansion of spf_smtp_comment_template failed") from None


def acceptable(session: SmtpSession, argument: str) -> bool:
    """Whether a HELO name is well formed: an address literal, or letters, digits, dots and hyphens (manual 14)."""
    if argument.startswith("["):
        if not argument.endswith("]"):
            return False
        inside = argument[1:-1]
        for prefix, bits in (("ipv6:", 128), ("ipv4:", 32)):
            if inside.lower().startswith(prefix):
                parsed = parse_ip(inside[len(prefix) :])
                return parsed is not None and parsed[0] == bits
        return parse_ip(inside) is not None
    if not argument:
        return False
    if _USUAL(argument):
        return True
    allowed = session.options.get("helo_allow_chars") or ""
    return all(
        (character.isascii() and character.isalnum()) or character in ".-" or character in allowed
        for character in argument
    )


def _checked(session: SmtpSession, verb: str) -> bool:
    """Look the client up where its name asks for it, and verify the name where that is wanted."""
    ctx, connection = session.ctx, session.connection
    name = connection.sender_helo_name
    if connection.sender_host_name is None:
        option = "helo_lookup_domains"
        if match_domain(ctx, name, session.options.get(option), label=option).matched:
            look_up_name(ctx)
    session.rebuild_fullhost()
    old = session.state.connection.helo_verified
    session.state.connection.helo_verified = None
    if not session.helo_verify_required and not session.helo_verify:
        return True
    from eximious.simulation.acl.conditions.verify import helo_is_verified

    verified, temporary = helo_is_verified(ctx)
    session.state.connection.helo_verified = verified
    if verified:
        return True
    if not session.helo_verify_required:
        if ctx.listener is not None:
            ctx.listener(f"{verb} verification failed but host is in helo_try_verify_hosts")
        return True
    session.record.last.reason = "host"
    session.say(f"{451 if temporary else 550} {verb} argument does not match calling host")
    how = "temporarily " if temporary else ""
    session.log(f'{how}rejected "{verb} {name}" from {session.host()}', "main reject")
    session.state.connection.helo_verified = old
    return False


def _answer(session: SmtpSession, result: AclResult | None) -> None:
    connection = session.connection
    code = "250"
    enhanced = ""
    if result is not None and result.user:
        from eximious.simulation.acl.replies import own_code

        code, enhanced, text, _ = own_code(session.ctx, code, result)
        first = f"{enhanced}{text}"
        if "\n" in first or "\r" in first:
            shown = printing(session.ctx, f"{code} {first}")
            session.log(
                f"EHLO/HELO response must not contain newlines: message truncated: {shown}", "main panic"
            )
            first = first.replace("\r", "\n").partition("\n")[0]
    else:
        ident = f"{connection.sender_ident} at " if connection.sender_ident else ""
        first = f"{session.active_hostname} Hello {ident}{connection.sender_host_name or connection.sender_helo_name}"
        if connection.sender_host_address:
            first += f" [{connection.sender_host_address}]"
    # chunking once offered stays so
    session.pipelining = session.tls_advertised = session.auth_advertised = False
    session.dsn = session.smtputf8 = False
    lines = [first]
    if session.esmtp:
        lines += [*_extensions(session), "HELP"]
    last = len(lines) - 1
    session.raw("".join(f"{code}{' ' if at == last else '-'}{line}\r\n" for at, line in enumerate(lines)))
    session.helo_seen = True
    session.greeted_esmtp = session.esmtp
    session.reset()
    connection.received_protocol = session.protocol()
    session.too_many = False


def _extensions(session: SmtpSession) -> Iterator[str]:
    """What EHLO offers, in Exim's order."""
    options, version = session.options, session.env.version
    yield f"SIZE {session.size_limit}" if session.size_limit > 0 else "SIZE"
    if version >= (4, 97):
        yield from _limits(session)
    if options.get("accept_8bitmime"):
        yield "8BITMIME"
    if not session.is_no_host("dsn_advertise_hosts"):
        session.dsn = True
        yield "DSN"
    for option, word in (("acl_smtp_etrn", "ETRN"), ("acl_smtp_vrfy", "VRFY"), ("acl_smtp_expn", "EXPN")):
        if options.get(option) is not None:
            yield word
    if version >= (4, 99) and options.get("acl_smtp_atrn") is not None:
        yield "ATRN"
    if version >= (4, 98) and options.get("acl_smtp_wellknown") is not None:
        advertised_to = "wellknown_advertise_hosts"
        if session.has_option(advertised_to) and session.is_host(advertised_to):
            yield "WELLKNOWN"
    if session.state.connection.pipelining and session.is_host("pipelining_advertise_hosts"):
        session.pipelining = True
        yield "PIPELINING"
        if session.pipe_connect:
            session.pipe_connect_offered = True
            yield "PIPECONNECT"
    names = advertised(session)
    if names:
        session.auth_advertised = True
        yield f"AUTH {' '.join(names)}"
    if not session.is_no_host("chunking_advertise_hosts"):
        session.chunking = True
        yield "CHUNKING"
    if not session.connection.tls_in.active and not session.is_no_host("tls_advertise_hosts"):
        session.tls_advertised = True
        yield "STARTTLS"
    if options.get("prdr_enable"):
        yield "PRDR"
    if options.get("accept_8bitmime") and not session.is_no_host("smtputf8_advertise_hosts"):
        session.smtputf8 = True
        yield "SMTPUTF8"
    yield from offered(session)


def _limits(session: SmtpSession) -> Iterator[str]:
    """The extension LIMITS (RFC 9422), where the client is in limits_advertise_hosts."""
    if not session.has_option("limits_advertise_hosts") or not session.is_host("limits_advertise_hosts"):
        return
    from eximious.simulation.smtp.envelope import mail_limit, recipients_limit

    parts = []
    mails, recipients = mail_limit(session), recipients_limit(session)
    if mails > 0:
        parts.append(f"MAILMAX={mails}")
    if recipients > 0:
        parts.append(f"RCPTMAX={recipients}")
    if parts:
        yield f"LIMITS {' '.join(parts)}"
