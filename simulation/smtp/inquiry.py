"""The commands that ask or change nothing of an envelope: VRFY, EXPN, ETRN, HELP, NOOP, RSET, QUIT (manual 48)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax, parse_extract_address
from eximious.interpreter.items.outside import command_arguments
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.text import Tainted, follow
from eximious.simulation.acl.engine import client, printing
from eximious.simulation.acl.outcomes import OK
from eximious.simulation.smtp.registry import command

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession


@command("rset", arguments=False, once=True, pipelined=True)
def rset(session: SmtpSession, argument: str) -> None:
    """RSET: give the transaction up."""
    session.record.last.reason = "protocol"
    session.incomplete("RSET")
    session.reset()
    session.too_many = False
    session.say("250 Reset OK")


@command("noop")
def noop(session: SmtpSession, argument: str) -> None:
    """NOOP: nothing."""
    session.record.last.reason = "protocol"
    session.say("250 OK")


@command("quit", arguments=False, mail=True)
def quit_(session: SmtpSession, argument: str) -> None:
    """QUIT: the end; ``acl_smtp_quit`` may say something, but not refuse."""
    session.incomplete("QUIT")
    if session.has_acl("acl_smtp_quit"):
        result = session.acl("quit", "acl_smtp_quit")
        if result.word == "error":
            session.log(f"ACL for QUIT returned ERROR: {result.log}", "main panic")
        if result.user:
            session.respond("221", result.user)
            session.closed = True
    else:
        session.record.last.reason = "protocol"
    if not session.closed:
        session.say(f"221 {session.active_hostname} closing connection")
    if session.logs("smtp_connection"):
        lasted = f" D={session.duration()}" if session.env.version >= (4, 97) else ""
        session.log(f"{session.connection_info()}{lasted} closed by QUIT")
    session.notquit_done = True
    session.closed = True


@command("help")
def help_(session: SmtpSession, argument: str) -> None:
    """HELP: the commands that would be answered."""
    session.record.last.reason = "protocol"
    words = ["AUTH"]
    if not session.connection.tls_in.active and not session.is_no_host("tls_advertise_hosts"):
        words.append("STARTTLS")
    words += ["HELO EHLO MAIL RCPT DATA BDAT", "NOOP QUIT RSET HELP"]
    for option, word in (("acl_smtp_etrn", "ETRN"), ("acl_smtp_expn", "EXPN"), ("acl_smtp_vrfy", "VRFY")):
        if session.has_acl(option):
            words.append(word)
    if session.env.version >= (4, 97) and session.has_acl("acl_smtp_atrn"):
        words.append("ATRN")
    session.say("214-Commands supported:")
    session.say(f"214 {' '.join(words)}")


@command("vrfy")
def vrfy(session: SmtpSession, argument: str) -> None:
    """VRFY: whether an address can be delivered to."""
    from eximious.simulation.routing.results import DEFER
    from eximious.simulation.routing.results import OK as ROUTED
    from eximious.simulation.routing.traces import host_checking
    from eximious.simulation.routing.verify import Verification
    from eximious.simulation.smtp.envelope import address_acl, qualified_recipient

    found = parse_extract_address(Tainted(argument), False, Syntax.of(session.options))
    if not found.address:
        session.record.last.reason = "syntax"
        session.say(f"501 {found.error}")
        return
    address: str | None = follow(found.address, Tainted(argument))
    if not found.domain:
        address = qualified_recipient(session, str(address), argument, "verify")
        if address is None:
            return
    assert address is not None
    result = address_acl(session, "vrfy", "acl_smtp_vrfy", address)
    if result.outcome != OK:
        session.refuse("vrfy", result)
        return
    session.record.last.reason = "verification"
    trace = host_checking(session.ctx)
    verified = Verification(session.ctx, qualify=True, trace=trace).ask(address)
    if verified.several:
        session.state.message.cutthrough = False
    why = verified.failed.user_message if verified.failed is not None else None
    if verified.outcome == ROUTED:
        text = f"250 <{address}> is deliverable"
    elif verified.outcome == DEFER:
        text = f"451 Cannot resolve <{address}> at this time" if why is None else f"451 <{address}> {why}"
    else:
        text = f"550 <{address}> is not deliverable" if why is None else f"550 <{address}> {why}"
        session.log(f"VRFY failed for {argument} {client(session.ctx)}")
    session.say(text)


@command("expn")
def expn(session: SmtpSession, argument: str) -> None:
    """EXPN: what an address is redirected to."""
    result = session.acl("expn", "acl_smtp_expn")
    if result.outcome != OK:
        session.refuse("expn", result)
        return
    from eximious.simulation.routing.run import EXPN
    from eximious.simulation.routing.traces import host_checking
    from eximious.simulation.routing.verify import Verification

    session.record.last.reason = "verification"
    trace = host_checking(session.ctx)
    Verification(session.ctx, EXPN, qualify=True, write=session.raw, trace=trace).ask(Tainted(argument))


@command("etrn")
def etrn(session: SmtpSession, argument: str) -> None:
    """ETRN: deliver what waits for a domain (manual 48.11)."""
    if session.sender is not None:
        session.protocol_error("smtp_protocol_error", 503, None, "ETRN is not permitted inside a transaction")
        return
    if session.logs("etrn"):
        session.log(f"ETRN {argument} received from {session.host()}")
    result = session.acl("etrn", "acl_smtp_etrn")
    if result.outcome != OK:
        session.refuse("etrn", result)
        return
    text = session.options.get("smtp_etrn_command")
    if text:
        session.ctx.scratch["domain of etrn"] = argument
        before = session.ctx.address.domain
        session.ctx.address.domain = Tainted(argument)
        try:
            command_arguments(session.ctx, str(text), True, "ETRN processing")
        except Failure as failure:
            session.log(f"failed to set up ETRN command: {failure.message}", "main panic")
            session.say("458 Internal failure")
            return
        finally:
            session.ctx.address.domain = before
    elif not argument.startswith("#"):
        session.protocol_error("smtp_syntax_error", 501, None, "argument must begin with #")
        return
    listener = session.ctx.listener
    if listener is not None:
        listener(f"ETRN command is: {text or 'exim -R'}")
        listener("ETRN command execution skipped")
    # nothing is run here: it is accepted
    if result.user:
        session.user_message("250", result)
    else:
        session.say("250 OK")


def shown(session: SmtpSession, text: str) -> str:
    """Text as logs have it."""
    return printing(session.ctx, text)
