"""The beginning of a session: who connects, what is asked about them, the greeting (manual 13, 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.result import ListPanic
from eximious.interpreter.engine import expand
from eximious.interpreter.hosts import look_up_name
from eximious.interpreter.integers import expanded_string_integer
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.outcomes import ExpansionError, Failure, ForcedFailure
from eximious.simulation.acl.outcomes import OK, AclResult
from eximious.simulation.smtp.closing import ClosedDown

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession


def greet(session: SmtpSession) -> None:
    """Do what Exim does before it reads the first command."""
    ctx, connection = session.ctx, session.connection
    session.active_hostname = str(ctx.env.configuration.option("primary_hostname") or "")
    connection.smtp_active_hostname = None
    _active_hostname(session)
    if session.introduce is not None:
        session.introduce()
    session.rebuild_fullhost()
    connection.received_protocol = session.protocol()
    if connection.sender_host_address:
        if session.is_host("hosts_connection_nolog"):
            session.unselect("smtp_connection")
        if session.logs("smtp_connection"):
            session.log(session.connection_info())
    limit = size_limit(session)
    if limit is None:
        session.receiving = ClosedDown(session, "Temporary local problem - please try later")
        return
    session.size_limit = limit
    if connection.sender_host_address:
        if not _admitted(session):
            return
        session.unqualified_sender = session.is_host("sender_unqualified_hosts")
        session.unqualified_recipient = session.is_host("recipient_unqualified_hosts")
        session.helo_verify_required = session.is_host("helo_verify_hosts")
        if not session.helo_verify_required:
            session.helo_verify = session.is_host("helo_try_verify_hosts")
        session.helo_accept_junk = session.is_host("helo_accept_junk_hosts")
        if session.is_host("hosts_proxy"):
            from eximious.simulation.smtp.proxy import Header

            session.receiving = Header()
            return
    else:
        session.unqualified_sender = session.unqualified_recipient = True
    begin(session)


def begin(session: SmtpSession) -> None:
    """Let the ACL for connections decide, and greet the client that is known now."""
    result: AclResult | None = None
    if session.has_acl("acl_smtp_connect"):
        result = session.acl("connect", "acl_smtp_connect")
        if result.outcome != OK:
            session.refuse("connect", result)
            session.notquit_done = True
            session.closed = True
            return
    _banner(session, result)


def _may_pipe(session: SmtpSession) -> bool:
    """Whether the client may be told that it need not wait for the greeting next time (PIPECONNECT)."""
    option = "pipelining_connect_advertise_hosts"
    client = session.connection.sender_host_address
    return bool(client) and session.has_option(option) and session.is_host(option)


def _active_hostname(session: SmtpSession) -> None:
    text = session.options.get("smtp_active_hostname")
    if not text:
        return
    try:
        value = expand(text, session.ctx)
    except ForcedFailure:
        return
    except Failure as failure:
        # the real one ends its process
        raise ListPanic(f'failed to expand "{text}" (smtp_active_hostname): {failure.message}') from None
    if value:
        session.active_hostname = str(value)
        session.connection.smtp_active_hostname = value


def _admitted(session: SmtpSession) -> bool:
    """Whether the client may talk at all (host_lookup, host_reject_connection)."""
    ctx, connection = session.ctx, session.connection
    unnamed = connection.sender_host_name is None and not connection.sender_host_unknown
    if unnamed and session.is_host("host_lookup"):
        look_up_name(ctx)
    session.rebuild_fullhost()
    if session.is_host("host_reject_connection"):
        if session.logs("connection_reject"):
            session.log(f"refused connection from {session.host()} (host_reject_connection)", "main reject")
        session.record.last.reason = "host"
        session.say("554 SMTP service not available")
        session.notquit_done = True
        session.closed = True
        return False
    return True


def _banner(session: SmtpSession, result: AclResult | None) -> None:
    if result is not None and result.user:
        from eximious.simulation.acl.replies import own_code

        code, enhanced, text, _ = own_code(session.ctx, "220", result)
        session.pipe_connect = _may_pipe(session)
        session.respond(code, (text or "").rstrip(SPACE), enhanced)
        return
    text = session.options.get("smtp_banner")
    try:
        banner = expand(text, session.ctx) if text else ""
    except Failure as failure:
        session.log(f'Expansion of "{text}" (smtp_banner) failed: {failure.message}', "main panic")
        session.closed = session.panicked = True
        return
    session.pipe_connect = _may_pipe(session)
    lines = str(banner).rstrip("\n").split("\n")
    for at, line in enumerate(lines):
        session.say(f"220{' ' if at == len(lines) - 1 else '-'}{line}")


def size_limit(session: SmtpSession) -> int | None:
    """The value of message_size_limit for this session; 0: none; None: it has no value, which is logged."""
    text = session.options.get("message_size_limit")
    if text is None:
        return 0
    try:
        value = str(expand(str(text), session.ctx))
    except Failure as failure:
        session.log(f"unable to expand message_size_limit: {failure.message}", "main panic")
        return None
    try:
        number = expanded_string_integer(value, True, session.env.version)
    except ExpansionError as error:
        session.log(f"invalid message_size_limit: {error.message}", "main panic")
        return None
    number &= 0xFFFFFFFF  # it is kept in 32 bits, and what is then below nothing is no limit
    return number if number < 1 << 31 else 0
