"""Every name of the language has an implementation that says where it is described, and cases that use it.

The names are those of the tables for all versions that the project answers for, with everything compiled in.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import casefile
import pytest
from eximious.grammar.catalogue import Catalogue, versions
from eximious.interpreter import _registered, registry
from eximious.interpreter.language import Language
from eximious.interpreter.variables import resolver_for
from eximious.lookups.registry import MODULES, find_type

import eximious

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("operators", "items", "conditions", "variables", "lookups")
SECTION = re.compile(r"\d+(?:\.\d+)?")


@cache
def names(kind: str) -> dict[str, tuple[int, int]]:
    """The names of a kind, each with the newest version that has it."""
    found: dict[str, tuple[int, int]] = {}
    for version in versions():
        for name in getattr(Catalogue(version), kind):
            found[name] = version
    return found


@cache
def written() -> str:
    """The inputs of all case files, and the shipped configurations."""
    parts = []
    for path in sorted((ROOT / "fixtures").rglob("*.cases")):
        try:
            parts += [case.source for case in casefile.read(path).cases]
        except casefile.CaseFileError:
            parts.append(path.read_text(encoding="latin-1"))  # a file of another form
    for path in sorted((ROOT / "fixtures" / "configurations").rglob("*.conf")):
        parts.append(path.read_text(encoding="latin-1"))
    return "\n".join(parts)


def pattern(kind: str, name: str) -> str:
    """What a use of the name looks like in a case."""
    word = re.escape(name)
    if kind == "operators":
        if name.startswith("quote_<"):
            return r"\$\{quote_(?!local_part)\w+:"
        return rf"\$\{{{word}(?:_[^:{{}}]*)?:"
    if kind == "items":
        return rf"\$\{{{word}\s*[{{}}\s]"
    if kind == "conditions":
        if name == "def":
            return r"\bdef:"
        return rf"(?<![\w$]){word}[\s}}]*(?:\{{|\}}|$)" if name.isidentifier() else rf"[\s!{{]{word}\s*\{{"
    if kind == "lookups":
        return rf"(?<![\w]){word}\*?@?(?:,[\w=,]+)?\s*[{{;]"
    return variable_pattern(name)


def variable_pattern(name: str) -> str:
    """As :func:`pattern`; the rows that stand for many names give an example of each form."""
    forms = {
        "0 .. 9": r"\$\{?\d\b",
        "acl_cNAME, acl_c0 ..": r"\$\{?acl_c[\w]",
        "acl_mNAME, acl_m0 ..": r"\$\{?acl_m[\w]",
        "auth1 .. auth3": r"\$\{?auth[123]\b",
        "regex1 .. regex9": r"\$\{?regex[1-9]\b",
        "r_NAME": r"\$\{?r_\w",
        "bheader_NAME: / bh_NAME:": r"\$\{?bh(?:eader)?_\w",
        "header_NAME: / h_NAME:": r"\$\{?h(?:eader)?_\w",
        "lheader_NAME: / lh_NAME:": r"\$\{?lh(?:eader)?_\w",
        "rheader_NAME: / rh_NAME:": r"\$\{?rh(?:eader)?_\w",
    }
    return forms.get(name, rf"(?:\$\{{?|def:){re.escape(name)}\b")


def one_name(row: str) -> str:
    """A name that a row of the variables stands for."""
    forms = {
        "0 .. 9": "0",
        "acl_cNAME, acl_c0 ..": "acl_c0",
        "acl_mNAME, acl_m0 ..": "acl_m0",
        "auth1 .. auth3": "auth1",
        "regex1 .. regex9": "regex1",
        "r_NAME": "r_x",
    }
    return forms.get(row, row)


def declaration(kind: str, name: str) -> Any:
    """The registered implementation, None if there is none."""
    if kind == "lookups":
        return find_type(name)
    index, register = {
        "operators": (_registered.OPERATORS, registry.OPERATORS),
        "items": (_registered.ITEMS | _registered.ITEM_COMPILERS, {}),
        "conditions": (_registered.CONDITIONS, registry.CONDITIONS),
    }[kind]
    module = index.get(name)
    if module is None:
        return None
    import_module(module)
    if kind == "items":
        return registry.ITEMS.get(name) or registry.ITEM_COMPILERS.get(name)
    return register.get(name)


def function(found: Any) -> Any:
    """What a declaration runs."""
    return getattr(found, "call", None) or getattr(found, "run", None) or type(found)


def by_compiler() -> set[tuple[str, str]]:
    """What the compiler itself reads, whose arguments are no plain texts: ``if`` and some conditions."""
    source = (ROOT / "interpreter" / "condition_compiler.py").read_text(encoding="utf-8")
    return {("items", "if"), *(("conditions", word) for word in re.findall(r'"([^"\s]+)"', source))}


OF_THE_COMPILER = by_compiler()
ROWS = [(kind, name) for kind in KINDS for name in sorted(names(kind))]
IDS = [f"{kind}:{name}" for kind, name in ROWS]


@pytest.mark.parametrize(("kind", "name"), ROWS, ids=IDS)
def test_every_name_is_implemented(kind: str, name: str) -> None:
    version = names(kind)[name]
    if kind == "variables":
        if "header_" in name:
            return  # the lexer knows headers; their cases are below
        assert resolver_for(one_name(name), Catalogue(version), version) is not None
        return
    found = declaration(kind, name)
    if found is None and (kind, name) in OF_THE_COMPILER:
        return
    assert found is not None
    assert SECTION.fullmatch(found.section), f"section {found.section!r}"
    what = function(found)
    assert (what.__doc__ or "").strip(), f"{what.__qualname__} has no docstring"


@pytest.mark.parametrize(("kind", "name"), ROWS, ids=IDS)
def test_every_name_has_cases(kind: str, name: str) -> None:
    assert re.search(pattern(kind, name), written(), re.M), f"no case uses {name}"


def test_nothing_is_registered_that_the_language_lacks() -> None:
    ever = {kind: set(names(kind)) for kind in KINDS}
    assert set(_registered.OPERATORS) <= ever["operators"]
    assert set(_registered.ITEMS) | set(_registered.ITEM_COMPILERS) <= ever["items"]
    assert set(_registered.CONDITIONS) <= ever["conditions"]
    assert set(MODULES) <= ever["lookups"]


def test_every_version_finds_its_operators() -> None:
    for version in versions():
        language = Language(Catalogue(version))
        missing = [
            name
            for name, row in language.catalogue.operators.items()
            if not name.startswith("quote_<") and language.operator(name)[0] is None
        ]
        assert not missing, (version, missing)


SELDOM = casefile.read(ROOT / "fixtures" / "completeness" / "seldom.cases").cases


@pytest.mark.parametrize("case", SELDOM, ids=lambda case: f"{case.settings['exim']}:{case.source}")
def test_seldom_used_names(case: casefile.Case) -> None:
    config = eximious.load("/dev/null", exim_version=case.settings["exim"])
    try:
        answer = config.expand(case.source)
    except eximious.Failure as failure:
        answer = f"Failed: {failure.message}"
    except eximious.Refused as refusal:
        answer = f"Refused: {refusal}"
    assert answer == case.answer
