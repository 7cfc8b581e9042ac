"""How Exim names a client in its log and in Received: lines: ``$sender_fullhost`` and ``$sender_rcvhost``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.text import follow
from eximious.interpreter.variables.clock import log_selected

if TYPE_CHECKING:
    from eximious.interpreter.context import Context


def build_sender_fullhost(ctx: Context) -> None:
    """Set ``sender_fullhost`` and ``sender_rcvhost`` of the session from what is known of the client.

    To be called when the name, the HELO name or the ident of the client has changed. A HELO name that says
    nothing new (the host's name in any case, or its address in brackets) is left out, except that the log
    has the address where there is no name. Manual 11.9.
    """
    session = ctx.session
    name, helo, ident = session.sender_host_name, session.sender_helo_name, session.sender_ident
    address = session.sender_host_address
    if not address:
        return
    bracketed = f"[{address}]"
    port = ""
    if session.sender_host_port > 0 and log_selected(ctx.env, "incoming_port"):
        port = str(session.sender_host_port)
    with_port = f"{bracketed}:{port}" if port else bracketed
    new_helo = bool(helo) and not _is_address(helo, address)
    if name:
        new_helo = new_helo and helo.lower() != name.lower()
        full = f"{name} ({helo}) {with_port}" if new_helo else f"{name} {with_port}"
        parts = [with_port]
    else:
        full = f"({helo}) {with_port}" if helo else with_port
        parts = [f"port={port}"] if port else []
    if new_helo:
        parts.append(f"helo={helo}")
    if ident:
        parts.append(f"ident={ident}")
    details = " ".join(parts)
    if name:
        received = f"{name}{chr(10) + chr(9) if new_helo and ident else ' '}({details})"
    else:
        received = f"{bracketed} ({details})" if details else bracketed
    session.sender_fullhost = follow(full, name or "", helo, address)
    session.sender_rcvhost = follow(received, name or "", helo, ident, address)


def _is_address(helo: str, address: str) -> bool:
    """Whether a HELO name is the client's address in square brackets (RFC 5321 4.1.3)."""
    if not (helo.startswith("[") and helo.endswith("]")):
        return False
    inside = helo[1:-1]
    if inside[:5].lower() == "ipv6:":
        inside = inside[5:]
    if inside == address:
        return True
    from eximious.interpreter.ipaddress import parse_ip

    parsed = parse_ip(inside)
    return parsed is not None and parsed == parse_ip(address)
