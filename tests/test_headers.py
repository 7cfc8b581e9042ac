"""Messages as -bem reads them, header insertions, encoded words, and how a client is named."""

from __future__ import annotations

import os
import random
from pathlib import Path

import casefile
import pytest
import state_world
from differential.world import real_exim, real_version
from eximious.interpreter.fullhost import build_sender_fullhost
from eximious.interpreter.headers import Header, header_value
from eximious.interpreter.iconv import UnknownCharset, _by_codecs, convert
from eximious.interpreter.message_file import MessageAbandoned, base62, message_id, read_test_message
from eximious.interpreter.origin import OriginError, address_and_port, apply_origin, sender_address
from eximious.interpreter.rfc2047 import decode
from eximious.interpreter.submission import fix_phrase
from eximious.interpreter.text import is_tainted, taint
from test_variables import differences

RECEIVED = state_world.MESSAGES / "received.cases"


def test_recorded_answers(tmp_path: Path) -> None:
    answers: dict[int, str | None] = {}
    for cases in state_world.grouped(casefile.read(RECEIVED).cases):
        for case, answer in zip(cases, state_world.ours(cases, tmp_path)):
            answers[case.line] = answer
    assert not differences(RECEIVED, answers)


@pytest.mark.differential
def test_answers_of_the_real_one(tmp_path: Path) -> None:
    exim = real_exim()
    if exim is None or os.geteuid() != 0:
        pytest.skip("no Exim is installed, or not root")
    cases = casefile.read(RECEIVED).cases
    if real_version(exim) != cases[0].settings["exim"]:
        pytest.skip("another version is installed")
    tmp_path.chmod(0o755)
    answers: dict[int, str | None] = {}
    for group in state_world.grouped(cases):
        for case, answer in zip(group, state_world.real(group, tmp_path, exim)):
            answers[case.line] = answer
    assert not differences(RECEIVED, answers)


PIECES = (
    *(f"{name}: " for name in ("From", "To", "X", "Subject", "Resent-To", "Sender", "Bcc", "Cc", "Reply-To")),
    *("Message-Id: m\n", "Date: d\n", "Received: r\n", "Return-Path: <r@p>\n", "root\n", "long" * 15),
    *("a", "a@b.c", "b c", " ", "\t", "\n", "\n", "\n", "\n\n", "\r\n", "\r", ".", ",", ".\n", "\n.\n"),
    *("\0", "\xe9", ":", "<x@y>", '"q"', "=?utf-8?Q?=C3=A9?=", "=?iso-8859-1?Q?=E9?="),
    "From me Mon Jan  1 00:00:00 2020\n",
)
ASKED = (
    *("$message_headers_raw", "$message_headers", "$message_body", "$message_body_end"),
    "$message_size|$message_linecount|$body_linecount|$message_body_size|$body_zerocount",
    "$max_received_linelength|$received_count|$sender_address|$return_path|$authenticated_sender",
    "${if def:h_from:{$reply_address}}",
    *(f"${kind}h_{name}:" for name in ("x", "to") for kind in ("", "b", "r", "l")),
)
ARGUMENTS = ("", "", "-t", "-i", "-f s@t.u", "-f <>", "-oMa 1.2.3.4 -oMs n")


def generated(seed: int) -> tuple[bytes, str]:
    """A message of odd pieces, and arguments for it."""
    chosen = random.Random(seed)
    text = "From: a@b.c\n" if chosen.random() < 0.7 else ""
    text += "".join(chosen.choice(PIECES) for _ in range(chosen.randint(1, 16)))
    return text.encode("latin-1"), chosen.choice(ARGUMENTS)


@pytest.mark.differential
@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(40, 400), marks=pytest.mark.slow)], ids=str)
def test_generated_messages(seeds: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random messages look the same to both."""
    exim = real_exim()
    if exim is None or os.geteuid() != 0:
        pytest.skip("no Exim is installed, or not root")
    tmp_path.chmod(0o755)
    monkeypatch.setattr(state_world, "MESSAGES", tmp_path)
    wrong = []
    for seed in seeds:
        data, arguments = generated(seed)
        (tmp_path / "m").write_bytes(data)
        settings = {"message": "m", "args": arguments, "exim": real_version(exim)}
        cases = [casefile.Case(tmp_path, 1, "", settings, source) for source in ASKED]
        theirs, mine = state_world.real(cases, tmp_path, exim), state_world.ours(cases, tmp_path)
        wrong += [
            f"{seed}: {data!r} {arguments}\n  {asked}\n  exim {their!r}\n  ours {my!r}"
            for asked, their, my in zip(ASKED, theirs, mine)
            if their != my
        ]
    assert not wrong, "\n".join(wrong[:10])


def test_random_bytes_are_read_without_error() -> None:
    chosen = random.Random(7)
    for _ in range(300):
        ctx = state_world.context({})
        read_test_message(ctx, chosen.randbytes(chosen.randint(0, 300)), extract_recipients=True)
        assert ctx.message.headers is not None


# ---- insertions


def test_insertions_stop_at_their_limit() -> None:
    ctx = state_world.context({})
    ctx.message.headers = [Header(f"X: {'y' * 900}\n") for _ in range(80)]
    sizes = [len(header_value(ctx, kind, "x") or "") for kind in ("", "b", "r", "l")]
    assert sizes == [65537, 65537, 65536, 65537]


def test_names_are_matched_with_their_colon() -> None:
    ctx = state_world.context({})
    ctx.message.headers = [Header("X : a\n"), Header("xy: b\n"), Header("X: c\n")]
    assert header_value(ctx, "", "X") == "c"
    assert header_value(ctx, "", "x", exists_only=True) is not None
    assert header_value(ctx, "", "") is None


def test_deleted_lines_are_not_seen() -> None:
    ctx = state_world.context({})
    ctx.message.headers = [Header("X: a\n"), Header("X: b\n")]
    ctx.message.headers[0].deleted = True
    assert header_value(ctx, "", "x") == "b"


def test_taint_follows_the_lines() -> None:
    ctx = state_world.context({})
    ctx.message.headers = [Header("X: own\n"), Header(taint("Y: theirs\n"))]
    assert not is_tainted(header_value(ctx, "", "x") or "")
    assert is_tainted(header_value(ctx, "", "y") or "")


# ---- encoded words


@pytest.mark.parametrize(
    ("text", "target", "shown", "problem"),
    [
        ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "UTF-8", "ab", None),
        ("=?utf-8?Q?a?= c =?utf-8?Q?b?=", "UTF-8", "a c b", None),
        ("=?utf-8?Q?a b?=", "UTF-8", "=?utf-8?Q?a b?=", None),
        ("=?utf-8?B?YW?=", "UTF-8", "=?utf-8?B?YW?=", None),
        ("=?utf-8?B?YQ= =?=", "UTF-8", "a", None),
        ("=?iso-8859-1?Q?=E9?=", "UTF-8", "\xc3\xa9", None),
        ("=?iso-8859-1?Q?=E9?=", None, "\xe9", None),
        ("=?utf-8?Q?=C3=A9=E2=82=AC=C3=A9?=", "iso-8859-1", "\xe9\xe2\x82\xac\xc3\xa9", None),
        ("=?us-ascii?Q?a=E9b=E9c?=", "UTF-8", "a\xe9b\xe9c", None),
        ("=?utf-8?Q?a=00b?=", "UTF-8", "a?b", None),
        (
            "=?nosuch?Q?a=E9?= x",
            "UTF-8",
            "a\xe9 x",
            'iconv_open("UTF-8", "nosuch") failed: Invalid argument (maybe unsupported conversion)',
        ),
        (f"=?utf-8?Q?{'a' * 64}?=", "UTF-8", f"=?utf-8?Q?{'a' * 64}?=", None),
    ],
)
def test_decoding(text: str, target: str | None, shown: str, problem: str | None) -> None:
    assert decode(text, target) == (shown, problem)


def test_length_is_not_always_checked() -> None:
    assert decode(f"=?utf-8?Q?{'a' * 64}?=", "UTF-8", False) == ("a" * 64, None)


@pytest.mark.parametrize(
    ("data", "source", "target", "result"),
    [
        (b"\xe9", "iso-8859-1", "utf-8", b"\xc3\xa9"),
        (b"a\xe9b", "us-ascii", "utf-8", b"a\xe9b"),
        (b"\xc3\xa9\xe2\x82\xac!", "utf-8", "iso-8859-1", b"\xe9\xe2\x82\xac!"),
        (b"\xc3", "utf-8", "iso-8859-1", b"\xc3"),
    ],
)
def test_conversion_without_iconv(data: bytes, source: str, target: str, result: bytes) -> None:
    """Where the C library has no iconv, Python's codecs say the same in common cases."""
    assert _by_codecs(data, source, target) == result
    assert convert(data, source, target) == result


def test_unknown_character_set_without_iconv() -> None:
    with pytest.raises(UnknownCharset):
        _by_codecs(b"\xe9", "base64", "utf-8")


# ---- reception


def test_header_limits() -> None:
    with pytest.raises(MessageAbandoned, match="ridiculously long message header"):
        read_test_message(state_world.context({"options": "header_maxsize = 10"}), b"Subject: something\n\nb")
    with pytest.raises(MessageAbandoned, match="overlong message header line"):
        read_test_message(state_world.context({"options": "header_line_maxsize = 5"}), b"Subject: s\n\nb")


def test_a_large_message_is_linear() -> None:
    ctx = state_world.context({})
    data = b"From: a@b.c\n" + b"X: y\r\n" * 50_000 + b"\r\n" + b"line\n" * 500_000
    read_test_message(ctx, data)
    assert ctx.message.message_body_size == 2_500_000


@pytest.mark.parametrize(("version", "length"), [("4.96", 16), ("4.97", 23), ("4.99", 23)])
def test_message_id(version: str, length: int) -> None:
    assert len(message_id(state_world.context({"exim": version}))) == length
    assert base62(1_795_438_866, 6) == "1xVTfO"


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("Joe", "Joe"),
        ("Joe Q. Public", '"Joe Q. Public"'),
        ('Full N. (x) "q"', '"Full N. (x)" "q"'),
    ],
)
def test_phrases(name: str, phrase: str) -> None:
    assert fix_phrase(name) == phrase


# ---- origin


@pytest.mark.parametrize(
    "text",
    [
        *("junk", "", "10.1.2.3:99", "1.2.3.4.5x", "[1.2.3.4]x", "[1.2.3.4]:x", "[::1", "1.2.3", "1.25"),
        *(
            "256.1.1.1",
            "01.2.3.4",
            " 1.2.3.4",
            "abc:::1",
            "[2001:db8::1].5",
            "1.2.3.4/24",
            "::ffff:1.2.3.4.25",
        ),
    ],
)
def test_no_address(text: str) -> None:
    with pytest.raises(OriginError, match=r"^exim abandoned: .* is not an IP address$"):
        address_and_port(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a@b.", '"a@b.": domain is malformed (trailing dot not allowed)'),
        ("x.", '"x..": domain is malformed (trailing dot not allowed)'),
        ("a b@c", '"a b@c": missing or malformed local part (expected word or "<")'),
        ("a@[1.2.3.4]", '"a@[1.2.3.4]": domain literals not allowed'),
        ("a@", '"a@": domain missing or malformed'),
        (" ", '" ": empty address'),
    ],
)
def test_no_sender(text: str, problem: str) -> None:
    with pytest.raises(OriginError) as raised:
        sender_address(state_world.context({}).env, text)
    assert raised.value.message == f"exim: bad -f address {problem}"


def test_untrusted_callers_keep_their_identity() -> None:
    ctx = state_world.context({})
    apply_origin(ctx.env, ctx.session, ctx.message, login="nobody", trusted=False, sender="a@b.c")
    assert ctx.session.authenticated_id == "nobody"
    assert ctx.session.authenticated_sender == "nobody@example.org"
    assert ctx.message.sender_address == "a@b.c"


# ---- the client's name


@pytest.mark.parametrize(
    ("port", "name", "helo", "ident", "full", "received"),
    [
        (0, None, "", "", "[10.1.2.3]", "[10.1.2.3]"),
        (0, None, "h.n", "", "(h.n) [10.1.2.3]", "[10.1.2.3] (helo=h.n)"),
        (0, None, "[10.1.2.3]", "", "([10.1.2.3]) [10.1.2.3]", "[10.1.2.3]"),
        (0, None, "", "id", "[10.1.2.3]", "[10.1.2.3] (ident=id)"),
        (0, None, "h.n", "id", "(h.n) [10.1.2.3]", "[10.1.2.3] (helo=h.n ident=id)"),
        (25, None, "h.n", "id", "(h.n) [10.1.2.3]:25", "[10.1.2.3] (port=25 helo=h.n ident=id)"),
        (0, "n.ex", "", "", "n.ex [10.1.2.3]", "n.ex ([10.1.2.3])"),
        (0, "n.ex", "N.EX", "", "n.ex [10.1.2.3]", "n.ex ([10.1.2.3])"),
        (0, "n.ex", "[10.1.2.3]", "", "n.ex [10.1.2.3]", "n.ex ([10.1.2.3])"),
        (0, "n.ex", "10.1.2.3", "", "n.ex (10.1.2.3) [10.1.2.3]", "n.ex ([10.1.2.3] helo=10.1.2.3)"),
        (0, "n.ex", "h.n", "id", "n.ex (h.n) [10.1.2.3]", "n.ex\n\t([10.1.2.3] helo=h.n ident=id)"),
        (25, "n.ex", "", "id", "n.ex [10.1.2.3]:25", "n.ex ([10.1.2.3]:25 ident=id)"),
    ],
)
def test_names_of_clients(
    port: int, name: str | None, helo: str, ident: str, full: str, received: str
) -> None:
    """As ``-bh 10.1.2.3`` with ``-oMs`` and ``-oMt`` shows them, with log_selector = +incoming_port."""
    ctx = state_world.context({"options": "log_selector = +incoming_port"})
    session = ctx.session
    session.sender_host_address, session.sender_host_port = "10.1.2.3", port
    session.sender_host_name, session.sender_helo_name, session.sender_ident = name, helo, ident
    build_sender_fullhost(ctx)
    assert (session.sender_fullhost, session.sender_rcvhost) == (full, received)
