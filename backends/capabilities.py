"""What an evaluation may do outside: the words of ``--allow`` and EXIMIOUS_ALLOW, and the doors they open.

=============== ====================================================================================
``run``         programs: ``${run``, pipes, queryprogram
``net``         sockets: ``${readsocket``, scanners, callouts, saslauthd; includes ``dns`` and ``sql``
``dns``         questions to the DNS, and the machine's own addresses
``sql``         database servers: MySQL, PostgreSQL, Redis, LDAP, NIS
``read``        reading any file; ``read=DIR`` files below DIR
``write``       writing any file; ``write=DIR`` files below DIR
``perl``        embedded Perl
``dlfunc``      functions of shared objects
``all``         all of these
=============== ====================================================================================

Without any word an evaluation reads the clock, the machine's users, the environment variables that
keep_environment leaves, and files below the configuration's own folder. Nothing is imported or opened for
a door before it is used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from eximious.interpreter.state import Doors

WORDS = ("run", "net", "dns", "sql", "read", "write", "perl", "dlfunc", "all")
#: words that may have a folder behind an equals sign
WITH_FOLDER = ("read", "write")
IMPLIED = {"net": ("dns", "sql")}


class CapabilityError(ValueError):
    """A word that is no permission; the message says what there is."""


class Permissions:
    """What is allowed. ``words``: whole permissions; ``read`` and ``write``: folders."""

    __slots__ = ("read", "words", "write")

    def __init__(
        self, words: Iterable[str] = (), read: Iterable[str] = (), write: Iterable[str] = ()
    ) -> None:
        self.words = frozenset(words)
        self.read, self.write = tuple(read), tuple(write)

    def allows(self, word: str) -> bool:
        """Say whether a whole permission was given."""
        return word in self.words or "all" in self.words

    def __repr__(self) -> str:
        folders = [*(f"read={folder}" for folder in self.read), *(f"write={folder}" for folder in self.write)]
        return f"Permissions({', '.join([*sorted(self.words), *folders])})"


def parse_permissions(texts: Iterable[str]) -> Permissions:
    """Read permissions: words separated by commas or white space, in one text or several.

    A comma or blank inside a folder's name is not possible here. Raises CapabilityError.
    """
    words: set[str] = set()
    folders: dict[str, list[str]] = {"read": [], "write": []}
    for text in texts:
        for word in text.replace(",", " ").split():
            name, equals, folder = word.partition("=")
            if name not in WORDS:
                raise CapabilityError(f"unknown permission {name!r}: {_known(name)}")
            if not equals:
                words.add(name)
                words.update(IMPLIED.get(name, ()))
            elif name not in WITH_FOLDER:
                raise CapabilityError(f"permission {name!r} takes no folder")
            elif not folder:
                raise CapabilityError(f"permission {word!r} lacks its folder")
            else:
                folders[name].append(folder)
    return Permissions(words, folders["read"], folders["write"])


def _known(word: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, WORDS, 1)
    return f"did you mean {close[0]!r}?" if close else "there are " + ", ".join(WORDS)


def make_doors(
    allow: Iterable[str] | Permissions = (),
    root: str | None = None,
    config_path: str | None = None,
    nameserver: str | None = None,
    *,
    seed: int | None = None,
    now: float | None = None,
    replace: dict[str, Callable[[], Any]] | None = None,
) -> Doors:
    """Give the doors for a set of permissions; each is made when it is first used.

    ``allow``: words as given to ``--allow``. ``root``: a folder that stands for ``/`` (paths of the
    configuration lead into it and nowhere else). ``config_path``: the configuration's file; what is below
    its folder may be read. ``nameserver``: "IP" or "IP:PORT", the only DNS server to ask (which allows to).
    ``seed``: makes random numbers repeat. ``now``: a time that stands still, in seconds. ``replace``:
    functions that make a door in place of the usual one, by name. Raises CapabilityError, and
    ValueError for a name server that is none. Nothing else is checked before a door is used.
    """
    from eximious.interpreter.state import Doors

    given = allow if isinstance(allow, Permissions) else parse_permissions(allow)
    if nameserver is not None:
        from eximious.backends.dns import parse_nameserver

        server: tuple[str, int] | None = parse_nameserver(nameserver)
    else:
        server = None
    maker = _Maker(given, root, config_path, server, seed, now)
    lazy: dict[str, Callable[[], Any]] = {
        name: getattr(maker, name)
        for name in (
            "chance",
            "clock",
            "databases",
            "environ",
            "files",
            "machine",
            "processes",
            "resolver",
            "sockets",
            "users",
            "verdicts",
        )
    }
    lazy.update(replace or {})
    maker.doors = Doors(lazy=lazy)
    return maker.doors


class _Maker:
    """Makes each door, as the method of its name."""

    doors: Doors

    def __init__(
        self,
        permissions: Permissions,
        root: str | None,
        config_path: str | None,
        nameserver: tuple[str, int] | None,
        seed: int | None,
        now: float | None,
    ) -> None:
        self.permissions, self.root, self.config_path = permissions, root, config_path
        self.nameserver, self.seed, self.now = nameserver, seed, now

    def files(self) -> Any:
        from eximious.backends.files import RealFiles, RootedFiles

        allowed = self.permissions
        if self.root is not None:
            writes = allowed.allows("write") or bool(allowed.write)
            return RootedFiles(_latin(self.root), writes, [_latin(path) for path in self._own()])
        write = None if allowed.allows("write") else [_latin(folder) for folder in allowed.write]
        if allowed.allows("read"):
            return RealFiles(None, write)
        return RealFiles([_latin(folder) for folder in (*allowed.read, *self._own())], write)

    def _own(self) -> list[str]:
        """What may be read because it is the configuration, or beside it."""
        if not self.config_path:
            return []
        folder = os.path.dirname(os.path.abspath(self.config_path))
        return [self.config_path, folder] if folder.strip("/") else [self.config_path]

    def clock(self) -> Any:
        from eximious.backends.clock import FixedClock, RealClock

        return RealClock() if self.now is None else FixedClock(self.now)

    def processes(self) -> Any:
        if not self.permissions.allows("run"):
            from eximious.backends.denying import DenyingProcesses

            return DenyingProcesses()
        from eximious.backends.processes import RealProcesses

        return RealProcesses(self._variables, self._local_path)

    def _variables(self) -> dict[str, str]:
        found: dict[str, str] = self.doors.environ.variables  # type: ignore[attr-defined]
        return found

    def _local_path(self, path: str) -> str:
        return path if self.root is None else self.doors.files.local_path(path)

    def sockets(self) -> Any:
        if not self.permissions.allows("net"):
            from eximious.backends.denying import DenyingSockets

            return DenyingSockets()
        from eximious.backends.sockets import RealSockets

        return RealSockets(self._local_path)

    def users(self) -> Any:
        from eximious.backends.machine import FileUsers, RealUsers

        if self.root is not None and os.path.isfile(os.path.join(self.root, "etc/passwd")):
            return FileUsers(self._read_text)
        return RealUsers()

    def _read_text(self, path: str) -> str:
        with self.doors.files.open(path) as stream:
            return stream.read().decode("latin-1")

    def environ(self) -> Any:
        from eximious.backends.machine import RealEnviron

        return RealEnviron()

    def machine(self) -> Any:
        from eximious.backends.machine import RealMachine

        return RealMachine()

    def chance(self) -> Any:
        from eximious.backends.machine import SeededChance, SystemChance

        return SystemChance() if self.seed is None else SeededChance(self.seed)

    def verdicts(self) -> Any:
        from eximious.backends.verdicts import RealVerdicts

        return RealVerdicts(self.permissions.allows, lambda: self.doors)

    def resolver(self) -> Any:
        from eximious.backends.dns import DenyingResolver, RealResolver

        if self.nameserver is None and not self.permissions.allows("dns"):
            return DenyingResolver()
        return RealResolver(self.nameserver)

    def databases(self) -> Any:
        from eximious.backends.databases import DenyingDatabases, RealDatabases

        return RealDatabases() if self.permissions.allows("sql") else DenyingDatabases()


def _latin(path: str) -> str:
    """A path from the command line as text with one character a byte."""
    return os.fsencode(path).decode("latin-1")


def environment_permissions() -> list[str]:
    """Give what the environment variable EXIMIOUS_ALLOW grants, to be added to the words of ``--allow``."""
    text = os.environ.get("EXIMIOUS_ALLOW", "")
    return [text] if text else []


__all__ = [
    "IMPLIED",
    "WORDS",
    "CapabilityError",
    "Permissions",
    "environment_permissions",
    "make_doors",
    "parse_permissions",
]
