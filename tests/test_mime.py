"""MIME parts, expressions and scanners answer as the real Exim did (``fixtures/mime``; tools/record_mime.py)."""

from __future__ import annotations

import re
import time
from pathlib import Path

import casefile
import contentcases
import mimegen
import pytest
from differential.world import real_exim, real_version
from eximious.interpreter.outcomes import Refused
from eximious.simulation.mime import decode
from eximious.simulation.mime.walk import run_mime_acl

FILES = contentcases.case_files()
CASES = [case for file in FILES for case in file.cases]
EXIM = real_exim()
#: every so many cases are asked again of the real one
STEP = 15


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.path.stem}:{case.line}:{case.heading}")
def test_recorded(tmp_path: Path, case: casefile.Case) -> None:
    assert contentcases.Ours(contentcases.prepare(tmp_path)).answer(case) == case.answer


@pytest.mark.differential
@pytest.mark.skipif(EXIM is None, reason="no Exim is installed here")
@pytest.mark.parametrize(
    "case", CASES[::STEP], ids=lambda case: f"{case.path.stem}:{case.line}:{case.heading}"
)
def test_real_one_still_says_so(case: casefile.Case) -> None:
    import tempfile

    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("the answers were recorded with another version")
    with tempfile.TemporaryDirectory(prefix="mime") as name:  # a folder that the real one's user can reach
        assert contentcases.Real(EXIM, contentcases.prepare(Path(name))).answer(case) == case.answer


def _in_any_order(lines: list[str]) -> list[str]:
    """The lines about parts without the numbers of files, sorted: attached messages come in a folder's order."""
    return sorted(re.sub(r"ID-\d{5}", "ID-N", line) for line in lines)


@pytest.mark.differential
@pytest.mark.skipif(EXIM is None, reason="no Exim is installed here")
@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_random_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    import tempfile

    assert EXIM is not None
    ours = contentcases.Ours(contentcases.prepare(tmp_path))
    for seed in range(count // 50):
        made = mimegen.Messages(seed + 1000 * count)
        messages = [made.message() for _ in range(50)]
        with tempfile.TemporaryDirectory(prefix="mime") as name:
            real = contentcases.Real(EXIM, contentcases.prepare(Path(name))).parts_of(messages)
        assert len(real) == len(messages)
        for text, theirs in zip(messages, real):
            case = casefile.Case(Path("made"), 1, "", {"ask": "text"}, text.removesuffix("\n"))
            lines = _in_any_order(ours.answer(case).split("\n")[:-1])
            if lines != _in_any_order(theirs):
                # only what the real one has left in its memory may differ
                monkeypatch.setattr(decode, "LEFT_OVER", 255)
                others = _in_any_order(ours.answer(case).split("\n")[:-1])
                monkeypatch.undo()
                differing = {line for line, other in zip(lines, others) if line != other}
                assert differing and set(lines) - set(_in_any_order(theirs)) <= differing, text[:2000]


def _run(folder: Path, text: str, acl: str, allow: tuple[str, ...] = ()) -> list[str]:
    """Run a MIME ACL on a message without anything allowed; gives what was logged."""
    case = casefile.Case(Path("made"), 1, "", {"ask": "mime"}, acl)
    ours = contentcases.Ours(contentcases.prepare(folder), allow)
    lines: list[str] = []
    case.settings["message"] = "nul.eml"
    ctx = ours.context(case, lines)
    contentcases.receive(ctx, text.encode("latin-1"))
    lines.append(run_mime_acl(ctx, "case").word)
    return lines


COUNT = "  accept set acl_m_n = ${eval:0$acl_m_n+1}\n         logwrite = ${if >{$acl_m_n}{4}{many}{$mime_content_type}}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "nested",
            "A: b\n"
            + "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(5000)),
        ),
        ("inside", "A: b\n" + "Content-Type: message/rfc822\n\n" * 5000),
        ("parts", "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 20000),
        (
            "headers",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + "Content-Type: a/b\n" * 50000 + "\n",
        ),
        (
            "header",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: " + "x;" * 500000 + "\n\n",
        ),
        ("hyphens", 'Content-Type: multipart/mixed; boundary="-"\n\n' + "-" * 1000000),
        (
            "quotes",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: " + 'a="' * 300000 + "\n\n",
        ),
        (
            "comments",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: " + "(" * 1000000 + "\n\n",
        ),
        ("boundaries", "Content-Type: multipart/mixed; boundary=b\n\n" + "x--b" * 300000),
    ],
)
def test_hostile_messages_take_time_in_proportion(tmp_path: Path, name: str, text: str) -> None:
    began = time.monotonic()
    lines = _run(tmp_path, text, "  accept")
    assert lines == ["accept"]
    assert time.monotonic() - began < 20, name


def test_messages_inside_are_so_many_at_a_time(tmp_path: Path) -> None:
    part = "--b\nContent-Type: message/rfc822\n\nSubject: x\nContent-Type: inner/part\n\nx\n"
    text = "Content-Type: multipart/mixed; boundary=b\n\n" + part * 200 + "--b--\n"
    lines = _run(tmp_path, text, "  accept logwrite = $mime_content_type")
    assert lines.count("LOG: message/rfc822") == 200
    assert lines.count("LOG: inner/part") == 127
    assert lines[-1] == "accept"


def test_decoding_writes_only_where_that_is_allowed(tmp_path: Path) -> None:
    text = (contentcases.MESSAGES / "mixed.eml").read_bytes().decode("latin-1")
    folder = tmp_path.resolve()
    # its own folder is only there in memory, and can be looked into
    lines = _run(
        tmp_path,
        text,
        "  warn decode = default\n  accept mime_regex = (hello)\n  logwrite = $regex1\n  accept",
    )
    assert lines == ["LOG: hello", "accept"]
    assert not (folder / "spool" / "scan").exists()
    with pytest.raises(
        Refused, match=f"writing to {folder}/out/x is not allowed; allow it with --allow write="
    ):
        _run(tmp_path, text, f"  accept decode = {folder}/out/x", ("read",))
    with pytest.raises(Refused):
        _run(tmp_path, text, "  accept decode = ../../../out/x", ("read",))
    assert not list((folder / "out").iterdir())
    assert (
        _run(tmp_path, text, f"  accept decode = {folder}/out/x", ("read", f"write={folder}/out"))[-1]
        == "accept"
    )
    assert (folder / "out" / "x").read_bytes() == b"<p>\n"


@pytest.mark.parametrize(("condition", "switch"), [("malware = *", "net"), ("spam = nobody", "net")])
def test_scanners_are_asked_only_where_that_is_allowed(tmp_path: Path, condition: str, switch: str) -> None:
    case = casefile.Case(
        Path("made"), 1, "", {"ask": "data", "message": "mixed.eml"}, f"  accept {condition}"
    )
    ours = contentcases.Ours(contentcases.prepare(tmp_path), ())
    assert ours.answer(case).endswith(f"for a verdict is not allowed; allow it with --allow {switch}")
    case.settings["main"] = "av_scanner = cmdline:/bin/echo %s:x:y"
    if condition.startswith("malware"):
        assert contentcases.Ours(tmp_path, ("net",)).answer(case).endswith("--allow run")
