"""What clients that mean harm, or are broken, send: sessions by name, small and large, and who is asked.

Every session is sent to ``-bh`` of the compatible front in a process of its own, whose address space has a limit, and
to the installed Exim.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sessioncases
from differential.world import ENVIRONMENT

CONFIG = """\
primary_hostname = mail.a.example
spool_directory = @DIR@/spool
log_file_path = @DIR@/log/%slog
exim_user = mail
exim_group = mail
smtp_max_unknown_commands = @MOST@
smtp_max_synprot_errors = @MOST@
tls_advertise_hosts =
smtp_accept_max_nonmail = 1000000
acl_smtp_rcpt = accept
acl_smtp_mime = mime
acl_smtp_data = data
begin acl
mime:
  deny   condition = ${if >{$mime_anomaly_level}{2}}
         message = anomaly: $mime_anomaly_text
  accept
data:
  deny   condition = ${if match{$h_subject:}{lottery}}
         message = lottery
  accept
"""
#: bytes of address space: the interpreter has about a quarter of it
SPACE = 1 << 30
START = b"EHLO client.example\r\nMAIL FROM:<x@b.example>\r\nRCPT TO:<joe@a.example>\r\nDATA\r\n"
END = b"\r\n.\r\nNOOP\r\nQUIT\r\n"


def _message(head: bytes, body: bytes = b"Hello.") -> bytes:
    return START + head + b"\r\n\r\n" + body + END


def _garbage(size: int) -> bytes:
    source = random.Random(7)
    words = [
        b"EHLO",
        b"MAIL FROM:",
        b"RCPT TO:",
        b"DATA\xff",
        b"RSET",
        b"NOOP",
        b"<>",
        b"<a@b>",
        b"\xe9",
        b"VRFY",
    ]
    words.append(b"%s")
    lines = []
    total = 0
    while total < size:
        line = b" ".join(source.choices(words, k=source.randint(0, 5))) + bytes(
            one for one in source.randbytes(source.randint(0, 40)) if one not in b"\r\n\0"
        )
        lines.append(line)
        total += len(line) + 2
    return b"\r\n".join(lines) + b"\r\nQUIT\r\n"


def _nested(size: int) -> bytes:
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0"
    body = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(size)
    )
    return _message(head, body + b"--b%d\r\n\r\nthe end\r\n" % size)


def _parts(size: int) -> bytes:
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b"
    return _message(head, b"--b\r\n\r\nx\r\n" * size + b"--b--")


def _multipart(boundary: bytes, body: bytes) -> bytes:
    return _message(b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=" + boundary, body)


#: by name: what makes the session of a size, the size for every day, the size for long runs (0: none)
SESSIONS: dict[str, tuple[Callable[[int], bytes], int, int]] = {
    "pipelined garbage": (_garbage, 100_000, 20_000_000),
    "one long command": (lambda n: b"NOOP " + b"x" * n + b"\r\nQUIT\r\n", 200_000, 100_000_000),
    "one long line without an end": (lambda n: b"x" * n, 200_000, 100_000_000),
    "NULs in commands": (
        lambda n: b"EHLO a\0b\r\n\0\0\r\nHELO x\r\nMAIL\0FROM:<>\r\n" + b"\0" * n + b"\r\nQUIT\r\n",
        100,
        1_000_000,
    ),
    "empty lines": (lambda n: b"\r\n" * n + b"QUIT\r\n", 1000, 1_000_000),
    "lines ended by CR": (lambda n: b"NOOP\r" * n + b"\r\nQUIT\r\n", 1000, 1_000_000),
    "end in a command": (lambda n: b"EHLO client.example\r\nMAIL FROM:<x" + b"y" * n, 5, 0),
    "end in the header": (lambda n: START + b"Subject: x" * n, 5, 0),
    "end in the body": (lambda n: START + b"Subject: x\r\n\r\n" + b"y" * n, 5, 0),
    "end behind a dot": (lambda n: START + b"Subject: x\r\n\r\ny\r\n.", 0, 0),
    "end in a chunk": (lambda n: START[:-6] + b"BDAT 1000\r\n" + b"y" * n, 5, 0),
    "a chunk beyond all sizes": (lambda n: START[:-6] + b"BDAT 99999999999 LAST\r\n" + b"y" * n, 5, 0),
    "one long header line": (lambda n: _message(b"Subject: " + b"x" * n), 300_000, 100_000_000),
    "a header without an end": (lambda n: START + b"X: y\r\n" * n, 2000, 5_000_000),
    "many header lines": (lambda n: _message(b"\r\n".join([b"X-Line: y"] * n)), 20_000, 3_000_000),
    "a folded header": (lambda n: _message(b"Subject: x\r\n" + b"\r\n".join([b" y"] * n)), 20_000, 3_000_000),
    "many recipients in To": (
        lambda n: _message(b"To: " + b",\r\n ".join([b"a@b.example"] * n)),
        5000,
        60_000,
    ),
    "comments in comments": (
        lambda n: _message(b"From: " + b"(" * n + b")" * n + b" a@b.example"),
        5000,
        400_000,
    ),
    "8-bit headers": (
        lambda n: _message(b"Subject: \xe9\xff\x80" + b"\xc3" * n + b"\r\n\xe9: x\r\nFrom: \xfc@\xe9"),
        100,
        500_000,
    ),
    "NULs in the message": (lambda n: _message(b"Subject: a\0b\0" + b"\0" * n, b"\0" * n), 100, 500_000),
    "one long body line": (lambda n: _message(b"Subject: x", b"y" * n), 300_000, 100_000_000),
    "parts in parts": (_nested, 20, 20_000),
    "many parts": (_parts, 500, 1_000_000),
    "no boundary": (lambda n: _multipart(b"", b"--\r\n\r\nx\r\n----"), 0, 0),
    "an empty boundary": (lambda n: _multipart(b'""', b"--\r\n\r\nx\r\n----"), 0, 0),
    "a boundary without an end quote": (lambda n: _multipart(b'"b', b"--b\r\n\r\nx\r\n--b--"), 0, 0),
    "a long boundary": (
        lambda n: _multipart(b"b" * n, b"--" + b"b" * n + b"\r\n\r\nx\r\n--" + b"b" * n + b"--"),
        2000,
        200_000,
    ),
    "a boundary of 8-bit characters": (
        lambda n: _multipart(b"\xe9\xff", b"--\xe9\xff\r\n\r\nx\r\n--\xe9\xff--"),
        0,
        0,
    ),
    "a boundary that never comes": (lambda n: _multipart(b"b", b"x\r\n" * n), 100, 1_000_000),
    "the same boundary inside": (
        lambda n: _multipart(b"b", b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * n),
        10,
        2000,
    ),
    "a part whose header has no end": (
        lambda n: _multipart(b"b", b"--b\r\n" + b"X: y\r\n" * n),
        100,
        1_000_000,
    ),
    "broken encodings": (
        lambda n: _multipart(b"b", (b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n====!!!=\xff\r\n" * n)),
        10,
        20_000,
    ),
    "long parameters": (
        lambda n: _multipart(
            b"b", b"--b\r\nContent-Disposition: x; filename*0=" + b"y" * n + b"; filename*1*=%%%\r\n\r\nx\r\n"
        ),
        2000,
        1_000_000,
    ),
}


class Answer:
    """Replies, standard error, exit code, seconds, and the most memory that was in use (bytes)."""

    def __init__(self, out: str, err: str, code: int, seconds: float, memory: int) -> None:
        self.out, self.err, self.code, self.seconds, self.memory = out, err, code, seconds, memory


def prepare(folder: Path) -> Path:
    """Make the folder with two configurations: limits for broken clients, and (``many.conf``) none."""
    folder = folder.resolve()
    folder.chmod(0o755)
    for name, most in (("few", "3"), ("many", "100000000")):
        text = CONFIG.replace("@DIR@", str(folder)).replace("@MOST@", most)
        (folder / f"{name}.conf").write_text(text)
    for name in ("spool", "log"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    return folder


def ask(
    command: list[str], folder: Path, conf: str, data: bytes, space: int = 0, wait: float = 120
) -> Answer:
    """Let a process answer a session."""

    def limit() -> None:
        if space:
            resource.setrlimit(resource.RLIMIT_AS, (space, space))

    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(data)
        given.seek(0)
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, "-C", str(folder / f"{conf}.conf"), "-bh", "192.0.2.7"],
            stdin=given, stdout=out, stderr=err, env=ENVIRONMENT, cwd=folder, preexec_fn=limit,
        )  # fmt: skip
        status = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - began > wait:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.005)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        text = sessioncases.shown(folder, out.read().decode("latin-1"), "", 0)
        return Answer(text, err.read().decode("latin-1"), process.returncode, seconds, usage.ru_maxrss << 10)


def ours(folder: Path, conf: str, data: bytes, wait: float = 120) -> Answer:
    """What ours answers, in its bounds. As 4.96, with what the installed one is built with."""
    command = [sys.executable, "-m", "eximious", "exim", "--allow", "all", "--exim-version", "4.96"]
    return ask([*command, "--build", str(sessioncases.BUILD)], folder, conf, data, SPACE, wait)
