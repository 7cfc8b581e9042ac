"""Sessions through random ACLs are answered as the installed Exim's -bh answers them (tools/differential_smtp.py)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sessioncases
from differential import acls
from differential.smtp import Report, compare, row_of
from differential.world import real_exim, real_version
from dnsworld import DnsWorld
from eximious.simulation.acl import controls, engine
from eximious.simulation.acl.outcomes import OK
from eximious.simulation.smtp import content, envelope, reception

EXIM = real_exim()


def live(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that asks the installed Exim."""
    marks = (
        pytest.mark.differential,
        pytest.mark.skipif(EXIM is None, reason="no Exim is installed here"),
        pytest.mark.skipif(os.geteuid() != 0, reason="the real one takes a configuration from root only"),
    )
    for mark in marks:
        test = mark(test)
    return test


#: the checks of callouts count with the check that they belong to
KINDS = ("verb", "condition", "modifier", "control", "verify", "hook")


@pytest.fixture(scope="module")
def real() -> Iterator[sessioncases.Real]:
    """The installed Exim where only our zones answer; without a namespace no names are asked."""
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("ACLs are made of what 4.96 has")
    with tempfile.TemporaryDirectory(prefix="smtp") as name:
        folder = sessioncases.prepare(Path(name))
        world = DnsWorld.start(folder, sessioncases.ZONES, sessioncases.HOSTS, sessioncases.RESOLV_CONF)
        try:
            yield sessioncases.Real(EXIM, folder, world)
        finally:
            if world is not None:
                world.close()


def made() -> set[tuple[str, str]]:
    """The rows of the facts that random ACLs have."""
    rows = {(kind, name) for kind, values in acls.VALUES.items() for name in values if name}
    return rows | {("verb", verb) for verb in acls.VERBS} | {("hook", name) for name in acls.HOOKS}


def check(report: Report, processes: int, mails: int) -> None:
    """Nothing differs, and the real one dies only of what it is known to die of: a message without a sender."""
    assert report.differences == []
    assert (report.processes, report.transactions) == (processes, processes * mails)
    assert report.refused == 0
    assert len(report.deaths) <= processes * 0.03 + 1


@live
def test_random_acls(real: sessioncases.Real) -> None:
    check(compare(real, seed=40, processes=40, mails=20, dns=0.3), 40, 20)


@pytest.mark.slow
@live
@pytest.mark.parametrize("seed", [1000, 1001])
def test_many_random_acls(real: sessioncases.Real, seed: int) -> None:
    """10,000 transactions in 500 processes, twice; every row of the facts comes, again and again."""
    report = compare(real, seed=seed, processes=500, mails=20, dns=0.3)
    check(report, 500, 20)
    assert {row: report.rows[row] for row in made() if report.rows[row] < 20} == {}
    assert {"220", "221", "250", "354", "451", "500", "501", "503", "550"} <= set(report.replies)


def test_acls_may_have_every_row() -> None:
    """What the facts name for ACLs, and no random one has, is listed with the reason."""
    wanted = {(row["kind"], row["name"]) for row in acls.ROWS if row["kind"] in (*KINDS, "callout_option")}
    callouts = {
        ("callout_option", row["name"])
        for row in acls.ROWS
        if row["kind"] == "callout_option"
        and any(row["name"] in value for values in acls.VALUES["verify"].values() for value in values)
    }
    assert made() | callouts | set(acls.LEFT_OUT) == wanted
    assert not (made() | callouts) & set(acls.LEFT_OUT)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("!verify = sender/callout", ("verify", "sender")),
        ("control = freeze/no_tell", ("control", "freeze")),
        ("set acl_m_a = 1", ("modifier", "set")),
        ("!domains = a.b", ("condition", "domains")),
        ("endpass", ("modifier", "endpass")),
    ],
)
def test_rows_are_counted(line: str, row: tuple[str, str]) -> None:
    assert row_of(line) == row


@pytest.mark.parametrize(
    ("place", "name", "wrong"),
    [
        (engine.Evaluation, "_expanded_message", lambda evaluation, message, earlier: message),
        (envelope, "take_option", lambda text: None),
        (content, "recipients_there", lambda session, verb: True),
        (reception, "_header_id", lambda session: ""),
        (controls, "OK", OK + 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@live
def test_planted_errors_are_found(
    real: sessioncases.Real, monkeypatch: pytest.MonkeyPatch, place: object, name: str, wrong: object
) -> None:
    monkeypatch.setattr(place, name, wrong)
    assert compare(real, seed=7, processes=60, mails=12, dns=0, shrinks=0).differences
