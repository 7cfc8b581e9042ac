"""Logical lines: what the reader yields and the parsers of sections take, with the way back to the file."""

from __future__ import annotations

from bisect import bisect_right

from eximious.grammar.source import Position, SourceMap, Via

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eximious.grammar.macros import Edit

TEXT, MACRO, BEGIN = 0, 1, 2  #: kinds of a logical line
COMMENT, BLANK, DIRECTIVE, SKIPPED = "comment", "blank", "directive", "skipped"  #: kinds of trivia


class LogicalLine(SourceMap):
    """One logical line.

    ``text``: what Exim's parser sees; ``file`` and ``line``: what Exim would name in an error (the last
    physical line of it); ``kind``: TEXT, MACRO (a definition) or BEGIN (a section starts).
    """

    __slots__ = ("_segments", "file", "kind", "line", "text")

    def __init__(self, text: str, file: str, line: int, kind: int, segments: int | list[Segment]) -> None:
        self.text, self.file, self.line, self.kind = text, file, line, kind
        #: a number: one physical line with that many blanks before the text and no macros
        self._segments = segments

    def __repr__(self) -> str:
        return f"LogicalLine({self.text!r}, {self.file!r}, {self.line})"

    @property
    def first(self) -> tuple[str, int]:
        """File and line where it begins."""
        if isinstance(self._segments, int):
            return self.file, self.line
        return self._segments[0].file, self._segments[0].line

    def position(self, offset: int) -> Position:
        """Give the place of the character at ``offset`` of the text."""
        segments = self._segments
        if isinstance(segments, int):
            return Position(self.file, self.line, segments + offset + 1)
        found = segments[max(bisect_right(segments, offset, key=_start) - 1, 0)]
        return found.position(offset - found.start)


class Segment:
    """The part of a logical line that one physical line gave."""

    __slots__ = ("edits", "file", "line", "start", "stripped")

    def __init__(self, start: int, file: str, line: int, stripped: int, edits: list[Edit]) -> None:
        #: offset in the logical line; blanks removed from the front of the physical line; replacements
        self.start, self.file, self.line, self.stripped, self.edits = start, file, line, stripped, edits

    def position(self, offset: int) -> Position:
        at = offset + self.stripped
        via: list[Via] = []
        for where, size, grow, macro in reversed(self.edits):
            if at >= where + grow:
                at += size - grow
            elif at >= where:
                at = where
                via.append(Via(macro.name, macro.file, macro.line))
        return Position(self.file, self.line, at + 1, tuple(reversed(via)))


def _start(segment: Segment) -> int:
    return segment.start


class Trivia:
    """A physical line that gave no text: ``kind`` comment, blank, directive or skipped (inactive)."""

    __slots__ = ("file", "kind", "line")

    def __init__(self, file: str, line: int, kind: str) -> None:
        self.file, self.line, self.kind = file, line, kind

    def __repr__(self) -> str:
        return f"Trivia({self.file!r}, {self.line}, {self.kind!r})"
