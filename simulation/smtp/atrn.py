"""ATRN and WELLKNOWN, of 4.98 and 4.99 (RFC 2645). No Exim that has them was at hand: their replies are unproven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import OK, NotEvaluated
from eximious.simulation.smtp.registry import command

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession


@command("atrn", since=(4, 99))
def atrn(session: SmtpSession, argument: str) -> None:
    """ATRN: the client wants the messages for its domains on this connection; acl_smtp_atrn decides (RFC 2645, 5.2)."""
    if not session.has_acl("acl_smtp_atrn"):
        session.protocol_error("smtp_protocol_error", 502, None, "ATRN command used when not advertised")
        return
    if not session.connection.sender_host_authenticated:
        session.protocol_error(
            "smtp_protocol_error", 530, None, "ATRN is not permitted without authentication"
        )
        return
    if session.sender is not None:
        session.protocol_error("smtp_protocol_error", 503, None, "ATRN is not permitted inside a transaction")
        return
    if session.logs("etrn"):
        session.log(f"ATRN '{argument}' received from {session.host()}")
    result = session.acl("atrn", "acl_smtp_atrn")
    if result.outcome != OK:
        session.refuse("atrn", result)
        return
    connection = session.connection
    connection.atrn_mode = "P"
    connection.atrn_host = f"{connection.sender_host_address}:{connection.sender_host_port}"
    if result.user:
        session.user_message("250", result)
    else:
        session.say("250 OK now reversing the connection")
    # from here on the client is the server, and gets what waits for it: there is no queue here
    session.notquit_done = True
    session.closed = True


@command("wellknown", since=(4, 98))
def wellknown(session: SmtpSession, argument: str) -> None:
    """WELLKNOWN: the client wants a file that ``control = wellknown`` of acl_smtp_wellknown names."""
    result = session.acl("wellknown", "acl_smtp_wellknown")
    if result.outcome != OK:
        session.refuse("wellknown", result)
        return
    file = session.state.message.wellknown
    raise NotEvaluated(
        "WELLKNOWN", f"the ACL accepts and gives {file or 'no file'}, in a form that is not known here"
    )
