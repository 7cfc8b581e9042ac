"""Functions under the items and conditions that the cases cannot reach: clocks, spans, bounds, taint."""

from __future__ import annotations

import random

import pytest
from eximious.interpreter import crypto_password, prvs, srs
from eximious.interpreter.fields import extract_named, extract_numbered
from eximious.interpreter.integers import expanded_string_integer
from eximious.interpreter.json_text import extract_json, json_elements
from eximious.interpreter.ldap_query import parse_ldap_query
from eximious.interpreter.listsplit import append_to_list, join_list, list_separator, split_list, split_spans
from eximious.interpreter.outcomes import ExpansionError, OverBudget
from eximious.interpreter.quoting import dequote
from eximious.interpreter.text import Tainted, is_tainted

DAY = 86400


# ---- lists


def test_spans_agree_with_items() -> None:
    """Offsets point at the items, whatever the separator; found on random lists."""
    source = random.Random(1)
    for _ in range(3000):
        body = "".join(source.choice(":;ab \n<\x01\t,\\\x7f") for _ in range(source.randrange(9)))
        text = source.choice(["", "<;", "<\n", " <\x01", "<, ", "<\\"]) + body
        separator, start = list_separator(text)
        items = split_list(text)
        spans = split_spans(text)
        assert [item for item, _, _ in spans] == items
        for item, left, right in spans:
            assert start <= left <= right <= len(text)
            written = text[left:right]
            assert item in (written, written.replace(separator * 2, separator))
        if separator in ":;,":
            again = join_list(separator, items)
            assert split_list(again, separator) == items or not all(items)


def test_lists_and_taint() -> None:
    assert all(is_tainted(item) for item in split_list(Tainted("a:b::c")))
    assert not any(is_tainted(item) for item in split_list("a:b"))


def test_fixed_separator() -> None:
    assert split_list("<;a;b", ";") == ["<", "a", "b"]
    assert split_list("<;a;b:c", ":") == ["<;a;b", "c"]
    assert append_to_list("", ":", "a:b") == "a::b"
    assert append_to_list("a", ":", "") == "a:"


# ---- signatures of addresses


@pytest.mark.parametrize(
    ("made", "checked", "good"),
    [(20780, 20780, True), (20780, 20787, True), (20780, 20788, False), (20780, 20779, True),
     (20992, 20999, True), (20993, 20999, True), (20993, 21000, True), (20993, 21001, False),
     (20999, 21006, True), (20999, 21007, False)],
)  # fmt: skip
def test_prvs_lifetime(made: int, checked: int, good: bool) -> None:
    """Seven days, over the wrap of the day's number at 1000, too."""
    signed = prvs.prvs_split(prvs.prvs_sign("user@example.org", "secret", "3", made * DAY))
    assert signed is not None
    assert (signed.address, signed.keynum) == ("user@example.org", "3")
    assert prvs.prvs_check(signed, "secret", checked * DAY) is good
    assert not prvs.prvs_check(signed, "other", checked * DAY)


def test_prvs_recorded() -> None:
    """What Exim 4.96 answered on day 20780."""
    now = 20780 * DAY + 5000
    assert prvs.prvs_sign("user@example.org", "secret", None, now) == "prvs=078775d06f=user@example.org"
    assert prvs.prvs_sign("User@example.org", "secret", "3", now) == "prvs=3787a011bb=User@example.org"
    assert prvs.prvs_sign('"a@b"@c', "x", "1", now) == 'prvs=17872e7daa="a@b"@c'
    assert prvs.prvs_split("prvs=3783a611a1=@c") is None
    capital = prvs.prvs_split("PRVS=378308661A=user@example.org")
    assert capital is not None
    assert capital.captures == [
        "PRVS=378308661A=user@example.org",
        "3",
        "783",
        "08661A",
        "user",
        "example.org",
    ]
    assert not prvs.prvs_check(capital, "secret", now)


@pytest.mark.parametrize(
    ("address", "key", "message"),
    [("user", "1", "prvs first argument must be a qualified email address"),
     ("@x", "1", "prvs first argument must be a qualified email address"),
     ("a@", "1", "prvs first argument must be a qualified email address"),
     ("a@b", "", "prvs third argument must be a single digit"),
     ("a@b", "12", "prvs third argument must be a single digit")],
)  # fmt: skip
def test_prvs_errors(address: str, key: str, message: str) -> None:
    with pytest.raises(ExpansionError) as error:
        prvs.prvs_sign(address, "x", key, 0)
    assert error.value.message == message


def test_prvs_long_secret() -> None:
    with pytest.raises(ExpansionError, match=r"^prvs hmac-sha1 conversion failed$"):
        prvs.prvs_sign("a@b", "x" * 65, "1", 0)
    signed = prvs.prvs_split("prvs=3000000000=a@b")
    assert signed is not None
    with pytest.raises(ExpansionError, match=r"^hmac-sha1 conversion failed$"):
        prvs.prvs_check(signed, "x" * 65, 0)


def test_srs_recorded() -> None:
    """What Exim 4.96 answered on day 20780."""
    now = 20780 * DAY + 5000
    coded = srs.srs_encode("secret", "User@Example.ORG", "User@Example.ORG", 5, "Orig.Example", now)
    assert coded == "SRS0=fbad=jm=Example.ORG=User@Orig.Example"
    quoted = srs.srs_encode("secret", '"a b"@c', '"a b"@c', 6, "o", now)
    assert quoted == '"SRS0=0034=jm=c=a b"@o'
    assert srs.srs_encode("secret", "user", "user", 0, "o", now) == "SRS0=0cf4=jm==user@o"
    found = "user@example.org"
    assert srs.srs_decode("SRS0=fbad=jm=Example.ORG=User", "secret", now) == (found, True)
    assert srs.srs_decode("SRS0=fbad=JM=example.org=user", "secret", now) == (found, False)
    assert srs.srs_decode("SRS0=FBAD=jm=example.org=user", "secret", now) == (found, False)
    assert srs.srs_decode("SRS0=0034=jm=c=a b", "secret", now) == ('"a b"@c', True)
    assert srs.srs_decode("SRS1=fbad=jm=example.org=user", "", now) == (None, False)


@pytest.mark.parametrize(
    ("age", "good"), [(0, True), (10, True), (11, False), (-1, False), (1024, True), (600, False)]
)
def test_srs_lifetime(age: int, good: bool) -> None:
    coded = srs.srs_encode("s", "a@b", "a@b", 2, "o", 20780 * DAY)
    recipient, valid = srs.srs_decode(coded.rpartition("@")[0], "s", (20780 + age) * DAY)
    assert (recipient, valid) == ("a@b", good)


# ---- passwords


@pytest.mark.parametrize(
    "stored",
    ["$6$rounds=999999999$salt$x", "$5$rounds=9000000$salt$x", "$2b$31$abcdefghijklmnopqrstuu",
     "$md5,rounds=999999999$x$", "$sha1$99999999$x$y", "$7$zzzzzzzz$x", "$y$jzT$salt$x",
     "_zzzzsaltxxxxxxxxxxx", "{crypt}$2y$20$abcdefghijklmnopqrstuu"],
)  # fmt: skip
def test_excessive_password_forms(stored: str) -> None:
    with pytest.raises(OverBudget):
        crypto_password.password_equals("x", stored)


def test_passlib_says_the_same() -> None:
    """Where the system has no crypt(3), passlib knows the common methods."""
    pytest.importorskip("passlib")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for stored in (b"aafKPWZb/dLAs", b"$1$x$P8VObTrxaqT4VBmnH06P8.", b"_J9..rasmWuvos8B/9gQ"):
            assert crypto_password._passlib_crypt(b"a", stored) == stored
            assert crypto_password._passlib_crypt(b"b", stored) == b""
        assert crypto_password._passlib_crypt(b"a", b"nonsense!") == b""


# ---- integers, fields, quoting, JSON


def test_integer_bounds() -> None:
    assert expanded_string_integer("9" * 18, False, (4, 96)) == 10**18 - 1
    assert expanded_string_integer(" 0" * 1, True, (4, 96)) == 0
    with pytest.raises(ExpansionError, match=r'^non-negative integer expected but "-1" found$'):
        expanded_string_integer("-1", True, (4, 96))
    with pytest.raises(ExpansionError, match="too large"):
        expanded_string_integer("9" * 100_000, False, (4, 96))
    assert expanded_string_integer("0" * 100_000 + "5k", False, (4, 96)) == 5120


@pytest.mark.parametrize(("version", "shown"), [((4, 96), 'x"\n\xff'), ((4, 99), r"x\"\n\377")])
def test_integer_message_by_version(version: tuple[int, int], shown: str) -> None:
    with pytest.raises(ExpansionError) as error:
        expanded_string_integer('x"\n\xff', False, version)
    assert error.value.message == f'integer expected but "{shown}" found'


def test_taint_follows() -> None:
    assert is_tainted(extract_named("a", Tainted("a=1")) or "")
    assert is_tainted(extract_numbered(1, ":", Tainted("a:b")) or "")
    assert is_tainted(extract_json(1, Tainted("[1]"), False, (4, 99)) or "")
    assert [is_tainted(item) for item in json_elements(Tainted("[1,2]"), False, (4, 99))] == [True, True]


def test_dequote_ends_at_nul() -> None:
    assert dequote(r'"a\0b" c', 0) == ("a", 6)
    assert dequote(r'"a\x41\101\q\n"', 0) == ("aAAq\n", 15)
    assert dequote("plain word", 0) == ("plain", 5)


@pytest.mark.parametrize(
    ("version", "text", "elements"),
    [((4, 96), '["a,b","c"]', ['"a', 'b"', '"c"']), ((4, 99), '["a,b","c"]', ['"a,b"', '"c"']),
     ((4, 99), r'["a\",b", 1]', [r'"a\",b"', "1"]), ((4, 99), '["{",2]', ['"{"', "2"]),
     ((4, 96), "[[1,2],3]", ["[1,2]", "3"]),
     ((4, 99), '[",a]', ['",a'])],
)  # fmt: skip
def test_json_elements_by_version(version: tuple[int, int], text: str, elements: list[str]) -> None:
    assert list(json_elements(text, False, version)) == elements


def test_ldap_query() -> None:
    query = parse_ldap_query('user="cn=a%20b" pass=x size=3 ldap:///o=x??sub?(uid=y)')
    assert (query.user, query.password) == ("cn=a b", "x")
    assert query.settings["SIZE"] == "3"
    assert query.url == "ldap:///o=x??sub?(uid=y)"
