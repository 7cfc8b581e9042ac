"""The machine, its users and the process's environment, for real; random numbers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class RealMachine:
    """This machine and this process."""

    def __init__(self) -> None:
        self._cwd = os.getcwd()
        self._name = ""

    def hostname(self) -> str:
        """What uname says; where that is a single word, the name that the resolver has for it."""
        if not self._name:
            name = os.uname().nodename
            if "." not in name:
                import socket

                try:
                    found = socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)
                    name = next((entry[3] for entry in found if "." in entry[3]), name)
                except OSError:
                    pass
            self._name = name
        return self._name

    def caller(self) -> tuple[int, int]:
        """The real user and group id."""
        return os.getuid(), os.getgid()

    def pid(self) -> int:
        """The process id."""
        return os.getpid()

    def cwd(self) -> str:
        """The folder in which the process began."""
        return os.fsencode(self._cwd).decode("latin-1")

    def load_average(self) -> float:
        """The load of the last minute; negative: unknown."""
        try:
            return os.getloadavg()[0]
        except OSError:
            return -1.0

    def disk(self, folder: str) -> tuple[int, int] | None:
        """Free kilobytes (for others than root) and inodes; None where the folder is not there."""
        try:
            found = os.statvfs(folder.encode("latin-1"))
        except (OSError, ValueError):
            return None
        inodes = found.f_favail if found.f_files > 0 else -1
        return found.f_bavail * found.f_frsize // 1024, inodes


class Account:
    """A user, with the fields of pwd.struct_passwd."""

    __slots__ = ("pw_dir", "pw_gecos", "pw_gid", "pw_name", "pw_passwd", "pw_shell", "pw_uid")

    def __init__(self, name: str, passwd: str, uid: int, gid: int, gecos: str, home: str, shell: str) -> None:
        self.pw_name, self.pw_passwd, self.pw_uid, self.pw_gid = name, passwd, uid, gid
        self.pw_gecos, self.pw_dir, self.pw_shell = gecos, home, shell


class Group:
    """A group, with the fields of grp.struct_group."""

    __slots__ = ("gr_gid", "gr_mem", "gr_name", "gr_passwd")

    def __init__(self, name: str, passwd: str, gid: int, members: list[str]) -> None:
        self.gr_name, self.gr_passwd, self.gr_gid, self.gr_mem = name, passwd, gid, members


def _text(value: str) -> str:
    return os.fsencode(value).decode("latin-1")


def _name(value: str) -> str:
    return os.fsdecode(value.partition("\0")[0].encode("latin-1"))


def _account(entry: Any) -> Account:
    return Account(
        _text(entry.pw_name),
        _text(entry.pw_passwd),
        entry.pw_uid,
        entry.pw_gid,
        _text(entry.pw_gecos),
        _text(entry.pw_dir),
        _text(entry.pw_shell),
    )


def _group(entry: Any) -> Group:
    return Group(
        _text(entry.gr_name),
        _text(entry.gr_passwd or ""),
        entry.gr_gid,
        [_text(name) for name in entry.gr_mem],
    )


class RealUsers:
    """The system's users and groups."""

    def getpwnam(self, name: str) -> Account | None:
        """As pwd.getpwnam; None where there is none."""
        import pwd

        try:
            return _account(pwd.getpwnam(_name(name)))
        except KeyError:
            return None

    def getpwuid(self, uid: int) -> Account | None:
        """As pwd.getpwuid; None where there is none."""
        import pwd

        try:
            return _account(pwd.getpwuid(uid))
        except (KeyError, OverflowError):
            return None

    def getgrnam(self, name: str) -> Group | None:
        """As grp.getgrnam; None where there is none."""
        import grp

        try:
            return _group(grp.getgrnam(_name(name)))
        except KeyError:
            return None

    def getgrgid(self, gid: int) -> Group | None:
        """As grp.getgrgid; None where there is none."""
        import grp

        try:
            return _group(grp.getgrgid(gid))
        except (KeyError, OverflowError):
            return None


class FileUsers:
    """The users and groups of files in the form of /etc/passwd and /etc/group.

    ``read``: gives a file's text by path, or raises OSError. Lines that are none are passed over.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self._accounts: list[Account] | None = None
        self._groups: list[Group] | None = None

    def _lines(self, path: str, fields: int) -> list[list[str]]:
        try:
            text = self._read(path)
        except OSError:
            return []
        lines = [line.split(":") for line in text.split("\n")]
        return [line for line in lines if len(line) >= fields and not line[0].startswith("#")]

    @property
    def accounts(self) -> list[Account]:
        """All users."""
        if self._accounts is None:
            self._accounts = [
                Account(line[0], line[1], int(line[2]), int(line[3]), *line[4:7])
                for line in self._lines("/etc/passwd", 7)
                if line[2].isdecimal() and line[3].isdecimal()
            ]
        return self._accounts

    @property
    def groups(self) -> list[Group]:
        """All groups."""
        if self._groups is None:
            self._groups = [
                Group(line[0], line[1], int(line[2]), [name for name in line[3].split(",") if name])
                for line in self._lines("/etc/group", 4)
                if line[2].isdecimal()
            ]
        return self._groups

    def getpwnam(self, name: str) -> Account | None:
        """The user of this name; None where there is none."""
        return next((entry for entry in self.accounts if entry.pw_name == name), None)

    def getpwuid(self, uid: int) -> Account | None:
        """The first user with this id; None where there is none."""
        return next((entry for entry in self.accounts if entry.pw_uid == uid), None)

    def getgrnam(self, name: str) -> Group | None:
        """The group of this name; None where there is none."""
        return next((entry for entry in self.groups if entry.gr_name == name), None)

    def getgrgid(self, gid: int) -> Group | None:
        """The first group with this id; None where there is none."""
        return next((entry for entry in self.groups if entry.gr_gid == gid), None)


class RealEnviron:
    """The process's environment, as the options keep_environment and add_environment leave it (manual 14).

    ``variables``: the environment to begin with; None: the process's own.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._given = variables
        self._options: Any = None
        self._kept: dict[str, str] | None = None

    def use_options(self, options: Any) -> None:
        """Take keep_environment and add_environment from these main options."""
        self._options, self._kept = options, None

    @property
    def variables(self) -> dict[str, str]:
        """What is left of the environment."""
        if self._kept is None:
            options = self._options
            keep = options.get("keep_environment") if options is not None else None
            add = options.get("add_environment") if options is not None else None
            given = self._given
            if given is None:
                given = {
                    name.decode("latin-1"): value.decode("latin-1") for name, value in os.environb.items()
                }
            self._kept = cleaned(given, str(keep or ""), str(add or ""))
        return self._kept

    def get(self, name: str) -> str | None:
        """The value or None."""
        return self.variables.get(name)


def cleaned(variables: Mapping[str, str], keep: str, add: str) -> dict[str, str]:
    """Give what the two options leave of an environment.

    ``keep``: a list of patterns, matched with regard to case: names, ``*`` and what a name ends with,
    regular expressions, ``!`` before any; not expanded. ``add``: a list of ``name=value``. Patterns that are
    lookups or named lists are not known here and match nothing. Manual 14.
    """
    from eximious.interpreter.listsplit import split_list

    kept: dict[str, str] = {}
    if keep:
        patterns = [pattern for pattern in split_list(keep) if pattern]
        kept = {name: value for name, value in variables.items() if _matches(name, patterns)}
    for item in split_list(add) if add else ():
        name, equals, value = item.partition("=")
        if not equals:
            kept.pop(name, None)
        elif name:
            kept[name] = value
    return kept


def _matches(name: str, patterns: list[str]) -> bool:
    positive = True
    for pattern in patterns:
        positive = not pattern.startswith("!")
        body = pattern if positive else pattern[1:].lstrip(" \t")
        if _matches_one(name, body):
            return positive
    return bool(patterns) and not positive


def _matches_one(name: str, pattern: str) -> bool:
    if pattern.startswith("^"):
        from eximious.interpreter.regex import compile_regex

        return compile_regex(pattern).search(name) is not None
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    return name == pattern


class SystemChance:
    """Random numbers from the system."""

    def below(self, limit: int) -> int:
        """A number from 0 to limit-1."""
        return int.from_bytes(os.urandom(16), "little") % limit if limit > 0 else 0


class SeededChance:
    """Numbers that are the same for the same seed."""

    def __init__(self, seed: int) -> None:
        from random import Random

        self._random = Random(seed)

    def below(self, limit: int) -> int:
        """A number from 0 to limit-1."""
        return self._random.randrange(limit) if limit > 0 else 0
