"""Addresses go where the real Exim sent them (``fixtures/routing``; tools/record_routing.py records)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import casefile
import pytest
import routingcases

CASES = [case for file in routingcases.case_files() for case in file.cases]


@pytest.fixture(scope="module")
def ours() -> Iterator[routingcases.Ours]:
    """Ours in a prepared folder that other users can reach, too: some cases are about what they may read."""
    with tempfile.TemporaryDirectory(prefix="routing") as name:
        yield routingcases.Ours(routingcases.prepare(Path(name)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_recorded(ours: routingcases.Ours, case: casefile.Case) -> None:
    if os.geteuid() != 0 and "@DIR@/files/" in case.source:
        pytest.skip("files that belong to others can only be made as root")
    answer = ours.answer(case)
    if case.reason:
        assert answer
    else:
        assert answer == case.answer
