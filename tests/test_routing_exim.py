"""The recorded answers about routing are those of the installed Exim (a sample; tools/record_routing.py --check)."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import casefile
import pytest
import routingcases
from differential.addresses import random_addresses
from differential.chains import DRIVERS_LEFT_OUT, LEFT_OUT, OPTIONS
from differential.routes import compare, option_of
from differential.world import real_exim, real_version
from dnsworld import DnsWorld
from eximious.simulation.routing import children, engine, preconditions

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


@pytest.fixture(scope="module")
def real_with_names() -> Iterator[routingcases.Real]:
    """The same where only our zones answer; without a namespace no names are asked."""
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("chains are made of what 4.96 has")
    with tempfile.TemporaryDirectory(prefix="routing") as name:
        folder = routingcases.prepare(Path(name))
        world = DnsWorld.start(folder, routingcases.ZONES, routingcases.HOSTS, routingcases.RESOLV_CONF)
        try:
            yield routingcases.Real(EXIM, folder, world)
        finally:
            if world is not None:
                world.close()


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


@pytest.mark.parametrize(
    ("chains", "least"), [(40, 0), pytest.param(250, 4, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_random_chains(real_with_names: routingcases.Real, chains: int, least: int) -> None:
    """Random routers × random addresses: the same is said of each; every option comes."""
    report = compare(real_with_names, seed=chains, chains=chains, addresses=40, dns=0.3)
    assert report.differences == []
    assert report.deaths == []
    assert report.addresses == chains * 40
    counts: Counter[str] = Counter()
    for row, count in report.rows.items():
        counts[row.partition(" ")[0]] += count
    known = {option_of(name) for options in OPTIONS.values() for name in options}
    assert {name: counts[name] for name in known if counts[name] < least} == {}


def test_chains_may_have_every_option() -> None:
    """What the facts name, and no chain can have, is listed with the reason."""
    import json

    rows = json.loads((routingcases.FIXTURES.parent / "grammar/tables/router_options.json").read_text())[
        "rows"
    ]
    wanted = {row["name"] for row in rows if row["driver"] not in DRIVERS_LEFT_OUT}
    made = {option_of(name) for options in OPTIONS.values() for name in options}
    assert made | set(LEFT_OUT) == wanted
    assert not made & set(LEFT_OUT)


@pytest.mark.parametrize(
    ("place", "name", "wrong"),
    [
        (preconditions, "mode_forbids", lambda router, mode, testing: ""),
        (engine, "affixes", lambda router, address: None),
        (engine.Chain, "_verify_fails", lambda chain, router: False),
        (children, "lower", str),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_planted_errors_are_found(
    real_with_names: routingcases.Real,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
    wrong: object,
) -> None:
    monkeypatch.setattr(place, name, wrong)
    assert compare(real_with_names, seed=1, chains=120, addresses=12, dns=0, shrinks=0).differences
