"""Verdicts for real: the password daemons that are asked over a socket, Perl, and shared objects.

PAM, RADIUS and the bind of ldapauth cannot be asked here; a described world can answer for them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from eximious.backends.denying import VERDICTS, DenyingVerdicts

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.state import Doors

#: where the daemons listen: Debian's places, then those of the daemons' own manuals
SASLAUTHD = ("/var/run/saslauthd/mux", "/var/state/saslauthd/mux")
PWCHECK = ("/var/run/pwcheck/pwcheck", "/var/pwcheck/pwcheck")
TIMEOUT = 30.0


class RealVerdicts:
    """Asks for real. ``allows``: whether a permission was given; ``doors``: gives the other doors."""

    def __init__(self, allows: Callable[[str], bool], doors: Callable[[], Doors]) -> None:
        self._allows, self._doors = allows, doors
        self._options: Any = None
        self._perl: Any = None
        self._objects: dict[str, Any] = {}

    def use_options(self, options: Any) -> None:
        """Take perl_startup and perl_taintmode from these main options."""
        self._options = options

    def ask(self, kind: str, *question: str, expand: Callable[[str], str] | None = None, **how: Any) -> Any:
        """See :class:`eximious.interpreter.protocols.Verdicts`."""
        word = how.get("needs") or VERDICTS.get(kind)
        if word is None or not self._allows(word):
            return DenyingVerdicts().ask(kind, **how)
        if "speak" in how:
            return how["speak"](self._doors())
        if kind == "perl":
            return self._ask_perl(question, expand)
        if kind == "dlfunc":
            from eximious.backends.dlfunc import call

            path = self._doors().files.local_path(question[0]) if question[0] else ""
            return call(self._objects, path, question[1], question[2:])
        if kind == "saslauthd":
            data = b"".join(_counted(part) for part in (*question, "", "")[:4])
            answer = self._exchange(SASLAUTHD, data)
            if answer is not None:
                answer = answer[2:]
        else:
            user, password = question[0], question[1]
            answer = self._exchange(PWCHECK, f"{user}\0{password}\0".encode("latin-1"))
        if answer is None:
            if kind == "saslauthd":
                return f"cannot connect to saslauthd daemon at {SASLAUTHD[0]}: {self._reason}"
            return f"cannot connect to {kind} daemon"
        return answer.startswith(b"OK")

    def _ask_perl(self, question: tuple[str, ...], expand: Callable[[str], str] | None) -> str | None:
        """Call a subroutine; without any, only start perl (the option perl_at_start)."""
        if self._perl is None:
            from eximious.backends.perl import Perl

            options = self._options
            startup = options.get("perl_startup") if options is not None else None
            taintmode = options.get("perl_taintmode") if options is not None else None
            variables: dict[str, str] = getattr(self._doors().environ, "variables", {})
            self._perl = Perl(str(startup or ""), bool(taintmode), variables, "/")
        if not question:
            self._perl.start(expand)
            return ""
        answer: str | None = self._perl.call(question[0], question[1:], expand)
        return answer

    def close(self) -> None:
        """End the perl process, if there is one."""
        if self._perl is not None:
            self._perl.close()
            self._perl = None

    def _exchange(self, places: tuple[str, ...], data: bytes) -> bytes | None:
        self._reason = ""
        for place in places:
            try:
                connection = self._doors().sockets.connect(place, TIMEOUT)
            except OSError as error:
                self._reason = self._reason or (error.strerror or str(error))
                continue
            pieces: list[bytes] = []
            try:
                with suppress(OSError):  # a daemon may have answered and gone before it was asked
                    connection.send(data)
                while sum(map(len, pieces)) < 65536 and (piece := connection.recv(4096)):
                    pieces.append(piece)
            except OSError:
                # a daemon may close as soon as it has answered
                if not pieces:
                    return None
            finally:
                connection.close()
            return b"".join(pieces)
        return None


def _counted(text: str) -> bytes:
    """A string with its length before it, as saslauthd reads it."""
    data = text.encode("latin-1")[:65535]
    return len(data).to_bytes(2, "big") + data
