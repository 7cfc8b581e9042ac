"""``eximious route`` and ``Configuration.route``: trees, reasons, pictures and the JSON form."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import eximious
from eximious.command_route import main

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((ROOT / "eximious" / "data" / "route.schema.json").read_text(encoding="utf-8"))

CONFIG = """\
qualify_domain = a.example
primary_hostname = mail.a.example
begin routers
aliases:
  driver = redirect
  data = ${if eq{$local_part}{list}{joe, fail, hole, |/bin/prog, /var/mail/arch, list}\\
         {${if eq{$local_part}{hole}{:blackhole:}{${if eq{$local_part}{defer}{:defer: later}}}}}}
  allow_defer
  pipe_transport = pipe
  file_transport = file
users:
  driver = accept
  local_parts = joe : list
  condition = ${if eq{$domain}{a.example}}
  address_data = data for $local_part
  set = r_x = ${uc:$local_part}
  errors_to =
  transport = file
  cannot_route_message = no such user $local_part
begin transports
pipe:
  driver = pipe
file:
  driver = appendfile
  file = /var/mail/x
  user = 8
  group = 8
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "exim.conf"
    path.write_text(CONFIG)
    return path


def test_the_tree_says_what_became_of_each(config: Path) -> None:
    routed = eximious.load(str(config)).route("list@a.example")
    assert routed.fate == "redirected"
    fates = {child.address: (child.fate, child.router, child.transport) for child in routed.children}
    assert fates == {
        "joe@a.example": ("delivered", "users", "file"),
        "fail@a.example": ("failed", "", ""),
        "hole@a.example": ("discarded", "", ""),
        "|/bin/prog": ("delivered", "aliases", "pipe"),
        "/var/mail/arch": ("delivered", "aliases", "file"),
        "list@a.example": ("delivered", "users", "file"),
    }
    joe = next(child for child in routed.children if child.address.startswith("joe"))
    assert joe.data == "data for joe" and joe.variables == {"r_x": "JOE"} and joe.errors_to == ""
    assert [(one.router, one.outcome) for one in joe.tried] == [
        ("aliases", "declined"),
        ("users", "accepted"),
    ]
    failed = next(child for child in routed.children if child.address.startswith("fail"))
    assert failed.message == "no such user fail"
    assert routed.worst() == "failed" and len(routed.deliveries()) == 4


def test_reasons_have_places_and_conditions(config: Path) -> None:
    routed = eximious.load(str(config)).route("joe@b.example", explain=True)
    aliases, users = routed.tried
    assert (aliases.outcome, aliases.place) == ("declined", f"{config}:4")
    assert (users.outcome, users.why, users.place) == ("skipped", "condition failure", f"{config}:11")
    assert users.conditions == [
        ("local_parts", "joe : list", True),
        ("condition", '${if eq{$domain}{a.example}} => ""', False),
    ]


@pytest.mark.parametrize("address", ["list@a.example", "joe@a.example", "defer@a.example", "x@y.example"])
def test_json_has_its_schema(config: Path, capsysbinary: pytest.CaptureFixture[bytes], address: str) -> None:
    code = main(["-C", str(config), "--format", "json", "--explain", address])
    found = json.loads(capsysbinary.readouterr().out)
    jsonschema.validate(found, SCHEMA)
    assert found["addresses"][0]["address"] == address
    assert code == (0 if address.startswith("joe") else 1)


@pytest.mark.parametrize("form", ["dot", "mermaid", "svg"])
def test_pictures_hold_every_address(
    config: Path, capsysbinary: pytest.CaptureFixture[bytes], form: str
) -> None:
    assert main(["-C", str(config), "--format", form, "list@a.example"]) == 1
    out = capsysbinary.readouterr().out.decode()
    for text in ("joe", "fail", "hole", "/bin/prog", "arch"):
        assert text in out


def test_wrong_use_is_said(config: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["joe@a.example"]) == 2
    assert main(["-C", str(config), "a b c"]) == 2
    assert b"a b c: " in capsysbinary.readouterr().err
    with pytest.raises(ValueError, match="is no address"):
        eximious.load(str(config)).route("a b c")


def test_verify_and_rewrite(config: Path) -> None:
    config.write_text(CONFIG + "begin rewrite\n*@old.example $1@a.example F\n")
    loaded = eximious.load(str(config))
    assert loaded.verify("joe@a.example")
    found = loaded.verify("fail@a.example")
    assert (bool(found), found.outcome, found.message) == (False, "fail", "no such user fail")
    assert loaded.verify("defer@a.example").outcome == "defer"
    assert loaded.verify("joe@old.example", as_sender=True)
    assert not loaded.verify("joe@old.example")
    assert loaded.rewrite("joe@old.example", "env-from") == "joe@a.example"
    assert loaded.rewrite("joe@old.example", "from") == "joe@old.example"
    with pytest.raises(ValueError, match="where is one of"):
        loaded.rewrite("joe@old.example", "nowhere")


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("show", [False, True])
def test_passwords_are_left_out(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], form: str, show: bool
) -> None:
    path = tmp_path / "c.conf"
    path.write_text(
        "primary_hostname = mail.a.example\nhide mysql_servers = h/db/joe/geheimnis\n"
        "begin routers\nr:\n  driver = redirect\n  allow_fail\n"
        "  condition = ${if eq{pass=topsecret}{geheimnis}{no}{yes}}\n"
        "  data = :fail: pass=topsecret geheimnis\n"
    )
    options = ["--show-secrets"] if show else []
    main(["-C", str(path), "--explain", "--format", form, *options, "x@a.example"])
    out = capsysbinary.readouterr().out.decode()
    assert ("topsecret" in out, "geheimnis" in out) == (show, show)
