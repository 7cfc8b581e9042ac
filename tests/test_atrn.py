"""ATRN and WELLKNOWN: their ACLs decide, as the tables of 4.98 and 4.99 have it (the words are unproven)."""

from __future__ import annotations

from pathlib import Path

import pytest

import eximious

CONFIG = """\
primary_hostname = mail.example
keep_environment =
acl_smtp_atrn = atrn
acl_smtp_wellknown = known
wellknown_advertise_hosts = *
begin acl
atrn:
  accept atrn_domains = one.example : two.example
known:
  deny condition = ${if !eq{$smtp_command_argument}{mta-sts}}
  accept control = wellknown/etc/mta-sts
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{secret}}
  server_set_id = $auth2
"""
AUTH = "AUTH PLAIN AHVzZXIAc2VjcmV0"


@pytest.mark.parametrize(
    ("version", "lines", "reply"),
    [
        ("4.99", ["ATRN one.example"], "530 ATRN is not permitted without authentication"),
        ("4.99", [AUTH, "ATRN one.example,two.example"], "250 OK now reversing the connection"),
        ("4.99", [AUTH, "ATRN one.example,three.example"], "550 Administrative prohibition"),
        (
            "4.99",
            [AUTH, "MAIL FROM:<>", "ATRN one.example"],
            "503 ATRN is not permitted inside a transaction",
        ),
        ("4.99", ["WELLKNOWN other"], "550 Administrative prohibition"),
    ],
)
def test_the_acl_decides(tmp_path: Path, version: str, lines: list[str], reply: str) -> None:
    config = tmp_path / "exim.conf"
    config.write_text(CONFIG)
    session = eximious.load(str(config), exim_version=version).session(ip="192.0.2.1").helo("client.example")
    assert {"ATRN", "WELLKNOWN"} <= {line[4:] for line in session.last.reply}
    for line in lines:
        session.send(line)
    assert session.last.reply[-1] == reply
    assert session.closed is (reply[:3] == "250")


def test_a_form_that_is_not_known(tmp_path: Path) -> None:
    config = tmp_path / "exim.conf"
    config.write_text(CONFIG)
    session = eximious.load(str(config), exim_version="4.99").session(ip="192.0.2.1").helo("client.example")
    with pytest.raises(Exception, match="gives etc/mta-sts, in a form that is not known here"):
        session.send("WELLKNOWN mta-sts")


def test_before_there_was_such_a_command(tmp_path: Path) -> None:
    config = tmp_path / "exim.conf"
    config.write_text("primary_hostname = mail.example\nkeep_environment =\n")
    session = eximious.load(str(config), exim_version="4.96").session(ip="192.0.2.1").helo("client.example")
    assert session.send("ATRN one.example").last.reply == ["500 unrecognized command"]
