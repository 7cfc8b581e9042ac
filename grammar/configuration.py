"""Reading a configuration: the one entry of this package for whoever wants to use one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.catalogue import Catalogue
from eximious.grammar.config_check import Checker
from eximious.grammar.config_model import Configuration, Instance, NamedListEntry, Outside
from eximious.grammar.config_parser import parse_configuration
from eximious.grammar.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from eximious.grammar.config_values import Users
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.grammar.reader import Files, LogicalLine

__all__ = ["Configuration", "Instance", "NamedListEntry", "SystemUsers", "load_configuration"]


class SystemUsers:
    """The user database of this machine."""

    def user(self, name: str) -> tuple[int, int] | None:
        """Give uid and primary gid of a login name, or None."""
        import pwd

        try:
            entry = pwd.getpwnam(name)
        except (KeyError, ValueError, UnicodeError):
            return None
        return entry.pw_uid, entry.pw_gid

    def group(self, name: str) -> int | None:
        """Give the gid of a group name, or None."""
        import grp

        try:
            return grp.getgrnam(name).gr_gid
        except (KeyError, ValueError, UnicodeError):
            return None

    def user_name(self, uid: int) -> str | None:
        """Give the login name of a uid, or None."""
        import pwd

        try:
            return pwd.getpwuid(uid).pw_name
        except (KeyError, OverflowError):
            return None

    def group_name(self, gid: int) -> str | None:
        """Give the name of a group, or None."""
        import grp

        try:
            return grp.getgrgid(gid).gr_name
        except (KeyError, OverflowError):
            return None

    def primary_group(self, uid: int) -> int | None:
        """Give the primary gid of the user with this uid, or None."""
        import pwd

        try:
            return pwd.getpwuid(uid).pw_gid
        except (KeyError, OverflowError):
            return None


def load_configuration(
    path: str,
    catalogue: Catalogue | None = None,
    defines: Mapping[str, str] | None = None,
    files: Files | None = None,
    users: Users | None = None,
    expand: Callable[[Configuration, str], str] | None = None,
    *,
    hostname: str | None = None,
    parse_address: Callable[[str], tuple[str | None, str]] | None = None,
    regex_error: Callable[[str], tuple[str, int] | None] | None = None,
    keep_lines: bool = False,
) -> Configuration:
    """Read the configuration in the file ``path`` (latin-1 text).

    ``catalogue``: version and build; ``defines``: macros of the command line; ``files`` opens files;
    ``users`` answers for users and groups (default: this machine's); ``expand``: called with the
    configuration as far as it is read for the few options that Exim expands while reading; it raises an
    exception with ``message``, Exim's words; ``hostname``: this machine's name (default: as uname gives it);
    ``parse_address``: text -> (address or None, Exim's complaint); ``regex_error``: pattern -> (PCRE2's
    message, offset) or None; ``keep_lines``: keep what ``-bP config`` prints. Without ``expand`` texts are
    taken as they stand, without the other two nothing is checked. Findings are in ``diagnostics``. Raises
    OSError if the file itself cannot be read.
    """
    if catalogue is None:
        catalogue = Catalogue()
    reader = Reader(catalogue, defines, files, diagnostics=[], keep_lines=keep_lines)
    configuration = Configuration(path, catalogue, reader)
    configuration.regex_error = regex_error
    earlier: list[tuple[int, Diagnostic]] = []
    configuration.tree, lines = parse_configuration(_watched(reader, path, earlier), catalogue)

    def expand_now(text: str) -> str:
        return text if expand is None else expand(configuration, text)

    configuration.expand_now = None if expand is None else expand_now
    if hostname is None:
        import os

        hostname = os.uname().nodename
    outside = Outside(users or SystemUsers(), expand_now, hostname, parse_address)
    checker = Checker(configuration, lines, outside)
    checker.run()
    configuration.diagnostics = checker.sorted(earlier)
    return configuration


def _watched(reader: Reader, path: str, earlier: list[tuple[int, Diagnostic]]) -> Iterator[LogicalLine]:
    """Pass the reader's lines on; note before which line each of its findings came."""
    diagnostics = reader.diagnostics
    count = number = 0
    for line in reader.read(path):
        if len(diagnostics) > count:
            earlier.extend((number, found) for found in diagnostics[count:])
            count = len(diagnostics)
        number += 1
        yield line
    earlier.extend((number, found) for found in diagnostics[count:])
