"""The recorded answers to ACLs are those of the installed Exim (a sample; tools/record_acl.py --check asks all)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import aclcases
import casefile
import pytest
from differential.world import real_exim, real_version

EXIM = real_exim()
pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(EXIM is None, reason="no Exim is installed here"),
]
#: every so many cases; those that ask the DNS need a world of their own
STEP = 12
CASES = [
    case
    for file in aclcases.case_files()
    for case in file.cases[::STEP]
    if "dns" not in case.settings and not case.reason
]


@pytest.fixture(scope="module")
def real() -> Iterator[aclcases.Real]:
    """The installed Exim in a prepared folder that the user it runs as can reach."""
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("the answers were recorded with another version")
    with tempfile.TemporaryDirectory(prefix="acl") as name:
        yield aclcases.Real(EXIM, aclcases.prepare(Path(name)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_real_one_still_says_so(real: aclcases.Real, case: casefile.Case) -> None:
    assert real.answers([case]) == [case.answer]
