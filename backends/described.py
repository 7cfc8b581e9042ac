"""The described world: ``world.yaml``, what was recorded beside it, zone files and the files of ``root/``.

It knows the form of the description and finds its parts; the doors that answer from them are in the modules
``described_…``. Nothing is read before it is needed, except the two YAML files.
"""

from __future__ import annotations

import errno
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.backends.described_yaml import DescriptionError, Node, read_yaml, write_yaml

if TYPE_CHECKING:
    from typing import Any

DESCRIPTION = "world.yaml"  #: written by hand
RECORDED = "recorded.yaml"  #: written by recording, in the same form; world.yaml comes before it
SIZE_LIMIT = 256 * 1024 * 1024  #: bytes of a description that are read
ABSENT = "absent"
#: mappings whose key * stands for all that is not named, and their word for what is not there
OTHERS = "*"


class World:
    """A description. ``folder``: where it is; ``documents``: world.yaml and recorded.yaml, as far as read."""

    def __init__(self, folder: str, documents: list[Node]) -> None:
        self.folder = folder
        self.documents = documents
        #: how often each answer that is there several times was given
        self._turns: dict[Any, int] = {}

    @classmethod
    def load(cls, folder: str) -> World:
        """Read and check a description (the zone files are read when they are asked).

        Raises DescriptionError for the first thing that is wrong.
        """
        world, problems = cls.read(folder)
        if problems:
            first = problems[0]
            more = f" (and {len(problems) - 1} more: eximious world check)" if len(problems) > 1 else ""
            raise DescriptionError(first.file, first.line, first.column, first.why + more)
        return world

    @classmethod
    def read(cls, folder: str) -> tuple[World, list[DescriptionError]]:
        """Read a description; gives it and all that is wrong with its YAML files."""
        from eximious.backends.described_check import check_meaning
        from eximious.backends.described_schema import check, load_schema

        documents: list[Node] = []
        problems: list[DescriptionError] = []
        if not os.path.isdir(folder):
            return cls(folder, []), [DescriptionError(folder, 0, 0, "there is no such folder")]
        schema = load_schema()
        found = False
        for name in (DESCRIPTION, RECORDED):
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as stream:
                    data = stream.read(SIZE_LIMIT)
            except FileNotFoundError:
                continue
            except OSError as problem:
                problems.append(DescriptionError(path, 0, 0, problem.strerror or str(problem)))
                continue
            found = True
            try:
                document = read_yaml(data.decode("utf-8"), path)
            except UnicodeDecodeError as problem:
                line = data.count(b"\n", 0, problem.start) + 1
                column = problem.start - data.rfind(b"\n", 0, problem.start)
                problems.append(
                    DescriptionError(path, line, column, "not UTF-8 (use !!binary for other bytes)")
                )
                continue
            except DescriptionError as error:
                problems.append(error)
                continue
            wrong = check(document, schema) or check_meaning(document, folder)
            problems += wrong
            if not wrong:
                documents.append(document)
        if not found and not problems:
            problems.append(DescriptionError(folder, 0, 0, f"is no world: there is no {DESCRIPTION} in it"))
        return cls(folder, documents), problems

    def path(self, *parts: str) -> str:
        """The path of something in the world's folder."""
        return os.path.join(self.folder, *parts)

    def first(self, name: str, *below: str) -> Node | None:
        """The first value of a key (and of keys below it); None where no document has it."""
        for document in self.documents:
            node: Node | None = document.get(name)
            for key in below:
                node = node.get(key) if node is not None else None
            if node is not None:
                return node
        return None

    def items(self, name: str, *below: str) -> list[Node]:
        """The items of a list, of all documents."""
        found: list[Node] = []
        for document in self.documents:
            node: Node | None = document.get(name)
            for key in below:
                node = node.get(key) if node is not None else None
            if node is not None:
                found += node.value
        return found

    def mapping(self, name: str) -> dict[str, Node]:
        """A mapping of all documents; world.yaml's entries win."""
        found: dict[str, Node] = {}
        for document in reversed(self.documents):
            node = document.get(name)
            if node is not None:
                found.update(node.value)
        return found

    def take_turn(self, candidates: list[Node]) -> Node:
        """Of answers to the same question the one whose turn it is; the last one stays."""
        if len(candidates) == 1:
            return candidates[0]
        key = id(candidates[0])
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        return candidates[min(turn, len(candidates) - 1)]


@lru_cache(maxsize=1024)
def pattern(text: str) -> re.Pattern[str]:
    """The compiled regular expression of a description; a dot matches newlines, too."""
    return re.compile(text, re.DOTALL)


def text_of(node: Node) -> str:
    """A scalar as text: as it is written."""
    return node.text


def entry_text(node: Node, key: str, default: str = "") -> str:
    """The text of a key, ``default`` where it is missing."""
    found = node.get(key)
    return default if found is None else found.text


def flag(node: Node, key: str) -> bool:
    """Whether a key is there and true."""
    found = node.get(key)
    return found is not None and bool(found.value)


def failure(name: str) -> OSError:
    """The system error of this name (``EACCES``)."""
    number: int = getattr(errno, name)
    return OSError(number, os.strerror(number))


def lines(value: dict[str, Any], note: str = "") -> str:
    """What to add to world.yaml, as text to print."""
    return f"in world.yaml{note}:\n" + write_yaml(value).rstrip("\n")


def covered(path: str, absent: tuple[str, ...]) -> bool:
    """Whether a path is below one of the folders of which ``FOLDER/*: absent`` is said."""
    return path.startswith(absent)


__all__ = [
    "ABSENT",
    "DESCRIPTION",
    "OTHERS",
    "RECORDED",
    "DescriptionError",
    "World",
    "covered",
    "entry_text",
    "failure",
    "flag",
    "lines",
    "pattern",
    "text_of",
]
