"""Files to logical lines, as Exim reads them (manual chapter 6).

Owns: physical lines, continuation, comments, macros, conditionals, includes, and which lines define
macros. It does not know options, ACLs or drivers. What it yields is exactly the text that Exim's
parsers see, with a way back to file, line and column.

Everything here was asked of the real Exim 4.96; ``fixtures/reading`` holds the questions and answers.
"""

from __future__ import annotations

import re

from eximious.grammar.diagnostics import ERROR, WARNING, Diagnostic, Related
from eximious.grammar.logical import (
    BEGIN,
    BLANK,
    COMMENT,
    DIRECTIVE,
    MACRO,
    SKIPPED,
    TEXT,
    LogicalLine,
    Segment,
    Trivia,
)
from eximious.grammar.macros import SPACE, MacroError, MacroTable
from eximious.grammar.source import Position, Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO, Protocol

    from eximious.grammar.macros import Edit

    class Files(Protocol):
        """Opens files for reading: the door to the outside. Paths are latin-1 text."""

        def open(self, path: str) -> BinaryIO:
            """Give the file opened for reading bytes. Raises OSError."""

    class Predefines(Protocol):
        """What the reader asks of a catalogue."""

        def predefined_macros(self) -> Iterable[tuple[str, str]]:
            """Give name and value of each predefined macro, in Exim's order."""


__all__ = ["BEGIN", "MACRO", "TEXT", "LogicalLine", "Reader", "RealFiles", "TooMuch", "Trivia"]

CONDITION_DEPTH = 10  #: Exim's stack of conditionals
INCLUDE_DEPTH = 200  #: ours; Exim goes on until no file can be opened any more, and then says the same
LINE_LIMIT = 4_000_000  #: physical lines in all, included files counted each time; ours, Exim has no bound
BYTE_LIMIT = 400_000_000  #: the same for bytes
GROWN_LIMIT = 200_000_000  #: bytes of all lines with macros after replacement; ours
BUFFER = 16384  #: step in which Exim's line buffer grows

#: states: lines count; they do not, but a later branch may; they do not up to .endif
_ACTIVE, _WAITING, _DONE = 0, 1, 2
#: a conditional is one only before a space or the line's end (group 2, or nothing at the end of the file)
_DIRECTIVE = re.compile(r"\.(ifdef|ifndef|elifdef|elifndef|else|endif)([ \n]?)")
_INCLUDE = re.compile(rf"\.include(_if_exists)?[{SPACE}]")
_NAME = re.compile(r"[A-Z][A-Za-z0-9_]*[ \t\n\v\f\r]*=")
_SECTIONS_WITHOUT_MACROS = ("retry", "rewrite", "local_scan")


def _open(path: str, flags: int) -> int:
    import os

    return os.open(path, flags | os.O_NONBLOCK)  # a pipe nobody writes to reads as empty


class RealFiles:
    """Opens real files, anywhere. Whoever reads untrusted names hands in something stricter."""

    def open(self, path: str) -> BinaryIO:
        """Give the file opened for reading bytes. Raises OSError."""
        return open(path.encode("latin-1"), "rb", opener=_open)


class TooMuch(Exception):
    """A bound of ours was passed; the message says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _Open:
    """A file being read."""

    __slots__ = ("at", "lines", "name")

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name, self.lines, self.at = name, lines, 0


class Reader:
    """Reads one configuration.

    ``catalogue`` gives the predefined macros (None: there are none); ``defines`` is what ``-D`` set, in
    order; ``files`` opens files; ``diagnostics`` is the list that findings are added to (the parser that
    consumes the lines may share it, so that all findings stand in the order Exim would meet them).
    After reading: ``macros``, ``trivia``, ``sources``, and with ``keep_lines`` ``printed`` (for -bP config).
    """

    def __init__(
        self,
        catalogue: Predefines | None = None,
        defines: Mapping[str, str] | None = None,
        files: Files | None = None,
        *,
        diagnostics: list[Diagnostic] | None = None,
        keep_lines: bool = False,
    ) -> None:
        self.files: Files = files or RealFiles()
        self.diagnostics: list[Diagnostic] = [] if diagnostics is None else diagnostics
        self.macros = MacroTable(
            (defines or {}).items(), catalogue.predefined_macros if catalogue is not None else tuple
        )
        self.sources = Sources()
        self.trivia: list[Trivia] = []
        #: what -bP config prints: texts, and (file, line) where the place changes
        self.printed: list[str | tuple[str, int]] | None = [] if keep_lines else None
        self.bytes_left = BYTE_LIMIT
        #: the section in which the reader is: "main" or the word after "begin", in lower case
        self.section = "main"

    def read(self, path: str) -> Iterator[LogicalLine]:
        """Yield the logical lines of the configuration file ``path`` (latin-1 text).

        Raises OSError if that file cannot be read; everything else becomes a diagnostic and reading goes on.
        """
        try:
            reading = _Reading(self, path)
        except TooMuch as error:
            return self.stop(error, path, 1)
        try:
            yield from reading.lines()
        except TooMuch as error:
            self.stop(error, reading.stack[-1].name, reading.stack[-1].at)

    def complain(
        self,
        code: str,
        message: str,
        file: str,
        line: int,
        *,
        located: bool = True,
        hint: str | None = None,
        related: tuple[Related, ...] = (),
    ) -> None:
        """Add an error in Exim's words at a physical line. ``located``: Exim names file and line in it."""
        self.diagnostics.append(
            Diagnostic(
                code,
                ERROR,
                message,
                Position(file, line, 1),
                hint=hint,
                related=related,
                exim_place=(file, line) if located else None,
                fatal=True,
            )
        )

    def stop(self, error: TooMuch, file: str, line: int) -> None:
        """Add the diagnostic of a bound of ours that ended the reading."""
        self.diagnostics.append(
            Diagnostic(
                "read-limit",
                ERROR,
                error.message,
                Position(file, line, 1),
                hint="does a file include itself?",
                fatal=True,
            )
        )

    def load(self, path: str) -> list[str]:
        """Give the physical lines of a file, with their line ends. A directory reads as empty (as in Exim).

        Raises OSError.
        """
        try:
            with self.files.open(path) as handle:
                data = handle.read(self.bytes_left + 1) or b""
        except IsADirectoryError:
            data = b""
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise TooMuch(f"the files of the configuration hold more than {BYTE_LIMIT} bytes")
        text = data.decode("latin-1")
        self.sources.add(path, text)
        return text.splitlines(True) if not _ODD_ENDS.search(text) else _split(text)


def directory_of(path: str) -> str:
    """Give the directory that relative names in the file ``path`` belong to, as Exim puts it together."""
    directory = path.rpartition("/")[0]
    if path.startswith("/"):
        return directory
    import os

    return f"{os.getcwdb().decode('latin-1')}/{directory}"


_ODD_ENDS = re.compile("[\r\v\f\x1c-\x1e\x85\x00]")


def _split(text: str) -> list[str]:
    """Split at newlines only, and cut what follows a NUL in its line."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    if not lines[-1]:
        lines.pop()
    return lines


class _Reading:
    """The state of one pass."""

    def __init__(self, reader: Reader, path: str) -> None:
        self.reader = reader
        self.stack = [_Open(path, reader.load(path))]
        self.state = _ACTIVE
        #: for each open conditional: the state around it, file and line
        self.states: list[tuple[int, str, int]] = []
        self.grown = 0  #: bytes of all lines in which macros were looked for, after replacement
        self.buffer = BUFFER  #: how large Exim's line buffer is by now

    def lines(self) -> Iterator[LogicalLine]:
        """Yield the logical lines."""
        reader = self.reader
        may_replace = reader.macros.may_replace
        trivia = reader.trivia
        printed = reader.printed
        text = ""  # the logical line so far, blanks at its front included
        front = 0  # how many
        stale = ""  # what the buffer holds behind it: a skipped line; Exim takes it in at the end of file
        segments: list[Segment] = []
        total = 0
        opened = self.stack[-1]
        while True:
            if opened.at >= len(opened.lines):
                if len(self.stack) > 1:
                    self.stack.pop()
                    opened = self.stack[-1]
                    if printed is not None:
                        printed.append((opened.name, opened.at))
                    continue
                if self.states:
                    reader.complain(
                        "if-unclosed",
                        "Unexpected end of configuration file: .endif missing",
                        opened.name,
                        opened.at,
                        related=self.opened(),
                    )
                    self.states.clear()
                if text:
                    yield self.finish((text + stale)[front:], opened, front, segments)
                return
            raw = opened.lines[opened.at]
            opened.at += 1
            total += 1
            if total > LINE_LIMIT:
                raise TooMuch(f"the configuration has more than {LINE_LIMIT} lines")
            number = opened.at
            if printed is not None and number == 1:
                printed.append((opened.name, 1))
            if len(text) + len(raw) >= self.buffer or "\0" in raw:
                raw = self.fetch(raw, len(text), opened)
            edits: list[Edit] = []
            if may_replace(raw):
                raw, edits = self.replace(raw, len(text), opened.name, number)
            body = raw.lstrip(SPACE)
            first = body[:1]
            if first == "#":
                trivia.append(Trivia(opened.name, number, COMMENT))
                stale = raw
                continue
            if first == ".":
                match = _DIRECTIVE.match(body)
                if match:
                    trivia.append(Trivia(opened.name, number, DIRECTIVE))
                    if match[2] or match.end() == len(body):
                        self.directive(match[1], bool(edits), opened.name, number)
                    else:
                        self.dropped(match[1], body[match.end()], opened.name, number)
                    stale = raw
                    self.use(edits)
                    continue
            if self.state:
                trivia.append(Trivia(opened.name, number, SKIPPED))
                stale = raw
                continue
            self.use(edits)
            if first == "." and (match := _INCLUDE.match(body)):
                trivia.append(Trivia(opened.name, number, DIRECTIVE))
                self.include(body[match.end() :], bool(match[1]), opened, number)
                opened = self.stack[-1]
                name = body[match.end() :].lstrip(SPACE)
                if name:  # Exim ends the line behind the name, and a closing quote is overwritten
                    stale = raw.rstrip(SPACE)
                    stale = stale[:-1] if name[0] == '"' and stale[-1] == '"' else stale
                else:
                    stale = raw
                continue
            stripped = len(raw) - len(body)
            body = body.rstrip(SPACE)
            if not body:
                trivia.append(Trivia(opened.name, number, BLANK))
                # it ends the logical line, unless that ended in two backslashes: one is still there
                text = text.rstrip(SPACE)
                if not text:
                    continue
                more = text[-1] == "\\"
                if more:
                    text = text[:-1]
            else:
                more = body[-1] == "\\"
                if more:
                    body = body[:-1]
            if not text:
                if not more and not edits:
                    yield self.finish(body, opened, stripped, None)
                    continue
                front = stripped
                text = raw[:stripped] + body
                segments = [Segment(0, opened.name, number, stripped, edits)]
            else:
                segments.append(Segment(len(text) - front, opened.name, number, stripped, edits))
                text += body
            stale = ""
            if not more:
                done, text = text, ""
                yield self.finish(done[front:], opened, front, segments)

    def fetch(self, raw: str, used: int, opened: _Open) -> str:
        """Give what Exim takes in of a physical line that holds a NUL or fills the line buffer.

        It reads piecewise what fits, counts the piece up to its first NUL, and enlarges the buffer only if
        that fills it; what it has not read by then becomes the next line.
        """
        got = ""
        while True:
            room = max(self.buffer - used - len(got) - 1, 0)
            piece, raw = raw[:room], raw[room:]
            got += piece.partition("\0")[0]
            if used + len(got) < self.buffer - 1 or got[-1:] == "\n":
                break
            self.buffer += BUFFER
            if not raw:
                break
        if raw:
            opened.lines.insert(opened.at, raw)
        return got

    def replace(self, raw: str, used: int, file: str, line: int) -> tuple[str, list[Edit]]:
        """Replace the macros of a physical line."""
        size = used + len(raw)
        try:
            raw, edits = self.reader.macros.replace(raw, not used)
        except MacroError as error:
            self.reader.complain(error.code, error.message, file, line)
            return raw, []
        self.grown += len(raw)
        if edits and self.grown > GROWN_LIMIT:
            raise TooMuch(f"macros make the configuration longer than {GROWN_LIMIT} bytes")
        for _, gone, come, _ in edits:
            size += come - gone
            while size + 1 > self.buffer:
                self.buffer += BUFFER
        return raw, edits

    def use(self, edits: list[Edit]) -> None:
        """Count the macros used in a line."""
        for edit in edits:
            edit[3].uses += 1

    def finish(self, text: str, opened: _Open, front: int, segments: list[Segment] | None) -> LogicalLine:
        """Make the logical line; a definition takes effect before anything else is read."""
        reader = self.reader
        if reader.printed is not None:
            reader.printed.append(text)
        kind = TEXT
        if text[:6].lower() == "begin ":
            kind = BEGIN
            reader.section = text[6:].lstrip(SPACE).lower()
        elif text[:1].isupper() and text[0] < "\x80" and self.defines(text):
            kind = MACRO
            try:
                reader.macros.define(text, opened.name, opened.at)
            except MacroError as error:
                other = error.other
                related: tuple[Related, ...] = ()
                if other is not None and other.line:
                    related = (Related("first defined here", Position(other.file, other.line, 1)),)
                reader.complain(
                    error.code, error.message, opened.name, opened.at, located=error.located, related=related
                )
        return LogicalLine(text, opened.name, opened.at, kind, front if segments is None else segments)

    def defines(self, text: str) -> bool:
        """Say whether the section's parser takes a line that begins in upper case for a definition."""
        section = self.reader.section
        if section == "main":
            return True
        return not section.startswith(_SECTIONS_WITHOUT_MACROS) and _NAME.match(text) is not None

    def directive(self, word: str, replaced: bool, file: str, line: int) -> None:
        """Carry out a conditional. It is true if a macro was replaced anywhere in its line."""
        if word in ("ifdef", "ifndef"):
            if len(self.states) >= CONDITION_DEPTH:
                self.reader.complain(
                    "if-depth",
                    f".{word} nested too deeply",
                    file,
                    line,
                    hint=f"Exim allows {CONDITION_DEPTH} levels, over all included files together",
                )
            self.states.append((self.state, file, line))
            if self.state == _ACTIVE:
                self.state = _ACTIVE if replaced == (word == "ifdef") else _WAITING
            else:
                self.state = _DONE
            return
        if not self.states:
            self.reader.complain("if-unopened", f".{word} without matching .ifdef", file, line)
        elif word == "endif":
            self.state = self.states.pop()[0]
        elif self.state == _ACTIVE:
            self.state = _DONE
        elif self.state == _WAITING and (word == "else" or replaced == (word == "elifdef")):
            self.state = _ACTIVE

    def opened(self) -> tuple[Related, ...]:
        """Give the place where the innermost open conditional begins."""
        _, file, line = self.states[-1]
        return (Related("opened here", Position(file, line, 1)),)

    def dropped(self, word: str, behind: str, file: str, line: int) -> None:
        """Warn of a line that looks like a conditional and is none: Exim drops it without a word."""
        self.reader.diagnostics.append(
            Diagnostic(
                "if-dropped",
                WARNING,
                f".{word} is followed by something other than a space: Exim drops the line in silence",
                Position(file, line, 1),
                hint="the line ends in CR LF: convert the file" if behind == "\r" else "write a space there",
            )
        )

    def include(self, rest: str, if_exists: bool, opened: _Open, line: int) -> None:
        """Open an included file."""
        reader = self.reader
        name = rest.strip(SPACE)
        if len(name) == 1 and name == '"':
            name = rest.lstrip(SPACE)[1:]  # Exim takes the lone quote for both ends
        elif name[:1] == '"' and name[-1:] == '"':
            name = name[1:-1]
        if name[:1] != "/":
            if if_exists:
                reader.complain(
                    "include-relative", f'.include specifies a non-absolute path "{name}"', opened.name, line
                )
                return
            name = f"{directory_of(opened.name)}/{name}"
        try:
            if len(self.stack) > INCLUDE_DEPTH:
                return self.unreadable(name, opened.name, line, f"{INCLUDE_DEPTH} files include each other")
            lines = reader.load(name)
        except (FileNotFoundError, NotADirectoryError) as error:
            if if_exists:
                return
            return self.unreadable(name, opened.name, line, error.strerror)
        except (OSError, ValueError) as error:
            return self.unreadable(name, opened.name, line, getattr(error, "strerror", None))
        if reader.printed is not None:
            reader.printed.append((opened.name, line))
        self.stack.append(_Open(name, lines))

    def unreadable(self, name: str, file: str, line: int, why: str | None) -> None:
        """Say that an included file cannot be opened."""
        message = f"failed to open included configuration file {name}"
        self.reader.complain("include-open", message, file, line, hint=why)
