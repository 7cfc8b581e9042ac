"""Random configurations: the reader and the installed Exim give the same lines, or the same first error."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from eximious.grammar.catalogue import Catalogue
from eximious.grammar.macros import parse_defines
from eximious.grammar.printed import print_config
from eximious.grammar.reader import TEXT, Reader

BV = (Path(__file__).resolve().parent.parent / "fixtures" / "reading" / "debian-4.96.bv").read_text("latin-1")
COUNT = 150
PIECES = (
    *(
        "FOO",
        "BAR",
        "FO",
        "OB",
        "AR",
        "Q1",
        "_HAVE_TLS",
        "_HAVE",
        "X",
        " ",
        "  ",
        "\t",
        "\\",
        "\\\\",
        "#",
        ".",
    ),
    *("=", "==", ":", '"', "$", "{", "}", "a", "b_", "\xe9", "\v", "\f", "\r", "\0", ".ifdef", ".endif"),
    *("x y", "begin", "9", "\xa0", "\x85", "\x1c"),
)
NAMES = ("FOO", "BAR", "QAR", "OB", "ZED")
ODD_NAMES = ("FOOL", "A", "AB", "FO", "X_HAVE_TLS", "LONG" + "G" * 60)
#: lines that Exim takes whatever stands behind the equals sign
TAKEN = re.compile(r'domainlist[ \t]+(\w+)[ \t\v\f\r]*=[ \t\v\f\r]*(?!")', re.A)


class Writer:
    """Writes one random configuration, mostly right."""

    def __init__(self, seed: int, folder: str) -> None:
        self.dice, self.folder = random.Random(seed), folder
        self.count = self.depth = 0
        self.defined: list[str] = []

    def word(self) -> str:
        return "".join(self.dice.choice(PIECES) for _ in range(self.dice.randint(0, 6)))

    def setting(self, more: str = "") -> str:
        self.count += 1
        return f"domainlist d{self.count} = z{more}"

    def line(self) -> str:
        kind, choice = self.dice.random(), self.dice.choice
        blanks = choice(("", "", "", " ", "\t ", "  \f"))
        if kind < 0.2:
            name = choice(NAMES)
            equals = "==" if name in self.defined else "="
            if self.dice.random() < 0.05:
                name, equals = choice((*NAMES, *ODD_NAMES)), choice(("=", "=="))
            self.defined.append(name)
            return blanks + name + choice(("", " ", "\t")) + equals + choice(("", " ", "\v")) + self.word()
        if kind < 0.45:
            return blanks + self.setting(self.word())
        if kind < 0.56:
            return choice((f"{blanks}#{self.word()}", "", "  ", "\t\r"))
        if kind < 0.64:
            self.depth += 1
            return blanks + choice((".ifdef ", ".ifndef ")) + self.word()
        if kind < 0.78 and self.depth:
            if self.dice.random() < 0.35:
                return blanks + choice((".elifdef ", ".elifndef ", ".else ", ".else\t")) + self.word()
            self.depth -= 1
            return blanks + choice((".endif", ".endif", ".endif x", ".endif #"))
        if kind < 0.82:
            how = (
                ".include ",
                ".include\t",
                f".include_if_exists {self.folder}/",
                f'.include "{self.folder}/',
            )
            return blanks + choice(how) + choice(("one", "two", "none", 'one"', 'two"'))
        if kind < 0.99:
            return blanks + self.setting(
                "\\\n" + choice(("", " ", "\t")) + choice(("", "z" + self.word())) + "\\"
            )
        return choice((self.word(), choice(ODD_NAMES) + self.word()))

    def text(self, size: int) -> str:
        lines = [self.line() for _ in range(self.dice.randint(0, size))]
        while self.depth:
            lines.append(".endif")
            self.depth -= 1
        return "\n".join(lines) + self.dice.choice(("\n", "\n", "\n", "", "\\", "\\\n"))


def ours(path: str, arguments: list[str]) -> tuple[object, ...]:
    """Read with the reader; stand in for the parser of the main section."""
    reader = Reader(Catalogue.from_bv(BV), parse_defines(part[2:] for part in arguments), keep_lines=True)
    names = set()
    for line in reader.read(path):
        first = next((finding for finding in reader.diagnostics if finding.fatal), None)
        if first is not None:
            return first.exim_place, first.message
        match = TAKEN.match(line.text)
        if line.kind == TEXT and (match is None or match[1] in names):
            return (line.file, line.line), None
        names.add(match and match[1])
    first = next((finding for finding in reader.diagnostics if finding.fatal), None)
    if first is not None:
        return first.exim_place, first.message
    return ("".join(f"{text}\n" for text in print_config(reader.printed or [])),)


def real(exim: str, path: str, arguments: list[str]) -> tuple[object, ...]:
    """Ask the installed Exim."""
    done = subprocess.run(
        [exim, "-C", path, *arguments, "-bP", "config"],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0:
        return (done.stdout.decode("latin-1").partition("\n")[2],)
    text = done.stderr.decode("latin-1")
    match = re.fullmatch(r"(?s)\S+ \S+ Exim configuration error(?: in line (\d+) of (.*?))?:\n  (.*)\n", text)
    assert match, text
    return (match[2], int(match[1])) if match[1] else None, match[3]


@pytest.mark.differential
def test_random_configurations(tmp_path: Path) -> None:
    exim = shutil.which("exim4")
    if exim is None:
        pytest.skip("no exim4 here")
    heading = subprocess.run([exim, "-bV"], capture_output=True, check=False, text=True).stdout
    if not heading.startswith("Exim version 4.96 "):
        pytest.skip("the installed Exim is no 4.96")
    taken = 0
    for seed in range(COUNT):
        writer = Writer(seed, str(tmp_path))
        files = {"c.conf": writer.text(12), "one": writer.text(4), "two": writer.text(3), "none": ""}
        files["one"] = re.sub("one|two", "none", files["one"])
        files["two"] = files["two"].replace("two", "one")
        for name, text in files.items():
            (tmp_path / name).write_bytes(text.encode("latin-1"))
        arguments = [f"-D{writer.dice.choice(NAMES)}=v FOO"] if seed % 5 == 0 else []
        path = str(tmp_path / "c.conf")
        answer, wanted = ours(path, arguments), real(exim, path, arguments)
        if len(answer) == 2 and answer[1] is None:
            assert answer[0] == wanted[0], (seed, files)
        else:
            assert answer == wanted, (seed, files)
        taken += len(wanted) == 1
    assert taken >= COUNT // 2
