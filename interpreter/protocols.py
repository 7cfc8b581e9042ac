"""The doors to the outside world, as protocols.

The composition root hands in an implementation of each; :mod:`eximious.backends` has a real, a
described, a denying and a recording one. Nothing else in the package reaches outside. A denying
one raises :class:`~eximious.interpreter.outcomes.Refused`, a described one that has no answer
:class:`~eximious.interpreter.outcomes.Unanswered`. Paths are text (one character a byte).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Any, BinaryIO


class Files(Protocol):
    """Reading files, below the allowed roots; ``--root DIR`` is applied inside."""

    def open(self, path: str) -> BinaryIO:
        """Open for reading, buffered; OSError as the system says."""

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        """As os.stat."""

    def exists(self, path: str) -> bool:
        """Whether there is something that :meth:`stat` can look at."""

    def listdir(self, path: str) -> list[str]:
        """The names in a folder, in the system's order."""

    def local_path(self, path: str, write: bool = False) -> str:
        """Where the file really is, for libraries that open it themselves (lmdb, sqlite); checked.

        ``write``: it will be written to, or made.
        """


class Clock(Protocol):
    """The time in effect."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def advance(self, seconds: float) -> None:
        """Let time go on by so many seconds, as if they had been waited (a simulated delay or day)."""

    def localtime(self, seconds: float) -> Any:
        """As time.localtime, in the zone in effect."""


class Processes(Protocol):
    """Running programs (``${run``, pipes)."""

    def run(
        self, argv: Sequence[str], stdin: str, timeout: float, environ: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Exit code, and standard output and error as they came.

        The code is -n for a program that died of signal n, 127 for one that could not be run. ``timeout`` in
        seconds; TimeoutError when it is over. ``environ`` None: what keep_environment and
        add_environment leave.
        """


class Sockets(Protocol):
    """One exchange with a socket (``${readsocket``, scanners)."""

    def connect(self, spec: str, timeout: float, tls: bool = False, sni: str = "") -> Any:
        """A connected object with ``send(bytes)``, ``shutdown()``, ``recv(n) -> bytes``, ``close()``.

        The real one has ``settimeout(seconds)``, too.

        ``spec``: the path of a Unix socket, ``inet:HOST:PORT``, or ``udp:HOST:PORT`` for datagrams.
        ``timeout``: seconds for the connection
        and for each later step. OSError as the system says (socket.gaierror for a name without an
        address), TimeoutError when the time is over.
        """


class Machine(Protocol):
    """The machine and the process that stand for Exim's."""

    def hostname(self) -> str:
        """The host's own name, with its domain where that is known."""

    def caller(self) -> tuple[int, int]:
        """The user and group id of whoever calls."""

    def pid(self) -> int:
        """The process id."""

    def cwd(self) -> str:
        """The working folder."""

    def load_average(self) -> float:
        """The load of the last minute; negative: unknown."""

    def disk(self, folder: str) -> tuple[int, int] | None:
        """Free kilobytes and free inodes (-1: the file system has none) where a folder is; None: unknown."""


class Users(Protocol):
    """The system's users and groups."""

    def getpwnam(self, name: str) -> Any:
        """As pwd.getpwnam; None where there is none."""

    def getpwuid(self, uid: int) -> Any:
        """As pwd.getpwuid; None where there is none."""

    def getgrnam(self, name: str) -> Any:
        """As grp.getgrnam; None where there is none."""

    def getgrgid(self, gid: int) -> Any:
        """As grp.getgrgid; None where there is none."""


class Resolver(Protocol):
    """DNS and what goes with it: the hosts file, this host's addresses."""

    def query(self, name: str, rdtype: str, **how: Any) -> Any:
        """One question; gives an :class:`eximious.interpreter.dns.Answer`.

        ``how``: dnssec, edns, retrans, retry, qualify_single, search_parents (see there).
        """

    def hosts(self) -> str:
        """The text of the hosts file."""

    def interfaces(self) -> list[str]:
        """The addresses of this host's network interfaces."""


class Environ(Protocol):
    """Environment variables (``${env``)."""

    def get(self, name: str) -> str | None:
        """The value or None."""


class Chance(Protocol):
    """Random numbers (``${randint:}``, randomised hosts)."""

    def below(self, limit: int) -> int:
        """A number from 0 to limit-1."""


class Verdicts(Protocol):
    """What others say: passwords (pam, radius, saslauthd, pwcheck, ldapauth), Perl, dlfunc, SPF and more."""

    def ask(self, kind: str, *question: str, **how: Any) -> Any:
        """The verdict for a question of a kind.

        True or False from who checks passwords; text where that could not be done (Exim's message). For
        ``perl`` (the subroutine, its arguments) and ``dlfunc`` (file, function, arguments): text, None to
        force failure, or ExpansionError; ``expand`` in ``how`` is the function behind Exim::expand_string.

        Authenticators whose verdict others give (``dovecot``, ``cyrus_sasl``, ``gsasl``, ``heimdal_gssapi``) ask
        with their mechanism and what the client sent, taken apart at its NULs: True, False, or why not now.
        For ``callout`` see :mod:`eximious.simulation.routing.callout_hosts`, for verdicts on messages
        :mod:`eximious.simulation.acl.conditions.policies`.

        For ``malware`` (scanner, Message-ID) and ``spam`` (user, Message-ID) ``speak`` in ``how`` is what asks
        for real: it takes real doors and gives the answer. ``needs`` is the permission for it.
        """
