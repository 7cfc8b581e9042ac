"""The reader and writer of the chunked case files under ``fixtures/``.

A case file is a transcript that people edit::

    # comments and blank lines stand anywhere
    @config main.conf                  settings before the first heading hold for the whole file

    [Case of letters]                  a heading; settings below it hold until the next heading
    > ${lc:ABC}                        an input line
    = abc                              the answer, one line of it per "=" line
    > ${if eq{a}{b}\\
    .   {yes}{no}}                     further physical lines of the same input
    = no
    > ${nhash{0}{x}}
    ! died by signal 8                 no answer: why the real Exim gives none that can be repeated

Files are UTF-8; a character beyond ASCII stands for its UTF-8 bytes. A line that begins ``>%``, ``.%``
or ``=%`` is percent-encoded (``%0D``, ``%FF``; ``%25`` is a percent sign): the writer uses it for
control characters, bytes that are no UTF-8 and blanks at the end of a line. Text in memory is ``str``
with one character per byte. ``@DIR@`` in a case stands for the folder its files are in.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ESCAPED = re.compile(r"%(?:([0-9A-Fa-f]{2})|)")
_SETTING = re.compile(r"@([a-z]+)(?:[ \t]+(.*))?")
_HEADING = re.compile(r"\[(.+)\]")


class CaseFileError(ValueError):
    """A case file that breaks the format; the message names file and line."""


@dataclasses.dataclass(slots=True)
class Case:
    """One input and what was answered.

    ``source`` holds the physical input lines joined by newlines; ``answer`` is None if none is
    recorded, else the text without its last newline; ``reason`` says why there is no answer.
    ``line`` is the number of the input's first line in ``path``.
    """

    path: Path
    line: int
    heading: str
    settings: dict[str, str]
    source: str
    answer: str | None = None
    reason: str = ""

    @property
    def id(self) -> str:
        """A test id: area, line and the input itself, printable."""
        return f"{self.path.stem}:{self.line}:{self.source.encode('unicode_escape').decode('ascii')}"


@dataclasses.dataclass(slots=True)
class CaseFile:
    """A parsed file: ``parts`` keeps every line, so that writing back loses nothing."""

    path: Path
    parts: list[str | Case]

    @property
    def cases(self) -> list[Case]:
        """The cases in the order of the file."""
        return [part for part in self.parts if isinstance(part, Case)]

    def text(self) -> str:
        """The file's text with the cases' present answers."""
        out: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                out.append(part)
                continue
            out.extend(_encode("." if n else ">", line) for n, line in enumerate(part.source.split("\n")))
            if part.reason:
                out.append("! " + part.reason)
            elif part.answer is not None:
                out.extend(_encode("=", line) for line in part.answer.split("\n"))
        return "\n".join(out) + "\n"

    def write(self) -> bool:
        """Write the file back if its text changed; says whether it did."""
        text = self.text()
        if self.path.read_text(encoding="utf-8") == text:
            return False
        self.path.write_text(text, encoding="utf-8")
        return True


def read(path: Path) -> CaseFile:
    """Parse one case file. Raises CaseFileError with file and line."""
    reader = _Reader(path)
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        reader.line(number, line)
    while reader.parts and reader.parts[-1] == "":
        reader.parts.pop()
    return CaseFile(path, reader.parts)


class _Reader:
    """What has been seen of a file so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts: list[str | Case] = []
        self.common: dict[str, str] = {}
        self.settings = self.common
        self.heading = ""
        self.case: Case | None = None

    def line(self, number: int, line: str) -> None:
        mark = line[:1]
        if mark == ">":
            self.case = Case(self.path, number, self.heading, self.settings, self._decode(number, line))
            self.parts.append(self.case)
        elif mark and mark in ".=!":
            self._below(number, mark, line)
        else:
            self.case = None
            self.parts.append(line)
            if mark == "[":
                found = _HEADING.fullmatch(line)
                if found is None:
                    raise self._wrong(number, "not a heading")
                self.heading, self.settings = found[1], dict(self.common)
            elif mark == "@":
                found = _SETTING.fullmatch(line)
                if found is None:
                    raise self._wrong(number, "not a setting")
                self.settings[found[1]] = (found[2] or "").strip()
            elif mark not in ("", "#"):
                raise self._wrong(number, "neither input, answer, setting, heading nor comment")

    def _below(self, number: int, mark: str, line: str) -> None:
        case = self.case
        if case is None:
            raise self._wrong(number, "stands below no input line")
        if case.reason or (mark != "=" and case.answer is not None):
            raise self._wrong(number, "comes after the end of the answer")
        if mark == ".":
            case.source += "\n" + self._decode(number, line)
        elif mark == "!":
            case.reason = line[1:].strip()
            if not case.reason:
                raise self._wrong(number, "no reason is given")
        else:
            text = self._decode(number, line)
            case.answer = text if case.answer is None else case.answer + "\n" + text

    def _decode(self, number: int, line: str) -> str:
        """The text of an input or answer line, one character per byte."""
        if line[1:2] == "%":
            raw = line[2:].removeprefix(" ").encode("utf-8").decode("latin-1")

            def byte(found: re.Match[str]) -> str:
                if found[1] is None:
                    raise self._wrong(number, "a percent sign that is not followed by two hex digits")
                return chr(int(found[1], 16))

            return _ESCAPED.sub(byte, raw)
        if len(line) > 1 and line[1] != " ":
            raise self._wrong(number, "no blank after the mark")
        return line[2:].encode("utf-8").decode("latin-1")

    def _wrong(self, number: int, why: str) -> CaseFileError:
        return CaseFileError(f"{self.path}:{number}: {why}")


def _encode(mark: str, text: str) -> str:
    """One line of a file for one line of text (without newlines)."""
    try:
        shown = text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        shown = ""
        plain = False
    else:
        # what an editor could lose or not show, and line separators that str.splitlines knows
        plain = shown == shown.rstrip() and all(c == "\t" or c.isprintable() for c in shown)
    if plain:
        return f"{mark} {shown}" if shown else mark
    last = len(text.rstrip(" \t"))
    return f"{mark}% " + "".join(
        f"%{ord(c):02X}" if c == "%" or ord(c) > 126 or (c < " " and c != "\t") or n >= last else c
        for n, c in enumerate(text)
    )
