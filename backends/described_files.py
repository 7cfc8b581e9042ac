"""The files of a described world: ``root/`` as ``/``, and what only ``files:`` can say of them.

A path that is in neither is a question, except where it is said that there is nothing else: ``FOLDER/*:
absent``. The configuration that was named, and what is beside it, are read where the world has them not.
"""

from __future__ import annotations

import os
import posixpath
import stat
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.backends.described import ABSENT, covered, failure, lines
from eximious.backends.files import RealFiles, RootedFiles, Seeing, open_here
from eximious.interpreter.outcomes import Refused, Unanswered

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, BinaryIO

    from eximious.backends.described import World
    from eximious.backends.described_yaml import Node

#: type of a file in a description -> its bits of st_mode
TYPES = {
    "file": stat.S_IFREG,
    "folder": stat.S_IFDIR,
    "link": stat.S_IFLNK,
    "fifo": stat.S_IFIFO,
    "socket": stat.S_IFSOCK,
    "character": stat.S_IFCHR,
    "block": stat.S_IFBLK,
}
#: fact -> field of os.stat_result
FACTS = {
    "uid": "st_uid",
    "gid": "st_gid",
    "size": "st_size",
    "links": "st_nlink",
    "inode": "st_ino",
    "device": "st_dev",
    "atime": "st_atime",
    "mtime": "st_mtime",
    "ctime": "st_ctime",
}
#: facts that the copy in root/ has as the file has them; the others depend on the machine that holds it
_OF_THE_COPY = frozenset(("size",))
_HELD = 4096  #: files that are remembered while the world stands still
_NOT_THERE = frozenset(("ENOENT", "ENOTDIR"))


class DescribedStat:
    """What is known of a file, as os.stat_result names it; what is not described is a question when used."""

    def __init__(self, path: str, kept: os.stat_result | None, facts: Node | None) -> None:
        self._path, self._kept, self._facts = path, kept, facts

    def _fact(self, name: str) -> Any:
        found = self._facts.get(name) if self._facts is not None else None
        return None if found is None else found

    @property
    def st_mode(self) -> int:
        """Type and permissions: as described, else those of the file in root/."""
        mode, type_ = self._fact("mode"), self._fact("type")
        whole = self._kept.st_mode if self._kept is not None else stat.S_IFREG | 0o644
        if type_ is not None:
            whole = TYPES[type_.value] | stat.S_IMODE(whole)
        if mode is not None:
            whole = stat.S_IFMT(whole) | int(mode.text, 8)
        return whole

    def __getattr__(self, name: str) -> Any:
        fact = next((fact for fact, field in FACTS.items() if field == name), None)
        if fact is None or name.startswith("__"):
            raise AttributeError(name)
        described = self._fact(fact)
        if described is not None:
            return described.value
        if fact in _OF_THE_COPY and self._kept is not None:
            return getattr(self._kept, name)
        example: dict[str, Any] = {"mode": f"{stat.S_IMODE(self.st_mode):04o}"}
        for other, value in (("uid", 0), ("gid", 0), ("links", 1), ("inode", 1), ("device", 1)):
            given = self._fact(other)
            example[other] = given.value if given is not None else value
        for other in ("atime", "mtime", "ctime"):
            given = self._fact(other)
            example[other] = given.value if given is not None else 1735732800
        raise Unanswered("files", f"{fact} of {self._path}", lines({"files": {self._path: example}}))


class DescribedFiles(Seeing):
    """The files of a world.

    ``own``: the configuration's file and folder, which are read for real where the world does not have them
    (the file itself in any case).
    """

    def __init__(self, world: World, own: Iterable[str] = ()) -> None:
        own = list(own)
        self._world = world
        root = os.fsencode(world.path("root")).decode("latin-1")
        self._root = RootedFiles(root)
        #: while the world is held still: what was found for (path, whether links are followed), an error's number
        self._found: dict[tuple[str, bool], os.stat_result | DescribedStat | int] | None = None
        self._own = RealFiles(own) if own else None
        self._config = own[0] if own else ""
        self._said = {
            _plain(path): node for path, node in world.mapping("files").items() if path[-2:] != "/*"
        }
        self._empty = tuple(
            _plain(path[:-2]).rstrip("/") + "/"
            for path, node in world.mapping("files").items()
            if path[-2:] == "/*" and node.value == ABSENT
        )

    def hold(self) -> None:
        """Let the world stand still until :meth:`release`: each file and folder is looked at once."""
        self._found = {}
        self._root.hold()

    def release(self) -> None:
        """The world may change again."""
        self._found = None
        self._root.release()

    def _check(self, path: str, looking: bool = False) -> Node | None:
        """What is said of a path; raises what the description says that happens.

        ``looking``: it is not opened; then ``fails`` counts only where nothing else is said of the file.
        """
        said = self._said.get(_plain(path))
        if said is None:
            return None
        if said.value == ABSENT:
            raise failure("ENOENT")
        fails = said.get("fails")
        if fails is not None and not (looking and len(said.value) > 1):
            raise failure(fails.value)
        return said

    def _is_own(self, path: str) -> bool:
        """Whether a path is for the real files, since the world does not have it."""
        if self._own is None or not self._own.may_hold(path):
            return False
        try:
            self._own.stat(path)
        except (OSError, Refused):
            return False
        return True

    def _missing(self, path: str, what: str, folder: bool = False) -> OSError | Unanswered:
        """What to raise for a path that root/ does not have."""
        plain = _plain(path)
        if not path.partition("\0")[0] or covered(plain, self._empty):
            return failure("ENOENT")
        kind = "the folder" if folder else "the file"
        above = posixpath.dirname(plain).rstrip("/")
        add = (
            f"{kind} root{plain}\nor, where it does not exist, in world.yaml:\nfiles:\n  {plain}: absent\n"
            f"or, where nothing else is in that folder either:\nfiles:\n  {above}/*: absent"
        )
        return Unanswered("files", f"{what} {plain}", add)

    def open(self, path: str) -> BinaryIO:
        """Open for reading. Raises OSError as described, or Unanswered."""
        if path == self._config and self._own is not None and os.path.isfile(path.encode("latin-1")):
            return self._own.open(path)
        self._check(path)
        with suppress(FileNotFoundError):
            return self._root.open(path)
        if self._own is not None and self._is_own(path):
            return self._own.open(path)
        raise self._missing(path, "the content of")

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        """As os.stat; what is neither described nor kept by a copy is a question when it is used."""
        known = self._found
        if known is None:
            return self._stat(path, follow_symlinks)
        found = known.get((path, follow_symlinks))
        if found is None:
            try:
                found = self._stat(path, follow_symlinks)
            except OSError as problem:
                if problem.errno is None:
                    raise
                _remember(known, path, follow_symlinks, problem.errno)
                raise
            _remember(known, path, follow_symlinks, found)
        if isinstance(found, int):
            raise OSError(found, os.strerror(found))
        return found  # type: ignore[return-value]

    def exists(self, path: str) -> bool:
        """Whether there is something to look at; see :meth:`stat`."""
        known = self._found.get((path, True)) if self._found is not None else None
        return super().exists(path) if known is None else not isinstance(known, int)

    def _stat(self, path: str, follow_symlinks: bool) -> os.stat_result:
        said = self._check(path, True)
        kept = None
        with suppress(FileNotFoundError):
            kept = self._root.stat(path, follow_symlinks)
        if kept is None and said is None:
            if self._own is not None and self._is_own(path):
                return self._own.stat(path, follow_symlinks)
            raise self._missing(path, "whether there is")
        if said is not None and not follow_symlinks and said.get("link") is not None:
            said = said.get("link")
        return DescribedStat(_plain(path), kept, said)  # type: ignore[return-value]

    def listdir(self, path: str) -> list[str]:
        """The names in a folder: as described, else those in root/ where nothing else is there (``/*``)."""
        said = self._check(path)
        names = said.get("names") if said is not None else None
        if names is not None:
            return [one.text for one in names.value]
        try:
            found = self._root.listdir(path)
        except FileNotFoundError:
            if self._own is not None and self._is_own(path):
                return self._own.listdir(path)
            raise self._missing(path, "the names in", True) from None
        plain = _plain(path)
        if not covered(plain.rstrip("/") + "/", self._empty):
            more = f"files:\n  {plain.rstrip('/')}/*: absent"
            raise Unanswered(
                "files", f"the names in {plain}", f"in world.yaml, if what is in root{plain} is all:\n{more}"
            )
        return sorted(name for name in found if name != ".gitkeep")

    def local_path(self, path: str, write: bool = False) -> str:
        """Where the file is in the world. A described world is never written to: raises Refused for that."""
        if write:
            raise Refused(
                "files", f"writing to {path} in a described world", "--live files --allow write=DIR"
            )
        self._check(path)
        place = self._root.local_path(path)
        if not os.path.lexists(place.encode("latin-1")):
            if self._own is not None and self._is_own(path):
                return self._own.local_path(path)
            missing = self._missing(path, "the content of")
            if isinstance(missing, Unanswered):
                raise missing
        return place

    def text(self, path: str) -> str:
        """The text of a file."""
        with self.open(path) as stream:
            return stream.read().decode("latin-1")


def _remember(known: dict[tuple[str, bool], Any], path: str, follow_symlinks: bool, found: Any) -> None:
    if len(known) >= _HELD:
        known.clear()
    known[path, follow_symlinks] = found


@lru_cache(maxsize=4096)
def _plain(path: str) -> str:
    """A path without what does not matter: doubled slashes, dots, a slash at the end."""
    plain = posixpath.normpath("/" + path.partition("\0")[0])
    return plain[1:] if plain.startswith("//") else plain


def facts_of(found: os.stat_result) -> dict[str, Any]:
    """What a description says of a file that the system describes so."""
    kind = stat.S_IFMT(found.st_mode)
    facts: dict[str, Any] = {
        "type": next(name for name, bits in TYPES.items() if bits == kind),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
    }
    for fact, field in FACTS.items():
        value = getattr(found, field)
        facts[fact] = int(value) if fact in ("atime", "mtime", "ctime") else value
    return facts


__all__ = ["DescribedFiles", "DescribedStat", "facts_of", "open_here"]
