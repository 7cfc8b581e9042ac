"""Bad input: mutated expressions and configurations never give a traceback and never pass the bounds."""

from __future__ import annotations

import itertools
from pathlib import Path

import casefile
import pytest
from differential.fuzz import check_configurations, check_expressions, configurations, expressions
from differential.world import SOURCE, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World.prepare(tmp_path_factory.mktemp("bad"))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [case.source for path in sorted(SOURCE.glob("*.cases")) for case in casefile.read(path).cases]


def _expressions(world: World, texts: list[str], count: int, seed: int) -> None:
    source = expressions(seed, texts)
    for _ in range(0, count, 2000):
        assert check_expressions(world, list(itertools.islice(source, 2000))) == []


def test_expressions(world: World, texts: list[str]) -> None:
    _expressions(world, texts, 6000, 1)


@pytest.mark.slow
def test_100000_expressions(world: World, texts: list[str]) -> None:
    _expressions(world, texts, 100_000, 2)


def _configurations(folder: Path, count: int, seed: int) -> None:
    source = configurations(seed)
    for _ in range(0, count, 50):
        assert check_configurations(folder, list(itertools.islice(source, 50))) == []


def test_configurations(tmp_path: Path) -> None:
    _configurations(tmp_path, 100, 1)


@pytest.mark.slow
def test_2000_configurations(tmp_path: Path) -> None:
    _configurations(tmp_path, 2000, 2)


@pytest.mark.parametrize(
    "text",
    [
        "${lc:" * 5000,
        "${if " * 5000,
        "{" * 20000,
        "${map{" * 2000 + "a" + "}{$item}}" * 2000,
        "${if and{{" * 3000,
        "${if ! " + "!" * 10000 + "eq{a}{b}}",
        "${eval:" + "(" * 10000 + "1" + ")" * 10000 + "}",
        "${eval:" + "-" * 15000 + "1}",
        "${expand:${expand:${expand:x}}}" * 400,
        "${sg{" + "a" * 8000 + "}{(a+)+b}{x}}",
        "${if match{" + "a" * 5000 + "}{\\N^(a|aa)+$\\N}{y}{n}}",
        "${map{" + ":".join("a" * 500) + "}{${map{" + ":".join("b" * 500) + "}{${map{c:d:e}{$item}}}}}}",
        "${reduce{" + ":".join("a" * 60) + "}{x}{$value$value}}",
        "\\" * 16000 + "n",
        "$" * 16000,
        "${extract json{a}{\\N" + '{"a":' * 3000 + "1" + "}" * 3000 + "\\N}}",
    ],
    ids=lambda text: text[:20],
)
def test_extremes(world: World, text: str) -> None:
    """Deep nesting, long repetition and steep patterns, in lines as long as -be takes them."""
    pieces = [text[n : n + 900] for n in range(0, len(text), 900)]
    assert check_expressions(world, ["\\\n".join(pieces)]) == []


#: items that are opened again and again inside their own arguments
OPENED = [
    "acl{", "authresults{", "certextract{a}{", "dlfunc{a}{", "env{", "expand:", "extract{1}{:}{",
    "filter{a}{eq{a}{", "hash{1}{", "hmac{a}{", "if acl{{a}{", "if and{{eq{a}{", "if def:x{",
    "if eq{a}{", "if forany{a}{eq{", "if match{a}{", "if match_domain{a}{", "if inlist{a}{",
    "imapfolder{a}{", "lc:", "length{1}{", "listextract{1}{", "listquote{:}{", "lookup mysql{",
    "lookup{a}lsearch{", "map{a}{", "nhash{1}{", "perl{a}{", "prvs{a}{", "prvscheck{a}{b}{",
    "prvscheck{a}{", "readfile{", "readsocket{a}{", "reduce{a}{b}{", "run{", "sg{a}{b}{",
    "sort{a}{lt}{", "srs_encode{a}{", "substr{1}{", "tr{a}{", "extract{a}{b}{", "lookup{a}lsearch{b}{",
    "if eq{a}{b}{", "if eq{a}{a}{x}{", "extract json{a}{", "run{a}{",
]  # fmt: skip


@pytest.mark.parametrize("opened", OPENED)
def test_nesting_costs_little(world: World, opened: str) -> None:
    """Forty levels, left open and closed: what is compiled twice at each level would never end."""
    text = ("${" + opened) * 40
    assert (
        check_expressions(world, [text, text + "x" + "}" * (40 * text.count("{", 0, len(opened) + 2))]) == []
    )
