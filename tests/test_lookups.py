"""Lookups in files: our answers are the ones that the real Exim gave, and it still gives them."""

from __future__ import annotations

from pathlib import Path

import casefile
import pytest
from lookup_world import FIXTURES, ask_exim, environment, ours, prepare, real_exim, real_version, write_config

AREAS = sorted(FIXTURES.glob("*.cases"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files."""
    made = tmp_path_factory.mktemp("lookups")
    prepare(made)
    return made


@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    """Every case has its answer, and no input stands twice."""
    file = casefile.read(path)
    assert file.text() == path.read_text(encoding="utf-8")
    sources = [case.source for case in file.cases]
    assert len(sources) == len(set(sources))
    assert all(case.answer is not None or case.reason for case in file.cases)


@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_answers(path: Path, folder: Path) -> None:
    """Ours says what Exim said, byte for byte."""
    env = environment()
    wrong = []
    for case in casefile.read(path).cases:
        if case.reason:
            continue
        answer = ours(env, case.source.replace("@DIR@", str(folder))).replace(str(folder), "@DIR@")
        if answer != case.answer:
            wrong.append(
                f"{path.name}:{case.line}: {case.source}\n  Exim: {case.answer!r}\n  ours: {answer!r}"
            )
    assert not wrong, "\n".join(wrong)


@pytest.mark.differential
@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_recorded(path: Path, folder: Path) -> None:
    """The installed Exim still says what was recorded (only where it is the version that was recorded)."""
    exim = real_exim()
    if exim is None:
        pytest.skip("no Exim is installed")
    cases = [case for case in casefile.read(path).cases if not case.reason]
    if real_version(exim) != cases[0].settings["exim"]:
        pytest.skip("another version is installed")
    config = write_config(folder)
    answers = ask_exim(exim, config, [case.source.replace("@DIR@", str(folder)) for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        assert answer.replace(str(folder), "@DIR@") == case.answer, case.id
