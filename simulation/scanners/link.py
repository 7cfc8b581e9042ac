"""Connections to scanners: addresses as Exim writes them, time limits, and reading as it reads.

Errors are :class:`ScannerError` with the words that Exim logs.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from os import strerror
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Doors

#: seconds for making a connection over TCP, and for a scan
CONNECT = 5
SCAN = 120

_PLACE = re.compile(r"\s*(\S{1,255})\s+(\d+)(?:-(\d+))?")


class ScannerError(Exception):
    """What went wrong. ``host``: the address that the log line names."""

    def __init__(self, message: str, host: str = "") -> None:
        super().__init__(message)
        self.message, self.host = message, host


def reason(error: OSError) -> str:
    """What the system says of an error; a time limit is one."""
    from errno import ETIMEDOUT

    if isinstance(error, TimeoutError) and error.errno is None:
        return strerror(ETIMEDOUT)
    return strerror(error.errno) if error.errno else str(error)


class Link:
    """A connection to a scanner. ``end``: when its time is over; ``address``: where it leads, as Exim shows it."""

    def __init__(self, connection: Any, address: str, end: float) -> None:
        self._connection, self.address, self._end = connection, address, end
        self._ahead = b""

    def _limit(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def send(self, data: bytes) -> None:
        """Send all of it; OSError. For that there is time even when the answer did not come."""
        self._connection.settimeout(max(self._end - time.monotonic(), CONNECT))
        self._connection.send(data)

    def request(self, data: bytes) -> None:
        """Send a request. Raises ScannerError."""
        try:
            self.send(data)
        except OSError as error:
            shown = data.decode("latin-1").partition("\0")[0]
            raise self.error(f"unable to send to socket ({shown}): {reason(error)}") from None

    def recv(self, size: int) -> bytes:
        """What one read gives; empty at the end. OSError, TimeoutError."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        self._limit()
        data = self._connection.recv(size)
        return bytes(data)

    def exactly(self, size: int) -> bytes | None:
        """So many bytes; None where they do not come."""
        data = b""
        try:
            while len(data) < size:
                piece = self.recv(size - len(data))
                if not piece:
                    return None
                data += piece
        except OSError:
            return None
        return data

    def line(self, size: int) -> str | None:
        """A line without its newline, in pieces of ``size`` - 1; None at the end. OSError, TimeoutError."""
        data = b""
        while True:
            place = self._ahead.find(b"\n", 0, size - 1)
            if place >= 0:
                data, self._ahead = self._ahead[:place], self._ahead[place + 1 :]
                break
            if len(self._ahead) >= size - 1:
                data, self._ahead = self._ahead[: size - 1], self._ahead[size - 1 :]
                break
            self._limit()
            piece = self._connection.recv(65536)
            if not piece:
                if not self._ahead:
                    return None
                data, self._ahead = self._ahead, b""
                break
            self._ahead += piece
        return data.decode("latin-1").partition("\0")[0]

    def shutdown(self) -> None:
        """Nothing more will be sent."""
        self._connection.shutdown()

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            self._connection.close()

    def error(self, message: str) -> ScannerError:
        """An error that names where the connection leads."""
        return ScannerError(message, self.address)


def connect_unix(ctx: Context, doors: Doors, path: str, timeout: float) -> Link:
    """Connect to a Unix socket. Raises ScannerError."""
    ctx.session.callout_address = path
    end = time.monotonic() + timeout
    try:
        return Link(doors.sockets.connect(path, timeout), path, end)
    except OSError as error:
        raise ScannerError(f"unable to connect to UNIX socket ({path}): {reason(error)}", path) from None


def connect_tcp(ctx: Context, doors: Doors, place: str, timeout: float) -> Link:
    """Connect to a host and port ("HOST PORT" or "HOST PORT-PORT", tried one by one). Raises ScannerError."""
    found = _PLACE.match(place)
    if found is None:
        raise ScannerError(f"invalid socket '{place}'", ctx.session.callout_address)
    low = int(found[2])
    return connect_ports(ctx, doors, found[1], low, int(found[3] or low), timeout)


def connect_ports(ctx: Context, doors: Doors, host: str, low: int, high: int, timeout: float) -> Link:
    """Connect to a host at the first of some ports where somebody listens. Raises ScannerError."""
    session = ctx.session
    end = time.monotonic() + timeout
    why = ""
    for address in _addresses(ctx, host):
        for port in range(low, high + 1):
            session.callout_address = f"[{address}]:{port}"
            shown = f"[{address}]" if ":" in address else address
            try:
                connection = doors.sockets.connect(f"inet:{shown}:{port & 0xFFFF}", CONNECT)
            except OSError as error:
                why = reason(error)
            else:
                return Link(connection, session.callout_address, end)
    raise ScannerError(f"failed to connect to any address for {host}: {why}", session.callout_address)


def connect(ctx: Context, doors: Doors, place: str, timeout: float) -> Link:
    """Connect to a path or to a host and port. Raises ScannerError."""
    if place.startswith("/"):
        return connect_unix(ctx, doors, place, timeout)
    return connect_tcp(ctx, doors, place, timeout)


def _addresses(ctx: Context, host: str) -> list[str]:
    from eximious.interpreter.ipaddress import parse_ip

    if parse_ip(host) is not None:
        return [host]
    from eximious.interpreter.hosts import Host, find_by_name

    addresses = [one.address for one in find_by_name(ctx, Host(host)).hosts if one.address]
    if not addresses:
        raise ScannerError(f"no IP address found for host {host}", ctx.session.callout_address)
    return addresses
