"""The recorded answers about callouts are those of the installed Exim (a sample; tools/record_routing.py --check)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import casefile
import pytest
import routingcases
from differential.world import real_exim, real_version
from dnsworld import DnsWorld

EXIM = real_exim()
pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(EXIM is None, reason="no Exim is installed here"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a namespace of its own takes root"),
]
#: every so many cases; the rest is in tools/record_routing.py
STEP = 5
CASES = [
    case
    for file in routingcases.case_files()
    for case in [case for case in file.cases if "peers" in case.settings and not case.reason][::STEP]
]


@pytest.fixture(scope="module")
def real() -> Iterator[routingcases.Real]:
    """The installed Exim where the servers of smtpserver answer; without a namespace it is not asked."""
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("the answers were recorded with another version")
    with tempfile.TemporaryDirectory(prefix="callouts") as name:
        folder = routingcases.prepare(Path(name))
        world = DnsWorld.start(folder, routingcases.ZONES, routingcases.HOSTS, routingcases.RESOLV_CONF)
        if world is None:
            pytest.skip("no namespace of its own can be made here")
        real = routingcases.Real(EXIM, folder, world)
        try:
            yield real
        finally:
            real.close()
            world.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_real_one_still_says_so(real: routingcases.Real, case: casefile.Case) -> None:
    assert real.answer(case) == case.answer
