"""Checking a configuration from wherever it is: a file, or Debian's folder, template or conf.d.

Opens what lint needs and nothing else: programs, sockets and databases stay closed, and files outside the
configuration's folder, unless allowed, count as files that cannot be read.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from eximious.assembly import Unreadable, catalogue_for
from eximious.grammar.diagnostics import ERROR, NOTE, WARNING, Diagnostic
from eximious.grammar.source import Position, SourceMap, Sources, Span, Via

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from eximious.debian import Assembled
    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.config_model import Configuration
    from eximious.interpreter.state import Doors

    Place = Callable[[Position], Position]

#: what an Assembled's notes are called
DEBIAN_SETTINGS = "debian-settings"


class Checked:
    """What came of checking a configuration.

    ``path`` as given; ``kind``: file, template or conf.d; ``configuration``; ``findings`` in order, with
    places in the files that somebody wrote; ``sources`` gives lines of these files; ``place`` leads from
    positions in the configuration to these places (None: they are the same).
    """

    def __init__(
        self,
        path: str,
        kind: str,
        configuration: Configuration,
        findings: list[Diagnostic],
        sources: Sources,
        place: Place | None,
    ) -> None:
        self.path, self.kind, self.configuration = path, kind, configuration
        self.findings, self.sources, self.place = findings, sources, place

    def count(self, severity: str) -> int:
        """How many findings there are of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def clean(self) -> bool:
        """Whether there are neither errors nor warnings."""
        return not self.count(ERROR) and not self.count(WARNING)


def check(
    path: str,
    *,
    version: str = "",
    build: str = "",
    defines: Iterable[str] = (),
    allow: Iterable[str] = (),
    root: str = "",
) -> Checked:
    """Check the configuration at ``path``: a file, Debian's folder (``/etc/exim4``), its conf.d or template.

    ``version``: the Exim to be like ("4.96"; "": the newest); ``build``: a file with the output of ``exim
    -bV``; ``defines``: macros as ``NAME=VALUE``; ``allow``: permissions, of which only those to read
    matter; ``root``: the folder that holds the machine's files. Raises Unreadable where there is nothing
    to check, and for settings that make no sense.
    """
    catalogue = catalogue_for(version, build)
    single = os.path.join(path, "exim4.conf")  # Debian's Exim takes it in place of the generated file
    single = single if os.path.isdir(path) and os.path.isfile(single) else path
    debian = _debian(single, root)
    if debian is None:
        configuration = _load(single, catalogue, defines, allow, root, None)
        return _checked(path, "file", configuration, None)
    folder, split, made = debian
    configuration = _load(_generated_path(), catalogue, defines, allow, root, _Overlay(folder, made))
    return _checked(path, "conf.d" if split else "template", configuration, made)


def _generated_path() -> str:
    from eximious.debian import GENERATED

    return GENERATED


def _debian(path: str, root: str) -> tuple[str, bool, Assembled] | None:
    """Put Debian's configuration together, if the path is one; Unreadable where that fails."""
    if not os.path.isdir(path) and not path.endswith(".template"):
        return None
    from eximious.debian import Debian, NotDebian, assemble

    place = Debian.at(path)
    if place is None:
        if os.path.isdir(path):
            raise Unreadable(f"{path} is a folder, and holds no update-exim4.conf.conf")
        return None
    try:
        made = assemble(place, root=root)
    except NotDebian as problem:
        raise Unreadable(str(problem)) from None
    return place.folder, made.split, made


class _Overlay:
    """The files of a machine whose Exim folder is ``folder``, with the generated configuration among them."""

    def __init__(self, folder: str, made: Assembled) -> None:
        self.folder = os.fsencode(os.path.abspath(folder)).decode("latin-1")
        self.text = made.text

    def open(self, path: str, files: _Files) -> BinaryIO:
        """Open a file for reading."""
        if path == _generated_path():
            from io import BytesIO

            return BytesIO(self.text.encode("latin-1"))
        if path.startswith("/etc/exim4/"):
            return files.inner(f"{self.folder}/{path[11:]}")
        return files.inner(path)


class _Files:
    """Opens what may be read; what may not counts as not permitted by the system."""

    def __init__(self, doors: Doors, overlay: _Overlay | None) -> None:
        self._doors, self._overlay = doors, overlay

    def open(self, path: str) -> BinaryIO:
        """Give the file opened for reading bytes. Raises OSError."""
        return self.inner(path) if self._overlay is None else self._overlay.open(path, self)

    def inner(self, path: str) -> BinaryIO:
        """Open the file itself."""
        from eximious.interpreter.outcomes import Refused

        try:
            return self._doors.files.open(path)
        except Refused as refusal:
            if not os.path.lexists(path.encode("latin-1")):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
            raise PermissionError(errno.EACCES, str(refusal)) from None


def _load(
    path: str,
    catalogue: Catalogue,
    defines: Iterable[str],
    allow: Iterable[str],
    root: str,
    overlay: _Overlay | None,
) -> Configuration:
    from eximious.backends.capabilities import CapabilityError, make_doors
    from eximious.grammar.configuration import load_configuration
    from eximious.grammar.macros import DefineError, parse_defines

    latin = os.fsencode(path).decode("latin-1")
    own = path if overlay is None else os.path.join(os.fsencode(overlay.folder).decode(), "conf.d")
    try:
        given = ["read" if word == "all" else word for word in allow]
        permissions = [word for word in given if word.partition("=")[0] == "read"]
        doors = make_doors(allow=permissions, root=root or None, config_path=own)
        macros = parse_defines(defines)
    except CapabilityError as problem:
        raise Unreadable(str(problem)) from None
    except DefineError as problem:
        raise Unreadable(problem.message) from None

    def expand(configuration: Configuration, text: str) -> str:
        return _expanded(configuration, text, catalogue, doors)

    try:
        return load_configuration(
            latin,
            catalogue,
            macros,
            files=_Files(doors, overlay),
            expand=expand,
            parse_address=_parse_address,
            regex_error=_regex_error,
        )
    except (OSError, ValueError) as problem:
        raise Unreadable(f"cannot read {path}: {getattr(problem, 'strerror', None) or problem}") from None


def _expanded(configuration: Configuration, text: str, catalogue: Catalogue, doors: Doors) -> str:
    """Expand an option that Exim expands while it reads; what cannot be known here is taken for empty."""
    if "$" not in text and "\\" not in text:
        return text
    from eximious.assembly import environment_of, fresh_context
    from eximious.interpreter.engine import expand
    from eximious.interpreter.outcomes import Defer, OverBudget, Refused, Unanswered

    try:
        return expand(text, fresh_context(environment_of(configuration, catalogue, doors)))
    except (Refused, Unanswered, OverBudget, Defer):
        return ""


def _parse_address(text: str) -> tuple[str | None, str]:
    from eximious.interpreter.addresses import parse_extract_address

    found = parse_extract_address(text)
    return found[0], found[1]


def _regex_error(pattern: str) -> tuple[str, int] | None:
    from eximious.interpreter.regex import BadPattern, compile_regex

    try:
        compile_regex(pattern)
    except BadPattern as bad:
        return bad.reason, bad.place
    return None


# ---- findings, and where they are


def _checked(path: str, kind: str, configuration: Configuration, made: Assembled | None) -> Checked:
    from eximious.interpreter.language import Language
    from eximious.lint.engine import run_rules

    findings = run_rules(configuration, Language(configuration.catalogue))
    sources = configuration.reader.sources
    if made is None:
        return Checked(path, kind, configuration, findings, sources, None)
    place = _Origins(made)
    for finding in findings:
        place.move(finding)
    shown = Sources()
    shown.texts = {**sources.texts, **made.texts}
    notes = [
        Diagnostic(DEBIAN_SETTINGS, severity, message, Position(file, line, 1))
        for severity, odd in ((WARNING, made.warnings), (NOTE, made.notes))
        for file, line, message in odd
    ]
    return Checked(path, kind, configuration, notes + findings, shown, place)


class _Origins:
    """Leads from places in the generated configuration to those in the files it was made from."""

    def __init__(self, made: Assembled) -> None:
        self._origins = made.origins
        self._settings = made.settings_path
        self._texts = made.texts
        self._generated = _generated_path()

    def __call__(self, position: Position) -> Position:
        """Give the place where somebody wrote what stands at ``position``."""
        file, line = self._line(position.file, position.line)
        via = tuple(Via(step.name, *self._line(step.file, step.line)) for step in position.via)
        column = position.column
        if file == self._settings and position.file == self._generated:
            texts = self._texts[file].split("\n")
            column = texts[line - 1].find("=") + 2 if line <= len(texts) else 1
        return Position(file, line, column, via)

    def _line(self, file: str, line: int) -> tuple[str, int]:
        if file != self._generated or not 0 < line <= len(self._origins):
            return file, line
        origin = self._origins[line - 1]
        return origin if origin[1] else (self._settings, 1)

    def move(self, finding: Diagnostic) -> None:
        """Change a finding's places."""
        where = finding.where
        if isinstance(where, Span) and where.source is not None:
            finding.where = Span(_Moved(where.source, self), where.start, where.end)
        elif isinstance(where, Position):
            finding.where = self(where)
        for related in finding.related:
            related.position = self(related.position)


class _Moved(SourceMap):
    """A map whose places are moved."""

    __slots__ = ("_parent", "_place")

    def __init__(self, parent: SourceMap, place: _Origins) -> None:
        self._parent, self._place = parent, place

    def position(self, offset: int) -> Position:
        return self._place(self._parent.position(offset))
