"""Sessions of clients that mean harm: bounded time and memory, no traceback, and the replies of the real Exim."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import badsmtp
import pytest
from badsmtp import SESSIONS, SPACE, Answer
from differential.world import real_exim, real_version

from eximious.assembly import Assembly
from eximious.command_serve import Server

EXIM = real_exim()
#: seconds for a session of the size for every day, and of the large one (a million parts are the slowest)
QUICK, LONG = 15.0, 240.0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="badsmtp") as name:
        yield badsmtp.prepare(Path(name))


def compare(folder: Path, conf: str, name: str, size: int, most: float) -> Answer:
    """Ours is bounded, and says what the installed one says where there is one."""
    data = SESSIONS[name][0](size)
    found = badsmtp.ours(folder, conf, data, wait=most * 2)
    assert "Traceback" not in found.err and found.code == 0, found.err[-2000:]
    assert found.seconds < most
    if EXIM is not None and os.geteuid() == 0 and real_version(EXIM) == "4.96":
        real = badsmtp.ask([EXIM], folder, conf, data)
        assert found.out.split("\n") == real.out.split("\n")
    return found


@pytest.mark.parametrize("conf", ["few", "many"])
@pytest.mark.parametrize("name", SESSIONS)
def test_bounded_and_as_the_real_one(folder: Path, name: str, conf: str) -> None:
    compare(folder, conf, name, SESSIONS[name][1], QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (_, _, large) in SESSIONS.items() if large])
def test_large_ones(folder: Path, name: str) -> None:
    """100 MB lines, a million parts, millions of header lines: in an address space of SPACE bytes."""
    compare(folder, "many", name, SESSIONS[name][2], LONG)


def test_the_limit_is_one(folder: Path) -> None:
    """The limit of the address space is in force: what needs more ends with an error."""
    command = [sys.executable, "-c", f"bytearray({SPACE})"]
    assert badsmtp.ask(command, folder, "few", b"", SPACE).code != 0


# ---- the server


class _Serving:
    """A server in a thread, until so many sessions are over."""

    def __init__(self, config: Path, sessions: int) -> None:
        self.server = Server(Assembly(str(config)), client="192.0.2.7", most=sessions)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.server.run("127.0.0.1", self.port)), daemon=True
        )

    def __enter__(self) -> _Serving:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join(30)
        assert not self.thread.is_alive(), "a session does not end"

    def talk(self, data: bytes, *, half: bool = True) -> bytes:
        """Send, close one half of the connection (or all of it), and read to the end."""
        for _ in range(200):
            try:
                client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        heard = b""
        with client:
            try:
                client.sendall(data)
                if not half:
                    return b""
                client.shutdown(socket.SHUT_WR)
                while piece := client.recv(65536):
                    heard += piece
            except OSError:  # the server has closed all of it
                pass
        return heard


@pytest.fixture
def config(tmp_path: Path) -> Path:
    badsmtp.prepare(tmp_path)
    shutil.rmtree(tmp_path / "spool")
    return tmp_path / "few.conf"


@pytest.mark.parametrize(
    ("data", "last"),
    [
        (b"", b"421 mail.a.example lost input connection"),
        (b"EHLO client.exa", b"421 mail.a.example lost input connection"),
        (badsmtp.START + b"Subject: x\r\n\r\nhalf a mes", b"421 Lost incoming connection"),
        (badsmtp.START + b"Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n", b"221 mail.a.example closing connection"),
    ],
)
def test_half_closed(config: Path, capfd: pytest.CaptureFixture[str], data: bytes, last: bytes) -> None:
    """A client that sends no more still gets its answers, and the session ends."""
    lines = data.split(b"\r\n")
    with _Serving(config, 1) as serving:
        heard = b""
        client = None
        for _ in range(200):
            try:
                client = socket.create_connection(("127.0.0.1", serving.port), timeout=20)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        assert client is not None
        with client, client.makefile("rb") as stream:
            heard += stream.readline()
            for number, line in enumerate(lines):
                end = b"" if number == len(lines) - 1 else b"\r\n"
                client.sendall(line + end)
                if line.startswith((b"EHLO", b"MAIL", b"RCPT", b"DATA")) and end:
                    while (reply := stream.readline())[3:4] == b"-":
                        heard += reply
                    heard += reply
            client.shutdown(socket.SHUT_WR)
            heard += stream.read()
    assert heard.rstrip().split(b"\r\n")[-1] == last, heard
    assert "Traceback" not in capfd.readouterr().err


def test_the_server_goes_on_after_broken_clients(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Garbage, NULs, a long line, and clients that are gone: the next one is served."""
    broken = [
        SESSIONS["pipelined garbage"][0](200_000),
        SESSIONS["NULs in commands"][0](10_000),
        b"x" * 5_000_000,
        SESSIONS["parts in parts"][0](500),
    ]
    with _Serving(config, len(broken) * 2 + 1) as serving:
        for data in broken:
            serving.talk(data)
            serving.talk(data, half=False)
        assert serving.talk(b"QUIT\r\n").startswith(b"220 mail.a.example")
    assert "Traceback" not in capfd.readouterr().err
