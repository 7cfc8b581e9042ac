"""Evaluates expansions in this process, for tests of lists and the DNS: real files, no front, no reader."""

from __future__ import annotations

import os
import pwd
import re
import time
from typing import TYPE_CHECKING

from eximious.backends.files import Seeing
from eximious.conditions.lists.result import ListPanic
from eximious.grammar.catalogue import Catalogue
from eximious.interpreter.context import Context
from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.state import Address, Doors, Environment, Message, Session

if TYPE_CHECKING:
    from pathlib import Path

_LIST = re.compile(r"(domain|host|address|localpart)list(_cache)? (\S+) = ?(.*)")


class _Files(Seeing):
    def open(self, path):
        return open(path, "rb")

    def stat(self, path, follow_symlinks=True):
        return os.stat(path, follow_symlinks=follow_symlinks)

    def listdir(self, path):
        return os.listdir(path)

    def local_path(self, path):
        return path


class _Clock:
    time = None

    def now(self):
        return time.time() if self.time is None else self.time


class _Chance:
    def below(self, limit):
        return 0


class _Machine:
    def caller(self):
        return 0, 0


class _Users:
    def getpwnam(self, name):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            return None


def _doors(resolver):
    """Only what lists and lookups in lists need."""
    closed = dict.fromkeys(("processes", "sockets", "environ", "verdicts"))
    return Doors(
        **closed,
        files=_Files(),
        clock=_Clock(),
        chance=_Chance(),
        users=_Users(),
        machine=_Machine(),
        resolver=resolver,
    )


class ListWorld:
    """An environment with named lists and options; ``session`` is what its evaluations see."""

    def __init__(
        self, *, lists=None, cached=(), options=None, version=(4, 96), resolver=None, name="the.host.example"
    ):
        self.named_lists = {"d": {}, "h": {}, "a": {}, "l": {}} | (lists or {})
        self.environment = Environment(
            version=version,
            options=options or {},
            doors=_doors(resolver),
            named_lists=self.named_lists,
            cached_lists=set(cached),
            primary_hostname=name,
            catalogue=Catalogue(version),
        )
        self.logged = []
        self.environment.log = lambda line, where="main": self.logged.append((where, line))
        self.session = Session()

    @classmethod
    def of_config(cls, path: Path, version=(4, 96), **more) -> ListWorld:
        """Read the named lists, primary_hostname and local_interfaces of a simple configuration."""
        lists = {"d": {}, "h": {}, "a": {}, "l": {}}
        cached, options = set(), {}
        name = "the.host.example"
        for line in path.read_text(encoding="latin-1").split("\n"):
            found = _LIST.match(line)
            if found is not None:
                lists[found[1][0]][found[3]] = found[4].strip()
                if found[2]:
                    cached.add((found[1][0], found[3]))
            elif found := re.match(r"(\w+) = ?(.*)", line):
                options[found[1]] = found[2].strip()
        name = options.get("primary_hostname", name)
        return cls(lists=lists, cached=cached, options=options, version=version, name=name, **more)

    def context(self) -> Context:
        """A fresh context with the session."""
        return Context(self.environment, self.session, Message(), Address())

    def answer(self, text: str, context: Context | None = None) -> str:
        """What ``-be`` prints for a line; ``died: ...`` where the real Exim ends its process."""
        try:
            return expand(text, context or self.context())
        except ListPanic as panic:
            return "died: " + panic.message
        except Failure as failure:
            return "Failed: " + failure.message
