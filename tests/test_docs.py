"""The documentation is true: what it shows is what comes out, and what it links to is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("make_examples", ROOT / "tools" / "make_examples.py")
assert _spec is not None and _spec.loader is not None
make_examples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_examples)

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
EXAMPLES = [
    pytest.param(block, id=f"{path.name}:{number}")
    for path in DOCUMENTS
    for number, block in enumerate(make_examples._BLOCK.findall(path.read_text(encoding="utf-8")), 1)
]


@pytest.mark.parametrize("block", EXAMPLES)
def test_commands_print_what_is_shown(block: str) -> None:
    assert make_examples.fresh_block(block) == block


def test_readme_has_two_commands_beside_its_examples() -> None:
    """The first installs and runs the main job, the second installs what the tests need and runs them."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(blocks) == 2
    first, second = (block.strip() for block in blocks)
    assert "\n" not in first and "\n" not in second
    assert "pip install" in first and "eximious lint" in first
    assert "pip install" in second and "pytest" in second


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_python_examples_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", path.read_text(encoding="utf-8"))
    if path.name == "CONTRIBUTING.md":
        pytest.skip("its examples have a test of their own")
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{path.name}, Python block {number}", "exec"), {"__name__": "example"})


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    missing = [
        target
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_paths_in_the_text_exist(path: Path) -> None:
    """A file of the repository that a text names in backticks is there."""
    parts = "grammar interpreter conditions lookups simulation backends lint eximious"
    folders = "|".join([*parts.split(), "tests", "fixtures", "tools", "docs", "benchmarks"])
    text = re.sub(r"(?ms)^```.*?^```$", "", path.read_text(encoding="utf-8"))
    named = re.findall(rf"`((?:{folders})/[\w./-]+)`", text)
    assert not [name for name in named if not (ROOT / name).exists()]
