"""The PROXY protocol: a front says who the client is before anything else (manual 59.1, hosts_proxy).

Both versions are read as haproxy's description of the protocol has them.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from eximious.interpreter.ipaddress import parse_ip

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
#: bytes of a header of the first version
LINE_LIMIT = 107
#: the first 16 bytes of the second version, with the length of the rest
HEAD = 16
MOST = 2048


class Header:
    """Takes the proxy's header off the input; the greeting follows."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._begun = b""

    def take(self, session: SmtpSession, data: bytes) -> bytes | None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        self._begun += data
        return self._read(session, self._begun)

    def _read(self, session: SmtpSession, data: bytes) -> bytes | None:
        if SIGNATURE.startswith(data[: len(SIGNATURE)]) or data.startswith(SIGNATURE):
            if len(data) < HEAD:
                return None
            size = HEAD + int.from_bytes(data[14:16], "big")
            if size > MOST:
                return self._end(session, False, data)
            if len(data) < size:
                return None
            return self._end(session, _second(session, data[:size]), data[size:])
        end = data.find(b"\r\n", 0, LINE_LIMIT)
        if end < 0 and len(data) < LINE_LIMIT and b"PROXY".startswith(data[:5]):
            return None
        if end < 0:
            return self._end(session, False, data)
        return self._end(session, _first(session, data[:end].decode("latin-1")), data[end + 2 :])

    def _end(self, session: SmtpSession, good: bool, rest: bytes) -> bytes:
        from eximious.simulation.smtp.connection import begin

        session.receiving = None
        session.proxy_failed = not good
        begin(session)
        return rest

    def lost(self, session: SmtpSession) -> None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        session.receiving = None
        session.closed = True


def _first(session: SmtpSession, line: str) -> bool:
    """``PROXY TCP4 source destination port port``, or ``PROXY UNKNOWN``."""
    words = line.split(" ")
    if words[0] != "PROXY" or len(words) < 2:
        return False
    if words[1] == "UNKNOWN":
        return True
    bits = {"TCP4": 32, "TCP6": 128}.get(words[1])
    if bits is None or len(words) != 6:
        return False
    source, destination, port, own_port = words[2:]
    for address in (source, destination):
        parsed = parse_ip(address)
        if parsed is None or parsed[0] != bits:
            return False
    if not (port.isascii() and port.isdigit() and own_port.isascii() and own_port.isdigit()):
        return False
    if max(int(port), int(own_port)) > 65535:
        return False
    _set(session, source, destination, int(port), int(own_port))
    return True


def _second(session: SmtpSession, data: bytes) -> bool:
    version, family = data[12] >> 4, data[13]
    if version != 2:
        return False
    command = data[12] & 15
    if command == 0:
        return True  # LOCAL: the proxy itself
    if command != 1:
        return False
    size = {0x11: 4, 0x21: 16}.get(family)
    rest = data[HEAD:]
    if size is None or len(rest) < 2 * size + 4:
        return False
    source, destination = rest[:size], rest[size : 2 * size]
    ports = rest[2 * size : 2 * size + 4]
    _set(
        session,
        str(ipaddress.ip_address(source)),
        str(ipaddress.ip_address(destination)),
        int.from_bytes(ports[:2], "big"),
        int.from_bytes(ports[2:], "big"),
    )
    return True


def _set(session: SmtpSession, source: str, destination: str, port: int, own_port: int) -> None:
    connection = session.connection
    connection.proxy_session = True
    connection.proxy_local_address = connection.sender_host_address
    connection.proxy_local_port = connection.sender_host_port
    connection.proxy_external_address = destination
    connection.proxy_external_port = own_port
    connection.sender_host_address, connection.sender_host_port = source, port
    connection.sender_host_name = None
    connection.sender_fullhost = ""
    session.rebuild_fullhost()
