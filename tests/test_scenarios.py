"""What a postmaster would check of the shipped configurations (``fixtures/scenarios``, see the README there)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import scenariocases
from differential.world import real_exim, real_version
from dnsworld import DnsWorld
from scenariocases import SOURCE, Ours, Real, Scenario

SCENARIOS = scenariocases.scenarios()
EXIM = real_exim()
BUILD = str(Path(__file__).resolve().parents[1] / "fixtures" / "expansion" / "build.txt")
CONFIGURATIONS = ("gateway", "hosting-panel", "isp", "mailing-lists", "small-office", "virtual-domains")
KINDS = (
    "relay", "local-sender", "submission", "blacklisted", "greylisted", "oversize", "bad-helo", "virus", "spam",
    "spf-fail", "dmarc-reject", "mailing-list",
)  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.id)
def test_scenario(scenario: Scenario) -> None:
    assert Ours(scenario).answer() == scenario.expected


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_every_kind_is_there_or_has_its_reason(configuration: str) -> None:
    folder = SOURCE / configuration
    there = {path.stem for path in folder.glob("scenarios/*.yaml")}
    said = (folder / "README.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert kind in there or f"**{kind}**" in said, f"{configuration}: {kind} is left out without a reason"


@pytest.mark.differential
@pytest.mark.skipif(EXIM is None, reason="no Exim is installed here")
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_the_real_one_says_the_same(configuration: str) -> None:
    """Where no verdict has to be described, the installed one (4.96) is asked."""
    chosen = [one for one in SCENARIOS if one.real and one.configuration == configuration]
    if not chosen:
        pytest.skip("all that it says depends on programs and databases that are described")
    assert EXIM is not None
    if os.geteuid() != 0 or real_version(EXIM) != "4.96":
        pytest.skip("root and Exim 4.96 are wanted")
    with tempfile.TemporaryDirectory(prefix="scenarios") as name:
        folder = Path(name).resolve()
        world = DnsWorld.start(folder, SOURCE / configuration / "zones", "127.0.0.1 localhost\n")
        if world is None:
            pytest.skip("no namespace of its own can be made here")
        try:
            real = Real(EXIM, folder, world, configuration)
            for scenario in chosen:
                ours = Ours(scenario, "4.96", BUILD)
                assert ours.replies == real.replies(scenario, ours.sent), scenario.id
        finally:
            world.close()
