"""The simple conditions and what they stand on, against recorded answers: fixtures/conditions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import casefile
import pytest
from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure

from eximious.assembly import Assembly, fresh_run

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
AREAS = sorted((FIXTURES / "conditions").glob("*.cases"))
BUILD = FIXTURES / "expansion" / "build.txt"


@cache
def context(version: str) -> Context:
    """What the cases of a version are evaluated in; nothing is allowed."""
    path = FIXTURES / "conditions" / "main.conf"
    return Assembly(str(path), version=version, build=str(BUILD)).context


def answer(version: str, text: str) -> str:
    """What ``-be`` prints for a line."""
    try:
        return expand(text, fresh_run(context(version)))
    except Failure as failure:
        return f"Failed: {failure.message}"


@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_answers(path: Path) -> None:
    """Every case gives the recorded answer, byte for byte."""
    wrong = []
    for case in casefile.read(path).cases:
        given = answer(case.settings["exim"], case.source)
        if given != case.answer:
            wrong.append(f"{case.id}\n  exim {case.answer!r}\n  ours {given!r}")
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong[:20])


def test_size() -> None:
    assert sum(len(casefile.read(path).cases) for path in AREAS) > 900
