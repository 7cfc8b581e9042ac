"""The dependency table of docs/architecture.md holds for every import, and files stay readable in size."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
#: imports by name that the table does not allow: discovery, with what it is for
BY_NAME = {
    (
        "interpreter",
        "conditions",
    ): "the index of registered conditions, and the list matcher",
    ("interpreter", "lookups"): "the package of lookups, where the composition root handed in none",
    ("lookups", "conditions"): "keys of wildlsearch are matched as items of string lists",
    ("eximious", "grammar"): "public names, imported on first use",
    ("eximious", "interpreter"): "public names, imported on first use",
}
#: lines that a file may have before somebody has to say why
LONGEST = 600
_ROW = re.compile(r"\| `(\w+)/` \| `[\w.]+` \|[^|]*\|([^|]*)\|")


def table() -> dict[str, set[str]]:
    """The packages and what each may import, third-party names included, as the document says."""
    rows = {row[1]: set(re.findall(r"`(\w+)`", row[2])) for row in _ROW.finditer(DOCUMENT.read_text())}
    assert "grammar" in rows and "eximious" in rows
    return rows


TABLE = table()


def sources() -> list[Path]:
    """Every module of the packages."""
    return [path for package in TABLE for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> list[tuple[int, str]]:
    """The modules that a file imports by statement, those for type checkers included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            found.append((node.lineno, node.module or ""))
            if node.module == "eximious":
                found += [(node.lineno, f"eximious.{alias.name}") for alias in node.names]
    return found


def named(path: Path) -> list[tuple[int, str]]:
    """Modules of ours that stand in a file as text, for an import by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
        and re.fullmatch(r"eximious\.\w+(\.\w+)*\.?", node.value)
    ]


def package_of(module: str) -> str | None:
    """The package of ours that a module belongs to."""
    parts = module.split(".")
    if parts[0] != "eximious":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in TABLE else "eximious"


def test_the_table_lists_every_package() -> None:
    there = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "tools", "benchmarks"}
    assert set(TABLE) == there


@pytest.mark.parametrize("package", TABLE)
def test_imports_follow_the_table(package: str) -> None:
    wrong = []
    for path in sorted((ROOT / package).rglob("*.py")):
        where = path.relative_to(ROOT)
        for line, module in imports(path):
            target = package_of(module)
            top = module.split(".")[0]
            if top in TABLE and top != "eximious":
                wrong.append(f"{where}:{line}: {module} is eximious.{module}")
            elif target is None:
                if top not in sys.stdlib_module_names and top not in TABLE[package]:
                    wrong.append(f"{where}:{line}: {top} is not in the row of {package}")
            elif target != package and target not in TABLE[package]:
                wrong.append(f"{where}:{line}: {package} may not import {module}")
    assert not wrong, "\n".join(wrong)


def test_imports_by_name_are_known() -> None:
    seen: dict[tuple[str, str], list[str]] = {}
    for path in sources():
        package = path.relative_to(ROOT).parts[0]
        for line, module in named(path):
            target = package_of(module)
            if target is not None and target != package and target not in TABLE[package] - {"eximious"}:
                seen.setdefault((package, target), []).append(f"{path}:{line}: {module}")
    unknown = {pair: places for pair, places in seen.items() if pair not in BY_NAME}
    assert not unknown, unknown
    gone = [pair for pair in BY_NAME if pair not in seen and pair[0] != "eximious"]
    assert not gone, f"no longer needed in BY_NAME: {gone}"


def test_only_the_composition_root_puts_doors_in() -> None:
    for path in sources():
        package = path.relative_to(ROOT).parts[0]
        if package not in ("eximious", "backends"):
            assert not any(module.startswith("eximious.backends") for _, module in imports(path)), path


def test_lark_is_only_needed_to_make_the_tables() -> None:
    assert not [path for path in sources() for _, module in imports(path) if module.split(".")[0] == "lark"]


def test_no_file_is_too_long() -> None:
    sizes = {
        str(path.relative_to(ROOT)): path.read_bytes().count(b"\n")
        for path in sources()
        if not path.name.startswith("_")  # generated
    }
    long = {name: size for name, size in sizes.items() if size > LONGEST}
    assert not long, long


def test_no_state_of_a_module_is_replaced() -> None:
    """No ``global`` outside of what is made once on first use."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {', '.join(node.names)}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Global)
    ]
    print("\n".join(found))
    assert len(found) <= 8, found
