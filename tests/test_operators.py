"""Operators and items that work on texts, called directly: the cases of fixtures/operators.

The text of a case is read as the expander reads escapes, and nothing else in it is expanded.
"""

from __future__ import annotations

import random
import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import casefile
import pytest
from eximious.grammar.catalogue import Catalogue
from eximious.interpreter import registry
from eximious.interpreter.addresses import Groups, Syntax, parse_extract_address, parse_find_address_end
from eximious.interpreter.outcomes import ExpansionError, Failure, OverBudget
from eximious.interpreter.quoting import interpret_escapes
from eximious.interpreter.text import Tainted, is_tainted

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "operators"
AREAS = sorted(FOLDER.glob("*.cases"))
MODULES = (
    "digests encodings evaluate files i18n ip lists mail numbers portions quoting rfc2047 text time wrap"
)
ITEMS = "hash nhash length substr tr listquote hmac prvs srs_encode imapfolder"

_OPERATOR = re.compile(r"\$\{([a-z0-9]+\w*(?:-\w*)?):(.*)\}", re.S)
_ITEM = re.compile(r"\$\{([a-z_0-9]+) ?((?:\{[^{}]*\} ?)+)\}", re.S)

for module in MODULES.split():
    import_module(f"eximious.interpreter.operators.{module}")
for module in ("text_items", "imapfolder"):
    import_module(f"eximious.interpreter.items.{module}")


def context(version: str = "4.96", **options: Any) -> Any:
    """As much of a context as operators look at."""
    major, minor = map(int, version.split("."))
    doors = SimpleNamespace(
        chance=SimpleNamespace(below=lambda limit: limit - 1),
        clock=SimpleNamespace(now=lambda: 1_000_000_000.0),
    )
    env = SimpleNamespace(
        version=(major, minor),
        options=options,
        catalogue=Catalogue((major, minor)),
        doors=doors,
        named_lists={"d": {}, "h": {}, "a": {}, "l": {}},
    )
    return SimpleNamespace(env=env, message=SimpleNamespace(headers_charset=None))


def operate(ctx: Any, name: str, text: str) -> str:
    """Call an operator by its name as written."""
    declaration = registry.OPERATORS.get(name)
    argument: str | None = None
    if declaration is None:
        base, _, argument = name.partition("_")
        declaration = registry.OPERATORS[base]
    if declaration.takes == "text":
        result = declaration.call(text)
    elif declaration.takes == "ctx":
        result = declaration.call(ctx, text)
    else:
        result = declaration.call(ctx, text, argument, name)
    assert isinstance(result, str)
    return result


def call_item(ctx: Any, name: str, *args: str) -> str:
    """Call an item with texts."""
    declaration = registry.ITEMS[name]
    result = declaration.call(ctx, [*args, *[None] * (declaration.args[1] - len(args))])
    assert isinstance(result, str)
    return result


def answer(source: str, version: str) -> str:
    """Ours to one case."""
    ctx = context(version)
    try:
        operator = _OPERATOR.fullmatch(source)
        if operator:
            return operate(ctx, operator[1], interpret_escapes(operator[2])).removesuffix("\0")
        item = _ITEM.fullmatch(source)
        assert item, source
        args = [interpret_escapes(arg) for arg in re.findall(r"\{([^{}]*)\}", item[2])]
        return call_item(ctx, item[1], *args)
    except Failure as failure:
        return f"Failed: {failure.message}"


@pytest.mark.parametrize("path", AREAS, ids=lambda path: path.stem)
def test_cases(path: Path) -> None:
    differences = []
    for case in casefile.read(path).cases:
        ours = answer(case.source, case.settings["exim"])
        if case.answer is not None and ours != case.answer:
            differences.append(f"{case.id}\n  exim {case.answer!r}\n  ours {ours!r}")
    assert not differences, "\n".join(differences[:10])


@pytest.mark.parametrize("name", sorted({*Catalogue((4, 99)).operators, "bless"}))
def test_declared(name: str) -> None:
    if name == "expand":
        pytest.skip("belongs to the evaluator itself")
    declaration = registry.OPERATORS[name]
    assert declaration.section
    assert declaration.call.__doc__


@pytest.mark.parametrize("name", ITEMS.split())
def test_item_declared(name: str) -> None:
    assert registry.ITEMS[name].section
    assert registry.ITEMS[name].call.__doc__


def test_any_bytes() -> None:
    """Whatever the text: an answer or Exim's error, no other exception."""
    chance = random.Random(4)
    ctx = context()
    names = [name for name in registry.OPERATORS if name not in ("stat", "expand")]
    pieces = [chr(code) for code in range(1, 256)] + [
        "xn--",
        "=?utf-8?q?",
        "::",
        "1.2.3.4",
        "@",
        "<",
        "9" * 30,
    ]
    for _ in range(6000):
        name = chance.choice(names)
        argument = chance.choice(("", "", "_", "_3", "_-2", "_1_2", "_x", "_99999999999_0"))
        text = "".join(chance.choice(pieces) for _ in range(chance.randint(0, 9)))
        try:
            result = operate(ctx, name if "_" in name else name + argument, text)
        except (Failure, OverBudget):
            continue
        assert all(ord(char) < 256 for char in result), (name, text)


@pytest.mark.parametrize("name", ("length", "substr", "hash", "nhash", "headerwrap"))
def test_many_digits(name: str) -> None:
    """More digits than Python reads into an int at once."""
    for digits in ("9" * 5000, "0" * 5000 + "3"):
        try:
            operate(context(), f"{name}_{digits}", "abcdef")
        except ExpansionError:
            continue
    assert operate(context(), "length_" + "0" * 5000 + "3", "abcdef") == "abc"


def test_many_digits_in_text() -> None:
    digits = "9" * 5000
    ctx = context()
    assert operate(ctx, "eval", digits) == "9223372036854775807"
    assert operate(ctx, "base32", digits) == "p777777777777"
    assert operate(ctx, "time_eval", f"{'0' * 5000}7s") == "7"
    assert operate(ctx, "time_interval", digits)
    assert operate(ctx, "mask", "1.2.3.4/" + "0" * 5000 + "8") == "1.0.0.0/8"
    assert call_item(ctx, "length", "0" * 5000 + "3", "abcdef") == "abc"
    with pytest.raises(ExpansionError):
        operate(ctx, "mask", f"1.2.3.4/{digits}")


@pytest.mark.parametrize(
    ("name", "text", "tainted"),
    [
        ("lc", "abc", True),
        ("domain", "a@b", True),
        ("base64", "abc", True),
        ("strlen", "abc", False),
        ("md5", "abc", False),
        ("eval", "1", False),
        ("ipv6norm", "::1", False),
        ("rfc2047", "plain", True),
        ("rfc2047", "a_b", True),
        ("rfc2047", "\xe9_ ", False),
        ("escape8bit", "a\xe9", True),
        ("escape8bit", "\xe9", False),
        ("hexquote", " ", False),
        ("utf8_domain_to_alabel", "a.b", True),
        ("utf8_domain_to_alabel", "\xc3\xa9", False),
        ("utf8_domain_from_alabel", "xn--9ca.de", True),
        ("utf8_domain_from_alabel", "xn--9ca", False),
        ("utf8_localpart_from_alabel", "xn--9ca", False),
    ],
)
def test_taint(name: str, text: str, tainted: bool) -> None:
    declaration = registry.OPERATORS[name]
    if declaration.taint == registry.OWN:
        assert is_tainted(operate(context(), name, Tainted(text))) is tainted
    else:
        assert declaration.taint == (registry.FOLLOW if tainted else registry.CLEAN)


def test_tainted_numbers() -> None:
    """From 4.99 on the numbers of hash and its like may not come from outside."""
    for name, args in (
        ("hash", ("abc",)),
        ("substr", ("1", "abc")),
        ("length", ("abc",)),
        ("nhash", ("abc",)),
    ):
        call_item(context("4.96"), name, Tainted("2"), *args)
        with pytest.raises(ExpansionError) as problem:
            call_item(context("4.99"), name, Tainted("2"), *args)
        assert problem.value.message == f"attempt to use tainted string '2' for {name}"
    assert is_tainted(call_item(context(), "length", "2", Tainted("abc")))
    assert not is_tainted(call_item(context("4.96"), "length", Tainted("2"), "abc"))


def test_signatures() -> None:
    """Items whose answer depends on the day."""
    ctx = context()
    assert call_item(ctx, "prvs", "a@b.example", "key") == "prvs=0581889e6e=a@b.example"
    assert call_item(ctx, "srs_encode", "key", "User@b.example", "c.d") == "SRS0=d5e9=jw=b.example=User@c.d"


def test_cutting() -> None:
    """A NUL at the end cuts off what comes behind the operator."""
    ctx = context()
    assert operate(ctx, "ipv6norm", "1:0::2") == "1::2\0"
    assert operate(ctx, "ipv6norm", "1:2:3:4:5:6:7:8") == "1:2:3:4:5:6:7:8"
    assert operate(ctx, "from_utf8", "a\xc0\x80b") == "a\0"
    assert operate(ctx, "xtextd", "a+00b") == "a\0"


def test_randint() -> None:
    assert operate(context(), "randint", "10") == "9"
    assert operate(context(), "randint", "1K") == "1023"
    assert operate(context(), "randint", "4294967297") == "0"


def test_named_lists() -> None:
    ctx = context()
    ctx.env.named_lists["d"].update(
        one="a.b : c.d", two="<; x;y:z;+one", loop="a : +loop", long="x" * 300 + ":y"
    )
    ctx.env.named_lists["h"].update(one="1.2.3.4")
    assert operate(ctx, "listnamed", "two") == "x : y::z : a.b : c.d"
    assert operate(ctx, "listnamed_h", "+one") == "1.2.3.4"
    assert operate(ctx, "listnamed_d", "long") == "x" * 255 + " : y"
    with pytest.raises(ExpansionError, match='"one" is not a localpart named list'):
        operate(ctx, "listnamed_l", "one")
    with pytest.raises(ExpansionError, match='bad suffix on "list" operator'):
        operate(ctx, "listnamed_", "one")
    with pytest.raises(OverBudget):
        operate(ctx, "listnamed", "loop")


def test_stat(tmp_path: Path) -> None:
    import os

    ctx = context()
    ctx.env.doors.files = SimpleNamespace(stat=os.stat)
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    file.chmod(0o4640)
    os.utime(file, (5, 6))
    fields = operate(ctx, "stat", str(file)).split()
    assert fields[:2] == ["mode=4640", "smode=-rwSr-----"]
    assert "size=3" in fields and "atime=5" in fields and "mtime=6" in fields
    with pytest.raises(ExpansionError) as problem:
        operate(ctx, "stat", str(tmp_path / "y"))
    assert problem.value.message == f"stat({tmp_path / 'y'}) failed: No such file or directory"


def test_headers_charset() -> None:
    ctx = context(headers_charset="iso-8859-1")
    assert operate(ctx, "rfc2047", "\xe9") == "=?iso-8859-1?Q?=E9?="
    assert operate(ctx, "rfc2047d", "=?utf-8?Q?=C3=A9?=") == "\xe9"
    assert operate(context(print_topbitchars=True), "escape", "\xe9\x7f") == "\xe9\\177"
    with pytest.raises(
        ExpansionError, match=r'iconv_open\("UTF-8", "nosuch"\) failed: Invalid argument \(maybe'
    ):
        operate(context(), "rfc2047d", "=?nosuch?q?a?=")


def test_address_options() -> None:
    for text in ("a@b.", "a@b. ", "<a@b.>", "a@b.(x)", "x <a@b. (y) >"):
        assert operate(context(), "address", text) == ""
        assert operate(context(strip_trailing_dot=True), "address", text) == "a@b"
    assert operate(context(allow_domain_literals=True), "domain", "<a@[1.2.3.4]>") == "[1.2.3.4]"
    assert operate(context(), "domain", "<a@[1.2.3.4]>") == ""


def test_address_places() -> None:
    """Where an address stands in its source, which rewriting needs."""
    found = parse_extract_address("Some One (x) <(y) a@b.c (z) > (w)")
    assert found.address == "a@b.c"
    assert (found.start, found.end, found.domain) == (14, 27, 2)
    found = parse_extract_address(" a@b (x)")
    assert (found.address, found.start, found.end) == ("a@b", 1, 4)
    assert parse_extract_address("<>", True).address == ""
    assert parse_extract_address("<>").error == "missing or malformed local part"
    assert parse_extract_address("<a@b.>", syntax=Syntax(strip_trailing_dot=True)).address == "a@b"
    assert parse_extract_address("<<a@b>>", syntax=Syntax(strip_excess_angle_brackets=True)).address == "a@b"
    assert parse_extract_address("a@\xc3\xa9", syntax=Syntax(allow_utf8_domains=True)).domain == 2


def test_address_groups() -> None:
    groups = Groups()
    text = "team: a@b, c@d; , e@f"
    found, at = [], 0
    while at <= len(text):
        end = parse_find_address_end(text, at)
        found.append(parse_extract_address(text[at:end], groups=groups).address)
        at = end + 1
    assert found == ["a@b", "c@d", "e@f"]
    assert groups.allow and not groups.found
