"""Doors: what is allowed, what is refused and how, and what each does for real."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from eximious.backends.capabilities import (
    CapabilityError,
    Permissions,
    environment_permissions,
    make_doors,
    parse_permissions,
)
from eximious.backends.clock import FixedClock, RealClock, local_time
from eximious.backends.files import RealFiles, RootedFiles
from eximious.backends.machine import FileUsers, RealMachine, RealUsers, SeededChance, SystemChance, cleaned
from eximious.backends.verdicts import RealVerdicts
from eximious.interpreter.outcomes import ExpansionError, ForcedFailure, OverBudget, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# ---- words


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ([], "Permissions()"),
        (["run"], "Permissions(run)"),
        (["run,dns read=/a"], "Permissions(dns, run, read=/a)"),
        (["net"], "Permissions(dns, net, sql)"),
        (["write=/a", "read"], "Permissions(read, write=/a)"),
        (["all"], "Permissions(all)"),
    ],
)
def test_words(texts: list[str], shown: str) -> None:
    assert repr(parse_permissions(texts)) == shown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rum", "unknown permission 'rum': did you mean 'run'?"),
        ("xyzzy", "unknown permission 'xyzzy': there are run, net, dns, sql, read, write, perl, dlfunc, all"),
        ("run=/x", "permission 'run' takes no folder"),
        ("read=", "permission 'read=' lacks its folder"),
    ],
)
def test_wrong_words(text: str, problem: str) -> None:
    with pytest.raises(CapabilityError) as raised:
        make_doors([text])
    assert str(raised.value) == problem


def test_all_allows_everything() -> None:
    assert all(Permissions(["all"]).allows(word) for word in ("run", "net", "dns", "read", "perl"))


def test_words_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXIMIOUS_ALLOW", "run, read=/x")
    assert repr(parse_permissions(environment_permissions())) == "Permissions(run, read=/x)"
    monkeypatch.delenv("EXIMIOUS_ALLOW")
    assert environment_permissions() == []


# ---- refusals


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (
            lambda doors: doors.files.open("/etc/passwd"),
            "files: reading /etc/passwd is not allowed; allow it with --allow read=/etc",
        ),
        (
            lambda doors: doors.files.stat("/etc/nonexistent"),
            "files: reading /etc/nonexistent is not allowed; allow it with --allow read=/etc",
        ),
        (
            lambda doors: doors.files.local_path("/x/y", write=True),
            "files: writing to /x/y is not allowed; allow it with --allow write=/x",
        ),
        (
            lambda doors: doors.processes.run(["/bin/true"], "", 5),
            "run: running /bin/true is not allowed; allow it with --allow run",
        ),
        (
            lambda doors: doors.sockets.connect("inet:127.0.0.1:1", 1),
            "socket: connecting to inet:127.0.0.1:1 is not allowed; allow it with --allow net",
        ),
        (
            lambda doors: doors.verdicts.ask("perl", "f"),
            "perl: asking perl for a verdict is not allowed; allow it with --allow perl",
        ),
        (
            lambda doors: doors.verdicts.ask("pam", "user", "secret"),
            "pam: asking pam for a verdict is not allowed; allow it with --world DIR",
        ),
    ],
)
def test_refused_by_default(use: Callable[[Any], object], said: str) -> None:
    with pytest.raises(Refused) as raised:
        use(make_doors())
    assert str(raised.value) == said


def test_nothing_is_refused_before_it_is_used() -> None:
    doors = make_doors()
    for name in ("files", "processes", "sockets", "verdicts", "resolver", "databases", "environ", "users"):
        assert getattr(doors, name) is getattr(doors, name)


def test_nothing_heavy_is_imported_for_doors() -> None:
    code = (
        "import sys; from eximious.backends.capabilities import make_doors\n"
        "doors = make_doors(['all'])\n"
        "for name in ('files', 'clock', 'processes', 'sockets', 'users', 'environ', 'machine', 'chance'):\n"
        "    getattr(doors, name)\n"
        "print(*[m for m in ('socket', 'subprocess', 'pwd', 'grp', 'ssl', 'zoneinfo', 'email', 'random')"
        " if m in sys.modules])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", "import site\nsite.main()\n" + code], capture_output=True
    )
    before = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True)
    assert set(ran.stdout.split()) <= set(before.stdout.split()), ran.stderr


# ---- files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Folders and links: what is inside, what leads out."""
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (inside / "sub" / "file").write_text("text")
    (tmp_path / "secret").write_text("secret")
    (inside / "out").symlink_to(tmp_path / "secret")
    (inside / "up").symlink_to("../secret")
    (inside / "absolute").symlink_to("/sub/file")
    (inside / "loop").symlink_to("loop")
    (inside / "folder").symlink_to("sub")
    return inside


def test_reading_below_a_folder(tree: Path) -> None:
    files = RealFiles([str(tree)])
    with files.open(f"{tree}/sub/../sub/file") as stream:
        assert stream.read() == b"text"
    with files.open(f"{tree}/folder/file") as stream:
        assert stream.read() == b"text"
    assert sorted(files.listdir(str(tree)))[0] == "absolute"
    assert files.stat(f"{tree}/out", follow_symlinks=False).st_mode & 0o170000 == 0o120000
    with pytest.raises(FileNotFoundError):
        files.open(f"{tree}/nothing")
    for path in ("out", "up", "../secret", "absolute"):
        with pytest.raises(Refused):
            files.open(f"{tree}/{path}")
        with pytest.raises(Refused):
            files.local_path(f"{tree}/{path}")


def test_reading_below_a_root(tree: Path) -> None:
    files = RootedFiles(str(tree))
    for path in (
        "/sub/file",
        "sub/file",
        "/absolute",
        "/folder/file",
        "/../../sub/./file",
        "/sub/../sub//file",
    ):
        with files.open(path) as stream:
            assert stream.read() == b"text", path
    for path in ("/up", "/out", "/../secret", "/nothing", "/sub/file/"):
        with pytest.raises(OSError):
            files.open(path)
    with pytest.raises(OSError):
        files.stat("/loop")
    assert files.stat("/loop", follow_symlinks=False).st_size == 4
    assert files.local_path("/folder/file") == f"{tree}/sub/file"
    assert "sub" in files.listdir("/")
    with pytest.raises(FileNotFoundError):
        files.open("")


def test_the_folder_of_the_configuration_may_be_read(tree: Path, tmp_path: Path) -> None:
    configuration = tree / "exim.conf"
    configuration.write_text("")
    doors = make_doors(config_path=str(configuration))
    doors.files.open(f"{tree}/sub/file").close()
    with pytest.raises(Refused):
        doors.files.open(f"{tmp_path}/secret")
    make_doors(["read"], config_path=str(configuration)).files.open(f"{tmp_path}/secret").close()
    make_doors([f"read={tmp_path}"]).files.open(f"{tmp_path}/secret").close()


def test_a_configuration_in_the_root_folder_opens_nothing_else() -> None:
    with pytest.raises(Refused):
        make_doors(config_path="/exim.conf").files.open("/etc/passwd")


def test_writing(tmp_path: Path) -> None:
    doors = make_doors([f"write={tmp_path}"])
    assert doors.files.local_path(f"{tmp_path}/new", write=True) == f"{tmp_path}/new"
    with pytest.raises(Refused):
        doors.files.local_path("/new", write=True)
    rooted = make_doors(root=str(tmp_path))
    with pytest.raises(Refused):
        rooted.files.local_path("/new", write=True)
    assert make_doors(["write"], root=str(tmp_path)).files.local_path("/new", write=True) == f"{tmp_path}/new"


def test_bytes_in_names(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).write_text("x")
    files = RealFiles([str(tmp_path)])
    files.open(f"{tmp_path}/caf\xe9").close()
    files.open(f"{tmp_path}/caf\xe9\0ignored").close()
    assert files.listdir(str(tmp_path)) == ["caf\xe9"]


def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with RealFiles([str(tmp_path)]).open(f"{tmp_path}/fifo") as stream:
        assert not stream.read()


# ---- programs


def run(*words: str, stdin: str = "", timeout: float = 10, **options: str) -> tuple[int, str]:
    """Run a program with permission."""
    doors = make_doors(["run"])
    doors.use_options(options)
    return doors.processes.run(words, stdin, timeout)


def test_programs() -> None:
    assert run("/bin/sh", "-c", "umask; echo err >&2; echo out") == (0, "0077\nerr\nout\n")
    assert run("/bin/sh", "-c", "exit 3") == (3, "")
    assert run("/bin/sh", "-c", "kill -9 $$") == (-9, "")
    assert run("/nonexistent") == (127, "")
    assert run("sh", "-c", "true") == (127, "")
    assert run() == (127, "")
    assert run("/bin/cat", stdin="x" * 200_000) == (0, "x" * 200_000)
    assert run("/bin/true", stdin="x" * 200_000) == (0, "")
    assert run("/bin/sh", "-c", "printf '\\351'") == (0, "\xe9")


def test_environment_of_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("SHOWN", "y")
    assert run("/usr/bin/env") == (0, "")
    assert run("/usr/bin/env", keep_environment="SHOWN", add_environment="A=b") == (0, "SHOWN=y\nA=b\n")


def test_programs_end() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        run("/bin/sh", "-c", "sleep 30 & sleep 30", timeout=0.3)
    with pytest.raises(TimeoutError):
        run("/bin/sh", "-c", "exec >&- 2>&-; sleep 30", timeout=0.3)
    assert time.monotonic() - start < 5


def test_output_of_programs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eximious.backends.processes.OUTPUT_LIMIT", 100_000)
    with pytest.raises(OverBudget):
        run("/bin/sh", "-c", "yes")


# ---- sockets


def serve(listener: socket.socket, answer: Callable[[socket.socket], None]) -> threading.Thread:
    """Answer one connection in the background."""

    def work() -> None:
        connection, _ = listener.accept()
        with connection:
            answer(connection)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def echo(connection: socket.socket) -> None:
    """Read to the end and send it back in capitals."""
    data = b""
    while piece := connection.recv(4096):
        data += piece
    connection.sendall(data.upper())


@pytest.mark.parametrize("kind", ["inet", "unix"])
def test_sockets(kind: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) as listener:
        listener.bind(str(tmp_path / "socket") if kind == "unix" else ("127.0.0.1", 0))
        listener.listen()
        spec = f"{tmp_path}/socket" if kind == "unix" else f"inet:127.0.0.1:{listener.getsockname()[1]}"
        thread = serve(listener, echo)
        connection = make_doors(["net"]).sockets.connect(spec, 5)
        connection.send(b"hello")
        connection.shutdown()
        assert connection.recv(100) == b"HELLO" and connection.recv(100) == b""
        connection.close()
        thread.join(5)


def test_sockets_wait_no_longer_than_told() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        connection = make_doors(["net"]).sockets.connect(f"inet:127.0.0.1:{listener.getsockname()[1]}", 0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.close()


def test_no_connection(tmp_path: Path) -> None:
    sockets = make_doors(["net"]).sockets
    with pytest.raises(FileNotFoundError):
        sockets.connect(f"{tmp_path}/nothing", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            sockets.connect(f"inet:127.0.0.1:{taken.getsockname()[1]}", 1)
    with pytest.raises(socket.gaierror):
        sockets.connect("inet:caf\xe9.invalid:1", 1)


# ---- verdicts


def verdicts(words: list[str], tmp_path: Path, **options: object) -> RealVerdicts:
    """The verdicts door with permissions."""
    doors = make_doors([*words, f"read={tmp_path}"])
    doors.use_options(options)
    found = doors.verdicts
    assert isinstance(found, RealVerdicts)
    return found


def test_saslauthd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eximious.backends.verdicts.SASLAUTHD", (f"{tmp_path}/none", f"{tmp_path}/mux"))
    asked = []

    def answer(connection: socket.socket) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(b"\0\2OK")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/mux")
        listener.listen()
        thread = serve(listener, answer)
        assert verdicts(["net"], tmp_path).ask("saslauthd", "user", "pw", "smtp", "") is True
        thread.join(5)
    assert asked == [b"\0\4user\0\2pw\0\4smtp\0\0"]


def test_pwcheck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eximious.backends.verdicts.PWCHECK", (f"{tmp_path}/pwcheck",))
    found = verdicts(["net"], tmp_path)
    assert found.ask("pwcheck", "user", "pw") == "cannot connect to pwcheck daemon"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/pwcheck")
        listener.listen()
        thread = serve(listener, lambda connection: connection.sendall(b"NO"))
        assert found.ask("pwcheck", "user", "pw") is False
        thread.join(5)


PERL = r"""
sub twice { $_[0] x 2 } sub none { return undef } sub dies { die "it died\n" } sub count { scalar @_ }
sub keep { ++$main::kept } sub wide { "\x{263a}" } sub cut { "a\0b" }
sub asks { Exim::expand_string($_[0]) // 'forced' } sub noisy { warn "careful\n"; Exim::log_write("x"); "ok" }
"""


@pytest.mark.skipif(not Path("/usr/bin/perl").exists(), reason="no perl is installed")
def test_perl(tmp_path: Path) -> None:
    found = verdicts(["perl"], tmp_path, perl_startup=PERL)

    def expand(text: str) -> str:
        if text == "fail":
            raise ForcedFailure("forced")
        if text == "wrong":
            raise ExpansionError("unknown variable")
        return text.upper()

    def ask(*words: str) -> object:
        return found.ask("perl", *words, expand=expand)

    assert ask("twice", "ab") == "abab"
    assert ask("count", "a", "", "c") == "3"
    assert [ask("keep"), ask("main::keep")] == ["1", "2"]
    assert ask("none") is None
    assert ask("wide") == "\xe2\x98\xba"
    assert ask("cut") == "a"
    assert ask("noisy") == "ok"
    assert ask("asks", "x") == "X"
    assert ask("asks", "fail") == "forced"
    for words, problem in (
        (("dies",), "it died\n"),
        (("nosuch",), "Undefined subroutine &main::nosuch called.\n"),
        (
            ("asks", "wrong"),
            "syntax error in Exim::expand_string argument: unknown variable at (eval 1) line",
        ),
    ):
        with pytest.raises(ExpansionError) as raised:
            ask(*words)
        assert raised.value.message.startswith(problem)
    found.close()


@pytest.mark.skipif(not Path("/usr/bin/perl").exists(), reason="no perl is installed")
def test_perl_startup(tmp_path: Path) -> None:
    found = verdicts(["perl"], tmp_path, perl_startup="syntax error here (")
    with pytest.raises(ExpansionError, match="error in perl_startup code: Compilation error"):
        found.ask("perl", "x")
    with pytest.raises(ExpansionError, match="Undefined subroutine &main::x called"):
        found.ask("perl", "x")
    found.close()
    died = verdicts(["perl"], tmp_path, perl_startup='sub x { "x" } die "boo"')
    assert died.ask("perl", "x") == "x"
    died.close()


@pytest.mark.skipif(not Path("/usr/bin/perl").exists(), reason="no perl is installed")
def test_perl_with_taint_checks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    startup = "print qq(started\\n); sub taint { ${^TAINT} . (eval { kill 0, $_[0]; 1 } ? 'ok' : 'bad') }"
    found = verdicts(["perl"], tmp_path, perl_startup=startup, perl_taintmode=True)
    assert found.ask("perl") == ""
    assert found.ask("perl", "taint", "1") == "1ok"
    found.close()
    assert capfd.readouterr().out == "started\n"


def test_shared_objects(tmp_path: Path) -> None:
    found = verdicts(["dlfunc"], tmp_path)
    missing = f"{tmp_path}/none.so"
    with pytest.raises(ExpansionError) as raised:
        found.ask("dlfunc", missing, "f")
    assert raised.value.message == (
        f'dlopen "{missing}" failed: {missing}: cannot open shared object file: No such file or directory'
    )
    with pytest.raises(ExpansionError) as raised:
        found.ask("dlfunc", "", "no_such_function")
    assert raised.value.message == (
        'dlsym "no_such_function" in "" failed: /usr/sbin/exim4: undefined symbol: no_such_function'
    )
    with pytest.raises(Refused):
        found.ask("dlfunc", "/nonexistent/x.so", "f")


@pytest.mark.skipif(not Path("/usr/bin/cc").exists(), reason="no C compiler is installed")
def test_calling_a_shared_object(tmp_path: Path) -> None:
    source = tmp_path / "f.c"
    source.write_text(
        "typedef unsigned char u;\n"
        'int ok(u **y, int n, u **a) { *y = n ? a[n - 1] : (u *)"none"; return 0; }\n'
        'int bad(u **y, int n, u **a) { *y = (u *)"no"; return 2; }\n'
        'int forced(u **y, int n, u **a) { *y = (u *)"no"; return 4; }\n'
        "int silent(u **y, int n, u **a) { return 1; }\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(tmp_path / "f.so"), str(source)], check=True)
    found = verdicts(["dlfunc"], tmp_path)
    assert found.ask("dlfunc", f"{tmp_path}/f.so", "ok", "a", "\xe9") == "\xe9"
    assert found.ask("dlfunc", f"{tmp_path}/f.so", "ok") == "none"
    for name, kind, message in (
        ("bad", ExpansionError, "no"),
        ("forced", ForcedFailure, "no"),
        ("silent", ExpansionError, "(no message)"),
    ):
        with pytest.raises(kind) as raised:
            found.ask("dlfunc", f"{tmp_path}/f.so", name)
        assert raised.value.message == message


# ---- clock, machine, users, environment, chance


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("", 0, 0),
        ("UTC", 0, 0),
        ("Asia/Kolkata", 19800, 19800),
        (":Asia/Kolkata", 19800, 19800),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200),
        ("XXX-2", 7200, 7200),
        ("<+03>-3", 10800, 10800),
        ("AAA5BBB", -18000, -14400),
        ("Foo/Bar", 0, 0),
        ("../../etc/passwd", 0, 0),
        ("/etc/passwd", 0, 0),
        ("EST5EDT", -18000, -14400),
    ],
)
def test_zones(zone: str, winter: int, summer: int) -> None:
    assert local_time(1_767_582_245, zone).tm_gmtoff == winter
    assert local_time(1_783_000_000, zone).tm_gmtoff == summer


def test_clocks() -> None:
    assert abs(RealClock().now() - time.time()) < 5
    assert RealClock().localtime(0) == time.localtime(0)
    clock = FixedClock(1000)
    clock.advance(5)
    assert (clock.now(), clock.localtime(1005)[:6]) == (1005, (1970, 1, 1, 0, 16, 45))
    doors = make_doors(now=0)
    doors.use_options({"timezone": "XXX-2"})
    assert doors.clock.localtime(0).tm_hour == 2


def test_machine() -> None:
    machine = RealMachine()
    assert machine.pid() == os.getpid() and machine.caller() == (os.getuid(), os.getgid())
    assert machine.cwd() == os.getcwd() and machine.hostname()
    assert machine.disk("/nonexistent") is None
    free = machine.disk("/")
    assert free is not None and free[0] >= 0


def test_users(tmp_path: Path) -> None:
    root = RealUsers().getpwuid(0)
    assert root is not None
    same = RealUsers().getpwnam(root.pw_name)
    assert same is not None and (same.pw_uid, same.pw_dir) == (0, root.pw_dir)
    assert RealUsers().getpwnam("no such user") is None and RealUsers().getgrnam("no such group") is None
    assert RealUsers().getgrgid(0) is not None and RealUsers().getpwuid(1 << 70) is None
    texts = {
        "/etc/passwd": "# x\na:x:5:6:A, B:/home/a:/bin/sh\nbroken\nb:x:y:1:::\n",
        "/etc/group": "g:x:6:a,b\n",
    }
    users = FileUsers(texts.__getitem__)
    account = users.getpwnam("a")
    assert account is not None and (account.pw_uid, account.pw_dir) == (5, "/home/a")
    assert users.getpwuid(5) is account and users.getpwnam("b") is None
    group = users.getgrgid(6)
    assert group is not None and group.gr_mem == ["a", "b"] and users.getgrnam("g") is group


def test_users_of_a_root(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("mailer:x:7:8::/:/bin/false\n")
    users = make_doors(root=str(tmp_path)).users
    found = users.getpwnam("mailer")
    assert found is not None and found.pw_gid == 8 and users.getpwnam("root") is None


VARIABLES = {"PATH": "p", "FOO": "f", "FOO_BAR": "fb", "foo": "low", "XPATH": "xp", "EMPTY": ""}


@pytest.mark.parametrize(
    ("keep", "add", "names"),
    [
        ("", "", ""),
        ("*", "", "PATH FOO FOO_BAR foo XPATH EMPTY"),
        ("PATH:FOO", "", "PATH FOO"),
        ("FOO*", "", ""),
        ("*PATH", "", "PATH XPATH"),
        ("^FOO", "", "FOO FOO_BAR"),
        ("!FOO : *", "", "PATH FOO_BAR foo XPATH EMPTY"),
        ("!*PATH", "", "FOO FOO_BAR foo EMPTY"),
        ("path", "", ""),
        ("<; FOO ; EMPTY", "", "FOO EMPTY"),
        ("+FOO : XPATH", "", "XPATH"),
        ("FOO", "FOO=bar : NEW2", "FOO"),
        ("FOO:PATH", "FOO", "PATH"),
        ("", "<; A=a:b ; =x", "A"),
    ],
)
def test_environment(keep: str, add: str, names: str) -> None:
    """As a real Exim 4.96 kept them."""
    assert " ".join(cleaned(VARIABLES, keep, add)) == names


def test_chance() -> None:
    first, second = SeededChance(5), SeededChance(5)
    assert [first.below(1000) for _ in range(9)] == [second.below(1000) for _ in range(9)]
    assert {SystemChance().below(3) for _ in range(200)} == {0, 1, 2}
    assert SystemChance().below(0) == 0
    assert make_doors(seed=1).chance.below(10**6) == make_doors(seed=1).chance.below(10**6)
