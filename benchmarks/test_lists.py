"""What lists and lookups cost in one process: python -m pytest benchmarks/test_lists.py --benchmark-only.

Lists of 10, 1,000 and 100,000 items whose subject is not among them, named lists, and lookups in small files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eximious.conditions.lists.match import match_address, match_domain, match_host
from eximious.lookups.search import parse_type, search
from lists import NAMED, long_lists
from listworld import ListWorld

SUBJECTS = {
    "the last of four": lambda ctx: match_domain(ctx, "q.r", "+small"),
    "none": lambda ctx: not match_domain(ctx, "none.example", "+small"),
    "in a list in a list": lambda ctx: match_domain(ctx, "q.r", "+nested"),
    "regular expression": lambda ctx: match_domain(ctx, "xfooy", "+regex"),
    "network": lambda ctx: match_host(ctx, "+relay", name="", address="172.16.3.4"),
    "address": lambda ctx: match_address(ctx, "me@e.example", "+senders"),
    "one item": lambda ctx: match_domain(ctx, "q.r", "q.r"),
}


@pytest.mark.parametrize("size", [10, 1_000, 100_000])
@pytest.mark.parametrize("kind", ["names", "wild cards", "networks"])
@pytest.mark.parametrize("known", [False, True], ids=["first", "again"])
def test_long_list(benchmark: Any, kind: str, size: int, known: bool) -> None:
    """A list when it is met, and when it was met before."""
    text = long_lists(size)[kind]

    def ask(ctx: Any) -> bool:
        if kind == "networks":
            return bool(match_host(ctx, text, name="", address="11.0.0.1"))
        return bool(match_domain(ctx, "none.test", text))

    context = ListWorld().context()
    if known:
        ask(context)
        assert benchmark(ask, context) is False
    else:
        setup = lambda: ((ListWorld().context(),), {})  # noqa: E731
        assert benchmark.pedantic(ask, setup=setup, rounds=3) is False


@pytest.mark.parametrize("name", SUBJECTS)
def test_named_list(benchmark: Any, name: str) -> None:
    """Named lists, by what decides."""
    assert benchmark(SUBJECTS[name], ListWorld(lists=NAMED).context())


@pytest.mark.parametrize("options", ["", ",cache=no"], ids=["kept", "not kept"])
def test_lsearch(benchmark: Any, options: str, tmp_path: Path) -> None:
    """A key in a file of a thousand lines."""
    file = tmp_path / "file"
    file.write_text("".join(f"key{number}: value of {number}\n" for number in range(1_000)))
    context = ListWorld().context()
    found = benchmark(search, context, parse_type("lsearch" + options), "key500", str(file))
    assert found.value == "value of 500"
