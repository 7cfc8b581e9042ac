"""Lookups in real servers: started here, asked by us and by the real Exim. Skipped where not installed.

Run as a program it records what the installed Exim says into ``fixtures/lookups/servers/*.cases``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import casefile
import pytest
import servers
from lookup_world import FIXTURES, ask_exim, environment, ours, real_exim, real_version, write_config

KINDS = {"mysql": servers.MariaDB, "pgsql": servers.Postgres, "ldap": servers.OpenLDAP}
OPTIONS = {
    "mysql": "mysql_servers = 127.0.0.1::{port}/test/tester/secret",
    "pgsql": "pgsql_servers = 127.0.0.1::{port}/test/tester/secret",
    "ldap": "ldap_default_servers = 127.0.0.1::{port}",
    "redis": "redis_servers = 127.0.0.1::{port}//secret",
}
MODULES = {"mysql": "pymysql", "pgsql": "psycopg", "ldap": "ldap3", "redis": "redis"}


def start(kind: str, cls: type[servers.Server]) -> Iterator[servers.Server]:
    """A running server; skips, saying why, where there is none or no client for it."""
    problem = cls.unavailable()
    if problem:
        pytest.skip(problem)
    pytest.importorskip(MODULES[kind])
    with cls() as server:
        yield server


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[servers.Server]:
    """Each of the servers whose answers by Exim are recorded."""
    yield from start(request.param, KINDS[request.param])


def filled(text: str, server: servers.Server) -> str:
    """A case's text with the server's places."""
    socket = server.folder / (f".s.PGSQL.{server.port}" if server.name == "pgsql" else "sock")
    text = text.replace("@PORT@", str(server.port)).replace("@SOCK@", str(socket))
    return text.replace("@SOCKX@", str(socket).replace("/", "%2f"))


def neutral(text: str, server: servers.Server) -> str:
    """An answer without the server's places."""
    text = text.replace(str(server.folder).replace("/", "%2f"), "@XFOLDER@").replace(
        str(server.folder), "@FOLDER@"
    )
    return text.replace(str(server.port), "@PORT@")


def cases(name: str) -> list[casefile.Case]:
    """The recorded cases of a kind."""
    return [case for case in casefile.read(FIXTURES / "servers" / f"{name}.cases").cases if not case.reason]


def world(kind: str, port: int, version: tuple[int, int] = (4, 96)) -> Any:
    """An environment whose main option names the server."""
    name, _, value = OPTIONS[kind].format(port=port).partition(" = ")
    return environment(version, {name: value})


def test_answers(server: servers.Server) -> None:
    """Ours says what Exim said, byte for byte."""
    env = world(server.name, server.port)
    wrong = []
    for case in cases(server.name):
        answer = neutral(ours(env, filled(case.source, server)), server)
        if answer != case.answer:
            wrong.append(f"{case.line}: {case.source}\n  Exim: {case.answer!r}\n  ours: {answer!r}")
    env.doors.databases.close()
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong)


@pytest.mark.differential
def test_recorded(server: servers.Server, tmp_path: Path) -> None:
    """The installed Exim still says what was recorded (only where it is the version that was recorded)."""
    exim = real_exim()
    if exim is None:
        pytest.skip("no Exim is installed")
    asked = cases(server.name)
    if real_version(exim) != asked[0].settings["exim"]:
        pytest.skip("another version is installed")
    tmp_path.chmod(0o755)
    config = write_config(tmp_path, OPTIONS[server.name].format(port=server.port) + "\n")
    answers = ask_exim(exim, config, [filled(case.source, server) for case in asked])
    for case, answer in zip(asked, answers, strict=True):
        assert neutral(answer, server) == case.answer, case.id


REDIS = [
    ("get key", "value"),
    ("get nokey", ""),
    ("get sp\\\\ ace", "a b"),
    ("incr number", "true"),
    ("exists nokey", "false"),
    ("lrange list 0 -1", "one\ntwo words\nthree"),
    ("hgetall hash", "f1\nv1\nf2\nv 2"),
    ("get empty", ""),
    ("type key", "string"),
    ("lrange none 0 -1", "none found"),
    ("set a b", "OK"),
    ("servers=127.0.0.1::@PORT@/3/secret; get key", ""),
    ("servers=(@SOCK@)//secret; get key", "value"),
    (
        "get",
        'Failed: lookup of "get" gave DEFER: "REDIS: lookup result failed: '
        "ERR wrong number of arguments for 'get' command\\n\"",
    ),
    (
        "servers=127.0.0.1::@PORT@/1/wrong; get key",
        'Failed: lookup of "servers=127.0.0.1::@PORT@/1/wrong; get key" gave DEFER: '
        '"REDIS: lookup result failed: NOAUTH Authentication required.\\n"',
    ),
    (
        "servers=127.0.0.1::1//x; get key",
        'Failed: lookup of "servers=127.0.0.1::1//x; get key" gave DEFER: "REDIS connection failed"',
    ),
    (
        "servers=a/b; get key",
        'Failed: lookup of "servers=a/b; get key" gave DEFER: "incomplete Redis server data: a"',
    ),
]


@pytest.fixture(scope="module")
def redis() -> Iterator[servers.Server]:
    """A Redis server."""
    yield from start("redis", servers.Redis)


@pytest.mark.parametrize(("command", "answer"), REDIS, ids=[command for command, _ in REDIS])
def test_redis(redis: servers.Server, command: str, answer: str) -> None:
    """Replies as the lookup shows them (no Exim with Redis is at hand: by its source's description)."""
    env = world("redis", redis.port, (4, 99))
    given = ours(env, filled("${lookup redis{" + command + "}{$value}{none found}}", redis))
    env.doors.databases.close()
    assert neutral(given, redis) == answer


def test_secrets_are_not_shown() -> None:
    """A request says everything but the password."""
    from eximious.interpreter.databases import Request

    request = Request(kind="mysql", server="h", user="u", secret="hidden", text="select 1")
    assert "hidden" not in repr(request) and "hidden" not in str(request.as_dict())


def test_answers_are_plain_data() -> None:
    """An answer survives being written down."""
    import json

    from eximious.interpreter.databases import Answer

    for answer in (
        Answer(columns=["a"], rows=[["x"], [None]]),
        Answer(affected=0),
        Answer("fail", message="m", status="S", code=3),
        Answer(entries=[("cn=a", [("cn", ["a", "b"])])]),
        Answer(reply=["x", 1, None]),
    ):
        again = Answer.from_dict(json.loads(json.dumps(answer.as_dict())))
        assert repr(again) == repr(answer)


def record(exim: str) -> None:
    """Write the answers of an Exim into the case files."""
    for kind, cls in KINDS.items():
        with cls() as server, tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            folder.chmod(0o755)
            config = write_config(folder, OPTIONS[kind].format(port=server.port) + "\n")
            file = casefile.read(FIXTURES / "servers" / f"{kind}.cases")
            asked = [case for case in file.cases if not case.reason]
            answers = ask_exim(exim, config, [filled(case.source, server) for case in asked])
            for case, answer in zip(asked, answers, strict=True):
                case.answer = neutral(answer, server)
            file.write()


if __name__ == "__main__":
    record(real_exim() or sys.exit("no Exim is installed"))
