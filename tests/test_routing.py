"""Addresses go where the real Exim sent them (``fixtures/routing``; tools/record_routing.py records)."""

from __future__ import annotations

from pathlib import Path

import casefile
import pytest
import routingcases

CASES = [case for file in routingcases.case_files() for case in file.cases]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> routingcases.Ours:
    """Ours in a prepared folder."""
    return routingcases.Ours(routingcases.prepare(Path(tmp_path_factory.mktemp("routing"))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_recorded(ours: routingcases.Ours, case: casefile.Case) -> None:
    answer = ours.answer(case)
    if case.reason:
        assert answer
    else:
        assert answer == case.answer
