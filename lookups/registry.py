"""The registry of lookup types: one declaration per type, its module imported on first use.

A type is a class under :func:`lookup`; one instance serves all searches of a process and holds no
state: what is open belongs to the handle that ``open`` gives, which :mod:`eximious.lookups.handles`
keeps per run. Which versions and builds know a type comes from the language facts, not from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Defer, ExpansionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from eximious.interpreter.context import Context

    T = TypeVar("T", bound="type[Lookup]")

SINGLE_KEY = "single-key"  #: ``${lookup {key} type {file}}`` (manual 9.3)
QUERY = "query"  #: ``${lookup type {query}}`` (manual 9.4)
ABSFILE_QUERY = "absfile-query"  #: a query with an absolute file name before it (manual 9.22)

#: type name -> module of this package that registers it
MODULES = {
    "cdb": "cdb",
    "dbm": "dbm",
    "dbmjz": "dbm",
    "dbmnz": "dbm",
    "dnsdb": "dnsdb",
    "dsearch": "dsearch",
    "ibase": "elsewhere",
    "iplsearch": "lsearch",
    "json": "json",
    "ldap": "ldap",
    "ldapauth": "ldap",
    "ldapdn": "ldap",
    "ldapm": "ldap",
    "lmdb": "lmdb",
    "lsearch": "lsearch",
    "mysql": "mysql",
    "nis": "nis",
    "nis0": "nis",
    "nisplus": "elsewhere",
    "nmh": "nmh",
    "nwildlsearch": "lsearch",
    "oracle": "elsewhere",
    "passwd": "passwd",
    "pgsql": "pgsql",
    "readsock": "readsock",
    "redis": "redis",
    "spf": "spf",
    "sqlite": "sqlite",
    "testdb": "testdb",
    "testdb2": "testdb",
    "testdb_nq": "testdb",
    "whoson": "elsewhere",
    "wildlsearch": "lsearch",
}


class OpenFailed(ExpansionError):
    """A source could not be opened. ``${lookup`` fails with the message; in a list Exim gives up the run."""


class SearchDefer(Defer):
    """A search gave no answer. ``reason`` is the type's own text, ``message`` what ``${lookup`` says."""

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(reason if message is None else message)
        self.reason = reason


class Question:
    """One search for one key (or query) in one open source.

    ``file`` is the name of the source (empty for query types without one), ``key`` the key or query,
    ``options`` the type's options that are left when ``ret=key`` and ``cache=`` are taken out,
    ``expand`` expands text in the configuration's state. ``keep`` is set by the type: how many seconds
    the answer may be kept (None: as long as the source is open; 0: neither it nor older answers).
    """

    __slots__ = ("ctx", "expand", "file", "keep", "key", "options")

    def __init__(
        self, ctx: Context, file: str, key: str, options: list[str], expand: Callable[[str], str]
    ) -> None:
        self.ctx, self.file, self.key, self.options, self.expand = ctx, file, key, options, expand
        self.keep: int | None = None


class Lookup:
    """What a lookup type does; the declaration is put on the class by :func:`lookup`."""

    name = ""  #: as written in a configuration
    style = SINGLE_KEY
    section = ""  #: of the manual
    quoting = False  #: whether ``${quote_TYPE:`` exists, and a tainted query should have been through it

    def open(self, ctx: Context, file: str) -> Any:
        """Open the source named ``file`` ("" for query types without one); raises OpenFailed."""
        return None

    def find(self, handle: Any, question: Question) -> str | None:
        """Give what is found (plain or Tainted text), None if nothing; raises SearchDefer(reason)."""
        raise NotImplementedError

    def asker(self, handle: Any) -> Callable[[str], str | None] | None:
        """What gives the answer for a key as ``find`` does, None for types where more than handle and key matters."""
        return None

    def close(self, handle: Any) -> None:
        """Close what ``open`` gave."""


LOOKUPS: dict[str, Lookup] = {}


def lookup(name: str, *, style: str, section: str, quoting: bool = False) -> Callable[[T], T]:
    """Register a class as the lookup type ``name``; one class may be registered for several."""

    def register(cls: T) -> T:
        made = cls()
        made.name, made.style, made.section, made.quoting = name, style, section, quoting
        LOOKUPS[name] = made
        return cls

    return register


def find_type(name: str) -> Lookup | None:
    """Give the type called ``name``, importing its module on first use; None if there is none."""
    found = LOOKUPS.get(name)
    if found is None and name in MODULES:
        from importlib import import_module

        import_module("eximious.lookups." + MODULES[name])
        found = LOOKUPS.get(name)
    return found
