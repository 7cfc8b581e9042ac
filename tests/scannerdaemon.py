"""Small servers that speak a script, in place of virus and spam scanners, for the real Exim and for ours.

A script is what one connection does, in steps with ``;`` between them; ``|`` separates the scripts of the connections
one after the other (the last one stays):

``line``, ``nul``, ``until X``, ``all``, ``read N``  read up to a newline, a NUL, X, the end, or so many bytes
``instream``                 read the chunks of clamd's INSTREAM
``counted``                  read a length in four bytes, and so much
``mail``                     read as many bytes as the header line Content-length said that ``head`` read
``head``                     read lines up to an empty one
``send TEXT``                send it (with the escapes of Python)
``wait SECONDS``             wait
``reset``                    end the connection at once

What was read is kept in ``got``, in a form without what changes from run to run.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import threading
import time
from contextlib import suppress

_MAIL = re.compile(rb"From \S+ [^\n]*\n(?:X-Envelope-[^\n]*\n)*")

#: what the connection sends that ends a server
_LAST = b"this is the last connection"


class Daemon:
    """A server on a free port of the loopback, or on the Unix socket ``path``."""

    def __init__(self, script: str, path: str = "") -> None:
        self.scripts = [part.strip() for part in script.split("|")]
        self.got: list[str] = []
        self.path = path
        self.closing = False
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            os.chmod(path, 0o777)
        else:
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = 0 if path else self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Wait for the end of what is going on (connections that wait to be accepted, too), and stop listening."""
        self.closing = True
        with suppress(OSError), socket.socket(socket.AF_UNIX if self.path else socket.AF_INET) as last:
            last.connect(self.path or ("127.0.0.1", self.port))
            last.sendall(_LAST)
            self.thread.join(15)
        self.listener.close()
        if self.path:
            with suppress(OSError):
                os.unlink(self.path)

    def _serve(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.closing and connection.recv(len(_LAST), socket.MSG_PEEK) == _LAST:
                connection.close()
                return
            script = self.scripts[min(number, len(self.scripts) - 1)]
            number += 1
            with connection, suppress(OSError):
                connection.settimeout(10)
                _Talk(connection, self.got).run(script)


class _Talk:
    def __init__(self, connection: socket.socket, got: list[str]) -> None:
        self.connection, self.got = connection, got
        self.length = 0

    def run(self, script: str) -> None:
        for step in script.split(";"):
            word, _, rest = step.strip().partition(" ")
            if word == "send":
                self.connection.sendall(rest.encode("latin-1").decode("unicode_escape").encode("latin-1"))
            elif word == "wait":
                time.sleep(float(rest))
            elif word == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            elif word:
                read = getattr(self, "_until_text" if word == "until" else "_" + word)(rest)
                if read:
                    self.got.append(read)

    def _until(self, end: bytes) -> bytes:
        data = b""
        while not data.endswith(end) and (piece := self.connection.recv(1)):
            data += piece
        return data

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (piece := self.connection.recv(size - len(data))):
            data += piece
        return data

    def _line(self, rest: str) -> str:
        return _shown(self._until(b"\n"))

    def _nul(self, rest: str) -> str:
        return _shown(self._until(b"\0"))

    def _until_text(self, rest: str) -> str:
        return _shown(self._until(rest.encode()))

    def _read(self, rest: str) -> str:
        return _shown(self._exactly(int(rest)))

    def _all(self, rest: str) -> str:
        data = b""
        while piece := self.connection.recv(65536):
            data += piece
        return _shown(data)

    def _instream(self, rest: str) -> str:
        chunks = []
        while size := int.from_bytes(self._exactly(4), "big"):
            chunks.append(self._exactly(size))
        return f"{len(chunks)} chunk: {_shown(b''.join(chunks))}"

    def _counted(self, rest: str) -> str:
        return _shown(self._exactly(int.from_bytes(self._exactly(4), "big")))

    def _head(self, rest: str) -> str:
        data = b""
        while not data.endswith(b"\r\n\r\n") and (piece := self.connection.recv(1)):
            data += piece
        found = re.search(rb"Content-length: (\d+)", data)
        self.length = int(found[1]) if found else 0
        return _shown(data.replace(b"length: %d" % self.length, b"length: SIZE"))

    def _mail(self, rest: str) -> str:
        return _shown(self._exactly(self.length))


def _shown(data: bytes) -> str:
    """Data in one line; of a message only its envelope lines and its end."""
    found = _MAIL.match(data)
    if found is not None:
        envelope = re.sub(rb"(From \S+) [^\n]*", rb"\1 DATE", found[0])
        data = envelope + b"[...]" + data[-12:]
    return data.decode("latin-1").encode("unicode_escape").decode("ascii")
