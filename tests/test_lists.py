"""Lists: the recorded cases, and what the matchers' callers see."""

from __future__ import annotations

from pathlib import Path

import casefile
import listcases
import pytest
from eximious.conditions.lists.match import match_address, match_domain, match_host, match_local_part
from eximious.conditions.lists.result import ListPanic
from eximious.interpreter.text import Tainted, is_tainted
from listworld import ListWorld

FILES = sorted(listcases.SOURCE.glob("*.cases"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return listcases.prepare(tmp_path_factory.mktemp("lists"))


def test_size() -> None:
    assert sum(len(casefile.read(path).cases) for path in FILES) >= 5000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    """Every case has an answer, and writing gives the same text."""
    file = casefile.read(path)
    assert file.text() == path.read_text(encoding="utf-8")
    for case in file.cases:
        assert case.answer is not None or case.reason, case.id
        assert case.settings.get("exim"), f"{path.name} does not say which version answered"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers(path: Path, folder: Path) -> None:
    """Ours says what Exim said, byte for byte; the DNS is the described one."""
    different = []
    for key, cases in listcases.groups(casefile.read(path).cases).items():
        ours = listcases.Ours(folder, key[1], listcases.described())
        # What was kept of the first time says the same (an answer of the DNS that was kept is not called secure).
        for again in ("", "again: ") if path.stem != "dnsdb" else ("",):
            for case, answer in zip(cases, listcases.answers_of(ours, key, cases), strict=True):
                if answer != case.answer:
                    different.append(f"{case.id}\n  exim {case.answer!r}\n  {again}ours {answer!r}")
    assert not different, f"{len(different)} differ\n" + "\n".join(different[:20])


# ---- what callers see


def world(**lists: dict[str, str]) -> ListWorld:
    return ListWorld(lists=lists)


def test_option_that_is_not_set() -> None:
    lines: list[str] = []
    result = match_domain(world().context(), "a.b", None, label="hold_domains", trace=lines.append)
    assert not result and result.item == ""
    assert lines == ["a.b in hold_domains? no (option unset)"]


def test_traces() -> None:
    ctx = world(d={"x": "c.d : *.b"}).context()
    lines: list[str] = []
    assert match_domain(ctx, "A.b", "q : !+x", trace=lines.append).outcome == 1
    assert lines == ['A.b in "c.d : *.b"? yes (matched "*.b")', 'A.b in "q : !+x"? no (matched "!+x")']
    lines.clear()
    match_address(ctx, "me@a.b", "x : me@q", trace=lines.append)
    assert lines[-1] == 'me@a.b in "x : me@q"? no (end of list)'


def test_the_deciding_item() -> None:
    ctx = world().context()
    assert match_domain(ctx, "a.b", "x : ! *.b : a.b").item == "! *.b"
    assert match_host(ctx, "1.2.3.0/24", name="", address="1.2.3.4").item == "1.2.3.0/24"
    assert match_local_part(ctx, "a", "!b").item == ""


def test_expansion_of_the_list() -> None:
    made = world()
    ctx = made.context()
    assert match_domain(ctx, "a.b", "${if eq{1}{1}{a.b}}")
    assert match_domain(ctx, "the.host.example", "x : $primary_hostname")
    assert not match_domain(ctx, "the.host.example", "x : $primary_hostname", expand=False)
    assert match_domain(ctx, "a.b", "${if eq{1}{2}{a.b}fail}").outcome == 1
    result = match_domain(ctx, "a.b", "$nosuch")
    assert result.deferred and result.message is None
    assert made.logged == [
        (
            "main panic",
            'failed to expand "$nosuch" while checking a list: unknown variable name "nosuch"',
        )
    ]


def test_kept_results() -> None:
    """Named lists without a dollar, and those of domainlist_cache, are looked at once (10.8)."""
    made = ListWorld(
        lists={"d": {"plain": "a.b", "varies": "$acl_m_x", "cached": "$acl_m_x", "outer": "+varies"}},
        cached={("d", "cached")},
    )
    ctx = made.context()
    kept: dict = {}
    ctx.message.acl_m["acl_m_x"] = "a.b"
    for name in made.named_lists["d"]:
        assert match_domain(ctx, "a.b", f"+{name}", kept=kept)
    assert set(kept) == {("d", "plain"), ("d", "cached")}
    ctx.message.acl_m["acl_m_x"] = "other"
    assert match_domain(ctx, "a.b", "+cached", kept=kept).data == "a.b"
    assert not match_domain(ctx, "a.b", "+varies", kept=kept)
    assert not match_domain(ctx, "a.b", "+outer", kept=kept)


def test_taint() -> None:
    """What matched is the list's, so a tainted subject comes out clean unless the list is tainted, too."""
    made = world(l={"people": "alice : bob"})
    ctx = made.context()
    result = match_local_part(ctx, Tainted("alice"), "+people")
    assert result.data == "alice" and not is_tainted(result.data)
    assert result.captures is not None and is_tainted(result.captures[0])
    result = match_local_part(ctx, "alice", Tainted("bob : alice"), expand=False)
    assert result.data is not None and is_tainted(result.data)
    result = match_domain(ctx, Tainted("x.y"), "*.y")
    assert result.captures is not None and all(map(is_tainted, result.captures)) and result.captures[1] == "x"
    with pytest.raises(ListPanic, match=r"failed to open /etc/hosts when checking .*: Permission denied"):
        match_domain(ctx, "x", Tainted("/etc/hosts"), expand=False)
    assert made.logged[-1] == ("main panic", "Tainted filename '/etc/hosts'")


@pytest.mark.parametrize(
    ("version", "domain", "address"),
    [((4, 92), None, None), ((4, 94), "*.y", "*.y"), ((4, 95), "*.y", "*.y"), ((4, 96), "*.y", "foo@*.y")],
)
def test_values_by_version(version: tuple[int, int], domain: str | None, address: str | None) -> None:
    ctx = ListWorld(version=version).context()
    assert match_domain(ctx, "x.y", "*.y").data == domain
    assert match_address(ctx, "foo@x.y", "foo@*.y").data == address


def test_separator_out_of_tainted_text() -> None:
    """From 4.99 on it is not obeyed."""
    for version, expected in (((4, 96), True), ((4, 99), False)):
        ctx = ListWorld(version=version).context()
        assert match_domain(ctx, "b", Tainted("<, a , b"), expand=False).matched is expected


def test_case_of_local_parts() -> None:
    ctx = world().context()
    assert match_local_part(ctx, "Foo", "foo")
    assert not match_local_part(ctx, "Foo", "foo", caseless=False)
    assert match_local_part(ctx, "Foo", "foo : Foo", caseless=False).data == "Foo"
    assert match_local_part(ctx, "foo", "x : Foo : FOO : +caseful : FoO : foo : fOO").data == "Foo"
    assert match_local_part(ctx, "foo", "+caseful : Foo : FOO : foo").data == "foo"
    assert match_local_part(ctx, "foo", "+caseful : Foo : !FOO : x").outcome == 1


def test_captures_of_rewriting() -> None:
    """``setup`` 0: $0 is the address, then what each asterisk stands for."""
    ctx = world().context()
    assert match_address(ctx, "foo@x.y", "*@*.y", setup=0).captures == ["foo@x.y", "foo", "x"]
    assert match_address(ctx, "foo@x.y", "foo@*.y", setup=0).captures == ["foo@x.y", "x"]
    assert match_address(ctx, "foo@x.y", "^f(.*)@(.)", setup=0).captures == ["foo@x.y", "oo", "x"]
    assert match_address(ctx, "foo@x.y", "*.y", setup=0).captures == ["foo@x.y", "x"]
    assert match_address(ctx, "foo@x.y", "foo@x.y", setup=0).captures == ["foo@x.y"]


def test_lists_inside_themselves() -> None:
    with pytest.raises(ListPanic, match="named lists inside each other"):
        match_domain(world(d={"loop": "x : +loop"}).context(), "a", "+loop")


def test_hosts_by_name() -> None:
    """A name that is given is matched as it is; an address alone matches no names."""
    ctx = world().context()
    assert match_host(ctx, "*.example", name="mx.example", address="192.0.2.1")
    assert match_host(ctx, "^mx", name="mx.example", address="192.0.2.1")
    assert match_host(ctx, "192.0.2.1", name="mx.example", address="192.0.2.1")
    assert not match_host(ctx, "*.example", name="", address="192.0.2.1")


@pytest.mark.parametrize("size", [10, 100_000])
def test_long_lists(size: int) -> None:
    """A list of any length is taken apart once; the last of its items is found."""
    ctx = world().context()
    text = ":".join(f"host{number}.example" for number in range(size))
    for _ in range(3):
        assert match_domain(ctx, f"HOST{size - 1}.example", text).data == f"host{size - 1}.example"
        assert not match_domain(ctx, "none.example", text)
    networks = ":".join(f"10.{number >> 8 & 255}.{number & 255}.0/24" for number in range(min(size, 65536)))
    assert match_host(ctx, networks, name="", address="10.0.9.77")
    assert not match_host(ctx, networks, name="", address="11.0.0.1")


def test_many_networks_keep_their_order() -> None:
    """Of many networks the first one counts, whatever its mask."""
    ctx = world().context()
    text = " : ".join(
        ["!10.1.0.0/16", "10.1.2.0/24", *(f"10.{n}.0.0/16" for n in range(2, 40)), "10.0.0.0/8"]
    )
    for address, matched, item in (
        ("10.1.2.3", False, "!10.1.0.0/16"),
        ("10.39.1.1", True, "10.39.0.0/16"),
        ("10.99.1.1", True, "10.0.0.0/8"),
        ("11.0.0.1", False, ""),
        ("::1", False, ""),
    ):
        result = match_host(ctx, text, name="", address=address)
        assert (result.matched, result.item) == (matched, item)


@pytest.mark.parametrize(
    "text",
    [
        "\x00", ":" * 5000, "!" * 5000, "<", "<\x00", "^" + "(" * 50, "@" * 3000, "*" * 3000, "/" * 300,
        "net-;", "a;b;c", "+" * 300, "\xff\xfe : \x80", "@@" * 500, "partial(" * 20 + ";", "[" * 100,
        "%" * 100, "@mx_any/ignore=<;;;",
    ],
)  # fmt: skip
def test_bad_lists(text: str) -> None:
    """Nothing but an outcome, or what Exim would die of."""
    ctx = ListWorld(resolver=listcases.described()).context()
    for match in (match_domain, match_local_part, match_address):
        for subject in ("", "a", "a@b", "x" * 20_000 + "@" + "y" * 20_000, "\xff@\xfe"):
            try:
                match(ctx, subject, text, expand=False)
            except ListPanic as panic:
                assert panic.message
    for address in ("", "1.2.3.4", "::1"):
        try:
            match_host(ctx, text, name="", address=address, expand=False)
        except ListPanic as panic:
            assert panic.message
