"""The described world: its form, what each door answers, what it asks for, which version a door has."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from eximious.backends.capabilities import CapabilityError
from eximious.backends.described import DescriptionError, World
from eximious.backends.described_schema import check, load_schema
from eximious.backends.described_yaml import read_yaml, write_yaml
from eximious.backends.world import world_doors
from eximious.interpreter.databases import Request
from eximious.interpreter.outcomes import ExpansionError, Refused, Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "worlds"


def _cases() -> list[tuple[str, list[str]]]:
    blocks = re.split(r"\n\n+", (FIXTURES / "errors.cases").read_text())[1:]
    found = []
    for block in blocks:
        text, _, said = block.partition("\n----\n")
        found.append((text + "\n", said.strip().split("\n")))
    return found


@pytest.mark.parametrize(
    ("text", "said"), _cases(), ids=lambda value: repr(value) if isinstance(value, str) else ""
)
def test_errors_have_their_place(text: str, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(text)
    _, problems = World.read(str(tmp_path))
    shown = [f"{one.line}:{one.column}: {one.why}" for one in problems]
    assert shown == said
    with pytest.raises(DescriptionError, match=re.escape(f"world.yaml:{said[0]}")):
        World.load(str(tmp_path))


def test_no_world(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="there is no such folder"):
        World.load(str(tmp_path / "x"))
    with pytest.raises(DescriptionError, match=r"is no world: there is no world\.yaml in it"):
        World.load(str(tmp_path))
    (tmp_path / "world.yaml").write_bytes(b"a: b\nhostname: \xff")
    with pytest.raises(DescriptionError, match=r"world\.yaml:2:11: not UTF-8"):
        World.load(str(tmp_path))


def test_our_validator_agrees_with_jsonschema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = load_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    texts = [text for text, _ in _cases()] + [(FIXTURES / "small" / "world.yaml").read_text()]
    for text in texts:
        try:
            node = read_yaml(text, "world.yaml")
        except DescriptionError:
            continue
        assert validator.is_valid(node.plain()) == (not check(node, schema)), text


def test_every_keyword_of_the_schema_is_checked() -> None:
    from eximious.backends.described_schema import _ABOUT, _Checker

    def walk(schema: Any, names: bool) -> None:
        if isinstance(schema, dict):
            for key, below in schema.items():
                if not names:
                    assert key in (*_ABOUT, "type", "$ref") or hasattr(_Checker, "_" + key.lower()), key
                if key in ("enum", "const", "default", "examples", "required"):
                    continue
                walk(
                    below,
                    not names and key in ("properties", "patternProperties", "$defs", "dependentRequired"),
                )
        elif isinstance(schema, list):
            for below in schema:
                walk(below, False)

    walk(load_schema(), False)


def test_every_kind_of_verdict_is_in_the_schema_and_explained() -> None:
    from eximious.backends.described_answers import OPEN, SECRET

    kinds = load_schema()["properties"]["verdicts"]["properties"]
    assert sorted(kinds) == sorted((*SECRET, *OPEN))
    text = (FIXTURES.parents[1] / "docs" / "world.md").read_text()
    assert not [kind for kind in kinds if kind not in text]


@pytest.mark.parametrize(
    ("kind", "question", "hidden"),
    [
        ("pam", ("anna", "one", "two", "three"), (1, 2, 3)),
        ("dovecot", ("PLAIN", "", "anna", "hush"), (1, 3)),
        ("gsasl", ("XOAUTH2", "user=anna bearer hush"), (1,)),
        ("cyrus_sasl", ("PLAIN", "anna", "hush"), (1, 2)),
        ("spf", ("192.0.2.1", "helo", "a@b"), ()),
    ],
)
def test_passwords_are_not_shown(
    small: Any, kind: str, question: tuple[str, ...], hidden: tuple[int, ...]
) -> None:
    from eximious.backends.described_answers import shown_parts

    assert tuple(n for n in range(len(question)) if n not in shown_parts(kind, question)) == hidden
    with pytest.raises(Unanswered) as open_question:
        small.verdicts.ask(kind, *(f"{part} x" for part in question))
    said = f"{open_question.value} {open_question.value.lines_to_add}"
    assert all((f"{question[n]} x" in said) is (n not in hidden) for n in range(len(question)) if question[n])


def test_time_goes_on_where_it_is_told_to() -> None:
    described = world_doors(World.load(str(FIXTURES / "small"))).clock
    before = described.now()
    described.advance(3600.5)
    assert described.now() - before == 3600.5
    real = world_doors().clock
    real.advance(86400)
    assert -1 < real.now() - time.time() - 86400 < 60


@pytest.mark.parametrize(
    "text",
    ["", "x", "yes", "1", "1.5", "null", "~", "a b", " a", "a\n", "a\n\nb", "\xc3\xa4", "\xff\0", "#x", "- x",
     "a: b",
     "\t", "\x7f\x85", "!x", "=", "<<", "2025-01-01", "a" * 3000, "\r\n", "'", '"', "\\n", "\u00e2\u20ac"],
)  # fmt: skip
def test_text_survives_writing(text: str) -> None:
    text = text.encode("latin-1", "ignore").decode("latin-1")
    written = write_yaml({"a": text, text: [text, None, 1, True]}, "comment")
    assert read_yaml(written, "x").plain() == {"a": text, text: [text, None, 1, True]}


# ---- what each door answers


@pytest.fixture(scope="module")
def small() -> Any:
    return world_doors(World.load(str(FIXTURES / "small")))


class _Options(dict):  # type: ignore[type-arg]
    """Main options."""


def _sql(kind: str, text: str, **more: Any) -> Callable[[Any], Any]:
    return lambda doors: doors.databases.query(Request(kind=kind, text=text, **more)).as_dict()


def _ldap(base: str, scope: str, attributes: str, text: str) -> Callable[[Any], Any]:
    options = {"base": base, "scope": scope, "attributes": attributes}
    return _sql("ldap", text, options=options, server="ldap.example.com")


def _talk(spec: str, *requests: str) -> Callable[[Any], Any]:
    def ask(doors: Any) -> list[bytes]:
        connection = doors.sockets.connect(spec, 5)
        found = []
        for request in requests:
            if request:
                connection.send(request.encode())
            found.append(connection.recv(100))
        connection.shutdown()
        found.append(connection.recv(100))
        connection.close()
        return found

    return ask


def _dns(name: str, type_: str, **how: Any) -> Callable[[Any], Any]:
    def ask(doors: Any) -> tuple[str, list[tuple[Any, ...]], bool]:
        answer = doors.resolver.query(name, type_, **how)
        return answer.outcome, [record.data for record in answer.records], answer.secure

    return ask


ANSWERS = [
    ("hostname", lambda doors: doors.machine.hostname(), "mail.example.com"),
    ("caller", lambda doors: doors.machine.caller(), (101, 103)),
    ("pid", lambda doors: doors.machine.pid(), 4711),
    ("cwd", lambda doors: doors.machine.cwd(), "/"),
    ("load", lambda doors: doors.machine.load_average(), 0.25),
    ("disk", lambda doors: doors.machine.disk("/var/spool/exim"), (5000, 600)),
    ("no disk", lambda doors: doors.machine.disk("/none"), None),
    ("time", lambda doors: doors.clock.now(), 1738321200.0),
    ("zone", lambda doors: doors.clock.localtime(0).tm_zone, "CET"),
    ("random", lambda doors: [doors.chance.below(5), doors.chance.below(100)], [3, 42]),
    ("user", lambda doors: doors.users.getpwnam("mail").pw_dir, "/var/mail"),
    ("user in UTF-8", lambda doors: doors.users.getpwnam("j\xc3\xb6rg").pw_uid, 1001),
    ("user by id", lambda doors: doors.users.getpwuid(8).pw_name, "mail"),
    ("no user", lambda doors: doors.users.getpwnam("nobody2"), None),
    ("no user by id", lambda doors: doors.users.getpwuid(77), None),
    ("group", lambda doors: doors.users.getgrnam("mail").gr_mem, ["mail", "j\xc3\xb6rg"]),
    ("group by id", lambda doors: doors.users.getgrgid(8).gr_name, "mail"),
    ("no group", lambda doors: doors.users.getgrnam("x"), None),
    ("file", lambda doors: doors.files.open("/etc/mail/aliases").read()[:10], b"postmaster"),
    ("path with dots", lambda doors: doors.files.open("/etc//mail/../mail/./aliases").read()[:4], b"post"),
    ("stat", lambda doors: oct(doors.files.stat("/etc/mail/aliases").st_mode), "0o100640"),
    ("stat's facts", lambda doors: doors.files.stat("/etc/mail/aliases").st_ino, 12),
    ("size of the copy", lambda doors: doors.files.stat("/etc/mail/aliases").st_size, 40),
    ("no copy", lambda doors: oct(doors.files.stat("/etc/mail/pipe").st_mode), "0o10600"),
    ("names", lambda doors: doors.files.listdir("/var/list"), ["b", "a"]),
    ("hosts file", lambda doors: doors.resolver.hosts().count("\n"), 2),
    ("interfaces", lambda doors: doors.resolver.interfaces(), ["127.0.0.1", "::1", "192.0.2.25"]),
    ("zone file", _dns("mail.example.com", "A"), ("succeed", [("192.0.2.25",)], False)),
    ("cname", _dns("alias.example.com", "A"), ("succeed", [("www.example.com",), ("192.0.2.80",)], False)),
    ("search", _dns("mail", "A", qualify_single=True), ("succeed", [("192.0.2.25",)], False)),
    ("nxdomain", _dns("no.example.com", "A"), ("nomatch", [], False)),
    ("nodata", _dns("mail.example.com", "MX"), ("nodata", [], False)),
    ("servfail", _dns("broken.example.com", "A"), ("again", [], False)),
    ("timeout", _dns("silent.example.com", "A"), ("again", [], False)),
    ("single answer", _dns("ONE.example.net.", "A"), ("succeed", [("198.51.100.1",)], False)),
    ("single before zones", _dns("www.example.com", "A"), ("succeed", [("198.51.100.80",)], False)),
    ("signed", _dns("two.example.net", "MX", dnssec=True), ("succeed", [(5, "mx.example.net")], True)),
    ("not signed", _dns("two.example.net", "MX"), ("succeed", [(6, "mx.example.net")], False)),
    ("no such name", _dns("lost.example.net", "A"), ("nomatch", [], False)),
    (
        "sql",
        _sql("mysql", "select name from users where id=1"),
        {"outcome": "ok", "columns": ["value"], "rows": [["anna"]]},
    ),
    (
        "sql at a server",
        _sql("mysql", "select name from users where id=1", server="other"),
        {"outcome": "ok", "columns": ["value"], "rows": [["otto"]]},
    ),
    (
        "sql by pattern",
        _sql("mysql", "select * from users where id=3"),
        {"outcome": "ok", "columns": ["id", "name"], "rows": [["2", "Bert O"], ["3", None]]},
    ),
    ("no rows", _sql("mysql", "delete from users"), {"outcome": "ok", "affected": 3}),
    (
        "sql error",
        _sql("pgsql", "select broken"),
        {"outcome": "fail", "message": "syntax error", "status": "PGRES_FATAL_ERROR"},
    ),
    ("sql defer", _sql("pgsql", "select 1"), {"outcome": "defer", "message": "no route"}),
    (
        "sqlite file",
        _sql("pgsql", "select id, name, price from items", database="shop"),
        {
            "outcome": "ok",
            "columns": ["id", "name", "price"],
            "rows": [["1", "K\xc3\xa4se", "2.5"], ["2", None, "1.0"]],
        },
    ),
    (
        "sqlite error",
        _sql("pgsql", "select x from y", database="shop"),
        {"outcome": "fail", "message": "no such table: y"},
    ),
    (
        "sqlite is not written to",
        _sql("pgsql", "delete from items", database="shop"),
        {"outcome": "fail", "message": "attempt to write a readonly database"},
    ),
    ("redis", _sql("redis", "get colour"), {"outcome": "ok", "reply": "blue"}),
    ("redis list", _sql("redis", "mget a b"), {"outcome": "ok", "reply": ["x", None, 3]}),
    (
        "ldap",
        _ldap("ou=people,o=x", "sub", "cn,mail", "(uid=anna)"),
        {
            "outcome": "ok",
            "entries": [
                {
                    "dn": "uid=anna,ou=people,o=x",
                    "attributes": [["cn", ["Anna"]], ["mail", ["anna@example.com", "a@example.com"]]],
                }
            ],
        },
    ),
    ("ldap, nothing found", _ldap("ou=some people,o=x", "one", "", "(objectClass=*)"), {"outcome": "ok"}),
    ("run", lambda doors: doors.processes.run(["/bin/hostname", "-f"], "", 5), (0, "mail.example.com\n")),
    ("exit code", lambda doors: doors.processes.run(["/bin/fail", "1"], "", 5), (3, "no")),
    ("run by pattern", lambda doors: doors.processes.run(["/usr/bin/printf", "x"], "", 5), (0, "printed")),
    (
        "in turns",
        lambda doors: [doors.processes.run(["/bin/next"], "", 5)[1] for _ in range(3)],
        ["first", "second", "second"],
    ),
    ("socket", _talk("/run/greet.sock", "hello"), [b"world", b""]),
    ("socket by pattern", _talk("/run/greet.sock", "bye bye"), [b"see you", b""]),
    ("dialogue", _talk("/run/talk.sock", "", "HELO x\n"), [b"220 hi\n", b"250 ok\n", b""]),
    ("pam", lambda doors: doors.verdicts.ask("pam", "anna", "secret"), True),
    ("pam by pattern", lambda doors: doors.verdicts.ask("pam", "anna", "wrong"), False),
    ("pam by digest", lambda doors: doors.verdicts.ask("pam", "bert", "open"), True),
    ("pam does not work", lambda doors: doors.verdicts.ask("pam", "down", "x"), "pam is down"),
    ("perl", lambda doors: doors.verdicts.ask("perl", "greet", "you"), "hello you"),
    ("perl gives undef", lambda doors: doors.verdicts.ask("perl", "nothing"), None),
    ("perl starts", lambda doors: doors.verdicts.ask("perl"), ""),
    ("malware", lambda doors: doors.verdicts.ask("malware", "clamd"), {"name": "EICAR", "found": True}),
    ("callout", lambda doors: doors.verdicts.ask("callout", "anna@example.org"), {"reply": "250 OK"}),
    (
        "callout by pattern",
        lambda doors: doors.verdicts.ask("callout", "x@example.org", "mx.example.org", "me@example.com"),
        {"reply": "550 no such user", "stage": "rcpt"},
    ),
    (
        "callout, silence",
        lambda doors: doors.verdicts.ask("callout", "slow@example.net"),
        {"fails": "timeout"},
    ),
]


@pytest.mark.parametrize(("ask", "said"), [one[1:] for one in ANSWERS], ids=[one[0] for one in ANSWERS])
def test_described_answers(small: Any, ask: Callable[[Any], Any], said: Any) -> None:
    assert ask(small) == said


FAILURES = [
    (lambda doors: doors.files.open("/etc/mail/secret"), PermissionError, "Permission denied"),
    (lambda doors: doors.files.stat("/etc/mail/gone"), FileNotFoundError, "No such file"),
    (lambda doors: doors.files.open("/srv/empty/x/y"), FileNotFoundError, "No such file"),
    (lambda doors: doors.files.open(""), FileNotFoundError, "No such file"),
    (lambda doors: doors.files.open("/etc/mail/aliases/x"), NotADirectoryError, "Not a directory"),
    (lambda doors: doors.processes.run(["/bin/slow"], "", 5), TimeoutError, ""),
    (lambda doors: doors.sockets.connect("inet:127.0.0.1:99", 5), ConnectionRefusedError, "refused"),
    (lambda doors: doors.sockets.connect("inet:nowhere:99", 5), OSError, "Name or service not known"),
    (_talk("/run/silent.sock", "hm"), TimeoutError, ""),
    (lambda doors: doors.verdicts.ask("perl", "broken"), ExpansionError, "died"),
    (
        lambda doors: doors.files.local_path("/etc/x", write=True),
        Refused,
        "in a described world is not allowed",
    ),
]


@pytest.mark.parametrize(("ask", "kind", "said"), FAILURES)
def test_described_failures(
    small: Any, ask: Callable[[Any], Any], kind: type[BaseException], said: str
) -> None:
    with pytest.raises(kind, match=said or None):
        ask(small)


#: question, what is said of it, and a part of the lines to add
QUESTIONS = [
    (
        lambda doors: doors.files.open("/etc/x"),
        "files: the world does not say: the content of /etc/x",
        "/etc/x: absent",
    ),
    (
        lambda doors: doors.files.stat("/etc/x"),
        "files: the world does not say: whether there is /etc/x",
        "root/etc/x",
    ),
    (
        lambda doors: doors.files.listdir("/etc"),
        "files: the world does not say: the names in /etc",
        "/etc/*: absent",
    ),
    (
        lambda doors: doors.files.stat("/etc/hosts").st_uid,
        "files: the world does not say: uid of /etc/hosts",
        "uid: 0",
    ),
    (
        lambda doors: doors.resolver.query("x.example.org", "MX"),
        "DNS: the world does not say: MX records of x.example.org.",
        "x.example.org.  3600  IN  MX",
    ),
    (
        lambda doors: doors.databases.query(Request(kind="mysql", text="select 'x'", secret="hush")),
        "lookup mysql: the world does not say: the answer to select 'x'",
        "query: \"select 'x'\"",
    ),
    (
        _ldap("o=x", "sub", "cn", "(a=b)"),
        "lookup ldap: the world does not say: the answer to ldap:///o=x?cn?sub?(a=b)",
        "kind: ldap",
    ),
    (
        lambda doors: doors.processes.run(["/bin/x", "a b"], "in", 5),
        "run: the world does not say: what /bin/x a b writes",
        "run: [/bin/x, a b]",
    ),
    (
        lambda doors: doors.sockets.connect("/run/no", 5),
        "socket: the world does not say: who listens at /run/no",
        "/run/no",
    ),
    (
        _talk("/run/greet.sock", "what"),
        "readsocket: the world does not say: what /run/greet.sock answers to 'what'",
        "request: what",
    ),
    (
        lambda doors: doors.users.getpwnam("otto"),
        "users: the world does not say: the user otto",
        "otto: absent",
    ),
    (
        lambda doors: doors.users.getpwuid(5),
        "users: the world does not say: the user with the id 5",
        '"#5": absent',
    ),
    (
        lambda doors: doors.machine.disk("/x"),
        "the machine: the world does not say: the free space of /x",
        "kilobytes",
    ),
    (
        lambda doors: doors.chance.below(7),
        "chance: the world does not say: a random number below 7",
        "seed: 1",
    ),
    (
        lambda doors: doors.verdicts.ask("radius", "anna", "secret"),
        "radius: the world does not say: the verdict on anna, ...",
        "radius",
    ),
    (
        lambda doors: doors.verdicts.ask("callout", "a@b.c", "mx"),
        "callout: the world does not say: what is said to a@b.c",
        'reply: "250 OK"',
    ),
]


@pytest.mark.parametrize(("ask", "said", "lines"), QUESTIONS, ids=[one[1] for one in QUESTIONS])
def test_questions_without_an_answer(small: Any, ask: Callable[[Any], Any], said: str, lines: str) -> None:
    with pytest.raises(Unanswered) as raised:
        ask(small)
    assert str(raised.value) == said
    assert lines in re.sub(r"\n *- ", " - ", raised.value.lines_to_add).replace(
        "- /bin/x - a b", "[/bin/x, a b]"
    )
    assert "secret" not in raised.value.lines_to_add
    assert "hush" not in raised.value.lines_to_add


EMPTY = [
    (lambda doors: doors.machine.hostname(), "its name"),
    (lambda doors: doors.machine.caller(), "the caller's user id"),
    (lambda doors: doors.machine.pid(), "the process id"),
    (lambda doors: doors.machine.cwd(), "the working folder"),
    (lambda doors: doors.machine.load_average(), "the load average"),
    (lambda doors: doors.clock.now(), "the time"),
    (lambda doors: doors.clock.localtime(0), "the time zone"),
    (lambda doors: doors.resolver.interfaces(), "the addresses of the machine"),
    (lambda doors: doors.resolver.hosts(), "the content of /etc/hosts"),
    (lambda doors: doors.users.getgrgid(0), "the group with the id 0"),
]


@pytest.mark.parametrize(("ask", "what"), EMPTY, ids=[one[1] for one in EMPTY])
def test_what_is_asked_can_be_added(tmp_path: Path, ask: Callable[[Any], Any], what: str) -> None:
    """An empty world guesses nothing; with the lines that it prints it answers."""
    (tmp_path / "world.yaml").write_text("")
    with pytest.raises(Unanswered) as raised:
        ask(world_doors(World.load(str(tmp_path))))
    assert raised.value.question == what
    where, _, lines = raised.value.lines_to_add.partition("\nor, ")[0].partition("\n")
    if not where.startswith("in world.yaml"):
        lines = 'files:\n  "/etc/hosts": absent\n'
    (tmp_path / "world.yaml").write_text(lines)
    ask(world_doors(World.load(str(tmp_path))))


def test_environment_goes_through_the_options(tmp_path: Path) -> None:
    doors = world_doors(World.load(str(FIXTURES / "small")))
    doors.use_options(
        _Options(keep_environment="HOME : LANG : GONE : EMPTY : NUMBER : OTHER", add_environment="A=b")
    )
    get = doors.environ.get
    assert [get(name) for name in ("HOME", "A", "GONE", "EMPTY", "NUMBER", "NOT_KEPT")] == [
        "/root", "b", None, "", "1.10", None,
    ]  # fmt: skip
    with pytest.raises(Unanswered, match="the environment variable OTHER"):
        get("OTHER")


def test_zone_of_the_option_comes_first(small: Any) -> None:
    doors = world_doors(World.load(str(FIXTURES / "small")))
    doors.use_options(_Options(timezone="Asia/Tokyo"))
    assert doors.clock.localtime(0).tm_hour == 9


# ---- which version a door has


def _world(folder: Path, text: str = "") -> World:
    folder.mkdir(exist_ok=True)
    (folder / "world.yaml").write_text(text)
    return World.load(str(folder))


def test_live_opens_single_doors(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("real")
    doors = world_doors(_world(tmp_path / "w"), ["run,files"])
    assert doors.processes.run(["/bin/echo", "x"], "", 5) == (0, "x\n")
    with doors.files.open(str(tmp_path / "file")) as stream:
        assert stream.read() == b"real"
    with pytest.raises(Unanswered):
        doors.users.getpwnam("root")
    with pytest.raises(Unanswered):
        doors.sockets.connect("/run/x", 1)


def test_allow_alone_opens_nothing_real(tmp_path: Path) -> None:
    doors = world_doors(_world(tmp_path / "w"), allow=["all"])
    with pytest.raises(Unanswered):
        doors.processes.run(["/bin/echo"], "", 5)
    with pytest.raises(Unanswered):
        doors.files.open("/etc/passwd")


def test_a_world_may_say_live_but_not_permit_it(tmp_path: Path) -> None:
    world = _world(tmp_path / "w", "capabilities: {run: live, users: denied, dns: denied, clock: live}\n")
    with pytest.raises(Refused, match="allow it with --allow run"):
        world_doors(world).processes.run(["/bin/echo"], "", 5)
    assert world_doors(world, allow=["run"]).processes.run(["/bin/true"], "", 5) == (0, "")
    with pytest.raises(Refused, match="--live users"):
        world_doors(world).users.getpwnam("root")
    with pytest.raises(Refused, match="--live dns"):
        world_doors(world).resolver.query("a.b", "A")
    assert world_doors(world).clock.now() > 1.7e9
    with pytest.raises(Refused, match="--live run"):
        world_doors(_world(tmp_path / "v", "capabilities: {run: denied}"), allow=["run"]).processes.run(
            ["x"], "", 5
        )


DENIED = {
    "files": [lambda d: d.files.open("/x"), lambda d: d.files.stat("/x"), lambda d: d.files.listdir("/x")],
    "clock": [lambda d: d.clock.now(), lambda d: d.clock.localtime(0)],
    "random": [lambda d: d.chance.below(3)],
    "machine": [
        lambda d: d.machine.hostname(), lambda d: d.machine.caller(), lambda d: d.machine.pid(),
        lambda d: d.machine.cwd(), lambda d: d.machine.load_average(), lambda d: d.machine.disk("/"),
    ],
    "users": [
        lambda d: d.users.getpwnam("x"), lambda d: d.users.getpwuid(1), lambda d: d.users.getgrnam("x"),
        lambda d: d.users.getgrgid(1),
    ],
    "env": [lambda d: d.environ.get("X"), lambda d: d.environ.variables],
    "dns": [lambda d: d.resolver.query("x.y", "A"), lambda d: d.resolver.interfaces()],
    "sql": [lambda d: d.databases.query(Request(kind="mysql", text="x"))],
    "run": [lambda d: d.processes.run(["/bin/x"], "", 1)],
    "net": [lambda d: d.sockets.connect("/x", 1)],
    "perl": [lambda d: d.verdicts.ask("perl", "x")],
    "dlfunc": [lambda d: d.verdicts.ask("dlfunc", "/x", "y")],
    "auth": [lambda d: d.verdicts.ask("saslauthd", "x", "y")],
}  # fmt: skip


@pytest.mark.parametrize(("word", "use"), [(word, use) for word, uses in DENIED.items() for use in uses])
def test_denied(tmp_path: Path, word: str, use: Callable[[Any], Any]) -> None:
    doors = world_doors(_world(tmp_path / "w", f"capabilities: {{{word}: denied}}"))
    with pytest.raises(Refused):
        use(doors)


def test_live_without_a_world_grants_exactly_that(tmp_path: Path) -> None:
    doors = world_doors(None, ["run"])
    assert doors.processes.run(["/bin/true"], "", 5) == (0, "")
    for use in (
        lambda: doors.sockets.connect("/x", 1),
        lambda: doors.resolver.query("x.y", "A"),
        lambda: doors.databases.query(Request(kind="mysql", text="x")),
        lambda: doors.verdicts.ask("perl", "x"),
    ):
        with pytest.raises(Refused):
            use()
    doors = world_doors(None, ["auth", "net"])
    for use in (
        lambda: doors.resolver.query("x.y", "A"),
        lambda: doors.databases.query(Request(kind="mysql", text="x")),
    ):
        with pytest.raises(Refused):
            use()
    assert "cannot connect to saslauthd" in str(
        world_doors(None, ["auth"]).verdicts.ask("saslauthd", "x", "y")
    )
    with pytest.raises(Refused):
        world_doors(None, ["auth"]).sockets.connect("/x", 1)


def test_wrong_words() -> None:
    with pytest.raises(CapabilityError, match="unknown door 'dsn': did you mean 'dns'"):
        world_doors(None, ["dsn"])


def test_the_configuration_and_what_is_beside_it_are_files_of_the_world(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "exim.conf").write_text("real")
    (folder / "aliases").write_text("real")
    (folder / "other").write_text("real")
    world = _world(tmp_path / "w", f"files: {{{folder}/gone: absent}}")
    (folder / "gone").write_text("real")
    inside = tmp_path / "w" / "root" / str(folder).lstrip("/")
    inside.mkdir(parents=True)
    (inside / "exim.conf").write_text("described")
    (inside / "aliases").write_text("described")
    doors = world_doors(world, config_path=str(folder / "exim.conf"))

    def read(name: str) -> bytes:
        return doors.files.open(str(folder / name)).read()

    assert [read("exim.conf"), read("aliases"), read("other")] == [b"real", b"described", b"real"]
    with pytest.raises(FileNotFoundError):
        read("gone")


def test_a_world_cannot_lead_out_of_itself(tmp_path: Path) -> None:
    world = _world(tmp_path / "w")
    root = tmp_path / "w" / "root"
    root.mkdir()
    (root / "out").symlink_to("/etc/passwd")
    (root / "up").symlink_to("../../../../../etc/passwd")
    doors = world_doors(world)
    for name in ("/out", "/up", "/../../etc/passwd"):
        with pytest.raises(Unanswered):
            doors.files.open(name)


def test_users_of_root_etc_passwd(tmp_path: Path) -> None:
    world = _world(tmp_path / "w")
    (tmp_path / "w" / "root" / "etc").mkdir(parents=True)
    (tmp_path / "w" / "root" / "etc" / "passwd").write_text("anna:x:7:8:A:/home/anna:/bin/sh\n")
    doors = world_doors(world)
    assert doors.users.getpwnam("anna").pw_uid == 7
    assert doors.users.getpwnam("bert") is None


def test_wrong_zone_files_are_said_where_they_are_asked(tmp_path: Path) -> None:
    world = _world(tmp_path / "w")
    (tmp_path / "w" / "zones").mkdir()
    (tmp_path / "w" / "zones" / "a.ex.zone").write_text("@ IN A 1.2.3\n")
    with pytest.raises(Unanswered) as raised:
        world_doors(world).resolver.query("a.ex", "A")
    assert re.search(r"correct .*a\.ex\.zone:1: ", raised.value.lines_to_add)


def test_reading_a_world_imports_no_client(tmp_path: Path) -> None:
    import subprocess
    import sys

    shutil.copytree(FIXTURES / "small", tmp_path / "w")
    code = (
        "import sys\nfrom eximious.backends.world import world_doors\n"
        "print([name for name in ('yaml', 'json', 'dns') if name in sys.modules])\n"
        "from eximious.backends.described import World\n"
        f"doors = world_doors(World.load({str(tmp_path / 'w')!r}))\n"
        "doors.files.open('/etc/mail/aliases')\ndoors.users.getpwnam('mail')\n"
        "print([name for name in ('dns', 'socket', 'sqlite3', 'subprocess') if name in sys.modules])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", "import site\nsite.main()\n" + code], capture_output=True
    )
    assert ran.stdout.split(b"\n")[:2] == [b"[]", b"[]"], ran
