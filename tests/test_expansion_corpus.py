"""The expansion corpus: its files are well-formed, and our answers are the recorded ones."""

from __future__ import annotations

import os
import re
from pathlib import Path

import casefile
import pytest
from differential.corpus import compare, gaps
from differential.world import SOURCE, World, real_exim, real_version

AREAS = sorted(SOURCE.glob("*.cases"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The prepared folder that all areas share."""
    return World.prepare(tmp_path_factory.mktemp("expansion"))


def test_size() -> None:
    assert sum(len(casefile.read(path).cases) for path in AREAS) >= 3000


@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    """Every case has an answer or a reason, no input stands twice, and writing gives the same text."""
    file = casefile.read(path)
    assert file.text() == path.read_text(encoding="utf-8")
    seen = set()
    for case in file.cases:
        assert case.answer is not None or case.reason, case.id
        assert case.settings.get("exim"), f"{path.name} does not say which version answered"
        asked = (case.source, tuple(sorted(case.settings.items())))
        assert asked not in seen, f"twice: {case.id}"
        seen.add(asked)


@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_answers(path: Path, world: World) -> None:
    """Ours says what Exim said, byte for byte."""
    differences, count = compare(world, casefile.read(path))
    known = re.compile("|".join(gaps("case")) or "(?!)")
    new = [difference for difference in differences if not known.search(difference.case.source)]
    shown = "\n".join(difference.text() for difference in new[:20])
    assert not new, f"{len(new)} of {count} differ\n{shown}"


@pytest.mark.parametrize("gap", sorted(gaps("case")))
def test_gaps_are_open(gap: str, world: World) -> None:
    """A known gap that no longer explains a difference has to be taken out of the list."""
    pattern = re.compile(gap)
    for path in AREAS:
        file = casefile.read(path)
        file.parts = [part for part in file.cases if pattern.search(part.source)]
        if file.parts and compare(world, file)[0]:
            return
    pytest.fail(f"this gap is closed, take it out of gaps.txt: {gap}")


@pytest.mark.differential
@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_recorded(path: Path, world: World) -> None:
    """The installed Exim still says what was recorded (only where it is the version that was recorded)."""
    exim = real_exim()
    if exim is None:
        pytest.skip("no Exim is installed")
    if os.geteuid() != 0:
        pytest.skip("what was recorded is what root is told")
    file = casefile.read(path)
    if real_version(exim) != file.cases[0].settings["exim"]:
        pytest.skip("another version is installed")
    differences, count = compare(world, file, [exim])
    shown = "\n".join(difference.text() for difference in differences[:20])
    assert not differences, f"{len(differences)} of {count} differ\n{shown}"


def test_case_file_format(tmp_path: Path) -> None:
    path = tmp_path / "x.cases"
    text = "# c\n@config a.conf\n\n[One]\n> ${x\\\n.   y}\n= a\n=\n=% b%FF%20\n> é\n"
    text += "\n[Two]\n@message m\n> b\n! no\n"
    path.write_text(text, encoding="utf-8")
    file = casefile.read(path)
    assert file.text() == text
    one, two, three = file.cases
    assert (one.source, one.answer, one.heading) == ("${x\\\n  y}", "a\n\nb\xff ", "One")
    assert (two.source, two.answer, two.line) == ("\xc3\xa9", None, 10)
    assert (three.settings, three.reason) == ({"config": "a.conf", "message": "m"}, "no")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("= a", "x.cases:1: stands below no input line"),
        ("> a\n= b\n. c", "x.cases:3: comes after the end of the answer"),
        ("> a\n!", "x.cases:2: no reason is given"),
        ("> a\n! b\n= c", "x.cases:3: comes after the end of the answer"),
        ("text", "x.cases:1: neither input, answer, setting, heading nor comment"),
        (">a", "x.cases:1: no blank after the mark"),
        (">% %4", "x.cases:1: a percent sign that is not followed by two hex digits"),
        ("@", "x.cases:1: not a setting"),
        ("[x", "x.cases:1: not a heading"),
    ],
)
def test_case_file_errors(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "x.cases"
    path.write_text(text)
    with pytest.raises(casefile.CaseFileError) as problem:
        casefile.read(path)
    assert str(problem.value).endswith(why)
