"""Loading configurations: values and things one asks for, all errors of a file, cost, imports."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import configcases
import pytest
from eximious.grammar.catalogue import Catalogue
from eximious.grammar.config_errors import refusal_output
from eximious.grammar.configuration import Configuration, load_configuration

from eximious import exim_front
from eximious.print_options import print_options

WHOLE = """\
DOMAIN = example.org
hide domainlist local = DOMAIN : *.DOMAIN
hostlist_cache relay = 10.0.0.0/8
message_size_limit = 20M
recipients_max = 1K
queue_only_load = 1.25
timeout_frozen_after = 1w
delay_warning = 1h : 1d
never_users = root : mail
no_queue_only
hide smtp_banner = "a\\tb"
begin acl
check_rcpt:
  accept hosts = +relay
  deny
begin routers
first:
  driver = redirect
  data = x
  one_time
  condition = a
  condition = b
second:
  driver = accept
  transport = local
  user = mail
begin transports
local:
  driver = appendfile
  file = /var/mail/x
  mode = 0600
begin retry
* * F,2h,15m; G,16h,1h,1.5
begin rewrite
*@a "$1@b" Fs
begin authenticators
plain:
  driver = plaintext
  server_condition = no
"""

WRONG = """\
nosuch = 3
smtp_accept_max = many
smtp_accept_max = 4
domainlist a = b
domainlist a = c
FOO
log_selector = +nosuch
begin acl
c:
  accpt
  accept hosts x
  deny
begin routers
r:
  driver = accept
  nosuch
  domains = "a
s:
  driver = redirect
t:
  driver = nosuch
  data = x
begin nosuch
x
begin retry
* * X,2h,15m
* * F,2h,15m
begin acl
d:
  warn set acl_x = 1
"""


def load(text: str, folder: Path, version: tuple[int, int] = (4, 99)) -> Configuration:
    path = folder / "c.conf"
    path.write_bytes(text.encode("latin-1"))
    return load_configuration(
        str(path),
        Catalogue(version),
        users=configcases.Users(),
        expand=configcases.expand,
        hostname="host.name",
    )


def test_values(tmp_path: Path) -> None:
    read = load(WHOLE, tmp_path)
    assert read.diagnostics == [] and read.first_error is None
    assert read.option("message_size_limit") == "20M"
    assert read.option("recipients_max") == "1K"
    assert load(WHOLE, tmp_path, (4, 96)).option("recipients_max") == 1024
    assert read.option("queue_only_load") == 1250
    assert read.option("timeout_frozen_after") == 604800
    assert read.option("delay_warning") == (3600, 86400)
    assert read.option("never_users") == (0, 8)
    assert read.option("queue_only") is False
    assert read.option("smtp_banner") == "a\tb"
    assert read.option("primary_hostname") == read.option("qualify_recipient") == "host.name"
    assert read.option("accept_8bitmime") is True
    assert read.option("check_spool_space") == 10240
    assert read.option("smtp_receive_timeout") == 300
    assert read.option("acl_smtp_rcpt") is None
    assert read.settings.hidden == {"smtp_banner"}
    with pytest.raises(KeyError):
        read.option("nosuch")


def test_things(tmp_path: Path) -> None:
    read = load(WHOLE, tmp_path)
    local, relay = read.lists["d"]["local"], read.lists["h"]["relay"]
    assert (local.text, local.hide, local.cache) == ("example.org : *.example.org", True, False)
    assert (relay.kind, relay.cache, relay.hide) == ("host", True, False)
    assert list(read.routers) == ["first", "second"]
    first, second = read.routers.values()
    assert first.driver == "redirect" and first.option("forbid_pipe") is True
    assert first.option("condition") == "${if and{{bool_lax{a}}{bool_lax{b}}}}"
    assert first.option("retry_use_local_part") is True
    assert second.option("user") == 8 and second.option("group") == 8 and second.option("more") is True
    assert second.is_set("user") and not second.is_set("group")
    assert read.transports["local"].option("mode") == 0o600
    assert read.transports["local"].option("message_suffix") == "\n"
    assert [statement.verb for statement in read.acls["check_rcpt"].statements] == ["accept", "deny"]
    assert [(rule.pattern, rule.error) for rule in read.retry] == [("*", "*")]
    assert [(s.algorithm, s.until, s.interval, s.factor) for s in read.retry[0].steps] == [
        ("F", 7200, 900, 0),
        ("G", 57600, 3600, 1500),
    ]
    assert [(rule.pattern, rule.replacement, rule.flags) for rule in read.rewrite] == [("*@a", "$1@b", "Fs")]
    assert read.authenticators["plain"].derived == {"server": True, "client": False}
    macro = read.macros.get("DOMAIN")
    assert macro is not None and macro.value == "example.org"


def test_all_errors_are_reported(tmp_path: Path) -> None:
    read = load(WRONG, tmp_path)
    assert [(d.code, d.position.line if d.position else 0) for d in read.diagnostics] == [
        ("option-unknown", 1),
        ("bad-integer", 2),
        ("option-repeated", 3),
        ("list-repeated", 5),
        ("macro-malformed", 6),
        ("log-selector", 7),
        ("acl-syntax", 10),
        ("acl-syntax", 11),
        ("option-unknown", 16),
        ("missing-quote", 17),
        ("router-options", 18),
        ("driver-unknown", 21),
        ("router-transport", 14),
        ("section-unknown", 23),
        ("retry-letter", 26),
        ("section-repeated", 28),
        ("acl-syntax", 30),
    ]
    assert read.first_error is not None
    assert refusal_output(read.first_error) == (
        "LOG: PANIC DIE\n  Exim configuration error in line 1 of "
        f'{tmp_path}/c.conf:\n  main option "nosuch" unknown\n'
    )


def test_diagnostics_show_their_place(tmp_path: Path) -> None:
    read = load("begin acl\na:\n  accept  domainsx = +b\n", tmp_path)
    shown = read.diagnostics[0].render(read.reader.sources)
    assert shown.splitlines()[1:] == [
        "      accept  domainsx = +b",
        "              ^^^^^^^^^^^^^",
        '  hint: did you mean "domains"?',
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("smpt_banner = x", "smtp_banner"),
        ("begin routes", "routers"),
        ("begin routers\nr:\n driver = redirekt", "redirect"),
        ("begin transports\nr:\n driver = smtp\n host = x", "hosts"),
        ("begin acl\na:\n accpt", "accept"),
        ("xyzzy = 3", None),
    ],
)
def test_hints(text: str, hint: str | None, tmp_path: Path) -> None:
    found = load(text + "\n", tmp_path).diagnostics[0].hint
    assert found == (None if hint is None else f'did you mean "{hint}"?')


def test_broken_files_never_raise(tmp_path: Path) -> None:
    rng = random.Random(20)
    cases = [case for file in configcases.files() for case in file.cases]
    texts = [configcases.configuration(case) for case in cases]
    for _ in range(400):
        text = rng.choice(texts) + rng.choice(texts)
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(text) + 1)
            junk = "".join(chr(rng.randrange(256)) for _ in range(rng.randrange(3)))
            text = text[:at] + junk + text[at + rng.randrange(4) :]
        read = load(text, tmp_path)
        for found in read.diagnostics:
            found.render(read.reader.sources)
            found.exim_text()
        print_options(read, ["all", "routers", "transports", "authenticators"], lambda text: None)


def big(lines: int) -> str:
    """A configuration of about that many lines."""
    parts = ["begin acl"]
    for number in range(lines // 20):
        parts += [f"acl_{number}:", " deny message = no", f"      hosts = 10.{number}", " accept \\", "# x"]
        parts += ["   !domains = a : b", ""]
    parts.append("begin routers")
    for number in range(lines // 20):
        parts += [f"r{number}:", "  driver = redirect", "  data = x", "  domains = a : b : c", "  allow_fail"]
        parts += ["  no_more", "  user = mail", "", "# y", "", "", "", ""]
    return "\n".join(parts) + "\n"


def test_cost_is_linear(tmp_path: Path) -> None:
    def cost(lines: int) -> float:
        text = big(lines)
        best = 9e9
        for _ in range(3):
            start = time.process_time()
            assert load(text, tmp_path).diagnostics == []
            best = min(best, time.process_time() - start)
        return best

    cost(1000)
    small, large = cost(4000), cost(32000)
    assert large < 8 * small * 5  # square would be 8 * 8
    assert 32000 / large > 8000


def test_reading_imports_little(tmp_path: Path) -> None:
    path = tmp_path / "c.conf"
    path.write_text(WHOLE)
    code = (
        "import sys, json; from eximious.grammar.configuration import load_configuration as load; "
        f"before = set(sys.modules); load({str(path)!r}); print(*sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-S", "-c", code.replace("sys, json", "sys")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:  # an editable install is only found with site
        command.remove("-S")
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    loaded = set(done.stdout.split())
    heavy = {"lark", "pcre2", "dataclasses", "inspect", "argparse", "subprocess", "socket", "json", "dns"}
    assert not heavy & loaded


@pytest.mark.parametrize(
    ("mode", "beginning"),
    [
        (
            ["-bP", "qualify_domain"],
            r"LOG: PANIC DIE\n  Exim configuration error in line 1 of \S+\n  main option",
        ),
        (["-bh", "192.0.2.7"], r"LOG: Exim configuration error in line 1 of "),
        (["-be"], r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Exim configuration error in line 1 of "),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_configuration_that_is_refused(
    mode: list[str], beginning: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.conf").write_text("nosuch = 1\n")
    assert exim_front.run(exim_front.parse(["-C", f"{tmp_path}/c.conf", *mode])) == 1
    assert re.match(beginning, capsys.readouterr().err)
