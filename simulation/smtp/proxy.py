"""The PROXY protocol: a front says who the client is before anything else (manual 59.1, hosts_proxy).

Both versions are haproxy's; what is taken for good, and how much of what is no good is taken away, is as 4.96 does it
(seen with ``-bh``, which reads a header, too).
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

from eximious.interpreter.hosts import look_up_name
from eximious.interpreter.ipaddress import parse_ip

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
#: bytes that are read before it is known which version it is
FIRST = 14
#: the beginning of the second version, with the length of the rest
HEAD = 16
#: bytes of a header of either version
MOST = 232

_PORT = re.compile(r"[ \t\n\v\f]*([+-]?[0-9]+)")


class Header:
    """Takes the proxy's header off the input; the greeting follows."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._begun = b""

    def take(self, session: SmtpSession, data: bytes) -> bytes | None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        self._begun += data
        if len(self._begun) < FIRST:
            return None
        if self._begun.startswith(SIGNATURE):
            return self._second(session, self._begun)
        return self._first(session, self._begun)  # what is none of either version is read as far, too

    def _first(self, session: SmtpSession, data: bytes) -> bytes | None:
        end = data.find(b"\r", 0, MOST)
        if end < 0 and len(data) < MOST:
            return None
        if end < 0 or end == MOST - 1:
            return self._end(session, False, data[MOST:])
        if len(data) < end + 2:
            return None
        rest = data[max(FIRST, end + 2) :]
        good = data[end + 1 : end + 2] == b"\n" and _first(session, data[:end].decode("latin-1"))
        return self._end(session, good, rest)

    def _second(self, session: SmtpSession, data: bytes) -> bytes | None:
        if len(data) < HEAD:
            return None
        size = HEAD + int.from_bytes(data[FIRST:HEAD], "big")
        if size > MOST:
            return self._end(session, False, data[HEAD:])
        if len(data) < size:
            return None
        return self._end(session, _second(session, data[:size]), data[size:])

    def _end(self, session: SmtpSession, good: bool, rest: bytes) -> bytes:
        from eximious.simulation.smtp.connection import begin

        session.receiving = None
        session.connection.proxy_session = True
        session.proxy_failed = not good
        if good:
            session.connection.sender_host_name = None
            look_up_name(session.ctx)
        session.connection.sender_fullhost = ""
        session.rebuild_fullhost()
        begin(session)
        return rest

    def lost(self, session: SmtpSession) -> None:
        """See :class:`eximious.simulation.smtp.content.Receiving`."""
        self._end(session, False, b"")


def _first(session: SmtpSession, line: str) -> bool:
    """``PROXY TCP4 source destination port port``, or ``PROXY UNKNOWN``; what comes before an error is taken."""
    connection = session.connection
    rest = line[len("PROXY ") :] if line.startswith("PROXY ") else ""
    if rest.startswith("UNKNOWN"):
        return True
    if not rest.startswith(("TCP4 ", "TCP6 ")):
        return False
    source, space, rest = rest[len("TCP4 ") :].partition(" ")
    if not space or parse_ip(source) is None:
        return False
    connection.proxy_local_address = connection.sender_host_address
    connection.sender_host_address = source
    destination, space, rest = rest.partition(" ")
    if not space or parse_ip(destination) is None:
        return False
    connection.proxy_external_address = destination
    port, space, rest = rest.partition(" ")
    number = _port(port) if space else 0
    if not number:
        return False
    connection.proxy_local_port = connection.sender_host_port
    connection.sender_host_port = number
    own = _port(rest)
    if not own:
        return False
    connection.proxy_external_port = own
    return True


def _port(text: str) -> int:
    """A port, which may be any number of 32 bits; 0: none."""
    match = _PORT.fullmatch(text)
    number = int(match[1][:20]) if match else 0
    if not -(2**63) <= number < 2**63:
        return 0
    number &= 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


def _second(session: SmtpSession, data: bytes) -> bool:
    version, command, family = data[12] >> 4, data[12] & 15, data[13]
    if version != 2:
        return False
    if command == 0:
        return True  # LOCAL: the proxy itself
    size = {0x11: 4, 0x21: 16}.get(family)
    rest = data[HEAD:]
    if command != 1 or size is None or len(rest) < 2 * size + 4:
        return False
    connection = session.connection
    kind = socket.AF_INET if size == 4 else socket.AF_INET6
    connection.proxy_local_address = connection.sender_host_address
    connection.proxy_local_port = connection.sender_host_port
    connection.sender_host_address = socket.inet_ntop(kind, rest[:size])
    connection.proxy_external_address = socket.inet_ntop(kind, rest[size : 2 * size])
    ports = rest[2 * size : 2 * size + 4]
    connection.sender_host_port = int.from_bytes(ports[:2], "big")
    connection.proxy_external_port = int.from_bytes(ports[2:], "big")
    return True
