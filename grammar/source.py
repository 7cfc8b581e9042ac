"""Where text comes from: positions, spans and the maps that lead from a text back to its file.

Every text the later stages work on (a logical line, an option's value, a list element, a macro's
replacement) is a plain ``str``; beside it goes a :class:`SourceMap` that turns an offset in it into a
:class:`Position` in a file. Maps are made while reading and asked only when something is to be shown,
so they hold as little as possible. This module knows nothing of Exim's syntax.
"""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Via:
    """One step of a macro expansion: the name used and where the macro was defined (line 0: outside)."""

    __slots__ = ("file", "line", "name")

    def __init__(self, name: str, file: str, line: int) -> None:
        self.name, self.file, self.line = name, file, line

    def __repr__(self) -> str:
        return f"Via({self.name!r}, {self.file!r}, {self.line})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Via) and (self.name, self.file, self.line) == (
            other.name,
            other.file,
            other.line,
        )

    def __hash__(self) -> int:
        return hash((self.name, self.file, self.line))


class Position:
    """A place in a file. ``line`` and ``column`` count from 1 (columns in bytes); ``via`` is the chain of
    macros, outermost first, if the place lies inside replaced text (it then is where the outermost name
    stands)."""

    __slots__ = ("column", "file", "line", "via")

    def __init__(self, file: str, line: int, column: int, via: tuple[Via, ...] = ()) -> None:
        self.file, self.line, self.column, self.via = file, line, column, via

    def __repr__(self) -> str:
        via = f", via={self.via!r}" if self.via else ""
        return f"Position({self.file!r}, {self.line}, {self.column}{via})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Position) and (self.file, self.line, self.column, self.via) == (
            other.file,
            other.line,
            other.column,
            other.via,
        )

    def __hash__(self) -> int:
        return hash((self.file, self.line, self.column))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        found: dict[str, Any] = {"file": self.file, "line": self.line, "column": self.column}
        if self.via:
            found["via"] = [{"name": via.name, "file": via.file, "line": via.line} for via in self.via]
        return found


class SourceMap:
    """Leads from offsets in one text to positions. Subclasses give :meth:`position`."""

    __slots__ = ()

    def position(self, offset: int) -> Position:
        """Give the place of the character at ``offset`` (0 is the first; the length is allowed: the end)."""
        raise NotImplementedError

    def span(self, start: int, end: int) -> Span:
        """Give the span of the characters from ``start`` up to ``end``."""
        return Span(self, start, end)


class Span:
    """A piece of one text: ``source`` (its map, or None if nobody knows), ``start``, ``end`` (offsets)."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: SourceMap | None, start: int, end: int) -> None:
        self.source, self.start, self.end = source, start, end

    def __repr__(self) -> str:
        return f"Span({self.start}, {self.end})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Span)
            and (self.start, self.end) == (other.start, other.end)
            and self.source is other.source
        )

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    @property
    def position(self) -> Position | None:
        """The place of the first character."""
        return None if self.source is None else self.source.position(self.start)

    @property
    def end_position(self) -> Position | None:
        """The place after the last character: never before the first, in the same line if that can be."""
        if self.source is None:
            return None
        if self.end <= self.start:
            return self.source.position(self.start)
        last = self.source.position(self.end - 1)
        return Position(last.file, last.line, last.column + 1, last.via)


class Text(SourceMap):
    """A text of its own, such as an argument of the command line: ``name`` stands for the file."""

    __slots__ = ("line", "name", "text")

    def __init__(self, name: str, text: str, line: int = 1) -> None:
        self.name, self.text, self.line = name, text, line

    def position(self, offset: int) -> Position:
        before = self.text.count("\n", 0, offset)
        return Position(self.name, self.line + before, offset - (self.text.rfind("\n", 0, offset) + 1) + 1)


class Slice(SourceMap):
    """A piece of another text, taken over as it is, from ``start`` on."""

    __slots__ = ("parent", "start")

    def __init__(self, parent: SourceMap, start: int) -> None:
        self.parent, self.start = parent, start

    def position(self, offset: int) -> Position:
        return self.parent.position(self.start + offset)


class Pieces(SourceMap):
    """A text put together from pieces of another one (a quoted value without its escapes, for one).

    ``marks`` holds (offset here, offset there) where the distance changes, in rising order, from 0 on.
    """

    __slots__ = ("here", "parent", "there")

    def __init__(self, parent: SourceMap, marks: Iterable[tuple[int, int]]) -> None:
        self.parent = parent
        pairs = list(marks) or [(0, 0)]
        self.here = tuple(pair[0] for pair in pairs)
        self.there = tuple(pair[1] for pair in pairs)

    def position(self, offset: int) -> Position:
        index = max(bisect_right(self.here, offset) - 1, 0)
        return self.parent.position(self.there[index] + offset - self.here[index])


class Sources:
    """The texts of the files that were read, for showing lines of them. Texts are latin-1 ``str``."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._starts: dict[str, list[int]] = {}

    def add(self, file: str, text: str) -> None:
        """Keep the text of ``file`` (a later one of the same name replaces it)."""
        self.texts[file] = text
        self._starts.pop(file, None)

    def line(self, file: str, number: int) -> str | None:
        """Give line ``number`` (from 1) of ``file`` without its line end, or None if there is none."""
        text = self.texts.get(file)
        if text is None or number < 1:
            return None
        starts = self._starts.get(file)
        if starts is None:
            starts = [0]
            at = text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = text.find("\n", at + 1)
            self._starts[file] = starts
        if number > len(starts):
            return None
        end = text.find("\n", starts[number - 1])
        return text[starts[number - 1] : end if end >= 0 else len(text)].rstrip("\r")
