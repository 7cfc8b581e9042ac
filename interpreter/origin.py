"""Where a message or a test comes from: the caller, ``-f``, ``-oM…`` (manual 5.2, "Command line options").

What a real Exim keeps of its command line and its caller, put into the state objects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.text import follow, taint

if TYPE_CHECKING:
    from eximious.interpreter.state import Environment, Message, Session

_PORT = re.compile(r"(?:[ \t\n\v\f\r]*[+-]?[0-9]+)?", re.A)
_V4_AND_PORT = re.compile(r"((?:[0-9]+\.){3}[0-9]+)\.(.*)", re.S | re.A)
_V6_AND_PORT = re.compile(r"([0-9A-Fa-f]*:[0-9A-Fa-f:]*)\.(.*)", re.S)


class OriginError(Exception):
    """A command-line fact that Exim refuses; ``message`` is its text for standard error (exit code 1)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def apply_origin(
    environment: Environment,
    session: Session,
    message: Message,
    *,
    login: str = "root",
    trusted: bool = True,
    sender: str | None = None,
    host_address: str | None = None,
    host_name: str | None = None,
    interface: str | None = None,
    protocol: str | None = None,
    ident: str | None = None,
    authenticator: str | None = None,
    authenticated_id: str | None = None,
    authenticated_sender: str | None = None,
) -> None:
    """Set what a testing Exim knows of its caller and its options.

    ``login``: the caller's; ``trusted``: as root or a trusted user. ``sender``: ``-f``; ``host_address``:
    ``-oMa``; ``host_name``: ``-oMs`` or the second part of ``-p``; ``interface``: ``-oMi``; ``protocol``:
    ``-oMr`` or the first part of ``-p``; ``ident``: ``-oMt``; ``authenticator``: ``-oMaa``;
    ``authenticated_id``: ``-oMai``; ``authenticated_sender``: ``-oMas``. In expansion and address tests an
    untrusted caller may give all of them, too; a trusted one who gives a sender loses the identity
    that comes from the login. Raises OriginError. Manual 5.2.
    """
    if interface is not None:
        address, port = address_and_port(interface)
        session.received_ip_address, session.received_port = follow(address, taint(interface)), port
    if host_address is not None:
        address, port = address_and_port(host_address)
        session.sender_host_address, session.sender_host_port = follow(address, taint(host_address)), port
    if host_name is not None:
        session.sender_host_name = taint(host_name)
    if protocol is not None:
        session.received_protocol = taint(protocol)
    if authenticator is not None:
        session.sender_host_authenticated = taint(authenticator)
    session.sender_ident = taint(ident) if ident is not None else login

    from eximious.interpreter.variables.computed import caller

    message.originator_uid, message.originator_gid = caller(environment)
    own = f"{login}@{_qualify_domain(environment)}"
    known = sender is None or not trusted
    session.authenticated_id = (
        taint(authenticated_id) if authenticated_id is not None else login if known else ""
    )
    session.authenticated_sender = (
        taint(authenticated_sender) if authenticated_sender is not None else own if known else ""
    )
    message.sender_address = own if sender is None else sender_address(environment, sender)


def address_and_port(text: str) -> tuple[str, int]:
    """Take ``1.2.3.4.25``, ``::1.25`` or ``[1.2.3.4]:25`` apart: (address, port); 0 where there is no port.

    Raises OriginError for what is no IP address. Manual 5.2, ``-oMa``.
    """
    from eximious.interpreter.ipaddress import parse_ip

    address, port = _split_port(text)
    if parse_ip(address) is None:
        raise OriginError(f'exim abandoned: "{address}" is not an IP address')
    return address, port


def _split_port(text: str) -> tuple[str, int]:
    if text.startswith("["):
        address, closed, rest = text[1:].partition("]")
        if not closed or (rest and rest[0] != ":"):
            return text, 0
        digits = rest[1:]
    else:
        found = _V4_AND_PORT.fullmatch(text) or _V6_AND_PORT.fullmatch(text)
        if found is None:
            return text, 0
        address, digits = found.groups()
    if not _PORT.fullmatch(digits):
        return text, 0
    return address, int(digits or 0)


def sender_address(environment: Environment, text: str) -> str:
    """Give the address that ``-f`` means: without phrase and comment, with a domain. Raises OriginError."""
    from eximious.interpreter.addresses import Syntax, parse_extract_address

    if not text:
        return ""
    # Exim reads it before the configuration, generously, and applies two of the options afterwards
    found = parse_extract_address(text, allow_null=True, syntax=Syntax(True, False, True, False))
    address = found.address
    if address is None:
        raise OriginError(f'exim: bad -f address "{text}": {found.error}')
    if address[found.domain :].startswith("[") and not environment.options.get("allow_domain_literals"):
        raise OriginError(f'exim: bad -f address "{address}": domain literals not allowed')
    if text.rstrip(" \t\n\v\f\r").endswith(".") and not environment.options.get("strip_trailing_dot"):
        raise OriginError(
            f'exim: bad -f address "{address}.": domain is malformed (trailing dot not allowed)'
        )
    if address and not found.domain:
        from eximious.interpreter.operators.text import quote_local_part

        address = f"{quote_local_part(address)}@{_qualify_domain(environment)}"
    return follow(address, taint(text)) if address else ""


def _qualify_domain(environment: Environment) -> str:
    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Address, Message, Session
    from eximious.interpreter.variables.computed import qualify_domain

    return qualify_domain(Context(environment, Session(), Message(), Address()))
