"""The spa authenticator: MD4 and the NT response as specified, and whole exchanges as 4.96 has them."""

from __future__ import annotations

import base64
import os
import struct
import subprocess
from pathlib import Path

import pytest
from differential.world import ours, real_exim
from eximious.simulation.smtp.authenticators.spa import lm_response, md4, nt_response

CONFIG = """\
primary_hostname = mail.a.example
acl_smtp_rcpt = accept
tls_advertise_hosts =
keep_environment =
spool_directory = @DIR@
log_file_path = @DIR@/%slog
begin authenticators
ntlm:
  driver = spa
  public_name = NTLM
  server_password = ${if eq{$auth1}{joe}{secret}{${if eq{$auth1}{later}{${lookup{x}lsearch{/nonexistent}}}fail}}}
  server_condition = ${if eq{$1}{joe}}
  server_set_id = $auth1
"""
REQUEST = base64.b64encode(b"NTLMSSP\0" + struct.pack("<II16x", 1, 0xB203)).decode()


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"message digest", "d9130a8164549fe818874806e1c7014b"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4(text: bytes, digest: str) -> None:
    """The test suite of RFC 1320."""
    assert md4(text).hex() == digest


def test_nt_response() -> None:
    """The example of MS-NLMP 4.2.2.2.1: the password "Password", the server's challenge 0123456789abcdef."""
    wanted = "67c43011f30298a2ad35ece64f16331c44bdbed927841f94"
    assert nt_response("Password", bytes.fromhex("0123456789abcdef")).hex() == wanted


def test_lm_response() -> None:
    """The example of MS-NLMP 4.2.2.2.2."""
    wanted = "98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13"
    assert lm_response("Password", bytes.fromhex("0123456789abcdef")).hex() == wanted


def answer(user: str, password: str, challenge: bytes) -> str:
    """A client's last message."""
    name = user.encode("utf-16-le")
    fields = [bytes(24), nt_response(password, challenge), b"", name, b"", b""]
    at, places, body = 64, b"", b""
    for field in fields:
        places += struct.pack("<HHI", len(field), len(field), at + len(body))
        body += field
    return base64.b64encode(
        b"NTLMSSP\0" + struct.pack("<I", 3) + places + struct.pack("<I", 0x8201) + body
    ).decode()


def exchange(
    command: list[str], config: Path, user: str, password: str, begin: str = ""
) -> tuple[list[str], str]:
    """The replies to AUTH and its lines (the challenge as CHALLENGE), and the log."""
    client = subprocess.Popen(
        [*command, "-C", str(config), "-bh", "192.0.2.1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(os.environ, EXIMIOUS_ALLOW="all"), bufsize=1,
    )  # fmt: skip
    assert client.stdin is not None and client.stdout is not None
    replies = []

    def hear() -> str:
        assert client.stdout is not None
        while line := client.stdout.readline():
            if line[3:4] == " " and line[:3].isdigit():
                return line.strip()
        return ""

    hear()
    client.stdin.write("EHLO client.example\r\n")
    hear()
    client.stdin.write(f"AUTH NTLM{begin}\r\n")
    reply = hear()
    if not begin:
        replies.append(reply)
        client.stdin.write(f"{REQUEST}\r\n")
        reply = hear()
    message = base64.b64decode(reply[4:])
    replies.append((message[:24] + b"CHALLENGE" + message[32:]).decode("latin-1"))
    client.stdin.write(f"{answer(user, password, message[24:32])}\r\n")
    replies.append(hear())
    log = client.communicate("QUIT\r\n", timeout=30)[1]
    return replies, "\n".join(line for line in log.splitlines() if line.startswith("LOG:"))


CASES = {
    "right": ("joe", "secret", "235 Authentication succeeded"),
    "wrong": ("joe", "Secret", "535 Incorrect authentication data"),
    "unknown": ("anna", "secret", "535 Incorrect authentication data"),
    "failing": ("later", "secret", "435 Unable to authenticate at present"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("begin", ["", f" {REQUEST}"], ids=["asked", "at once"])
def test_exchange(case: str, begin: str, tmp_path: Path) -> None:
    """Ours says what is expected, and, where it is installed, what the real one says, with the same log."""
    user, password, last = CASES[case]
    config = tmp_path / "exim.conf"
    config.write_text(CONFIG.replace("@DIR@", str(tmp_path)))
    tmp_path.chmod(0o777)
    mine = exchange([*ours(), "--exim-version", "4.96"], config, user, password, begin)
    assert mine[0][-1] == last
    assert begin or mine[0][0] == "334 NTLM supported"
    exim = real_exim()
    if exim is not None and os.geteuid() == 0:
        assert exchange([exim], config, user, password, begin) == mine
