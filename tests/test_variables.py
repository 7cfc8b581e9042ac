"""Variables: every row of the language facts, what Exim answers for each, setting by name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import casefile
import pytest
import state_world
from differential.world import real_exim, real_version
from eximious.grammar.catalogue import Build, Catalogue, versions
from eximious.interpreter.engine import expand
from eximious.interpreter.text import is_tainted, taint
from eximious.interpreter.variables import (
    UnknownVariable,
    certificate_for,
    defined_for,
    resolver_for,
    unknown_variable_message,
    unset_is_unknown,
)
from eximious.interpreter.variables.setting import SettingError, set_variable
from eximious.interpreter.variables.table import PLACES

FILES = sorted(state_world.FIXTURES.glob("variables/*.cases"))
NAMES = {name for name, row in Catalogue((4, 99)).variables.items() if row.in_table}
EVER = {
    name
    for version in ((4, 80), (4, 84), (4, 86), *versions())
    for name, row in Catalogue(version).variables.items()
    if row.in_table
}


def differences(path: Path, answers: dict[int, str | None]) -> str:
    """The cases of a file that were answered otherwise, for people."""
    lines = []
    for case in casefile.read(path).cases:
        got = answers[case.line]
        if case.answer is not None and got != case.answer:
            lines.append(
                f"{case.path.name}:{case.line}: {case.source}\n  exim {case.answer!r}\n  this {got!r}"
            )
    return "\n".join(lines[:20])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_answers(path: Path, tmp_path: Path) -> None:
    answers: dict[int, str | None] = {}
    for cases in state_world.grouped(casefile.read(path).cases):
        for case, answer in zip(cases, state_world.ours(cases, tmp_path)):
            answers[case.line] = answer
    assert not differences(path, answers)


@pytest.mark.differential
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_of_the_real_one(path: Path, tmp_path: Path) -> None:
    """What is recorded is still what the installed Exim says."""
    exim = real_exim()
    if exim is None or os.geteuid() != 0:
        pytest.skip("no Exim is installed, or not root")
    cases = casefile.read(path).cases
    if real_version(exim) != cases[0].settings["exim"]:
        pytest.skip("another version is installed")
    tmp_path.chmod(0o755)
    answers: dict[int, str | None] = {}
    for group in state_world.grouped(cases):
        for case, answer in zip(group, state_world.real(group, tmp_path, exim)):
            answers[case.line] = answer
    assert not differences(path, answers)


@pytest.mark.differential
def test_variables_of_this_machine_and_moment(tmp_path: Path) -> None:
    """What is left out of the recorded cases, compared live: the newest of both is close to the other."""
    exim = real_exim()
    if exim is None or os.geteuid() != 0:
        pytest.skip("no Exim is installed, or not root")
    from differential.process import Asker
    from eximious.backends.capabilities import make_doors

    tmp_path.chmod(0o755)
    (tmp_path / "spool").mkdir()
    (tmp_path / "log").mkdir()
    conf = tmp_path / "test.conf"
    conf.write_text(
        f"primary_hostname = a.b.c\nspool_directory = {tmp_path}/spool\n"
        f"log_file_path = {tmp_path}/log/%slog\n"
    )
    conf.chmod(0o644)
    names = [
        *("exim_uid", "exim_gid", "caller_uid", "caller_gid", "initial_cwd", "config_dir", "config_file"),
        *("tod_epoch", "tod_full", "tod_log", "tod_logfile", "tod_zulu", "tod_bsdinbox", "tod_zone"),
        *("spool_directory", "spool_inodes", "log_inodes"),
    ]
    asker = Asker([exim, "-C", str(conf), "-be"], folder=tmp_path, environment={"PATH": "/usr/bin:/bin"})
    theirs = [answer.text for answer in asker.ask([f"${name}" for name in names])]
    ctx = state_world.context({"exim": real_version(exim)}, str(tmp_path))
    ctx.env.doors = make_doors()
    ctx.env.options = {"spool_directory": f"{tmp_path}/spool", "log_file_path": f"{tmp_path}/log/%slog"}
    for name, their in zip(names, theirs):
        mine = expand(f"${name}", ctx)
        if name.startswith("tod_") or name.endswith("_inodes"):
            digits = re.compile(r"\d+")
            assert digits.sub("#", mine) == digits.sub("#", str(their)), name
        else:
            assert mine == their, name
    epoch = dict(zip(names, theirs))["tod_epoch"]
    assert abs(int(str(epoch)) - int(expand("$tod_epoch", ctx))) < 30


def test_every_name_has_a_place() -> None:
    assert set(PLACES) == EVER


@pytest.mark.parametrize("version", versions(), ids=lambda version: f"{version[0]}.{version[1]}")
def test_names_exist_by_version(version: tuple[int, int]) -> None:
    catalogue = Catalogue(version)
    for name in PLACES:
        known = catalogue.variable(name) is not None
        assert (resolver_for(name, catalogue, version) is not None) == known, name
        assert (defined_for(name, catalogue, version) is not None) == known, name


def test_names_exist_by_build() -> None:
    without = Catalogue((4, 99), Build({"WITH_CONTENT_SCAN": False, "SUPPORT_DMARC": False}))
    assert resolver_for("malware_name", without, (4, 99)) is None
    assert resolver_for("dmarc_status", without, (4, 99)) is None
    assert resolver_for("sender_address", without, (4, 99)) is not None


@pytest.mark.parametrize(
    ("name", "since"),
    [("auth4", (4, 95)), ("r_x", (4, 93)), ("sender_helo_verified", (4, 97)), ("connection_id", (4, 99))],
)
def test_first_version(name: str, since: tuple[int, int]) -> None:
    for version in versions():
        found = resolver_for(name, Catalogue(version), version)
        assert (found is not None) == (version >= since), version


@pytest.mark.parametrize("name", sorted(PLACES))
def test_every_variable_gives_text(name: str) -> None:
    ctx = state_world.context({"exim": "4.99"})
    run = resolver_for(name, None, (4, 99))
    assert run is not None
    if re.fullmatch(r"s?n[0-9]", name):
        with pytest.raises(UnknownVariable):
            run(ctx)
        ctx.message.filter_running = True
    assert isinstance(run(ctx), str)


@pytest.mark.parametrize(
    ("name", "braced", "message"),
    [
        ("foo", False, 'unknown variable name "foo"'),
        ("foo", True, 'unknown variable in "${foo}"'),
        (
            "acl_x",
            False,
            'unknown variable name "acl_x" (user-defined ACL variables must start acl_c or acl_m)',
        ),
        ("acl_m0", True, 'unknown variable in "${acl_m0}" (strict_acl_vars is set)'),
        (
            "acl_mx",
            False,
            'unknown variable name "acl_mx"'
            " (6th character of a user-defined ACL variable must be a digit or underscore)",
        ),
    ],
)
def test_messages(name: str, braced: bool, message: str) -> None:
    assert unknown_variable_message(name, braced) == message


def test_recipients_are_empty_where_exim_hides_them() -> None:
    ctx = state_world.context({})
    ctx.message.recipients = [taint("a@b"), taint("c@d")]
    assert expand("$recipients|$recipients_list|$recipients_count", ctx) == "a@b, c@d|a@b:c@d|2"
    ctx.message.enable_dollar_recipients = False
    assert expand("$recipients|$recipients_list|$recipients_count", ctx) == "||2"


def test_variables_that_are_unknown_while_unset() -> None:
    assert all(unset_is_unknown(name) for name in ("acl_m0", "acl_c_x", "acl_m", "r_x"))
    assert not any(unset_is_unknown(name) for name in ("acl_narg", "acl_mx", "domain", "n0", "router_name"))


def test_taint_belongs_to_the_value() -> None:
    ctx = state_world.context({"args": "-f a@b.c -oMs name -oMi 1.2.3.4"})
    run = {name: resolver_for(name, None, (4, 99)) for name in PLACES}
    tainted = {name for name, get in run.items() if not re.fullmatch(r"s?n\d", name) and is_tainted(get(ctx))}
    assert tainted == {
        "interface_address",
        "received_ip_address",
        "sender_address",
        "sender_address_domain",
        "sender_address_local_part",
        "sender_host_name",
    }
    clean = state_world.context({})
    assert not is_tainted(run["sender_address"](clean))


def test_body_of_a_message_on_the_spool() -> None:
    ctx = state_world.context({"options": "message_body_visible = 6"})
    ctx.message.body = b"ab\ncd\0efgh\nij\n"
    assert expand("$message_body|$message_body_end", ctx) == "ab cd |gh ij "
    assert is_tainted(expand("$message_body", ctx))
    ctx = state_world.context({"options": "message_body_newlines = true"})
    ctx.message.body = b"ab\n\0c"
    assert expand("$message_body", ctx) == "ab\n c"


def test_old_tls_names_follow_the_direction() -> None:
    ctx = state_world.context({})
    ctx.session.tls_in.cipher, ctx.address.tls_out.cipher = "in", "out"
    assert expand("$tls_cipher", ctx) == "in"
    ctx.address.tls_out.active = True
    assert expand("$tls_cipher", ctx) == "out"


def test_certificates_are_given_as_they_are() -> None:
    ctx = state_world.context({})
    get = certificate_for("tls_in_peercert")
    assert get is not None and get(ctx) is None and expand("$tls_in_peercert", ctx) == ""
    set_variable(ctx, "tls_in_peercert", "PEM")
    assert get(ctx) == "PEM" and expand("${if def:tls_in_peercert {y}{n}}", ctx) == "y"
    assert certificate_for("tls_in_peerdn") is None


@pytest.mark.parametrize("name", sorted(PLACES))
def test_setting_by_name(name: str) -> None:
    """A variable can be set, or the error says what to set instead."""
    ctx = state_world.context({})
    get = resolver_for(name, None, (4, 99))
    assert get is not None
    try:
        set_variable(ctx, name, "1")
    except SettingError as problem:
        assert str(problem).startswith(f"${name}: ") or "which is to be set" in str(problem)
    else:
        assert get(ctx) in ("1", "yes", "<cert>"), name


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("acl_m_foo", "x", "x"),
        ("acl_c0", "x", "x"),
        ("r_some", "x", "x"),
        ("auth2", "x", "x"),
        ("regex3", "x", "x"),
        ("3", "x", "x"),
        ("recipients", "a@b, c@d", "a@b, c@d"),
        ("n4", "-7", "-7"),
        ("message_smtputf8", "true", "yes"),
        ("tls_cipher", "X", "X"),
        ("warnmsg_delay", "2h", "2h"),
        ("smtp_command_history", "EHLO,MAIL", "EHLO,MAIL"),
        ("headers_added", "X: y", "X: y"),
    ],
)
def test_setting_other_names(name: str, value: str, shown: str) -> None:
    ctx = state_world.context({})
    set_variable(ctx, name, value)
    assert expand(f"${name}", ctx) == shown


def test_setting_taints_what_usually_is() -> None:
    ctx = state_world.context({})
    set_variable(ctx, "local_part", "x")
    set_variable(ctx, "home", "/x")
    set_variable(ctx, "domain", "x", tainted=False)
    assert is_tainted(ctx.address.local_part)
    assert not is_tainted(ctx.address.home) and not is_tainted(ctx.address.domain)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("domian", "x", "$domian: there is no such variable; did you mean $domain?"),
        ("message_size", "big", "$message_size: is a number, not 'big'"),
        ("prdr_requested", "perhaps", "$prdr_requested: is yes or no, not 'perhaps'"),
        ("tod_log", "x", "$tod_log: shows the time; the clock is to be set"),
        ("h_from:", "x", "$h_from:: is part of a message, which is given as a whole"),
        ("100", "x", "$100: there are no more than 100 captures"),
    ],
)
def test_setting_errors(name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingError) as raised:
        set_variable(state_world.context({}), name, value)
    assert str(raised.value) == problem


def test_setting_refuses_names_of_other_versions() -> None:
    with pytest.raises(SettingError, match="no such variable"):
        set_variable(state_world.context({}), "connection_id", "x", catalogue=Catalogue((4, 96)))
