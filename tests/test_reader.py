"""The reader's own promises: positions, recovery, trivia, bounds, diagnostics. (Exim's are in the cases.)"""

from __future__ import annotations

import io
import itertools
import random
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from eximious.grammar import reader as reader_module
from eximious.grammar.diagnostics import Diagnostic, Related, caret, printable
from eximious.grammar.reader import BEGIN, MACRO, TEXT, LogicalLine, Reader
from eximious.grammar.source import Pieces, Position, Slice, Sources, Span, Text


class Memory:
    """Files in memory."""

    def __init__(self, **texts: str) -> None:
        self.texts = {f"/{name}": text for name, text in texts.items()}

    def open(self, path: str) -> BinaryIO:
        if path not in self.texts:
            raise FileNotFoundError(path)
        return io.BytesIO(self.texts[path].encode("latin-1"))


def read(text: str, **more: str) -> tuple[Reader, list[LogicalLine]]:
    reader = Reader(files=Memory(c=text, **more))
    return reader, list(reader.read("/c"))


def places(line: LogicalLine, *needles: str) -> list[str]:
    """Give line and column of each needle, and the macros it lies in."""
    found = []
    for needle in needles:
        at = line.position(line.text.index(needle))
        via = "".join(f" in {via.name}" for via in at.via)
        found.append(f"{at.line}:{at.column}{via}")
    return found


def test_position_in_a_plain_line() -> None:
    _, lines = read("a = 1\n  bc = 2\n")
    assert places(lines[1], "bc", "2") == ["2:3", "2:8"]
    assert lines[1].position(len(lines[1].text)) == Position("/c", 2, 9)


def test_position_in_a_continuation() -> None:
    _, lines = read("x = one \\\n   two\\  \n # c\n\tthree\nnext = 1\n")
    assert lines[0].text == "x = one twothree"
    assert places(lines[0], "one", "two", "three") == ["1:5", "2:4", "4:2"]
    assert lines[0].first == ("/c", 1) and lines[0].line == 4 and lines[1].first == ("/c", 5)


def test_position_in_an_include() -> None:
    _, lines = read("x = a\\\n.include /inc\nc\n", inc="  b\\\n")
    assert lines[0].text == "x = abc"
    assert lines[0].position(5) == Position("/inc", 1, 3)
    assert lines[0].position(6) == Position("/c", 3, 1)


def test_position_in_macros() -> None:
    _, lines = read("IN = yy\nOUT = <IN>\n q = a OUT b OUT c\n")
    assert lines[2].text == "q = a <yy> b <yy> c"
    assert places(lines[2], "q", "a", "b", "c") == ["3:2", "3:6", "3:12", "3:18"]
    first = lines[2].position(lines[2].text.index("<"))
    assert (first.line, first.column) == (3, 8)
    assert [(via.name, via.line) for via in first.via] == [("OUT", 2)]


def test_position_in_nested_macros() -> None:
    _, lines = read("OUT = <LATER>\nLATER = yy\nq = a OUT b\n")
    assert lines[2].text == "q = a <yy> b"
    inner = lines[2].position(7)
    assert (inner.line, inner.column) == (3, 7) and [via.name for via in inner.via] == ["OUT", "LATER"]
    assert lines[2].position(9).column == 7 and lines[2].position(11).column == 11


def test_positions_of_untouched_text_are_exact() -> None:
    """Every character of a line that no macro gave is found where the file has it."""
    dice = random.Random(7)
    for _ in range(200):
        macros = {"FOO": "x" * dice.randrange(6), "BAR": "FOO."[: dice.randrange(5)], "ZED": ""}
        body = "".join(dice.choice(["FOO", "BAR", "ZED", "a", "b", "c ", "\\\n  "]) for _ in range(12)) + "e"
        text = "".join(f"{name} = {value}\n" for name, value in macros.items()) + f"q = {body}\n"
        reader, lines = read(text)
        line = lines[3]
        for offset, char in enumerate(line.text):
            at = line.position(offset)
            if not at.via:
                assert (reader.sources.line("/c", at.line) or "")[at.column - 1] == char


def test_kinds_and_sections() -> None:
    reader, lines = read("A = 1\nx = 2\nbegin acl\nB = 1\nFoo:\n accept\nbegin retry\nC = 1\n")
    assert [line.kind for line in lines] == [MACRO, TEXT, BEGIN, MACRO, TEXT, TEXT, BEGIN, TEXT]
    assert list(reader.macros.user) == ["A", "B"] and reader.section == "retry"


def test_macros_know_where_and_whether_used() -> None:
    reader, _ = read("A = 1\nB = 1\n.ifdef Q\nx = B\n.endif\n# B\ny = A\nA == 2\n")
    a, b = reader.macros.user["A"], reader.macros.user["B"]
    assert (a.line, a.value, a.uses, b.uses) == (1, "2", 1, 0)
    assert a.redefined == [("/c", 8, "2")]


def test_trivia() -> None:
    reader, lines = read("# one\n\nx = 1\\\n # two\n2\n.ifdef Q\nskipped\n.endif\n")
    assert [(item.line, item.kind) for item in reader.trivia] == [
        *((1, "comment"), (2, "blank"), (4, "comment"), (6, "directive"), (7, "skipped"), (8, "directive"))
    ]
    covered = {item.line for item in reader.trivia} | {3, 5}
    assert covered == set(range(1, 9)) and len(lines) == 1


def test_all_errors_are_found_in_order() -> None:
    text = "A = 1\nA = 2\nfoo\n.endif\nAB = 3\n.include nope\nC == 1\nD x\n.ifdef Q\n"
    reader, lines = read(text)
    assert [finding.message for finding in reader.diagnostics] == [
        'macro "A" is already defined (use "==" if you want to redefine it)',
        ".endif without matching .ifdef",
        '"AB" cannot be defined as a macro because previously defined macro "A" is a substring',
        "failed to open included configuration file /nope",
        'can\'t redefine an undefined macro "C"',
        "malformed macro definition",
        "Unexpected end of configuration file: .endif missing",
    ]
    assert [finding.position.line for finding in reader.diagnostics if finding.position] == [
        *(2, 4, 5, 6, 7, 8, 9)
    ]
    assert reader.diagnostics[0].related[0].position == Position("/c", 1, 1)
    assert "foo" in [line.text for line in lines]


def test_what_is_no_conditional_is_told() -> None:
    reader, _ = read(".ifdef Q\r\nx = 1\r\n.endif\r\n.else\tx\n")
    assert [(finding.code, finding.severity, finding.fatal) for finding in reader.diagnostics] == [
        ("if-dropped", "warning", False),
        ("if-dropped", "warning", False),
        ("if-unclosed", "error", True),
    ]
    assert reader.diagnostics[0].hint == "the line ends in CR LF: convert the file"
    assert reader.diagnostics[2].related[0].position == Position("/c", 1, 1)


def test_a_file_that_includes_itself() -> None:
    reader, lines = read("x = 1\n.include /c\ny = 2\n")
    assert [finding.exim_text() for finding in reader.diagnostics] == [
        "Exim configuration error in line 2 of /c:\n  failed to open included configuration file /c"
    ]
    assert len(lines) == 2 * (reader_module.INCLUDE_DEPTH + 1)


def test_includes_that_multiply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "LINE_LIMIT", 10_000)
    files = {f"f{n}": f".include /f{n + 1}\n" * 10 for n in range(30)}
    reader, _ = read(".include /f0\n", f30="x = 1\n", **files)
    assert [finding.code for finding in reader.diagnostics] == ["read-limit"]


def test_endless_file() -> None:
    class Endless(Memory):
        def open(self, path: str) -> BinaryIO:
            return open("/dev/zero", "rb") if path == "/zero" else super().open(path)

    reader = Reader(files=Endless(c=".include /zero\n"))
    reader.bytes_left = 1_000_000
    list(reader.read("/c"))
    assert [finding.code for finding in reader.diagnostics] == ["read-limit"]


def test_macros_that_explode() -> None:
    names = [f"M{chr(65 + n)}" for n in range(26)]
    text = (
        "".join(f"{name} = {after * 10}\n" for name, after in itertools.pairwise(names)) + f"x = {names[0]}\n"
    )
    start = time.perf_counter()
    reader, _ = read(text)
    assert reader.diagnostics[0].code == "macro-growth" and time.perf_counter() - start < 5


def test_missing_main_file() -> None:
    with pytest.raises(OSError):
        list(Reader(files=Memory()).read("/nope"))


def test_real_files(tmp_path: Path) -> None:
    (tmp_path / "c\xe9").write_bytes(b".include .\nx = \xe9\n")
    name = f"{tmp_path}/c".encode().decode("latin-1") + "c\xe9".encode().decode("latin-1")[1:]
    assert [line.text for line in Reader().read(name)] == ["x = \xe9"]


@pytest.mark.parametrize("seed", range(300))
def test_random_bytes_never_fail(seed: int) -> None:
    dice = random.Random(seed)
    pieces = [
        "A",
        "AB",
        "=",
        "==",
        "\\",
        "\n",
        "\n",
        " ",
        ".ifdef ",
        ".endif",
        ".include /c",
        "\0",
        "\r",
        "#",
        '"',
    ]
    text = "".join(dice.choice([*pieces, chr(dice.randrange(256))]) for _ in range(dice.randrange(200)))
    reader, lines = read(text)
    for line in lines:
        for offset in range(0, len(line.text) + 1, 7):
            assert line.position(offset).line >= 1
    for finding in reader.diagnostics:
        assert finding.render(reader.sources) and finding.to_dict()


def test_cost_is_linear() -> None:
    def seconds(count: int) -> float:
        text = "".join(f"option_{n} = value $x ${{if eq{{a}}{{b}}}}\n" for n in range(count))
        start = time.process_time()
        assert len(read("MAC = 1\n" + text)[1]) == count + 1
        return time.process_time() - start

    small = min(seconds(10_000) for _ in range(4))
    assert min(seconds(80_000) for _ in range(3)) < 8 * small * 4


def test_maps() -> None:
    text = Text("<argument>", "one\ntwo three")
    assert text.position(8) == Position("<argument>", 2, 5)
    assert Slice(text, 4).position(4) == Position("<argument>", 2, 5)
    pieces = Pieces(text, [(0, 1), (2, 4)])
    assert [pieces.position(n).column for n in range(4)] == [2, 3, 1, 2]
    span = Span(text, 4, 7)
    assert (span.position, span.end_position) == (Position("<argument>", 2, 1), Position("<argument>", 2, 4))
    assert Span(None, 0, 1).position is None


def test_rendered_diagnostic() -> None:
    sources = Sources()
    sources.add("f", "first\n\tsecond $nope\r\n")
    finding = Diagnostic(
        "unknown-variable",
        "error",
        'unknown variable name "nope"\x1b',
        Span(Text("f", "first\n\tsecond $nope"), 14, 19),
        hint="did you mean $note?",
        related=(Related("defined here", Position("f", 1, 1)),),
        exim_place=("f", 2),
    )
    assert finding.render(sources) == (
        'f:2:9: error[unknown-variable]: unknown variable name "nope"\\033\n'
        "    \tsecond $nope\n"
        "    \t       ^^^^^\n"
        "  f:1:1: defined here\n"
        "  hint: did you mean $note?"
    )
    assert finding.exim_text().startswith("Exim configuration error in line 2 of f:\n  unknown")
    assert finding.to_dict()["position"] == {"file": "f", "line": 2, "column": 9}
    assert finding.to_dict()["length"] == 5


def test_caret_under_a_long_line() -> None:
    line = "a" * 500 + "X" + "b" * 500
    shown, under = caret(line, 501)
    assert shown[under.index("^")] == "X" and len(shown) < 120
    assert caret("", 1) == ["    ", "    ^"]
    assert printable("a\tb\x07") == "a b\\007"
