"""Callouts through the verdicts door: what is recorded of real ones answers like them, and descriptions do."""

from __future__ import annotations

import re
from pathlib import Path

import casefile
import pytest
import routingcases
import smtpserver
from eximious.backends.described import World
from eximious.backends.described_answers import DescribedVerdicts
from eximious.backends.recording import Recording, RecordingVerdicts
from eximious.backends.verdicts import RealVerdicts
from eximious.interpreter.state import Doors
from eximious.simulation.routing.peer import Greeting, Peer, Said

#: every so many of the recorded sessions
STEP = 7
CASES = casefile.read(routingcases.SOURCE / "callouts.cases").cases[::STEP] + [
    case
    for case in casefile.read(routingcases.SOURCE / "calloutauth.cases").cases[::STEP]
    # what is expanded and looked up while a server is spoken to leaves no trace in a recording
    if not case.reason
    and not re.search(r"\$auth1|foo|two\.ex", case.source + case.settings.get("options", ""))
]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> routingcases.Ours:
    """Ours in a prepared folder."""
    return routingcases.Ours(routingcases.prepare(Path(tmp_path_factory.mktemp("callouts"))))


def unheard(answer: str | None) -> str:
    """An answer without what servers were told: there are none."""
    return re.sub(r"(?m)\n\d+< .*", "", answer or "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_recording_answers_as_the_servers_did(
    ours: routingcases.Ours, case: casefile.Case, tmp_path: Path
) -> None:
    recording = Recording(str(tmp_path))
    doors = Doors(sockets=smtpserver.MemorySockets())
    ours.verdicts = RecordingVerdicts(RealVerdicts(lambda word: True, lambda: doors), recording)
    try:
        assert ours.answer(case) == unheard(case.answer)
        recording.save()
        ours.verdicts = DescribedVerdicts(World.load(str(tmp_path)))
        assert ours.answer(case) == unheard(case.answer)
    finally:
        ours.verdicts = None


DESCRIBED = [
    ("reply: 550 no such user", "550-Callout verification failed:\n550 550 no such user"),
    ("reply: 250 fine", "250 Accepted"),
    ("{reply: 451 later}", "451 Could not complete recipient verify callout"),
    ("fails: ECONNREFUSED", "451 Could not complete recipient verify callout"),
    ("{reply: 554 go away, stage: connect}", "550-Callout verification failed:\n550 554 go away"),
    ("{reply: 550 no bounces, stage: mail}", "550-Callout verification failed:\n550 550 no bounces"),
    ("{fails: timeout, stage: rcpt}", "451 Could not complete recipient verify callout"),
]


@pytest.mark.parametrize(("said", "reply"), DESCRIBED, ids=[one[0] for one in DESCRIBED])
def test_a_description_answers(ours: routingcases.Ours, tmp_path: Path, said: str, reply: str) -> None:
    entry = said.strip("{}")
    (tmp_path / "world.yaml").write_text(f"callouts:\n  - {{address: x@s1.ex, {entry}}}\n")
    ours.verdicts = DescribedVerdicts(World.load(str(tmp_path)))
    case = casefile.Case(
        tmp_path,
        1,
        "",
        {"conf": "verify", "ask": "-bhc 192.0.2.7"},
        "MAIL FROM:<good@local.ex>|RCPT TO:<x@s1.ex>\naccept verify = recipient/callout",
    )
    try:
        assert reply in ours.answer(case)
    finally:
        ours.verdicts = None


def test_without_permission_it_is_refused(ours: routingcases.Ours, tmp_path: Path) -> None:
    ours.verdicts = RealVerdicts(lambda word: False, lambda: Doors())
    case = casefile.Case(
        tmp_path,
        1,
        "",
        {"conf": "verify", "ask": "-bhc 192.0.2.7"},
        "MAIL FROM:<good@local.ex>|RCPT TO:<x@s1.ex>\naccept verify = recipient/callout",
    )
    try:
        assert "not evaluated: " in ours.answer(case) and "--allow net" in ours.answer(case)
    finally:
        ours.verdicts = None


def asked(number: int, *recipients: str, sender: str = "") -> tuple[list[Said], list[str]]:
    """What a server says to recipients asked one after another, and the commands that it got."""
    sockets = smtpserver.MemorySockets()
    doors = Doors(sockets=sockets)
    peer = Peer(f"inet:127.0.1.{number}:25", Greeting("here.example"), 5, 5)
    said = [peer.ask(doors, recipient, sender) for recipient in recipients]
    peer.close()
    return said, [command for _, one in sockets.conversations for command in one.commands]


def test_one_connection_is_used_for_all_questions() -> None:
    said, commands = asked(1, "good@s1.ex", "bad@s1.ex", sender="me@here.example")
    assert [one.accepted for one in said] == [True, False]
    assert commands == [
        "EHLO here.example",
        "MAIL FROM:<me@here.example>",
        "RCPT TO:<good@s1.ex>",
        "RSET",
        "MAIL FROM:<me@here.example>",
        "RCPT TO:<bad@s1.ex>",
        "QUIT",
    ]


def test_verdicts_come_back_as_they_were_said() -> None:
    for number in (1, 2, 6, 11, 12, 18, 20, 27, 31):
        for said in asked(number, "bad@s1.ex")[0]:
            back = Said.of_verdict(said.as_verdict())
            assert (back.stage, back.reply, back.fails, back.command) == (
                said.stage,
                said.reply,
                said.fails,
                said.command,
            )
