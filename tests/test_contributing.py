"""The worked examples of CONTRIBUTING.md are real code: they register, run, and give what is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

#: runs in a process of its own, because registering a name is for the whole process
RUN = """
import sys
import types

kind, code, source = sys.argv[1:]
like = {"operator": ("_operators", "lc", "rot13"), "condition": ("_conditions", "isip4", "is_palindrome"),
        "lookup": ("_lookups", "passwd", "weekday")}
if kind in like:
    from importlib import import_module
    table, model, name = like[kind]
    rows = import_module(f"eximious.grammar.tables.{table}").ROWS
    rows[name] = rows[model]
    if kind == "lookup":
        from eximious.lookups import registry, spec
        registry.MODULES[name] = "weekday"
        spec.STYLES[name] = registry.QUERY
module = types.ModuleType("worked_example")
sys.modules["worked_example"] = module
exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)

import eximious
if kind == "rule":
    import tempfile
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(source)
        file.flush()
        for found in eximious.load(file.name).lint():
            print(found.code, found.message)
else:
    config = eximious.load("/dev/null")
    try:
        print(config.expand(source))
    except eximious.Failure as failure:
        print("Failed:", failure.message)
"""


def block(language: str, kind: str) -> str:
    """The text of a fenced block."""
    found = re.search(rf"(?ms)^```{language} {kind}\n(.*?)^```$", TEXT)
    assert found is not None, f"CONTRIBUTING.md has no {language} block for {kind}"
    return found[1]


def printed(kind: str, source: str) -> str:
    """What the example makes of an expression or a configuration."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, kind, block("python", kind), source],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["operator", "condition", "lookup"])
def test_example_gives_the_answers_below_it(kind: str) -> None:
    cases = re.findall(r"(?m)^> (.*)\n=(?: (.*))?$", block("cases", kind))
    assert len(cases) >= 2
    for source, answer in cases:
        assert printed(kind, source) == answer + "\n"


def test_example_rule_finds_its_example() -> None:
    assert "shouting-name router LOCAL looks like a macro" in printed("rule", block("conf", "rule"))
    assert "shouting-name" not in printed("rule", block("conf", "rule").replace("LOCAL", "local"))


@pytest.mark.parametrize("kind", ["operator", "condition", "lookup", "rule"])
def test_examples_are_in_style(kind: str) -> None:
    ruff = Path(sys.executable).parent / "ruff"
    if not ruff.exists():
        pytest.skip("ruff is not installed beside this Python")
    for arguments in (["check", "--ignore", "INP"], ["format", "--check"]):
        done = subprocess.run(
            [str(ruff), *arguments, "--stdin-filename", str(ROOT / "example.py"), "-"],
            input=block("python", kind),
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stdout + done.stderr
