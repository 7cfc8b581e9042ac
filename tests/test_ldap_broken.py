"""LDAP servers that go away: what is said then, and after it on the same connection, as 4.96 says it."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from differential.world import ours, real_exim

pytest.importorskip("ldap3")

BROKEN = "LDAP error: result retrieval failed"
NO_ANSWER = "ldap_bind() returned -1"
GONE = "-1, Can't contact LDAP server"


def _success(peer: socket.socket) -> None:
    """Answer a bind with success."""
    number = peer.recv(1000)[4]
    peer.sendall(bytes.fromhex("300c0201") + bytes([number]) + bytes.fromhex("61070a010004000400"))


def at_once(peer: socket.socket) -> None:
    """Read the bind and go."""
    peer.recv(1000)


def garbage(peer: socket.socket) -> None:
    """Answer what is no LDAP."""
    peer.recv(1000)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def half(peer: socket.socket) -> None:
    """Answer with the beginning of something."""
    peer.recv(1000)
    peer.sendall(bytes.fromhex("300c020101"))


def bound(peer: socket.socket) -> None:
    """Answer the bind, read the search and go."""
    _success(peer)
    peer.recv(1000)


def bound_garbage(peer: socket.socket) -> None:
    """Answer the bind, and the search with what is no LDAP."""
    _success(peer)
    peer.recv(1000)
    peer.sendall(b"what is no LDAP")


LOST = [
    f"failed to bind the LDAP connection to server 127.0.0.1:@ - {reason}" for reason in (BROKEN, NO_ANSWER)
]
CASES: list[tuple[Callable[[socket.socket], None], list[str]]] = [
    (at_once, [*LOST, LOST[1], LOST[1]]),
    (garbage, [*LOST, LOST[1], LOST[1]]),
    (half, [*LOST, LOST[1], LOST[1]]),
    (bound, [f"ldap_result failed: {GONE}", *[f"ldap_search failed: {GONE}"] * 2, LOST[1]]),
    (bound_garbage, [f"ldap_result failed: {GONE}", *[f"ldap_search failed: {GONE}"] * 2, LOST[1]]),
]


@pytest.fixture
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that does what the parameter does, to each client."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    try:
                        request.param(peer)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def ask(command: list[str], port: int) -> list[str]:
    """The answers to three queries and one of another user's."""
    queries = [f"ldap://127.0.0.1:{port}/?a{number}" for number in range(3)]
    queries.append(f"user=x ldap://127.0.0.1:{port}/")
    lines = "".join(f"${{lookup ldap{{{query}}}}}\n" for query in queries)
    environment = dict(os.environ, EXIMIOUS_ALLOW="all")
    done = subprocess.run(
        [*command, "-C", "/dev/null", "-be"],
        input=lines,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    answers = [line.removeprefix("> ") for line in done.stdout.splitlines()]
    begun = [f'Failed: lookup of "{query}" gave DEFER: ' for query in queries]
    return [
        answer.removeprefix(start).replace(f":{port}", ":@")
        for start, answer in zip(begun, answers, strict=False)
    ]


@pytest.mark.parametrize(
    ("port", "answers"), CASES, indirect=["port"], ids=[case.__name__ for case, _ in CASES]
)
def test_lost(port: int, answers: list[str]) -> None:
    """The connection is kept as a broken one; another user's bind fails on it."""
    assert ask([*ours(), "--exim-version", "4.96"], port) == answers


@pytest.mark.differential
@pytest.mark.parametrize(
    ("port", "answers"), CASES, indirect=["port"], ids=[case.__name__ for case, _ in CASES]
)
def test_recorded(port: int, answers: list[str]) -> None:
    """The installed Exim says so."""
    exim = real_exim()
    if exim is None:
        pytest.skip("no Exim is installed")
    found = ask([exim], port)
    if "unknown lookup type" in found[0]:
        pytest.skip("this Exim is built without LDAP")
    assert found == answers
