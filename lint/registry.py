"""The registry of lint rules: one declaration per rule, found with its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eximious.grammar.diagnostics import Diagnostic
    from eximious.lint.engine import Subject

    Check = Callable[[Subject], Iterator[Diagnostic]]
    Hint = Callable[[Diagnostic, Subject], str]


class Rule:
    """A rule: ``code`` is its name in findings, ``check`` gives them, ``why`` is its docstring."""

    __slots__ = ("check", "code", "why")

    def __init__(self, code: str, check: Check) -> None:
        self.code, self.check = code, check
        self.why = check.__doc__ or ""


RULES: dict[str, Rule] = {}


def rule(code: str) -> Callable[[Check], Check]:
    """Register a rule. The function's docstring is its page in the reference: what, why, an example."""

    def register(function: Check) -> Check:
        if code in RULES:
            raise ValueError(f"there are two rules {code}")
        RULES[code] = Rule(code, function)
        return function

    return register


def load_rules() -> None:
    """Import all modules of :mod:`eximious.lint.rules`."""
    from importlib import import_module
    from os import listdir

    package = import_module("eximious.lint.rules")
    # pkgutil.iter_modules() would import inspect, which takes longer than all the rules
    names = {name[:-3] for folder in package.__path__ for name in listdir(folder) if name.endswith(".py")}
    for name in sorted(names - {"__init__"}):
        import_module(f"{package.__name__}.{name}")


class Explanation:
    """What is said about findings that reading a configuration makes: ``codes``, ``hint`` gives advice or
    "", ``why`` is its docstring."""

    __slots__ = ("codes", "hint", "why")

    def __init__(self, codes: tuple[str, ...], hint: Hint) -> None:
        self.codes, self.hint = codes, hint
        self.why = hint.__doc__ or ""


#: code -> what explains it
EXPLANATIONS: dict[str, Explanation] = {}


def explains(*codes: str) -> Callable[[Hint], Hint]:
    """Register what gives hints for findings of reading. The docstring is the page in the reference."""

    def register(function: Hint) -> Hint:
        explanation = Explanation(codes, function)
        for code in codes:
            if code in EXPLANATIONS:
                raise ValueError(f"there are two explanations of {code}")
            EXPLANATIONS[code] = explanation
        return function

    return register


def explanation(code: str) -> str:
    """What the reference says of a kind of finding: text with ReST's literal blocks, "" where there is none."""
    from inspect import cleandoc

    load_rules()
    entry = RULES.get(code) or EXPLANATIONS.get(code)
    return cleandoc(entry.why).replace("``", "`") if entry is not None else ""
