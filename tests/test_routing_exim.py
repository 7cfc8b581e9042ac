"""The recorded answers about routing are those of the installed Exim (a sample; tools/record_routing.py --check)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import casefile
import pytest
import routingcases
from differential.addresses import random_addresses
from differential.world import real_exim, real_version

EXIM = real_exim()
pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(EXIM is None, reason="no Exim is installed here"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the real one routes as root"),
]
#: every so many cases; those that ask the DNS need a world of their own
STEP = 8
CASES = [
    case
    for file in routingcases.case_files()
    for case in [
        case for case in file.cases if not {"dns", "peers"} & set(case.settings) and not case.reason
    ][::STEP]
]


@pytest.fixture(scope="module")
def real() -> Iterator[routingcases.Real]:
    """The installed Exim in a prepared folder that the user it runs as can reach."""
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("the answers were recorded with another version")
    with tempfile.TemporaryDirectory(prefix="routing") as name:
        yield routingcases.Real(EXIM, routingcases.prepare(Path(name)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_real_one_still_says_so(real: routingcases.Real, case: casefile.Case) -> None:
    assert real.answer(case) == case.answer


@pytest.mark.parametrize("ask", ["-bt", "-bv", "-v -bv", "-bvs"])
def test_random_addresses(real: routingcases.Real, ask: str) -> None:
    """What addresses are, and what they come to, in whatever shape they are given."""
    lines = random_addresses(20, 3_000)
    *options, mode = ask.split()
    case = casefile.Case(
        real.folder,
        1,
        "",
        {"conf": "output", "ask": mode, "options": " ".join(options), "stdin": "yes"},
        "\n".join(lines).replace("|", "/").replace("\n", "|"),
    )
    theirs = real.answer(case).split("\n> ")
    ours = routingcases.Ours(real.folder).answer(case).split("\n> ")
    assert len(theirs) >= len(lines), "the real one died on the way"
    assert [pair for pair in zip(theirs, ours) if pair[0] != pair[1]] == []
    assert len(ours) == len(theirs)
