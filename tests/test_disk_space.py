"""check_spool_space and its kin: what a described disk makes of MAIL; the words are those of 4.96."""

from __future__ import annotations

from pathlib import Path

import pytest

import eximious

FULL = "452 Space shortage, please try later"
WORLD = """\
hostname: a.example
process: {uid: 0, gid: 0, pid: 1, cwd: /}
clock: {now: "2026-01-31 12:00:00", zone: UTC}
interfaces: ["127.0.0.1"]
users: {"*": absent}
groups: {"*": absent}
disk:
  /var/spool/exim4: {kilobytes: 2048, inodes: 300}
  /var/log/exim4: {kilobytes: 1024, inodes: 100}
"""


@pytest.mark.parametrize(
    ("options", "size", "log"),
    [
        ("check_spool_space = 1M", 0, ""),
        ("check_spool_space = 2049K", 0, "spool directory space check failed: space=2048 inodes=300"),
        # what the client announces is added, as the real one does
        ("check_spool_space = 2052K", 1, ""),
        ("check_spool_space = 2053K", 1, "spool directory space check failed: space=2048 inodes=300"),
        ("check_spool_space = 2053K", 120, ""),
        ("check_spool_space = 0", 22_000_000, ""),
        (
            "check_spool_space = 2052K\nno_smtp_check_spool_space",
            1,
            "spool directory space check failed: space=2048 inodes=300",
        ),
        ("check_log_space = 1025K", 1_000_000, "log directory space check failed: space=1024 inodes=100"),
        ("check_spool_inodes = 301", 0, "spool directory space check failed: space=2048 inodes=300"),
        ("check_log_space = 1M", 0, ""),
        ("check_log_space = 1025K", 0, "log directory space check failed: space=1024 inodes=100"),
        ("", 0, ""),
    ],
)
def test_room_for_a_message(tmp_path: Path, options: str, size: int, log: str) -> None:
    (tmp_path / "world.yaml").write_text(WORLD)
    config = tmp_path / "exim.conf"
    config.write_text(
        "primary_hostname = a.example\nspool_directory = /var/spool/exim4\nlog_file_path = /var/log/exim4/%slog\n"
        f"acl_smtp_rcpt = accept\nkeep_environment =\nacl_smtp_mail = accept\n{options}\n"
    )
    session = eximious.load(str(config), exim_version="4.96", world=str(tmp_path)).session(ip="192.0.2.1")
    decision = session.helo("client.example").mail("", f"SIZE={size}" if size else "").last
    assert decision.reply[-1] == (FULL if log else "250 OK")
    assert [line for _, line in decision.logs] == ([log] if log else [])
