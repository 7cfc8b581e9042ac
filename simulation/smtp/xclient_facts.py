"""The parameters of XCLIENT, and what a session is afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.operators.encodings import xtextd
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession

_UNSET = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")


def take(session: SmtpSession, argument: str) -> None:
    """Take the facts of one XCLIENT command over."""
    from eximious.simulation.smtp.xclient import PARAMETERS

    if not session.has_option("hosts_xclient") or not session.is_host("hosts_xclient"):
        session.protocol_error("smtp_protocol_error", 503, None, "XCLIENT command used when not advertised")
        return
    if session.sender is not None:
        session.protocol_error("smtp_protocol_error", 503, None, "mail transaction in progress")
        return
    words = argument.split()
    if not words:
        session.protocol_error("smtp_syntax_error", 501, None, "XCLIENT must have at least one operand")
        return
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        known = name.upper()
        if known not in PARAMETERS or not equals:
            session.protocol_error(
                "smtp_syntax_error", 501, None, f"XCLIENT: unrecognised parameter '{name}'"
            )
            return
        try:
            values[known] = str(xtextd(value))
        except ExpansionError:
            problem = f"XCLIENT: failed xtext decode for parameter '{name}'"
            session.protocol_error("smtp_syntax_error", 501, None, problem)
            return
    _apply(session, values)


def _apply(session: SmtpSession, values: dict[str, str]) -> None:
    from eximious.simulation.smtp.connection import greet

    connection = session.connection
    if not connection.proxy_session:
        connection.proxy_session = True
        connection.proxy_local_address = connection.sender_host_address
        connection.proxy_local_port = connection.sender_host_port
        connection.proxy_external_address = connection.received_ip_address
        connection.proxy_external_port = connection.received_port
    address = values.get("ADDR", "")
    if address and address not in _UNSET:
        if address.upper().startswith("IPV6:"):
            address = address[5:]
        if parse_ip(address) is not None:
            connection.sender_host_address = Tainted(address)
    name = values.get("NAME")
    if name is not None:
        connection.sender_host_name = None if name in _UNSET else Tainted(name)
    port = values.get("PORT", "")
    if port.isdigit():
        connection.sender_host_port = int(port)
    login = values.get("LOGIN")
    if login and login not in _UNSET:
        connection.sender_host_authenticated = "xclient"
        connection.authenticated_id = Tainted(login)
    elif login is not None:
        connection.sender_host_authenticated = connection.authenticated_id = ""
    destination = values.get("DESTADDR", "")
    if destination and destination not in _UNSET:
        connection.received_ip_address = Tainted(destination)
    if values.get("DESTPORT", "").isdigit():
        connection.received_port = int(values["DESTPORT"])
    connection.sender_helo_name = ""
    session.helo_seen = session.esmtp = False
    session.rebuild_fullhost()
    session.reset()
    greet(session)
