"""ACLs where the clock matters, or what no recorded answer shows: life times, refusals, bounds, traces."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eximious.backends.clock import FixedClock
from eximious.grammar.catalogue import Catalogue, versions
from eximious.interpreter.context import Context
from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import ExpansionError, Refused, Unanswered
from eximious.simulation.acl import registry
from eximious.simulation.acl.engine import Evaluation, run_hook
from eximious.simulation.acl.outcomes import DISCARD, FAIL, OK, NotEvaluated
from eximious.simulation.acl.phases import NAMES
from eximious.simulation.acl.program import parse_text
from eximious.simulation.acl.replies import split_message
from eximious.simulation.acl.state import state_of

from eximious.assembly import Assembly, fresh_context

CONFIGURATION = """\
primary_hostname = mail.example.org
begin acl
rate:
  accept message = over $sender_rate
         ratelimit = $acl_arg1
  accept message = $sender_rate
seen:
  accept message = yes
         seen = $acl_arg1
  accept message = no
again:
  accept acl = again
spf:
  accept spf = pass
controls:
  accept control = freeze/no_tell
         control = submission/domain=example.net/name=A B
         control = fakereject/no
         delay = 5s
         remove_header = X:Y
         remove_header = Z
gone:
  discard
"""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A context with the configuration above and a clock that stands still."""
    path = tmp_path / "acl.conf"
    path.write_text(CONFIGURATION)
    assembly = Assembly(str(path), version="4.96", allow=("all",))
    assembly.doors.clock = FixedClock(1_700_000_000.0, "UTC")
    return assembly.context


def steps(context: Context, script: str) -> list[str]:
    """Answers of ``acl argument`` steps; a number lets so many seconds pass."""
    found = []
    for step in script.split(" ; "):
        if re.fullmatch(r"[0-9]+", step):
            context.env.doors.clock.advance(float(step))  # type: ignore[attr-defined]
        else:
            name, argument = step.split()
            found.append(expand(f"${{acl{{{name}}}{{{argument}}}}}", context))
    return found


# as exim -be 4.96 with ${run{/bin/sleep n}} between
@pytest.mark.parametrize(
    ("script", "answers"),
    [
        (
            "rate 10/10s/per_cmd/strict/a ; 2 ; rate 10/10s/per_cmd/strict/a ; 3 ; rate 10/10s/per_cmd/strict/a "
            "; rate 10/10s/per_cmd/readonly/a",
            "1.0 1.7 2.1 2.1",
        ),
        (
            "rate 10/2s/per_cmd/strict/unique=a/b ; rate 10/2s/per_cmd/strict/unique=a/b ; 3 ; "
            "rate 10/2s/per_cmd/strict/unique=a/b ; 1 ; rate 10/2s/per_cmd/strict/unique=a/b",
            "1.0 1.0 1.0 0.6",
        ),
        ("seen 1s/key=1 ; 2 ; seen 1s/key=1 ; seen 1s/key=1 ; seen -1s/key=1", "no no yes no"),
        (
            "seen -1s/key=2 ; 2 ; seen -1s/key=2 ; seen -1s/key=2 ; seen -1s/key=2/refresh=1s ; seen -1s/key=2",
            "no yes yes yes no",
        ),
        (
            "seen 1s/key=3 ; 2 ; seen 1s/key=3/readonly ; seen 1s/key=3/readonly ; seen -1s/key=3/write ; "
            "seen -1s/key=3",
            "no no no yes no",
        ),
        ("seen 3s/key=4 ; 2 ; seen 3s/key=4 ; 2 ; seen 3s/key=4/readonly", "no yes yes"),
    ],
)
def test_what_happened_before(context: Context, script: str, answers: str) -> None:
    assert " ".join(steps(context, script)) == answers


def test_hints_outlive_the_session(context: Context) -> None:
    assert steps(context, "rate 1/1h/strict/x") == ["over 1.0"]
    other = fresh_context(context.env)
    assert steps(other, "rate 9/1h/strict/x") == ["2.0"]


def test_a_verdict_that_nobody_gives_is_not_guessed(context: Context) -> None:
    context.session.sender_host_address = "192.0.2.7"
    with pytest.raises(
        Refused, match=r"^spf: asking spf for a verdict is not allowed; allow it with --world DIR$"
    ):
        expand("${acl{spf}}", context)
    assert state_of(context).level == 0


def test_not_evaluated_names_the_place(context: Context) -> None:
    statements = parse_text("accept atrn_domains = x", Catalogue((4, 99)))
    step = statements[0].steps[0]
    with pytest.raises(
        NotEvaluated, match=r'^ACL condition "atrn_domains".* is not evaluated here: '
    ) as found:
        step.call(Evaluation(context, state_of(context), None), "x", step)
    assert isinstance(found.value, Unanswered)


def test_endless_acls_end(context: Context) -> None:
    with pytest.raises(ExpansionError, match=r'^ERROR from acl "again"$'):
        expand("${acl{again}}", context)
    result = run_hook(context, "connect", "again")
    assert (result.word, result.log) == ("error", "ACL nested too deep: possible loop")


def test_effects_last_as_long_as_the_message(context: Context) -> None:
    state = state_of(context)
    assert run_hook(context, "predata", "controls").outcome == OK
    message = state.message
    assert message.deliver_freeze and not message.freeze_tell
    assert (message.submission_domain, message.submission_name) == ("example.net", "A B")
    assert (message.fake, message.fake_text) == ("reject", "no")
    assert message.removed_headers == "X:Y : Z"
    assert [(delay.seconds, delay.phase) for delay in state.delays] == [(5, "predata")]
    state.new_message()
    assert not state.message.deliver_freeze and not state.message.removed_headers


def test_discard_where_it_may_stand(context: Context) -> None:
    lines: list[str] = []
    context.env.log = lambda line, where: lines.append(f"{where}: {line}")
    assert run_hook(context, "mail", "gone").outcome == DISCARD
    assert run_hook(context, "helo", "gone").word == "error"
    assert lines == ['main panic: "discard" verb not allowed in EHLO or HELO ACL']


def test_hook_whose_expansion_fails(context: Context) -> None:
    assert run_hook(context, "mail", "${if eq{a}{b}{x}fail}").outcome == OK
    result = run_hook(context, "mail", "${nosuch}")
    assert result.log == 'failed to expand ACL string "${nosuch}": unknown variable in "${nosuch}"'
    assert run_hook(context, "mail", "  deny ").outcome == FAIL


def test_arguments_come_back(context: Context) -> None:
    context.scratch["acl_arg1"], context.scratch["acl_narg"] = "outer", 1
    assert (
        expand("${acl{accept message = \\$acl_narg\\$acl_arg1}{a}{b}}$acl_arg1$acl_narg", context)
        == "2aouter1"
    )
    assert "acl_arg2" not in context.scratch


@pytest.mark.parametrize("kind", ["condition", "modifier", "control", "verify"])
def test_every_name_has_a_declaration(kind: str) -> None:
    registry.load()
    tables = {"control": registry.CONTROLS, "verify": registry.VERIFIES}
    for version in versions():
        for name in Catalogue(version).acl(kind):
            declared = tables.get(kind, registry.CONDITIONS)[name]
            assert declared.kind == kind and re.fullmatch(r"(?:44|45|58)\.\d+", declared.section)
            assert declared.call.__doc__


def test_every_hook_has_a_phase() -> None:
    for version in versions():
        assert {row.phase for row in Catalogue(version).acl("hook").values()} <= set(NAMES)


@pytest.mark.parametrize("size", [10, 74, 75, 76, 200, 5000])
def test_split_lines_lose_nothing(size: int) -> None:
    text = ("word: another " * size)[:size]
    assert split_message(text).replace("\n", " ") == text


@pytest.mark.parametrize("count", [1_000])
def test_long_acls(context: Context, count: int) -> None:
    text = "\n".join(f"warn condition = no\n     set acl_c{number} = x" for number in range(count))
    assert run_hook(context, "connect", text + "\naccept").outcome == OK


@pytest.mark.parametrize(
    "text",
    [
        "accept \\",
        "\\",
        "accept message = a\\",
        "accept message = a\\\n# only this",
        "\0",
        "accept\0deny",
        "!",
        "=",
        ":",
    ],
)
def test_odd_texts_end_well(context: Context, text: str) -> None:
    assert run_hook(context, "connect", text.replace("\\", "\\\\")).word in ("accept", "deny", "error")
