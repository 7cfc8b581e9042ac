"""Case files of lint: configurations with the expected findings written below the lines they are about.

A file under ``fixtures/lint`` holds cases. ``#--- title`` begins one; words after a ``|`` in it are settings:
``-DNAME=VALUE``, ``version=4.96``, ``build=debian``. ``#+++ name`` begins another file of the same case. A
comment line that begins with ``#~`` expects something of the line above it::

    accept domains = +locl
    #~               ^^^^^ undefined-list: unknown named domain list "+locl"
    #~ hint: did you mean +local?

The first caret stands below the column; warnings and notes say so in brackets behind the code. A place in the
first two columns is given as a number: ``#~ 1 include-open: ...``. Cases without such lines must have no
findings. Lines of a case are numbered as in the file without its ``#~`` lines.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from differential.corpus import BUILD

from eximious.linting import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from eximious.grammar.diagnostics import Diagnostic

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "lint"
MAIN = "exim.conf"

_EXPECTED = re.compile(r"#~( *)(?:(\^+)|([0-9]+)) ([a-z0-9-]+)(?:\[(warning|note)\])?: (.*)", re.DOTALL)
_HINT = "#~ hint: "


class Expected:
    """An expected finding. ``hint`` None: any."""

    def __init__(self, file: str, line: int, column: int, code: str, severity: str, message: str) -> None:
        self.file, self.line, self.column = file, line, column
        self.code, self.severity, self.message = code, severity, message
        self.hint: str | None = None
        self.length = 1

    def row(self) -> tuple[str, int, int, str, str, str]:
        """What is compared."""
        return self.file, self.line, self.column, self.code, self.severity, self.message


class Case:
    """One case: ``texts`` by file name, ``settings`` as words, ``expected`` findings."""

    def __init__(self, path: Path, title: str, settings: list[str]) -> None:
        self.path, self.title, self.settings = path, title, settings
        self.texts: dict[str, list[str]] = {MAIN: []}
        self.expected: list[Expected] = []

    @property
    def id(self) -> str:
        """The name of its test."""
        return f"{self.path.stem}: {self.title}"

    def run(self) -> list[Expected]:
        """Check the configuration; gives the findings in the form of expectations."""
        options: dict[str, Any] = {"defines": [w[2:] for w in self.settings if w.startswith("-D")]}
        for word in self.settings:
            if word.startswith("version="):
                options["version"] = word[8:]
            elif word == "build=debian":
                options["build"] = str(BUILD)
        with tempfile.TemporaryDirectory() as folder:
            for name, lines in self.texts.items():
                place = Path(folder, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes("".join(f"{line}\n" for line in lines).encode("latin-1"))
            found = check(f"{folder}/{MAIN}", **options).findings
            return [_as_expected(finding, f"{folder}/") for finding in found]


def _as_expected(finding: Diagnostic, folder: str) -> Expected:
    position = finding.position
    file, line, column = (position.file, position.line, position.column) if position else ("", 0, 0)
    message = finding.message.replace(folder, "")
    made = Expected(file.removeprefix(folder), line, column, finding.code, finding.severity, message)
    made.hint, made.length = finding.hint, finding.length
    return made


def read_cases(path: Path) -> list[Case]:
    """Give the cases of a file."""
    cases: list[Case] = []
    name = MAIN
    for line in path.read_bytes().decode("latin-1").split("\n"):
        if line.startswith("#---"):
            title, _, words = line[4:].partition("|")
            cases.append(Case(path, title.strip(), words.split()))
            name = MAIN
        elif not cases:
            continue
        elif line.startswith("#+++"):
            name = line[4:].strip()
            cases[-1].texts[name] = []
        elif line.lstrip(" \t").startswith("#~"):
            _expect(cases[-1], name, line)
        else:
            cases[-1].texts[name].append(line)
    for case in cases:
        for lines in case.texts.values():
            while lines[-1:] == [""]:
                lines.pop()
    return cases


def _expect(case: Case, file: str, line: str) -> None:
    if line.startswith(_HINT):
        case.expected[-1].hint = line[len(_HINT) :]
        return
    match = _EXPECTED.fullmatch(line)
    assert match is not None, f"{case.path.name}: {line}"
    column = int(match[3]) if match[3] else len(match[1]) + 3
    number = len(case.texts[file])
    message = match[6].replace("\\n", "\n")
    case.expected.append(Expected(file, number, column, match[4], match[5] or "error", message))


def all_cases() -> Iterator[Case]:
    """Give the cases of all files."""
    for path in sorted(FOLDER.glob("*.conf")):
        yield from read_cases(path)


def written(found: Expected) -> list[str]:
    """Give the lines that expect a finding."""
    code = found.code if found.severity == "error" else f"{found.code}[{found.severity}]"
    if found.column < 3:
        place = f"#~ {found.column}"
    else:
        place = "#~" + " " * (found.column - 3) + "^" * min(found.length, 60)
    message = found.message.replace("\n", "\\n")
    lines = [f"{place} {code}: {message}"]
    return [*lines, f"{_HINT}{found.hint}"] if found.hint else lines
