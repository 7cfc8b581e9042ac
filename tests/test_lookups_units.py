"""Parts of the lookups on their own: types as written, kept answers, SPF, JSON, the door to databases."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eximious.interpreter.outcomes import ExpansionError, OverBudget, Refused
from eximious.interpreter.text import Tainted
from eximious.lookups import registry
from eximious.lookups.search import OpenFailed, SearchDefer, parse_type, search, tidyup
from lookup_files import write_cdb
from lookup_world import Files, context, environment, ours, prepare, real_exim, write_config


def test_every_type_has_its_declaration() -> None:
    """Each name of the index is registered by its module, with style, section and docstring."""
    from eximious.lookups.spec import STYLES

    for name in registry.MODULES:
        found = registry.find_type(name)
        assert found is not None and found.name == name
        assert found.style == STYLES[name] and found.section and type(found).__doc__


def test_types_of_the_facts_are_here() -> None:
    """Every lookup type of the language tables has a module."""
    from eximious.grammar.catalogue import Catalogue

    assert set(Catalogue((4, 99)).lookups) <= set(registry.MODULES)


@pytest.mark.parametrize(
    ("text", "partial", "affix", "star", "options"),
    [
        ("lsearch", -1, "*.", 0, ""),
        ("partial-lsearch", 2, "*.", 0, ""),
        ("partial0(.)lsearch*@,ret=key,x", 0, ".", 2, "x"),
        ("partial3()cdb*", 3, "", 1, ""),
        ("lsearch,cache=no_rd,a,,b", -1, "*.", 0, "a,b"),
        ("partial4294967295-dbm", -1, "*.", 0, ""),
    ],
)
def test_parse_type(text: str, partial: int, affix: str, star: int, options: str) -> None:
    spec = parse_type(text)
    assert (spec.partial, spec.affix, spec.star, spec.options_text) == (partial, affix, star, options)


def test_cache_options_by_version() -> None:
    """cache=no_rd from 4.95, cache=no from 4.99."""
    assert parse_type("lsearch,cache=no_rd", (4, 94)).cache_read
    assert not parse_type("lsearch,cache=no_rd", (4, 95)).cache_read
    assert parse_type("lsearch,cache=no", (4, 96)).cache_read
    spec = parse_type("lsearch,cache=no", (4, 99))
    assert not spec.cache_read and not spec.cache_write


class CountingFiles(Files):
    """Counts what is opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.files: list[Any] = []

    def open(self, path: str) -> Any:
        self.opened.append(path)
        self.files.append(super().open(path))
        return self.files[-1]


def test_answers_are_kept(tmp_path: Path) -> None:
    """The same key is read once, found or not; cache=no_rd reads again, cache=no_wr does not keep."""
    file = tmp_path / "f"
    file.write_text("a: 1\n")
    env = environment((4, 99))

    def value(key: str, text: str = "lsearch") -> str:
        return ours(env, "${lookup{" + key + "}" + text + "{" + str(file) + "}{$value}{-}}")

    assert (value("a"), value("b")) == ("1", "-")
    file.write_text("a: 2\nb: 3\n")
    assert (value("a"), value("b")) == ("1", "-")
    assert value("a", "lsearch,cache=no_wr") == "1"
    assert value("a", "lsearch,cache=no") == "2"
    assert value("a") == "1"
    assert value("a", "lsearch,cache=no_rd") == "2"
    assert value("a") == "2"
    assert value("b", "lsearch,other") == "3"  # with other options it is another question
    tidyup(env)
    assert value("b") == "3"


def test_files_are_shared_and_bounded(tmp_path: Path) -> None:
    """A file is opened once, and no more than lookup_open_max are open."""
    files = CountingFiles()
    env = environment((4, 99), {"lookup_open_max": 3}, files=files)
    ctx = context(env)
    spec = parse_type("lsearch,cache=no")
    paths = [tmp_path / f"f{number}" for number in range(6)]
    for path in paths:
        path.write_text("k: v\n")
    for _ in range(3):
        assert search(ctx, spec, "k", str(paths[0])) is not None
    assert len(files.opened) == 1
    for path in paths:
        search(ctx, spec, "k", str(path))
    assert len([file for file in files.files if not file.closed]) == 3
    assert search(ctx, spec, "k", str(paths[0])) is not None
    assert len(files.opened) == 7
    tidyup(env)
    assert all(file.closed for file in files.files)


def test_kept_answers_are_bounded(tmp_path: Path) -> None:
    """However many keys are asked for, so many answers are kept, and not too long ones."""
    from eximious.lookups import handles

    write_cdb(tmp_path / "f", [(b"k%d" % number, b"v") for number in range(100)])
    env = environment((4, 99))
    ctx = context(env)
    spec = parse_type("cdb")
    for number in range(handles.ANSWERS_KEPT + 500):
        search(ctx, spec, f"k{number}", str(tmp_path / "f"))
    (source,) = env.searches.sources.values()
    assert len(source.answers) <= handles.ANSWERS_KEPT
    for number in range(20):
        source.keep(f"long{number}", "x" * 1_000_000, "", None)
    assert sum(len(answer[0] or "") for answer in source.answers.values()) < 10_000_000


def test_tainted_file_names(tmp_path: Path) -> None:
    """A tainted file is not opened; the log says so, and the message is that of the search before."""
    env = environment((4, 96))
    lines: list[str] = []
    env.log = lambda line, where="main": lines.append(line)

    def refused() -> str:
        with pytest.raises(OpenFailed) as caught:
            search(context(env), parse_type("lsearch"), "k", Tainted("/etc/passwd"))
        return caught.value.message

    assert refused() == "(null)" and lines == ["Tainted filename for search: '/etc/passwd'"]
    ours(env, "${lookup{a}dsearch{/}}")
    assert refused() == ""
    ours(env, "${lookup{a/b}dsearch{/}}")
    assert refused() == "key for dsearch lookup contains a slash: a/b"
    ours(env, "${lookup{a}lsearch{/none}}")
    assert refused() == "failed to open /none for linear search: No such file or directory"
    with pytest.raises(SearchDefer) as deferred:
        search(
            context(environment((4, 96), {"mysql_servers": "h/d/u/p"})),
            parse_type("mysql"),
            None,
            Tainted("servers=a/b/c/d; select 1"),
        )
    assert deferred.value.reason == 'MySQL server "a/b/c/d" is tainted'


def test_ret_key_is_untainted(tmp_path: Path) -> None:
    """A key that was found may be used as a file name (4.94)."""
    (tmp_path / "f").write_text("k: v\n")
    found = search(context(environment()), parse_type("lsearch,ret=key"), Tainted("K"), str(tmp_path / "f"))
    assert found is not None and found.value == "K" and type(found.value) is str


def test_dsearch_by_version(tmp_path: Path) -> None:
    """What changed after 4.96."""
    prepare(tmp_path)
    tree = str(tmp_path / "tree")
    new, old = environment((4, 99)), environment((4, 96))
    subdir = "${lookup{..sub}dsearch,filter=subdir{" + tree + "}{$value}{-}}"
    assert (ours(new, subdir), ours(old, subdir)) == ("..sub", "-")
    path = "${lookup{sub/../file}dsearch,key=path{" + tree + "}{$value}{-}}"
    assert 'DEFER: "key for dsearch lookup contains bad component' in ours(new, path)
    assert "DEFER: key for dsearch lookup contains a slash" in ours(old, path)
    assert (
        ours(new, "${lookup{k}dsearch{" + tree + "/file}}")
        == f"Failed: {tree}/file is not a directory (dsearch lookup)"
    )


def test_json(tmp_path: Path) -> None:
    """Members, elements, forms of values; what is no JSON has no members."""
    file = tmp_path / "j"
    file.write_text(
        '{"a": {"b": ["x", {"c": null}, 1.5, 1e30, -0]}, "t": true, "n": null, "i": 42, "e": "é\\u00e9\\n/",'
        ' "f": 1.5, "0": "zero"}'
    )
    env = environment((4, 99))

    def value(key: str) -> str:
        return ours(env, "${lookup{" + key + "}json{" + str(file) + "}{[$value]}{-}}")

    assert value("a:b:0") == "[x]"
    assert value("a : b : 1") == '[{"c": null}]'
    assert value("a:b") == '[["x", {"c": null}, 1.5, 1e30, 0]]'
    assert value("f") == "[1.500000]" and value("i") == "[42]" and value("t") == "[true]"
    assert value("n") == value("0") == value("a:b:9") == value("none") == value("t:x") == "-"
    assert value("e") == "[" + "éé\n/".encode().decode("latin-1") + "]"
    for bad in (
        "",
        "{",
        '"text"',
        "[1,]",
        '{"a": 123456789012345678901}',
        '{"a": NaN}',
        '{"a": "\\u0000"}',
        "[" * 5000,
    ):
        (tmp_path / "bad").write_text(bad)
        assert ours(env, "${lookup{a}json,cache=no{" + str(tmp_path / "bad") + "}{$value}{-}}") == "-"


class Zone:
    """A resolver that knows a few records."""

    records = {
        ("one.example", "TXT"): [("v=spf1 ip4:192.0.2.1 a:host.example include:two.example -all",)],
        ("two.example", "TXT"): [("v=spf1 mx ~all",)],
        ("two.example", "MX"): [(10, "mx.example")],
        ("mx.example", "A"): [("192.0.2.9",)],
        ("host.example", "A"): [("192.0.2.2",)],
        ("double.example", "TXT"): [("v=spf1 -all",), ("v=spf1 +all",)],
        ("other.example", "TXT"): [("no spf here",)],
        ("split.example", "TXT"): [("V=spf1 ip6:2001:db8::", "/32 ?all")],
    }

    def query(self, name: str, rdtype: str, **how: Any) -> Any:
        from eximious.interpreter.dns import AGAIN, NOMATCH, SUCCEED, Answer, Record

        if name == "slow.example":
            return Answer(AGAIN)
        found = self.records.get((name.lower(), rdtype))
        if not found:
            return Answer(NOMATCH)
        return Answer(SUCCEED, [Record(name, rdtype, 60, data) for data in found])


@pytest.mark.parametrize(
    ("sender", "address", "result"),
    [
        ("x@one.example", "192.0.2.1", "pass"),
        ("x@one.example", "192.0.2.2", "pass"),
        ("x@one.example", "192.0.2.9", "pass"),
        ("x@one.example", "192.0.2.3", "fail"),
        ("x@two.example", "192.0.2.3", "softfail"),
        ("x@split.example", "2001:db8::1", "pass"),
        ("x@split.example", "192.0.2.3", "neutral"),
        ("x@double.example", "192.0.2.3", "permerror"),
        ("x@slow.example", "192.0.2.3", "temperror"),
        ("x@other.example", "192.0.2.3", "none"),
        ("x@none.example", "192.0.2.3", "none"),
        ("x@one.example", "127.0.0.1", "pass"),
        ("x@one.example", "no address", "-"),
    ],
)
def test_spf(sender: str, address: str, result: str) -> None:
    """RFC 7208 through the run's resolver."""
    env = environment((4, 99), resolver=Zone())
    assert ours(env, "${lookup{" + sender + "}spf{" + address + "}{$value}{-}}") == result


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("${lookup testdb{some text}}", "some text"),
        ("${lookup testdb{fail}{y}{n}}", "n"),
        ("${lookup testdb_nq{defer}}", 'Failed: lookup of "defer" gave DEFER: "testdb lookup forced DEFER"'),
        ("${lookup whoson{x}}", 'Failed: lookup of "x" gave DEFER: "no client for whoson is available here"'),
        (
            "${lookup oracle{x}}",
            'Failed: lookup of "x" gave DEFER: "no ORACLE servers defined (oracle_servers option)"',
        ),
        ("${lookup readsock{/x}{y}{n}}", "n"),
        (
            "${lookup{k}lmdb{/none}}",
            "Failed: LMDB: Unable to open environment with /none: No such file or directory",
        ),
    ],
)
def test_types_of_the_fuller_build(line: str, answer: str) -> None:
    assert ours(environment((4, 99)), line) == answer


def test_databases_may_be_refused() -> None:
    """Without the permission nothing is asked, and the refusal shows no password."""
    from eximious.backends.databases import DenyingDatabases

    env = environment((4, 99), {"mysql_servers": "db.example/d/u/hidden"}, databases=DenyingDatabases())
    with pytest.raises(Refused) as caught:
        ours(env, "${lookup mysql{select 1}}")
    assert "db.example" in str(caught.value) and "hidden" not in str(caught.value)


def test_sqlite_writes_only_where_allowed(tmp_path: Path) -> None:
    """A statement that changes something is refused, or done where writing is allowed."""

    class Writable(Files):
        def local_path(self, path: str, write: bool = False) -> str:
            return path

    file = tmp_path / "new.db"
    make = "${lookup sqlite,file=" + str(file) + "{create table t (a); insert into t values (7)}{y}{n}}"
    read = "${lookup sqlite,file=" + str(file) + "{select a from t}}"
    with pytest.raises(Refused):
        ours(environment((4, 99)), make)
    assert not file.exists()
    env = environment((4, 99), files=Writable())
    assert (ours(env, make), ours(env, read)) == ("n", "7")
    with pytest.raises(Refused):
        ours(environment((4, 99)), "${lookup sqlite,file=" + str(file) + "{delete from t}}")
    assert ours(environment((4, 99)), read) == "7"


def test_sqlite_is_bounded(tmp_path: Path) -> None:
    """A query without end defers."""
    from eximious.lookups import sqlite

    file = tmp_path / "x.db"
    endless = "with recursive n(a) as (select 1 union all select a + 1 from n) select max(a) from n"
    ctx = context(environment((4, 99)))
    before, sqlite.STEPS = sqlite.STEPS, 3_000_000
    try:
        with pytest.raises(SearchDefer):
            search(ctx, parse_type("sqlite"), None, f"{file} {endless}")
    finally:
        sqlite.STEPS = before


class Closed(Files):
    """Nothing may be read."""

    def open(self, path: str) -> Any:
        raise PermissionError(13, "Permission denied", path)

    def listdir(self, path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)


def test_permissions(tmp_path: Path) -> None:
    """What may not be read cannot be opened, in Exim's words."""

    env = environment((4, 99), files=Closed())
    env.caller_uid, env.caller_gid = 7, 8
    who = " (euid=7 egid=8)"
    for name, message in (
        ("lsearch", "failed to open /x for linear search: Permission denied" + who),
        ("cdb", "failed to open /x for cdb lookup: Permission denied" + who),
        ("dbm", "failed to open /x as a db (v4.1+) file: Permission denied" + who),
        ("dsearch", "failed to open /x for directory search: Permission denied" + who),
        ("json", "failed to open /x for json search: Permission denied" + who),
        ("lmdb", "LMDB: Unable to open environment with /x: Permission denied"),
    ):
        assert ours(env, "${lookup{k}" + name + "{/x}}") == "Failed: " + message


@pytest.mark.differential
def test_permissions_of_the_real_one(tmp_path: Path) -> None:
    """The same words as the real Exim's, asked by a user who may not read."""
    exim = real_exim()
    if exim is None or os.geteuid() != 0:
        pytest.skip("no Exim is installed, or this is not root")
    nobody = 65534
    prepare(tmp_path)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o55)
    config = write_config(tmp_path)
    closed = {
        "lsearch": "short.lsearch",
        "nwildlsearch": "wild.lsearch",
        "iplsearch": "nets.iplsearch",
        "cdb": "whole.cdb",
        "dbm": "zero.dbm",
        "dbmnz": "plain.dbm",
        "dsearch": "tree",
    }
    for name, file in closed.items():
        (tmp_path / file).chmod(0)
        line = "${lookup{k1}" + name + "{" + str(tmp_path / file) + "}}"
        real = subprocess.run(
            [exim, "-C", str(config), "-be", line],
            user=nobody,
            group=nobody,
            extra_groups=[],
            capture_output=True,
            encoding="latin-1",
        ).stdout
        env = environment(files=Closed())
        env.caller_uid, env.caller_gid = nobody, nobody
        assert ours(env, line) + "\n" == real
        assert "Permission denied (euid=65534 egid=65534)" in real


def test_files_that_look_themselves_up_end(tmp_path: Path) -> None:
    """A pattern file whose key is a lookup in itself is a bounded error (the real Exim dies of it)."""
    file = tmp_path / "self"
    file.write_text(f'"nwildlsearch;{file}": x\n')
    with pytest.raises(OverBudget):
        ours(environment(), "${lookup{k}nwildlsearch{" + str(file) + "}}")
    other = tmp_path / "other"
    file.write_text(f'"wildlsearch;{other}": x\n')
    other.write_text('"${lookup{k}wildlsearch{' + str(file) + '}}": y\n')
    with pytest.raises(OverBudget):
        ours(environment(), "${lookup{k}wildlsearch{" + str(file) + "}}")


def test_unknown_types_are_named() -> None:
    with pytest.raises(ExpansionError) as caught:
        parse_type("partial-nosuch*@,x")
    assert caught.value.message == 'unknown lookup type "nosuch"'
