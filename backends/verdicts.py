"""Verdicts for real: the password daemons that are asked over a socket.

What runs inside Exim's own process (Perl, shared objects, PAM) or needs secrets of its own (RADIUS) cannot be
asked here; a described world can answer for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.backends.denying import VERDICTS, DenyingVerdicts

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.protocols import Sockets

#: where the daemons listen: Debian's places, then those of the daemons' own manuals
SASLAUTHD = ("/var/run/saslauthd/mux", "/var/state/saslauthd/mux")
PWCHECK = ("/var/run/pwcheck/pwcheck", "/var/pwcheck/pwcheck")
TIMEOUT = 30.0


class RealVerdicts:
    """Asks the daemons. ``allows``: whether a permission was given; ``sockets``: gives the door to them."""

    def __init__(self, allows: Callable[[str], bool], sockets: Callable[[], Sockets]) -> None:
        self._allows, self._sockets = allows, sockets

    def ask(self, kind: str, *question: str) -> Any:
        """See :class:`eximious.interpreter.protocols.Verdicts`: True, False, or text where nobody answers."""
        word = VERDICTS.get(kind)
        if word is None or not self._allows(word):
            return DenyingVerdicts().ask(kind)
        if kind == "saslauthd":
            data = b"".join(_counted(part) for part in (*question, "", "")[:4])
            answer = self._exchange(SASLAUTHD, data)
            if answer is not None:
                answer = answer[2:]
        else:
            user, password = question[0], question[1]
            answer = self._exchange(PWCHECK, f"{user}\0{password}\0".encode("latin-1"))
        if answer is None:
            return f"cannot connect to {kind} daemon"
        return answer.startswith(b"OK")

    def _exchange(self, places: tuple[str, ...], data: bytes) -> bytes | None:
        for place in places:
            try:
                connection = self._sockets().connect(place, TIMEOUT)
            except OSError:
                continue
            try:
                connection.send(data)
                pieces = []
                while sum(map(len, pieces)) < 65536:
                    piece = connection.recv(4096)
                    if not piece:
                        break
                    pieces.append(piece)
                return b"".join(pieces)
            except OSError:
                return None
            finally:
                connection.close()
        return None


def _counted(text: str) -> bytes:
    """A string with its length before it, as saslauthd reads it."""
    data = text.encode("latin-1")[:65535]
    return len(data).to_bytes(2, "big") + data
