"""What is installed is what is in the tree: packages, their data, and nothing that must not be there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = SETUPTOOLS["package-dir"]
NOT_INSTALLED = {"tests", "tools", "benchmarks", "docs", "fixtures"}


def test_packages_are_those_of_the_tree() -> None:
    there = {
        str(path.parent.relative_to(ROOT))
        for path in ROOT.glob("*/**/__init__.py")
        if path.relative_to(ROOT).parts[0] not in NOT_INSTALLED
        and not {"build", "dist", ".venv"} & set(path.relative_to(ROOT).parts)
    }
    assert set(FOLDERS.values()) == there
    assert sorted(SETUPTOOLS["packages"]) == sorted(FOLDERS)
    for package, folder in FOLDERS.items():
        dotted = folder.replace(
            "/", "."
        )  # what is below eximious/ keeps its name, the rest gets it as a prefix
        assert package == (dotted if dotted.partition(".")[0] == "eximious" else f"eximious.{dotted}")


def test_every_folder_with_modules_is_a_package() -> None:
    bare = {
        str(path.parent.relative_to(ROOT))
        for folder in set(FOLDERS.values())
        for path in (ROOT / folder).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not bare


@pytest.mark.parametrize("package", FOLDERS)
def test_data_files_are_named(package: str) -> None:
    """Every file that is no module is package data."""
    folder = ROOT / FOLDERS[package]
    data = {
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }
    # a file belongs to the nearest package above it
    owned = {path for path in data if next(p for p in path.parents if (p / "__init__.py").exists()) == folder}
    patterns = SETUPTOOLS["package-data"].get(package, [])
    named = {path for pattern in patterns for path in folder.glob(pattern)}
    assert owned <= named, f"not in package-data: {sorted(str(path) for path in owned - named)}"


def test_the_version_and_the_pythons_agree_with_the_documents() -> None:
    project = PROJECT["project"]
    assert project["requires-python"] == ">=3.11"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for classifier in project["classifiers"]:
        version = classifier.removeprefix("Programming Language :: Python :: ")
        if "." in version and version != classifier:
            assert version in readme
    assert (ROOT / project["readme"]).exists()


def test_lark_is_only_needed_by_tools() -> None:
    """At run time the generated tables are enough; whoever changes a grammar installs the extra."""
    names = [requirement.split(">")[0].lower() for requirement in PROJECT["project"]["dependencies"]]
    assert "lark" not in names
    assert any(name.startswith("lark") for name in PROJECT["project"]["optional-dependencies"]["test"])
