"""``eximious world``: starting descriptions, questions, checks; what commands say of open questions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from eximious.backends.described import World
from eximious.backends.dnszones import Zones

from eximious.__main__ import main
from eximious.command_world import _QUESTIONS, ASK, problems_of

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SMALL = str(FIXTURES / "worlds" / "small")
CONFIGURATIONS = sorted(path.parent for path in (FIXTURES / "configurations").glob("*/exim.conf"))


# ---- init


@pytest.mark.parametrize("folder", CONFIGURATIONS, ids=lambda path: path.name)
def test_init_gives_a_valid_world(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = tmp_path / "world"
    assert main(["world", "init", "-C", str(folder / "exim.conf"), "--root", str(folder), str(world)]) == 0
    assert problems_of(str(world)) == []
    text = (world / "world.yaml").read_text()
    # and what it proposes is valid, too
    (world / "world.yaml").write_text(re.sub("(?m)^#\\|", "", text))
    assert problems_of(str(world)) == []
    World.load(str(world))
    assert "lines and files to complete" in capsys.readouterr().out


CONFIG = r"""
hide mysql_servers = localhost/db/user/pass
primary_hostname = mail.example.com
av_scanner = clamd:/run/clamav/clamd.ctl
spamd_address = 127.0.0.1 783
system_filter = /etc/exim4/filter
acl_smtp_rcpt = rcpt
keep_environment = LANG
never_users = daemon
domainlist local = lsearch;/etc/exim4/local : mysql;select d from domains where d='$domain'
hostlist relay = net-iplsearch;/etc/exim4/nets : mx.partner.example : *.wild.example : @[]
begin acl
rcpt:
  deny dnslists = zen.example.org : bl.example.net=127.0.0.2
  deny !verify = recipient/callout
  deny malware = *
  warn set acl_m0 = ${lookup{$local_part}dsearch{/var/mail}} ${env{LANG}} $tod_full ${stat:/etc/motd}
  accept condition = ${if pam{$auth1:$auth2}} condition = ${if exists{/etc/nologin}}
begin routers
dns:
  driver = dnslookup
  domains = ! +local
  transport = out
  condition = ${run{/usr/bin/check $local_part}} ${readsocket{/run/check}{ask $domain}}
  address_data = ${lookup dnsdb{txt=_policy.example.com}} ${perl{sub}{x}} ${lookup redis{get $domain}}
local:
  driver = accept
  check_local_user
  transport = out
elsewhere:
  driver = iplookup
  hosts = 192.0.2.9
  port = 4321
begin transports
out:
  driver = smtp
begin authenticators
plain:
  driver = dovecot
  public_name = PLAIN
  server_socket = /run/dovecot/auth
  server_set_id = $auth1
scram:
  driver = gsasl
  public_name = SCRAM-SHA-1
"""


def test_init_finds_what_can_be_asked(tmp_path: Path) -> None:
    config = tmp_path / "exim.conf"
    config.write_text(CONFIG)
    assert main(["world", "init", "-C", str(config), str(tmp_path / "w")]) == 0
    text = (tmp_path / "w" / "world.yaml").read_text()
    for wanted in (
        "/etc/exim4/local: absent",
        "/etc/exim4/nets: absent",
        "/etc/exim4/filter: absent",
        "/etc/motd: absent",
        "/etc/nologin: absent",
        "/var/mail/*",
        '{"kind": "mysql", "match": "select d from domains where d=\'.*\'"',
        '{"kind": "redis", "match": "get .*", "reply": "..."}',
        '{"match": "/usr/bin/check .*", "exit": 0, "output": "..."}',
        '{"connect": "/run/check", "match": "ask .*", "answer": "..."}',
        '{"connect": "/run/clamav/clamd.ctl", "match": ".*", "answer": "..."}',
        '{"connect": "inet:127.0.0.1:783", "match": ".*", "answer": "..."}',
        "TXT   _policy.example.com",
        "A     *.zen.example.org",
        "A     *.bl.example.net",
        "A     mx.partner.example",
        "PTR   *.in-addr.arpa",
        "MX    *",
        '{"match": [".*", ".*"], "answer": true}',
        '{"ask": ["sub", "x"], "answer": "..."}',
        "malware:",
        "#|  dovecot:",
        '{"match": ["PLAIN", ".*", ".*", ".*"], "answer": true}',
        "#|  gsasl:",
        r'{"match": ["SCRAM\\-SHA\\-1", ".*"], "answer": true}',
        '{"connect": "udp:192.0.2.9:4321", "match": ".*", "answer": "..."}',
        "callouts:",
        "LANG: ",
        "daemon: {uid: ",
        "exim.conf:18 (acl rcpt",
    ):
        assert wanted in text, (wanted, text)
    assert sorted(path.name for path in (tmp_path / "w" / "zones").iterdir()) == [
        "_policy.example.com.zone", "bl.example.net.zone", "mx.partner.example.zone", "zen.example.org.zone",
    ]  # fmt: skip
    Zones.load(str(tmp_path / "w" / "zones"))


def test_init_writes_over_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "exim.conf").write_text("")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "world.yaml").write_text("hostname: mine\n")
    command = ["world", "init", "-C", str(tmp_path / "exim.conf"), str(tmp_path / "w")]
    assert main(command) == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "w" / "world.yaml").read_text() == "hostname: mine\n"
    assert main([*command, "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init"], "needs -C"),
        (["init", "-C", "/nonexistent/x"], "cannot read"),
        (["check", "/nonexistent"], ""),
    ],
)
def test_wrong_usage(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["world", *words]) in (1, 2)
    assert said in capsys.readouterr().err


# ---- ask

ASKED = [
    ("dns mail.example.com", "mail.example.com 3600 A 192.0.2.25\n"),
    ("dns mail.example.com TXT", "nodata (NOERROR)\n"),
    ("dns example.com mx", "example.com 3600 MX 10 mail.example.com\n"),
    ("dns two.example.net MX", "succeed, signed\ntwo.example.net 60 MX 5 mx.example.net\n"),
    ("file /etc/mail/aliases", "postmaster: anna\nanna: anna@example.com\n"),
    ("file /etc/mail/secret", "Permission denied\n"),
    ("file /etc/mail/gone", "No such file or directory\n"),
    ("list /var/list", "b\na\n"),
    ("user mail", "mail:x:8:8:Mail:/var/mail:/usr/sbin/nologin\n"),
    ("user 8", "mail:x:8:8:Mail:/var/mail:/usr/sbin/nologin\n"),
    ("user nobody2", "absent\n"),
    ("group mail", "mail:x:8:mail,jörg\n"),
    ("group 5", "absent\n"),
    ("sql mysql select name from users where id=1", "value\nanna\n"),
    ("sql mysql select * from users where id=2", "id\tname\n2\tBert O\n3\tNULL\n"),
    ("sql mysql delete from users", "3 rows affected\n"),
    ("sql pgsql select broken", "fail: syntax error\n"),
    ("redis get colour", "blue\n"),
    (
        "ldap ldap:///ou=people,o=x?cn,mail?sub?(uid=anna)",
        "dn: uid=anna,ou=people,o=x\ncn: Anna\nmail: anna@example.com\nmail: a@example.com\n",
    ),
    ("run /bin/fail 1", "exit 3\nno\n"),
    ("run /bin/slow", "time-out\n"),
    ("socket /run/greet.sock hello", "world\n"),
    ("socket inet:127.0.0.1:99", "Connection refused\n"),
    ("socket udp:192.0.2.9:4321 anna@example.com", "anna@there.example\n"),
    ("verdict pam anna secret", "true\n"),
    ("verdict dovecot PLAIN  anna right", "true\n"),
    ("verdict dovecot PLAIN  anna wrong", "false\n"),
    ("verdict dovecot PLAIN  down x", "dovecot is down\n"),
    ("verdict spf 192.0.2.1 mx.example.com a@example.com", "{'result': 'fail', 'reason': 'mechanism'}\n"),
    ("verdict perl nothing", "undefined\n"),
    ("verdict perl broken", "error: died\n"),
    ("callout anna@example.org", "reply: 250 OK\n"),
    ("time", "2025-01-31 12:00:00 +0100 (1738321200.0)\n"),
    ("hostname", "mail.example.com\n"),
    ("interfaces", "127.0.0.1\n::1\n192.0.2.25\n"),
    ("load", "0.25\n"),
    ("disk /none", "absent\n"),
    ("disk /var/spool/exim", "5000 kilobytes, 600 inodes\n"),
]


@pytest.mark.parametrize(("words", "said"), ASKED, ids=[one[0] for one in ASKED])
def test_ask(words: str, said: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["world", "ask", "--world", SMALL, *words.split(" ")]) == 0
    assert capfdbinary.readouterr().out.decode() == said
    assert main(["world", "ask", "--world", SMALL, "--format", "json", *words.split(" ")]) == 0
    json.loads(capfdbinary.readouterr().out)


def test_every_question_is_explained_and_tried() -> None:
    tried = {words.split()[0] for words, _ in ASKED}
    for name in _QUESTIONS:
        assert re.search(rf"\b{name}\b", ASK)
        assert name in tried or name in ("stat", "env"), name


def test_ask_what_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["world", "ask", "--world", SMALL, "run", "/bin/other", "x"]) == 3
    said = capsys.readouterr().err
    assert "the world does not say: what /bin/other x writes" in said and "- run:" in said
    assert main(["world", "ask", "--world", SMALL, "fil", "x"]) == 2
    assert "did you mean file?" in capsys.readouterr().err
    assert main(["world", "ask", "--world", "/nonexistent", "hostname"]) == 2
    assert main(["world", "ask", "--world", SMALL, "sql", "mysq", "x"]) == 2
    assert main(["world", "ask", "--world", SMALL, "dns", "x.y", "NOPE"]) == 2
    assert main(["world", "ask", "--world", SMALL, "--live", "rum", "hostname"]) == 2


# ---- check


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["world", "check", SMALL]) == 0
    (tmp_path / "zones").mkdir()
    (tmp_path / "world.yaml").write_text("hostnam: x\nload: high\n")
    (tmp_path / "zones" / "a.ex.zone").write_text("@ IN A 192.0.2.1\n@ IN A 1.2\n")
    (tmp_path / "zones" / "b.ex").touch()
    capsys.readouterr()
    assert main(["world", "check", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.replace(str(tmp_path) + "/", "").splitlines()
    assert lines[:2] == [
        "world.yaml:1:1: unknown key 'hostnam'; did you mean hostname?",
        "world.yaml:2:7: load has to be a number, not text",
    ]
    assert lines[2].startswith("zones/a.ex.zone:2:1: ")
    assert lines[3] == "zones/b.ex: is not read: the name of a zone file ends in .zone"
    assert main(["world", "check", "--format", "json", str(tmp_path)]) == 1
    assert [one["line"] for one in json.loads(capsys.readouterr().out)["problems"]] == [1, 2, 2, 0]


# ---- what commands say


def _front(*argv: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "EXIMIOUS_ALLOW"}
    return subprocess.run([sys.executable, "-m", "eximious", *argv], capture_output=True, text=True, env=env)


def test_the_front_says_what_was_asked_from_where(tmp_path: Path) -> None:
    config = tmp_path / "exim.conf"
    config.write_text("mysql_servers = localhost/db/user/pass\n")
    ran = _front(
        "exim",
        "--world",
        SMALL,
        "-C",
        str(config),
        "-be",
        "x",
        "a ${lookup mysql{select 7}}",
        "$primary_hostname",
    )
    assert ran.returncode == 3
    assert ran.stdout == "x\nFailed: not evaluated\nmail.example.com\n"
    assert ran.stderr.startswith(
        "eximious: lookup mysql: the world does not say: the answer to select 7\n"
        "  asked from: ${lookup mysql{select 7}}\n"
        "  to answer it, add in world.yaml:\n    databases:\n    - kind: mysql\n      query: select 7\n"
    )


def test_questions_while_the_configuration_is_read(tmp_path: Path) -> None:
    config = tmp_path / "exim.conf"
    config.write_text("exim_user = mailer\n")
    for command in (["exim", "-be", "x"], ["expand", "x"]):
        ran = _front(command[0], "--world", SMALL, "-C", str(config), *command[1:])
        assert ran.returncode == 3, ran
        assert "users: the world does not say: the user mailer\n" in ran.stderr
        assert "mailer: {" in ran.stderr


@pytest.mark.parametrize("command", ["expand", "exim -be", "route -C /dev/null"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--allow foo", "unknown permission 'foo': there are run, net,"),
        ("--allow rnu", "did you mean 'run'?"),
        ("--nameserver 127.0.0.1:", "not an address and port: 127.0.0.1:"),
        ("--nameserver localhost", "not an address and port: localhost"),
        ("--live dsn", "did you mean 'dns'?"),
        ("--world /nowhere", "/nowhere"),
    ],
)
def test_wrong_doors_are_wrong_usage(
    command: str, words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *more = command.split()
    assert main([name, *words.split(), *more, "a@b.example"]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_world_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text("x: y\n")
    for command in (["exim", "-be", "x"], ["expand", "x"]):
        ran = _front(command[0], "--world", str(tmp_path), *command[1:])
        assert ran.returncode == 2, ran
        assert "world.yaml:1:1: unknown key 'x'" in ran.stderr
    ran = _front("exim", "--world", SMALL, "--root", "/x", "-be", "x")
    assert (ran.returncode, "cannot be combined" in ran.stderr) == (2, True)
    ran = _front("exim", "--live", "rum", "-be", "x")
    assert (ran.returncode, "did you mean 'run'" in ran.stderr) == (2, True)
