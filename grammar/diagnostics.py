"""What is said about a configuration: one type for reading, resolving, linting and running.

A :class:`Diagnostic` keeps Exim's own words apart from ours: ``message`` is byte for byte what Exim
prints (if Exim says anything), ``hint`` is what we add. It renders as text with a caret or as a dict.
"""

from __future__ import annotations

from eximious.grammar.source import Position, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eximious.grammar.source import Sources

ERROR = "error"  #: Exim refuses it, or fails when it gets there
WARNING = "warning"  #: Exim takes it, but hardly as meant
NOTE = "note"  #: worth knowing

CONTROLS = {code: f"\\{code:03o}" for code in (*range(32), 127)}


class Related:
    """A second place that belongs to a diagnostic ("first defined here")."""

    __slots__ = ("message", "position")

    def __init__(self, message: str, position: Position) -> None:
        self.message, self.position = message, position

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"message": self.message, **self.position.to_dict()}


class Diagnostic:
    """One finding.

    ``code``: short stable name (``macro-redefined``); ``severity``: error, warning or note; ``message``:
    Exim's words; ``where``: a :class:`Position`, a :class:`Span` or None; ``exim_place``: (file, line) that
    Exim names in its message, None if it names none; ``fatal``: Exim stops here; ``hint``: advice;
    ``related``: other places.
    """

    __slots__ = ("code", "exim_place", "fatal", "hint", "message", "related", "severity", "where")

    def __init__(
        self,
        code: str,
        severity: str,
        message: str,
        where: Position | Span | None = None,
        *,
        hint: str | None = None,
        related: tuple[Related, ...] = (),
        exim_place: tuple[str, int] | None = None,
        fatal: bool = False,
    ) -> None:
        self.code, self.severity, self.message, self.where = code, severity, message, where
        self.hint, self.related, self.exim_place, self.fatal = hint, related, exim_place, fatal

    def __repr__(self) -> str:
        return f"Diagnostic({self.code!r}, {self.severity!r}, {self.message!r}, {self.position})"

    @property
    def position(self) -> Position | None:
        """Where it begins."""
        return self.where.position if isinstance(self.where, Span) else self.where

    @property
    def length(self) -> int:
        """How many characters of the line it covers (at least 1)."""
        if isinstance(self.where, Span):
            start, end = self.where.position, self.where.end_position
            if (
                start
                and end
                and (start.file, start.line) == (end.file, end.line)
                and end.column > start.column
            ):
                return end.column - start.column
        return 1

    def exim_text(self) -> str:
        """Give what Exim prints for a refused configuration (without the time and the line end)."""
        if self.exim_place is None:
            return f"Exim configuration error:\n  {self.message}"
        file, line = self.exim_place
        return f"Exim configuration error in line {line} of {file}:\n  {self.message}"

    def render(self, source: Sources | None = None) -> str:
        """Give the text form: place, severity, code and message, the source line with a caret, the hint."""
        position = self.position
        place = f"{position}: " if position else ""
        out = [f"{place}{self.severity}[{self.code}]: {printable(_one_line(self.message))}"]
        line = source.line(position.file, position.line) if source and position else None
        if line is not None and position is not None:
            out.extend(caret(line, position.column, self.length))
        if position is not None:
            for via in position.via:
                defined = f" (defined at {via.file}:{via.line})" if via.line else ""
                out.append(f"  in the replacement of macro {via.name}{defined}")
        out.extend(f"  {other.position}: {other.message}" for other in self.related)
        if self.hint:
            out.append(f"  hint: {self.hint}")
        return "\n".join(out)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        position = self.position
        found: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "position": position.to_dict() if position else None,
            "length": self.length,
        }
        if self.hint:
            found["hint"] = self.hint
        if self.related:
            found["related"] = [other.to_dict() for other in self.related]
        return found


def _one_line(text: str) -> str:
    """Join the lines of a message: Exim indents those after the first by two blanks."""
    return text.replace("\n  ", " ").replace("\n", " ")


def printable(text: str) -> str:
    """Give ``text`` fit for a terminal: control characters as octal escapes, the rest as it is."""
    return text if text.isprintable() else text.replace("\t", " ").translate(CONTROLS)


def caret(line: str, column: int, length: int = 1, width: int = 100) -> list[str]:
    """Give ``line`` and, under it, carets below ``length`` characters from ``column`` (from 1) on.

    A long line is cut to ``width`` characters around the place.
    """
    start = max(column - 1, 0)
    text, left = line, 0
    if len(text) > width:
        left = max(0, min(start - width // 3, len(text) - width))
        text = text[left : left + width]
    shown = ("..." if left else "") + text + ("..." if left + len(text) < len(line) else "")
    at = start - left + (3 if left else 0)
    count = max(1, min(length, len(shown) - at))
    under = "".join("\t" if char == "\t" else " " for char in shown[:at].ljust(at))
    clean = shown.translate({code: "?" for code in CONTROLS if code != 9})
    return [f"    {clean}", f"    {under}{'^' * count}"]
