"""What real doors answered is recorded, and replayed without them byte for byte."""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from dnsserver import DnsServer
from eximious.backends.described import World
from eximious.backends.dnszones import Zones
from eximious.backends.recording import (
    Recording,
    RecordingChance,
    RecordingDatabases,
    RecordingEnviron,
    RecordingSockets,
    RecordingUsers,
    RecordingVerdicts,
    machine_zone,
)
from eximious.backends.world import world_doors
from eximious.interpreter.databases import Answer, Request
from eximious.interpreter.outcomes import ExpansionError, Refused, Unanswered

EXIMIOUS = [sys.executable, "-m", "eximious"]


def _run(*argv: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[bytes]:
    env = {name: value for name, value in os.environ.items() if name != "EXIMIOUS_ALLOW"}
    return subprocess.run(
        [*EXIMIOUS, *argv], input=stdin.encode("latin-1"), capture_output=True, env=env | environ, timeout=60
    )


@pytest.fixture
def outside(tmp_path: Path) -> Any:
    """Real things: files, a SQLite database, programs, a socket, a DNS server."""
    folder = tmp_path / "real"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "aliases").write_bytes(b"a: \xff bytes\nb: two\n")
    (folder / "etc" / "link").symlink_to("aliases")
    (folder / "etc" / "folder").mkdir()
    (folder / "etc" / "folder" / "one").touch()
    connection = sqlite3.connect(folder / "etc" / "db.sqlite")
    connection.executescript("create table t(k, v); insert into t values('x', 'value of x');")
    connection.close()
    program = folder / "etc" / "program"
    program.write_text("#!/bin/sh\necho \"$1\"; printf '\\377\\001'; exit $2\n")
    program.chmod(0o755)
    dns = DnsServer(Zones.load(str(Path(__file__).resolve().parents[1] / "fixtures" / "zones")))
    place = str(folder / "socket")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(place)
    listening.listen()
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            with peer:
                data = peer.recv(100)
                peer.sendall(b"got " + data + b"\n\xfe")

    threading.Thread(target=serve, daemon=True).start()
    (folder / "etc" / "exim.conf").write_text(
        "primary_hostname = mail.test.ex\nkeep_environment = WORLDTEST : NOTSET\n"
        "sqlite_dbfile = DIR/db.sqlite\n"
        "spool_directory = DIR\nexim_user = root\n.include DIR/included\n".replace("DIR", str(folder / "etc"))
    )
    (folder / "etc" / "included").write_text("add_environment = ADDED=yes\n")
    yield folder, dns
    stop.set()
    listening.close()
    dns.close()


EXPRESSIONS = r"""
$primary_hostname $pid $caller_uid $tod_full $tod_zone $tod_epoch_l ${readfile{ETC/aliases}}
${lookup{a}lsearch{ETC/aliases}} ${lookup{b}lsearch{ETC/link}} ${lookup{c}lsearch{ETC/aliases}{y}{n}}
${lookup{x}lsearch{ETC/nothing}}
${lookup{x}lsearch{ETC/folder}}
${lookup{x}lsearch{ETC/nothing}}
${if exists{ETC/aliases}{y}{n}} ${if exists{ETC/none}{y}{n}} ${if exists{ETC/folder}{y}{n}}
${stat:ETC/aliases}
${stat:ETC/folder}
${lookup{one}dsearch{ETC/folder}} ${lookup{two}dsearch{ETC/folder}{y}{n}}
${lookup{link}dsearch,filter=file{ETC}{y}{n}}
${lookup sqlite{select v from t where k='x'}} ${lookup sqlite,file=ETC/db.sqlite{select count(*) from t}}
${run{ETC/program hello 0}} $runrc ${run{ETC/program no 7}{y}{$value}} $runrc ${run{ETC/missing}{y}{n}} $runrc
${readsocket{REAL/socket}{question}}
${readsocket{REAL/nowhere}{question}}
${readsocket{inet:127.0.0.1:1}{question}}
${randint:1000000} ${randint:10}
${env{WORLDTEST}{$value}{unset}} ${env{NOTSET}{$value}{unset}} ${env{PATH}{$value}{unset}}
${env{ADDED}{$value}{unset}}
${lookup passwd{root}} ${lookup passwd{nobody-of-that-name}{y}{n}}
${lookup dnsdb{mx=test.ex}} ${lookup dnsdb{>; a=mx1.test.ex}{$value}{no}}
${lookup dnsdb{txt=test.ex}{$value}{no}} ${lookup dnsdb{a=no.such.test.ex}{y}{n}}
${lookup dnsdb{soa=test.ex}{$value}{no}}
${lookup dnsdb{defer_never,a=broken.test.ex}{y}{n}} ${lookup dnsdb{dnssec_strict,a=signed.test.ex}{y}{n}}
""".strip()


def test_replay_is_the_same_byte_for_byte(outside: Any, tmp_path: Path) -> None:
    folder, dns = outside
    config = str(folder / "etc" / "exim.conf")
    lines = EXPRESSIONS.replace("ETC", str(folder / "etc")).replace("REAL", str(folder)) + "\n"
    world = str(tmp_path / "world")
    real = _run(
        "exim", "--allow", "all", "--nameserver", f"127.0.0.1:{dns.port}", "--record", world,
        "-C", config, "-be", stdin=lines, WORLDTEST="set",
    )  # fmt: skip
    assert real.returncode == 0, real
    assert b"got question" in real.stdout and b"value of x" in real.stdout and b"hello" in real.stdout, real
    assert not _run("world", "check", world).stdout
    # everything real is gone, the configuration too
    dns.close()
    os.rename(folder, tmp_path / "away")
    again = _run("exim", "--world", world, "-C", config, "-be", stdin=lines)
    assert again.stdout == real.stdout
    assert again.returncode == 0, again.stderr
    assert again.stderr == b""


def test_front_and_expand_record_the_same(outside: Any, tmp_path: Path) -> None:
    folder, _ = outside
    config = str(folder / "etc" / "exim.conf")
    text = "${lookup{b}lsearch{" + str(folder) + "/etc/aliases}}"
    ran = _run("expand", "--record", str(tmp_path / "w"), "-C", config, text)
    assert ran.stdout == b"two\n", ran
    again = _run("expand", "--world", str(tmp_path / "w"), "-C", config, text)
    assert again.stdout == b"two\n", again


def test_a_second_recording_keeps_the_first(outside: Any, tmp_path: Path) -> None:
    folder, _ = outside
    config, world = str(folder / "etc" / "exim.conf"), str(tmp_path / "w")
    program = str(folder / "etc" / "program")
    for word in ("one", "two", "one"):
        _run(
            "exim",
            "--allow",
            "run",
            "--record",
            world,
            "-C",
            config,
            "-be",
            f"${{run{{{program} {word} 0}}}}",
        )
    recorded = World.load(world)
    assert [[part.text for part in node.value["run"].value][1] for node in recorded.items("commands")] == [
        "two",
        "one",
    ]


def test_recording_into_the_world_notes_only_what_is_real(outside: Any, tmp_path: Path) -> None:
    folder, _ = outside
    config, world = str(folder / "etc" / "exim.conf"), tmp_path / "w"
    world.mkdir()
    (world / "world.yaml").write_text(
        "hostname: h.example\nprocess: {uid: 0, gid: 0}\nusers: {root: {uid: 0, gid: 0}}\n"
    )
    program = str(folder / "etc" / "program")
    text = f"$primary_hostname ${{run{{{program} x 0}}}}"
    ran = _run(
        "exim", "--world", str(world), "--live", "run", "--record", str(world), "-C", config, "-be", text
    )
    assert ran.returncode == 0, ran
    assert set(World.load(str(world)).documents[1].value) == {"commands"}
    again = _run("exim", "--world", str(world), "-C", config, "-be", text)
    assert again.stdout == ran.stdout


class _Door:
    """A door that answers from a list."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def _next(self, *_: Any, **__: Any) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    query = ask = get = below = getpwnam = getpwuid = getgrnam = getgrgid = connect = run = _next


def _replayed(recording: Recording) -> Any:
    recording.save()
    return world_doors(World.load(recording.folder))


def test_databases(tmp_path: Path) -> None:
    answers = [
        Answer(columns=["a", "b"], rows=[["1", None], ["\xff", "x\ny"]]),
        Answer(columns=["a"], rows=[]),
        Answer(affected=0),
        Answer("fail", message="wrong \xe4", code=7, status="X"),
        Answer("defer", message="no route"),
        Answer(reply=["a", None, 3, ["b"]]),
        Answer(),
        Answer(entries=[("uid=a,o=x", [("cn", ["A", "\xfe"]), ("empty", [])])]),
    ]
    requests = [
        Request(kind="mysql", server="s1", database="d", user="u", secret="hush", text="select 1", port=3307),
        Request(kind="mysql", server="s2", database="d", text="select 1"),
        Request(kind="mysql", text="update"),
        Request(kind="pgsql", socket="/run/pg", text="broken"),
        Request(kind="pgsql", server="gone", text="x"),
        Request(kind="redis", text="mget a", words=["mget", "a"]),
        Request(kind="redis", text="get no", words=["get", "no"]),
        Request(kind="ldap", server="l", text="(uid=a)", options={"base": "o=x", "scope": "sub"}),
    ]
    recording = Recording(str(tmp_path))
    door = RecordingDatabases(_Door(*answers), recording)
    for request in requests:
        door.query(request)
    doors = _replayed(recording)
    for request, answer in zip(requests, answers):
        assert doors.databases.query(request).as_dict() == answer.as_dict()
    assert "hush" not in (tmp_path / "recorded.yaml").read_text()
    with pytest.raises(Unanswered):
        doors.databases.query(Request(kind="mysql", server="s3", text="select 1"))


def test_verdicts_and_their_secrets(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path))
    asked = [
        ("pam", ("anna", "hush5", "more"), True),
        ("saslauthd", ("anna", "hush5", "imap", "realm"), False),
        ("radius", ("anna", "hush5"), "no server"),
        ("ldapauth", ("cn=anna", "hush5", "ldap://x/"), True),
        ("perl", ("f", "x"), "text \xff"),
        ("perl", ("undef",), None),
        ("perl", ("dies",), ExpansionError("died here")),
    ]
    door = RecordingVerdicts(_Door(*(answer for _, _, answer in asked)), recording)
    for kind, question, answer in asked:
        if isinstance(answer, ExpansionError):
            with pytest.raises(ExpansionError):
                door.ask(kind, *question)
        else:
            assert door.ask(kind, *question) == answer
    doors = _replayed(recording)
    for kind, question, answer in asked:
        if isinstance(answer, ExpansionError):
            with pytest.raises(ExpansionError, match="died here"):
                doors.verdicts.ask(kind, *question)
        else:
            assert doors.verdicts.ask(kind, *question) == answer
    text = (tmp_path / "recorded.yaml").read_text()
    assert "hush5" not in text and "more" not in text and "realm" in text
    with pytest.raises(Unanswered):
        doors.verdicts.ask("pam", "anna", "wrong", "more")


class _Connection:
    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def send(self, data: bytes) -> None:
        pass

    shutdown = close = lambda self: None

    def recv(self, size: int) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def test_connections(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path))
    door = RecordingSockets(
        _Door(
            _Connection(b"part", b"s\xff", b""),
            _Connection(b"220 hi\n", b"250 ok\n", b""),
            _Connection(b"half", TimeoutError()),
            _Connection(ConnectionResetError(104, "reset")),
            ConnectionRefusedError(111, "refused"),
            TimeoutError(),
            socket.gaierror(socket.EAI_NONAME, "x"),
            _Connection(b"other", b""),
        ),
        recording,
    )

    def play(sockets: Any) -> list[Any]:
        found: list[Any] = []

        def talk(spec: str, *steps: Any) -> None:
            try:
                connection = sockets.connect(spec, 5)
                for step in steps:
                    if step is not None:
                        connection.send(step)
                    else:
                        found.append(connection.recv(100))
                connection.close()
            except OSError as error:
                found.append((type(error), error.errno))

        talk("/a", b"ask", None, None, None) if sockets is door else talk("/a", b"ask", None, None)
        talk("/b", None, b"HELO\n", None, None)
        talk("/c", b"x", None, None)
        talk("/d", b"x", None)
        talk("/e", None)
        talk("/f", None)
        talk("inet:g:1", None)
        talk("/a", b"again", None, None)
        return found

    first = play(door)
    assert first[:3] == [b"part", b"s\xff", b""]
    again = play(_replayed(recording).sockets)
    assert again == [b"parts\xff", *first[2:]]


def test_users_environment_and_chance(tmp_path: Path) -> None:
    from eximious.backends.machine import Account, Group

    recording = Recording(str(tmp_path))
    users = RecordingUsers(
        _Door(
            Account("anna", "x", 7, 8, "A \xe4", "/home/anna", "/bin/sh"),
            None,
            None,
            Group("g", "x", 9, ["m"]),
            None,
        ),
        recording,
    )

    def play(door: Any) -> list[Any]:
        anna = door.getpwnam("anna")
        group = door.getgrnam("g")
        return [anna.pw_uid, anna.pw_gecos, anna.pw_dir, group.gr_gid, group.gr_mem]

    anna, gone, none = users.getpwnam("anna"), users.getpwnam("gone"), users.getpwuid(5)
    group, nogroup = users.getgrnam("g"), users.getgrgid(6)
    assert (gone, none, nogroup) == (None, None, None)
    environ = RecordingEnviron(_Door("value", None), recording)
    assert [environ.get("A"), environ.get("B")] == ["value", None]
    chance = RecordingChance(_Door(3, 5), recording)
    assert [chance.below(7), chance.below(9)] == [3, 5]
    doors = _replayed(recording)
    assert play(doors.users) == [anna.pw_uid, anna.pw_gecos, anna.pw_dir, group.gr_gid, group.gr_mem]
    assert [doors.users.getpwnam("gone"), doors.users.getpwuid(5), doors.users.getgrgid(6)] == [None] * 3
    assert [doors.chance.below(7), doors.chance.below(9)] == [3, 5]
    doors.use_options({"keep_environment": "*"})
    assert [doors.environ.get("A"), doors.environ.get("B")] == ["value", None]


def test_refusals_are_not_recorded(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path))
    doors = world_doors(None, recording=recording)
    for use in (
        lambda: doors.processes.run(["/bin/true"], "", 1),
        lambda: doors.sockets.connect("/x", 1),
        lambda: doors.files.open("/etc/passwd"),
        lambda: doors.resolver.query("a.b", "A"),
        lambda: doors.databases.query(Request(kind="mysql", text="x")),
    ):
        with pytest.raises(Refused):
            use()
    assert recording.plain() == {}


def test_time_stands_still_while_it_is_recorded(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path))
    doors = world_doors(None, recording=recording)
    now = doors.clock.now()
    assert doors.clock.now() == now
    again = _replayed(recording)
    assert again.clock.now() == now
    for clock in (doors.clock, again.clock):
        clock.advance(90)
        assert clock.now() == now + 90
    assert _replayed(recording).clock.now() == now
    assert tuple(again.clock.localtime(now)) == tuple(doors.clock.localtime(now))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "<+0330>-3:30", "EST5EDT"])
def test_zones_are_found(zone: str) -> None:
    code = (
        "from eximious.backends.recording import machine_zone\n"
        "from eximious.backends.clock import local_time\n"
        "import time\nnow = 1738321200\nthere = local_time(now, machine_zone(now))\n"
        "here = time.localtime(now)\nassert tuple(there) == tuple(here), there\n"
        "assert there.tm_zone == here.tm_zone\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TZ": zone})
    assert machine_zone(1738321200)


def test_modes_and_special_files(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    os.mkfifo(real / "fifo", 0o600)
    (real / "locked").write_text("x")
    (real / "locked").chmod(0o604)
    recording = Recording(str(tmp_path / "w"))
    doors = world_doors(None, allow=["read"], recording=recording)
    modes = [doors.files.stat(str(real / name)).st_mode for name in ("fifo", "locked", "")]
    names = doors.files.listdir(str(real))
    with pytest.raises(NotADirectoryError):
        doors.files.listdir(str(real / "locked"))
    again = _replayed(recording)
    assert [again.files.stat(str(real / name)).st_mode for name in ("fifo", "locked", "")] == modes
    assert stat.S_ISFIFO(modes[0])
    assert again.files.listdir(str(real)) == names
    with pytest.raises(NotADirectoryError):
        again.files.listdir(str(real / "locked"))
    with again.files.open(str(real / "locked")) as stream:
        assert stream.read() == b"x"


def test_a_folder_that_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = _run("exim", "--record", str(tmp_path / "file" / "w"), "-be", "x")
    assert ran.returncode == 2
    assert b"cannot record in" in ran.stderr
