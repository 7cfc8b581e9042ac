"""What the parts of the engine cost in one process: python -m pytest benchmarks --benchmark-only.

Ratios to the real Exim are measured by ``python benchmarks/ratios.py``, as it is another program.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import eximious

SMALL = Path(__file__).resolve().parents[1] / "fixtures" / "configurations" / "small-office"
TEXTS = {
    "plain": "no dollar in it",
    "operator": "${lc:ABC}",
    "condition": "${if and{{eq{a}{a}}{!eq{a}{b}}}{yes}{no}}",
    "list": "${if match_domain{a.example}{b.example:*.a.example:a.example}{yes}{no}}",
    "regex": "${if match{mail.example.org}{^([^.]+)}{$1}}",
    "reduce": "${reduce{1:2:3:4:5:6:7:8:9:10}{0}{${eval:$value+$item}}}",
}


@pytest.fixture(scope="module")
def config() -> eximious.Configuration:
    return eximious.load("/dev/null")


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_expand_again(benchmark: Any, config: eximious.Configuration, text: str) -> None:
    """A text that was met before: it is compiled already."""
    assert benchmark(config.expand, text)


def test_expand_something_new(benchmark: Any, config: eximious.Configuration) -> None:
    """A text that was never met: it is parsed and compiled."""
    numbers = iter(range(10_000_000))
    assert (
        benchmark(lambda: config.expand(f"${{if eq{{{next(numbers)}}}{{x}}{{yes}}{{${{lc:NO}}}}}}")) == "no"
    )


def test_load(benchmark: Any) -> None:
    """Reading a configuration of some hundred lines."""
    assert benchmark(lambda: eximious.load(str(SMALL / "exim.conf"), root=str(SMALL)).error) == ""


def test_lint(benchmark: Any) -> None:
    """Reading and checking it."""
    benchmark(lambda: eximious.load(str(SMALL / "exim.conf"), root=str(SMALL)).lint())
