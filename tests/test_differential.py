"""The differential test itself: its generator covers the facts, its comparison finds planted errors."""

from __future__ import annotations

import collections
import random
import re
from typing import TYPE_CHECKING

import pytest
from differential.corpus import BUILD, gaps
from differential.damage import damage
from differential.generator import Generator
from differential.runner import batches, run
from differential.shrink import shrink
from differential.world import World, real_build, real_exim
from eximious.grammar.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20_231_114


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The names of Debian's 4.96."""
    return Catalogue.from_bv(BUILD.read_text())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World.prepare(tmp_path_factory.mktemp("differential"))


def _exim() -> str:
    exim = real_exim()
    if exim is None:
        pytest.skip("no Exim is installed")
    return exim


def test_the_same_seed_gives_the_same_texts(catalogue: Catalogue) -> None:
    one, two, other = (Generator(seed, catalogue) for seed in (1, 1, 2))
    assert [one.one() for _ in range(300)] == [two.one() for _ in range(300)]
    assert [one.one() for _ in range(300)] != [other.one() for _ in range(300)]


def test_every_row_comes_often(catalogue: Catalogue) -> None:
    """In 200,000 texts each row of the facts is used 200 times (here: a tenth of both)."""
    rows: collections.Counter[str] = collections.Counter()
    wanted: frozenset[str] = frozenset()

    def make(seed: int, message: bool) -> Generator:
        nonlocal wanted
        made = Generator(seed, catalogue, message=message)
        wanted = made.rows
        return made

    for _, batch in batches(SEED, 20_000, 500, make):
        for one in batch:
            rows.update(one.rows)
    assert len(wanted) > 400
    assert {row: rows[row] for row in wanted if rows[row] < 20} == {}


def test_a_name_without_declared_arguments_is_refused(catalogue: Catalogue) -> None:
    class Wider:
        items = catalogue.items | {"newitem"}
        operators, conditions = catalogue.operators, catalogue.conditions
        variables, lookups = catalogue.variables, catalogue.lookups

    with pytest.raises(ValueError, match="no arguments are declared for item newitem"):
        Generator(1, Wider())  # type: ignore[arg-type]


def test_texts_are_lines(catalogue: Catalogue) -> None:
    generator = Generator(3, catalogue, broken=0.5)
    for _ in range(5000):
        text = generator.one().text
        assert not re.search(r"[\n\0]", text)
        assert not text.rstrip().endswith("\\") or text.endswith("\\\\"), text
        assert not re.match(r"\s*[A-Z]\w*\s*=", text)
        assert len(text) < 1000


def test_damage_changes_texts() -> None:
    chance = random.Random(1)
    text = "${if eq{a}{b}{yes}{no}}"
    damaged = {damage(chance, text) for _ in range(500)}
    assert len(damaged) > 300


def test_shrink_keeps_what_matters() -> None:
    def differing(texts: list[str]) -> str | None:
        return next((text for text in texts if "${lc:" in text and "Q" in text), None)

    text = "x${map{a:b}{${if eq{$item}{a}{${uc:${lc:abcQdef}}}{no}}}} and more"
    assert shrink(text, differing) in ("${lc:Q", "Q${lc:")


#: what is done to our answers: (text asked, answer) to another answer
PLANTED: dict[str, Callable[[str, str], str]] = {
    "lower case": lambda text, answer: answer.upper() if "${lc:" in text else answer,
    "a word of a message": lambda _, answer: answer.replace("missing }", "missing brace"),
    "off by one": lambda text, answer: str(int(answer) + 1) if re.fullmatch(r"\$\{eval:[^$]*\}", text)
    and re.fullmatch(r"-?\d+", answer) else answer,
    "a lost newline": lambda _, answer: answer.removesuffix("\n"),
    "an empty answer": lambda text, answer: "" if "${sort" in text and answer.startswith("a:") else answer,
}  # fmt: skip


@pytest.mark.differential
def test_exim_agrees_with_itself(catalogue: Catalogue, world: World) -> None:
    """No false alarm: what remains of earlier failed lines is told apart from differences."""
    exim = _exim()
    names = Catalogue.from_bv(real_build(exim))
    report = run(world, exim, names, count=3000, seed=SEED, mine=[exim], shrinks=0)
    assert report.differences == []
    assert report.count == 3000
    assert report.values > 0.3


@pytest.mark.differential
@pytest.mark.parametrize("planted", sorted(PLANTED))
def test_planted_errors_are_found(planted: str, world: World) -> None:
    exim = _exim()
    names = Catalogue.from_bv(real_build(exim))
    report = run(world, exim, names, count=3000, seed=7, mine=[exim], shrinks=1, spoil=PLANTED[planted])
    assert report.differences
    assert len(report.shrunk[0].text) <= 40, report.shrunk[0].shown()


def _run_ours(world: World, count: int, seed: int) -> None:
    exim = _exim()
    names = Catalogue.from_bv(real_build(exim))
    report = run(world, exim, names, count=count, seed=seed, left_out=frozenset(gaps("row")))
    shown = "\n".join(finding.shown() for finding in report.shrunk)
    assert not report.differences, f"{len(report.differences)} of {count} differ, seed {seed}\n{shown}"
    assert report.values >= 0.3
    if count >= 200_000:
        assert report.least >= 200


@pytest.mark.differential
def test_ours_is_exims_answer(world: World) -> None:
    _run_ours(world, 4000, SEED)


@pytest.mark.differential
@pytest.mark.slow
def test_ours_is_exims_answer_for_200000(world: World) -> None:
    _run_ours(world, 200_000, SEED + 1)
