"""Configurations, most of them broken, against the recorded answers of a real Exim, and live."""

from __future__ import annotations

from pathlib import Path

import casefile
import configcases
import pytest

CASES = [case for file in configcases.files() for case in file.cases]
BROKEN = [case for case in CASES if (case.answer or "").startswith("Exim configuration error")]


def test_number_of_cases() -> None:
    assert len(CASES) >= 1200
    assert len(BROKEN) >= 700


@pytest.mark.parametrize("path", sorted({case.path for case in CASES}), ids=lambda path: str(path.stem))
def test_recorded(path: Path, tmp_path: Path) -> None:
    wrong = []
    for case in CASES:
        if case.path == path and not case.reason:
            answer = configcases.ours(case, tmp_path)
            if answer != case.answer:
                wrong.append(f"{case.id}\n  Exim: {case.answer!r}\n  ours: {answer!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.differential
def test_live(tmp_path: Path) -> None:
    exim = configcases.real_exim()
    if exim is None:
        pytest.skip("no Exim 4.96 here")

    def same(case: casefile.Case) -> bool:
        return configcases.ask(exim, case, tmp_path) == (case.answer, case.reason)

    assert [case.id for case in CASES[::7] if not same(case)] == []
