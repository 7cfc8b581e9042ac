"""The registry of lint rules: one declaration per rule, found with its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from eximious.grammar.diagnostics import Diagnostic
    from eximious.lint.engine import Subject

    Check = Callable[[Subject], Iterator[Diagnostic]]


class Rule:
    """A rule: ``code`` is its name in findings, ``check`` gives them, ``why`` is its docstring."""

    __slots__ = ("check", "code", "severity", "why")

    def __init__(self, code: str, severity: str, check: Check) -> None:
        self.code, self.severity, self.check = code, severity, check
        self.why = (check.__doc__ or "").strip()


RULES: dict[str, Rule] = {}


def rule(code: str, severity: str = "error") -> Callable[[Any], Any]:
    """Register a rule. The function's docstring is its page in the reference: what, why, an example."""

    def register(function: Any) -> Any:
        if code in RULES:
            raise ValueError(f"there are two rules {code}")
        RULES[code] = Rule(code, severity, function)
        return function

    return register
