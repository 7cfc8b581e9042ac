"""ACLs answer as the real Exim did (``fixtures/acl``; tools/record_acl.py records)."""

from __future__ import annotations

from pathlib import Path

import aclcases
import casefile
import pytest

FILES = aclcases.case_files()
CASES = [case for file in FILES for case in file.cases]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> aclcases.Ours:
    """Ours in a prepared folder."""
    return aclcases.Ours(aclcases.prepare(Path(tmp_path_factory.mktemp("acl"))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_recorded(ours: aclcases.Ours, case: casefile.Case) -> None:
    answer = ours.answer(case)
    if case.reason:
        assert answer
    else:
        assert answer == case.answer
