"""Mutated configurations through lint: never a traceback, never hanging, never without bound in memory."""

from __future__ import annotations

import random
import resource
import tempfile
import time
from pathlib import Path

import pytest
from eximious.lint.registry import EXPLANATIONS, RULES, load_rules

from eximious.command_lint import main
from eximious.linting import DEBIAN_SETTINGS, check
from eximious.secrets import HiddenLines, Secrets

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SEEDS = [path.read_bytes() for path in sorted(FIXTURES.glob("configurations/*/exim.conf"))]
SEEDS += [path.read_bytes() for path in sorted(FIXTURES.glob("lint/*.conf"))]

NUMBER = 2_000
PARTS = 20
#: seconds and megabytes for one configuration of at most this many lines
LINES, SECONDS, MEGABYTES = 120, 10.0, 400

#: pieces that change how the text around them is read
PIECES = [
    *(b"{", b"}", b"${", b"$", b"\\", b'"', b"'", b":", b";", b"=", b"+", b"!", b"\\N", b"\n", b"\\\n", b"#"),
    *(
        b"${if ",
        b"${lookup{",
        b"lsearch;",
        b"$h_",
        b"${sg{",
        b"${expand:",
        b"${acl{",
        b"\0",
        b"\xff",
        b"\r\n",
    ),
    *(b"<;", b"<", b"::", b"^(", b"^[", b"+list", b".ifdef X\n", b".endif\n", b".else\n", b"\nbegin acl\n"),
    *(b"\nbegin routers\n", b"\nbegin rewrite\n", b"\nMACRO = ", b"hide ", b"begin ", b"driver = ", b"set "),
    *(b"match_domain{a}{", b"${listnamed:", b"${run{", b"acl = ", b"verify = ", b"control = ", b"9" * 30),
    *(b"{" * 40, b"${lc:" * 40, b"${if eq{" * 30, b"(" * 50, b"\\" * 30, b"a" * 300, b"\t", b"\x0b", b"!! "),
]


def mutant(seed: int) -> bytes:
    """A piece of a configuration with some things changed."""
    dice = random.Random(seed)
    lines = dice.choice(SEEDS).split(b"\n")
    start = dice.randrange(max(1, len(lines) - 20))
    lines = lines[start : start + dice.randrange(5, LINES)]
    if dice.random() < 0.5:
        lines.insert(
            0, dice.choice((b"begin acl", b"begin routers", b"begin transports", b"begin rewrite", b"A = b"))
        )
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        kind = dice.randrange(4)
        here, there = dice.randrange(len(lines)), dice.randrange(len(lines))
        if kind == 0:
            del lines[here]
            lines = lines or [b""]
        elif kind == 1:
            lines.insert(here, lines[there])
        elif kind == 2:
            lines[here], lines[there] = lines[there], lines[here]
        else:
            other = dice.choice(SEEDS).split(b"\n")
            lines.insert(here, dice.choice(other))
    text = bytearray(b"\n".join(lines) + b"\n")
    for _ in range(dice.choice((1, 1, 2, 3, 8, 30))):
        place = dice.randrange(len(text) + 1)
        kind = dice.randrange(5)
        if kind == 0:
            del text[place : place + dice.choice((1, 1, 2, 10, 80))]
        elif kind == 1:
            text[place:place] = bytes((dice.randrange(256),))
        elif kind == 2:
            size = dice.randrange(1, 60)
            source = dice.randrange(len(text) + 1)
            text[place:place] = text[source : source + size]
        else:
            text[place:place] = dice.choice(PIECES)
    return bytes(text)


@pytest.mark.parametrize("part", range(PARTS))
def test_mutants(part: int) -> None:
    load_rules()
    known = set(RULES) | set(EXPLANATIONS) | {DEBIAN_SETTINGS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "exim.conf")
        for seed in range(part * NUMBER // PARTS, (part + 1) * NUMBER // PARTS):
            path.write_bytes(mutant(seed))
            begin = time.monotonic()
            try:
                checked = check(str(path), version="4.96" if seed % 3 else "4.99")
                sources = HiddenLines(checked.sources, Secrets(checked.configuration))
                rendered = [finding.render(sources) for finding in checked.findings]
                dicts = [finding.to_dict() for finding in checked.findings]
            except Exception as problem:
                raise AssertionError(f"mutant {seed}: {mutant(seed)!r}") from problem
            assert time.monotonic() - begin < SECONDS, f"mutant {seed} takes long"
            assert len(rendered) == len(dicts)
            assert {finding.code for finding in checked.findings} <= known, seed
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MEGABYTES * 1024


def test_command_on_mutants(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The command gives a proper exit code, also where it is asked for several and JSON."""
    for seed in range(30):
        (tmp_path / f"{seed}.conf").write_bytes(mutant(seed))
    names = [str(tmp_path / f"{seed}.conf") for seed in range(30)]
    assert main([*names, "--format", "json"]) == 1
    assert main(names) == 1
    capsysbinary.readouterr()


def test_deep_nesting(tmp_path: Path) -> None:
    """Texts that are nested deeper than any stack are a finding or nothing, and quick."""
    path = tmp_path / "exim.conf"
    pieces = ("${lc:", "${if eq{", "${sg{", "{", "(", "${expand:", "${if and{{", "${acl{", "\\")
    for piece in (
        *pieces,
        "${if match_domain{a}{",
        "${if eq{a}{b}{",
        "${sg{a}{b}{",
        "${listnamed:",
        "+",
        "!",
    ):
        deep = piece.encode() * 20_000
        lines = [b"smtp_banner = " + deep, b"hold_domains = " + deep, b"helo_verify_hosts = ^" + deep]
        lines += [b"acl_smtp_rcpt = " + deep, b"begin acl", b"check:", b"  deny acl = " + deep]
        path.write_bytes(b"\n".join([*lines, b""]))
        begin = time.monotonic()
        check(str(path))
        assert time.monotonic() - begin < SECONDS, piece
