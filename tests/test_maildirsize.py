"""``verify = recipient/quota`` where a maildirsize file counts, as 4.96 answered (tools/record_maildirsize.py)."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import maildircases
import pytest
from differential.world import real_exim, real_version

CASES = maildircases.cases()
EXIM = real_exim()


def name_of(case: dict[str, Any]) -> str:
    return f"{case['options'][-1]}-{(case['maildirsize'] or 'none')[:20]!r}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_recorded(case: dict[str, Any], tmp_path: Path) -> None:
    assert maildircases.ours(tmp_path, case) == case["code"]


def test_nothing_is_written(tmp_path: Path) -> None:
    case = next(case for case in CASES if case["maildirsize"] is None)
    maildircases.ours(tmp_path, case)
    assert not (tmp_path / "box" / "maildirsize").exists()


@pytest.mark.differential
@pytest.mark.skipif(EXIM is None, reason="no Exim is installed here")
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None or not os.path.isdir("/etc/exim4"),
    reason="a configuration of its own takes root and a mount namespace",
)
@pytest.mark.parametrize("case", CASES[::4], ids=name_of)
def test_real_one_still_says_so(case: dict[str, Any]) -> None:
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("the answers were recorded with another version")
    with tempfile.TemporaryDirectory(prefix="maildirsize") as name:
        answer = maildircases.real(EXIM, Path(name).resolve(), case)
    if not answer:
        pytest.skip("no namespace of its own can be made here")
    assert answer == case["code"]
