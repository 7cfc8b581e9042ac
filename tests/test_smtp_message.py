"""What sessions make of messages: where a body begins, what is counted. The numbers are those of 4.96."""

from __future__ import annotations

from pathlib import Path

import pytest
from eximious.interpreter.text import Tainted
from eximious.simulation.smtp.session import SmtpSession

from eximious.assembly import Assembly, fresh_context

CONFIG = """
primary_hostname = mail.example.org
acl_smtp_rcpt = accept
acl_smtp_data = look
begin acl
look:
  accept logwrite = $message_body_size <$message_body> $body_linecount $message_linecount
"""
ENVELOPE = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    path: Path = tmp_path_factory.mktemp("smtp") / "exim.conf"
    path.write_text(CONFIG)
    return Assembly(str(path), version="4.96", build="", allow=("all",))


def run(assembly: Assembly, data: bytes, step: int) -> tuple[list[str], str]:
    """The first word of each logged line and what follows its id, and all replies; ``step``: bytes at a time."""
    logged: list[str] = []
    ctx = fresh_context(assembly.environment)
    ctx.session.sender_host_address = Tainted("192.0.2.7")
    session = SmtpSession(ctx, log=lambda line, where: logged.append(line.partition(" ")[2]))
    out = session.start()
    for at in range(0, len(data), step):
        out += session.feed(data[at : at + step])
    return logged, (out + session.end()).decode("latin-1")


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("no header here\nmore\n", "20 <no header here more > 2 3"),
        ("Subject: x\nno header here\nmore\n", "20 <no header here more > 2 4"),
        ("Subject: x\n\nbody\n", "5 <body > 1 3"),
        ("\nbody\n", "5 <body > 1 2"),
        ("Subject: x\n", "0 <> 0 1"),
        (" indented\nx\n", "12 < indented x > 2 3"),
        ("", "0 <> 0 0"),
        ("\n..x\n", "3 <.x > 1 2"),
    ],
)
def test_data(assembly: Assembly, body: str, seen: str, step: int) -> None:
    text = ENVELOPE + b"DATA\r\n" + body.replace("\n", "\r\n").encode() + b".\r\nQUIT\r\n"
    assert run(assembly, text, step)[0][0] == seen


def test_dot_is_the_first_line(assembly: Assembly) -> None:
    """What follows it are commands, even if another such line comes later."""
    logged, replies = run(assembly, ENVELOPE + b"DATA\r\n.\r\n..x\r\n.\r\nQUIT\r\n", 10_000)
    assert logged[0] == "0 <> 0 0"
    assert replies.count("500 unrecognized command\r\n") == 2


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("chunks", "total", "seen"),
    [
        ([b"Subject: x\r\n\r\nhello\r\n"], 21, "6 <hello > 1 3"),
        ([b"Subject:", b" x\r\n\r\nhello\r\n"], 21, "6 <hello > 1 3"),
        ([b"a\r\n"], 4, "2 <a > 1 2"),
        ([b"\r\n.x\r\n.\r\n"], 9, "5 <.x . > 2 3"),
        ([b"S: x\r\n"], 6, "0 <> 0 1"),
    ],
)
def test_chunks(assembly: Assembly, chunks: list[bytes], total: int, seen: str, step: int) -> None:
    """BDAT: dots are data; the total is what was sent, but for a line that is both header's and body's."""
    text = ENVELOPE
    for number, chunk in enumerate(chunks, 1):
        last = b" LAST" if number == len(chunks) else b""
        text += b"BDAT %d%s\r\n" % (len(chunk), last) + chunk
    logged, replies = run(assembly, text + b"QUIT\r\n", step)
    assert logged[0] == seen
    assert f"250- {len(chunks[-1])} byte chunk, total {total}\r\n" in replies
    assert " P=esmtp K S=" in logged[1]


def test_release(assembly: Assembly) -> None:
    """The version that Received: names is the release that answers were compared with."""
    newest = Assembly("/dev/null", allow=("all",))
    assert newest.environment.options.get("exim_version") == newest.catalogue.release == "4.99.1"
