"""``verify = recipient/quota`` as 4.96 answered it: a mailbox of files, what is over, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from eximious.interpreter.text import Tainted
from eximious.simulation.routing.quota import BEFORE
from eximious.simulation.smtp.session import SmtpSession

from eximious.assembly import Assembly, fresh_context

CONFIG = """\
primary_hostname = h.example
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny !verify = recipient/quota=cachepos=1h,cacheneg=1d
       log_message = $acl_verify_message ($recipient_verify_failure)
  accept
begin routers
red:
  driver = redirect
  local_parts = two : onedir
  data = ${if eq{$local_part}{two}{dir,big}{dir}}@h.example
r1:
  driver = accept
  local_parts = file : big : dir : count : badq : nocheck : missing : regex : named : elsewhere : known
  transport = ${local_part}
begin transports
"""
BOXES = {
    "file": "file = @DIR@/box\n  quota = 10",
    "big": "quota = 10M",
    "dir": "maildir_format\n  quota = 10",
    "count": "quota = 1.5M\n  quota_filecount = 1",
    "badq": "quota = ten",
    "nocheck": "quota = 10/no_check",
    "missing": "directory = @DIR@/nosuch\n  quota = 10",
    "regex": "quota = 100\n  quota_size_regex = ,S=(\\d+)",
    "named": "quota = 1K\n  quota_size_regex = ,S=(\\d+)",
    "elsewhere": "quota = 10\n  quota_directory = @DIR@/nosuch",
    "known": "quota = 1K\n  mailbox_size = 2K",
}


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mdir" / name).mkdir(parents=True)
    (tmp_path / "mdir" / "cur" / "1.x,S=900:2,S").write_text("x" * 26)
    (tmp_path / "box").write_text("x" * 26)
    text = CONFIG
    for name, options in BOXES.items():
        place = (
            ""
            if "file =" in options or "directory = @DIR@/nosuch\n" in options
            else "directory = @DIR@/mdir\n  "
        )
        text += f"{name}:\n  driver = appendfile\n  user = root\n  {place}{options}\n"
    path = tmp_path / "exim.conf"
    path.write_text(text.replace("@DIR@", str(tmp_path)))
    return Assembly(str(path), version="4.96", build="", allow=("all",))


def replies(assembly: Assembly, *names: str, size: int = 0) -> tuple[list[str], list[str]]:
    """The replies to RCPT for some mailboxes, and what is logged of those that are refused."""
    logged: list[str] = []
    ctx = fresh_context(assembly.environment)
    ctx.session.sender_host_address = Tainted("192.0.2.7")
    session = SmtpSession(ctx, log=lambda line, where: logged.append(line.partition(": ")[2]))
    session.start()
    session.feed(f"EHLO c\r\nMAIL FROM:<a@b.example> SIZE={size}\r\n".encode())
    return [session.feed(f"RCPT TO:<{name}@h.example>\r\n".encode()).decode()[:3] for name in names], logged


@pytest.mark.parametrize(
    ("name", "size", "code"),
    [
        ("file", 0, "250"),  # mailboxes that are files are not looked at
        ("big", 0, "250"),
        ("big", 11 << 20, "550"),
        ("dir", 0, "550"),
        ("count", 0, "550"),
        ("badq", 0, "250"),
        ("nocheck", 0, "250"),
        ("missing", 0, "250"),
        ("regex", 0, "550"),
        ("named", 100, "250"),
        ("named", 200, "550"),
        ("elsewhere", 0, "250"),
        ("known", 0, "550"),
        ("two", 0, "250"),
        ("onedir", 0, "550"),
        ("nobody", 0, "550"),
    ],
)
def test_mailboxes(assembly: Assembly, name: str, size: int, code: str) -> None:
    assert replies(assembly, name, size=size)[0] == [code]


def test_what_is_found_is_kept(assembly: Assembly, tmp_path: Path) -> None:
    codes, logged = replies(assembly, "dir", "big", "nobody")
    assert (codes, logged) == (
        ["550", "250", "550"],
        [
            "Over quota (quota): Over quota",
            "Unrouteable address (route): Unrouteable address",
        ],
    )
    (tmp_path / "mdir" / "cur" / "1.x,S=900:2,S").unlink()
    codes, logged = replies(assembly, "dir", "onedir")
    assert codes == ["550", "250"]
    assert logged == [f"{BEFORE} (quota): {BEFORE}"]
