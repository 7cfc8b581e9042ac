"""swaks, a client that many postmasters test with, talks to ``eximious serve``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SWAKS = shutil.which("swaks")
pytestmark = pytest.mark.skipif(SWAKS is None, reason="no swaks is installed here")

CONFIG = """\
primary_hostname = mail.a.example
acl_smtp_rcpt = rcpt
acl_smtp_data = data
message_size_limit = 20K
tls_advertise_hosts =
begin acl
rcpt:
  deny   message = 550 5.7.1 relay not permitted
         domains = !a.example
        !authenticated = *
  defer  message = 451 4.7.1 come back later
         local_parts = grey
        !seen = 1m / key=$sender_address
  deny   message = 452 4.7.1 too fast
         local_parts = limited
         ratelimit = 2 / 1h / strict / per_rcpt
  accept
data:
  deny   condition = ${if match{$h_subject:}{(?i)lottery}}
         message = 550 5.7.1 no lottery
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{joe}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{joe}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{joe}{secret}fail}
  server_set_id = $auth1
"""


class Talk:
    """What came of a run: swaks' exit code, the server's lines, and what the server logged."""

    def __init__(self, code: int, transcript: str, log: str) -> None:
        self.code, self.transcript, self.log = code, transcript, log
        lines = re.findall(r"^<(?:-|\*\*) ? ?(\d{3}.*)$", transcript, re.M)
        self.replies = [re.sub(r"id=\S+", "id=ID", line.strip()) for line in lines]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "exim.conf"
    path.write_text(CONFIG)
    return path


def talk(config: Path, *words: str, state: Path | None = None) -> Talk:
    """Let swaks talk once to a server of its own."""
    command = [sys.executable, "-m", "eximious", "serve", "-C", str(config), "--listen", "127.0.0.1:0"]
    command += ["--sessions", "1", "--ip", "192.0.2.7", *(["--state", str(state)] if state else [])]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        port = server.stdout.readline().strip().rpartition(":")[2]
        assert SWAKS is not None
        client = subprocess.run(
            [SWAKS, "--server", "127.0.0.1", "--port", port, "--helo", "client.example", "--timeout", "20",
             "--from", "x@b.example", *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        log = server.communicate(timeout=20)[1]
    finally:
        server.kill()
        server.wait()
    assert "Traceback" not in log, log
    return Talk(client.returncode, client.stdout + client.stderr, log)


def test_a_plain_message(config: Path) -> None:
    heard = talk(config, "--to", "joe@a.example")
    assert heard.code == 0, heard.transcript
    assert heard.replies[-4:] == [
        "250 Accepted",
        '354 Enter message, ending with "." on a line by itself',
        "250 OK id=ID",
        "221 mail.a.example closing connection",
    ]
    assert "<= x@b.example H=(client.example) [192.0.2.7] P=esmtp" in heard.log


def test_a_message_is_refused_for_what_it_says(config: Path) -> None:
    heard = talk(config, "--to", "joe@a.example", "--h-Subject", "Lottery!")
    assert (heard.code, heard.replies[-2]) == (26, "550 5.7.1 no lottery")


def test_relaying_is_refused(config: Path) -> None:
    heard = talk(config, "--to", "y@b.example")
    assert (heard.code, heard.replies[-2]) == (24, "550 5.7.1 relay not permitted")
    assert "F=<x@b.example> rejected RCPT <y@b.example>" in heard.log


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_authenticated(config: Path, mechanism: str) -> None:
    words = ["--to", "y@b.example", "--auth", mechanism, "--auth-user", "joe", "--auth-password"]
    heard = talk(config, *words, "secret")
    if "Could not load" in heard.transcript or "not available" in heard.transcript:
        pytest.skip(f"this swaks cannot do {mechanism}")
    assert heard.code == 0, heard.transcript
    assert "235 Authentication succeeded" in heard.replies and "P=esmtpa A=" in heard.log
    heard = talk(config, *words, "wrong")
    assert heard.code == 28 and "535 Incorrect authentication data" in heard.replies


def test_several_recipients(config: Path) -> None:
    heard = talk(config, "--to", "joe@a.example,y@b.example,ann@a.example")
    assert heard.code == 0, heard.transcript
    assert [line for line in heard.replies if "Accepted" in line or "relay" in line] == [
        "250 Accepted", "550 5.7.1 relay not permitted", "250 Accepted",
    ]  # fmt: skip


def test_oversize(config: Path, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_text("x" * 60 + "\n" + "large enough to be too large, line by line\n" * 1000)
    heard = talk(config, "--to", "joe@a.example", "--body", f"@{body}")
    assert (heard.code, heard.replies[-2]) == (26, "552 Message size exceeds maximum permitted")
    assert "message too big" in heard.log


def test_pipelined(config: Path) -> None:
    heard = talk(config, "--to", "joe@a.example,y@b.example", "--pipeline")
    assert heard.code == 0 and "250 OK id=ID" in heard.replies, heard.transcript


def test_protocols_without_extensions(config: Path) -> None:
    heard = talk(config, "--to", "joe@a.example", "--protocol", "SMTP")
    assert heard.code == 0 and "P=smtp " in heard.log
    heard = talk(config, "--to", "joe@a.example", "--quit-after", "MAIL")
    assert heard.code == 0 and heard.replies[-1] == "221 mail.a.example closing connection"


def test_tls_is_not_offered_when_it_is_not_described(config: Path) -> None:
    support = subprocess.run([str(SWAKS), "--support"], capture_output=True, text=True, check=False)
    if "TLS not available" in support.stdout + support.stderr:
        pytest.skip("this swaks has no TLS (Debian: libnet-ssleay-perl)")
    heard = talk(config, "--to", "joe@a.example", "--tls")
    assert heard.code == 29, heard.transcript
    assert not any("STARTTLS" in line for line in heard.replies)


def test_ratelimit_goes_on_from_run_to_run(config: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    codes = [talk(config, "--to", "limited@a.example", state=state).code for _ in range(3)]
    assert codes == [0, 0, 24]
    assert talk(config, "--to", "limited@a.example").code == 0, "without --state nothing is remembered"


def test_seen_goes_on_from_run_to_run(config: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = talk(config, "--to", "grey@a.example", state=state)
    assert (first.code, first.replies[-2]) == (24, "451 4.7.1 come back later")
    assert talk(config, "--to", "grey@a.example", "--from", "z@b.example", state=state).code == 24
    assert talk(config, "--to", "grey@a.example", state=state).code == 0
