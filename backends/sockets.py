"""Sockets for real: one connection at a time, with time limits, and TLS where it is asked for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

#: seconds that are waited where the construct sets no limit
LONGEST = 600.0


class Connection:
    """A connected socket. Each step has the time-out that the connection was made with."""

    __slots__ = ("_socket",)

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def send(self, data: bytes) -> None:
        """Send all of it; OSError or TimeoutError."""
        self._socket.sendall(data)

    def settimeout(self, seconds: float) -> None:
        """Give later steps another time-out."""
        self._socket.settimeout(seconds)

    def shutdown(self) -> None:
        """Say that nothing more will be sent (nothing happens on a connection that is gone)."""
        import socket

        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes; empty at the end. OSError or TimeoutError."""
        return self._socket.recv(size)

    def secure(self, sni: str) -> None:
        """Go on inside TLS (after STARTTLS); OSError where the other side does not. Certificates are not verified."""
        self._socket = _secured(self._socket, sni)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class RealSockets:
    """Connects for real. ``path``: where a Unix socket's path really is."""

    def __init__(self, path: Callable[[str], str] = lambda path: path) -> None:
        self._path = path

    def connect(self, spec: str, timeout: float, tls: bool = False, sni: str = "") -> Connection:
        """See :class:`eximious.interpreter.protocols.Sockets`. Certificates are not verified."""
        if spec.startswith("udp:"):
            connected = self._inet(spec[4:], timeout, datagrams=True)
        elif spec.startswith("inet:"):
            connected = self._inet(spec[5:], timeout)
        else:
            connected = self._unix(spec, timeout)
        if tls:
            connected = _secured(connected, sni)
        return Connection(connected)

    def _unix(self, spec: str, timeout: float) -> socket.socket:
        import socket

        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(timeout or LONGEST)
            made.connect(self._path(spec.partition("\0")[0]).encode("latin-1"))
        except BaseException:
            made.close()
            raise
        return made

    def _inet(self, place: str, timeout: float, datagrams: bool = False) -> socket.socket:
        import socket

        host, _, port = place.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        try:
            name = host.encode("latin-1").decode("ascii")
            kind = socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
            found = socket.getaddrinfo(name, port, type=kind)
        except UnicodeError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        problem: OSError = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        for family, kind, protocol, _, address in found:
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(timeout or LONGEST)
                made.connect(address)
            except OSError as error:
                made.close()
                problem = error
                continue
            return made
        raise problem


def _secured(plain: socket.socket, sni: str) -> socket.socket:
    """The same connection inside TLS, whatever certificate the other side has."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=sni or None)
    except BaseException:
        plain.close()
        raise
