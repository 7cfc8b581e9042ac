"""Declarations of ACL conditions, modifiers and controls.

A decorator holds name and section, the function under it the behaviour; versions, phases and when the
argument is expanded come from the language facts. Modules of :mod:`eximious.simulation.acl.conditions`
register themselves when :func:`handler` first looks for a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

    #: the evaluation, the argument (expanded where the facts say so) and the step -> OK, FAIL, DEFER, ERROR…
    Handler = Callable[[Evaluation, str, Step], int]
    #: the evaluation, the text behind the control's name, the whole argument -> OK or ERROR
    Control = Callable[[Evaluation, str, str], int]


class Declared:
    """A registered name with its section of the manual and its function."""

    __slots__ = ("call", "kind", "name", "section")

    def __init__(self, kind: str, name: str, section: str, call: Callable[..., int]) -> None:
        self.kind, self.name, self.section, self.call = kind, name, section, call


CONDITIONS: dict[str, Declared] = {}
CONTROLS: dict[str, Declared] = {}
VERIFIES: dict[str, Declared] = {}
_loaded: list[str] = []


def condition(name: str, *, section: str = "44.22") -> Callable[[Handler], Handler]:
    """Register a condition: ``f(evaluation, argument, step)`` gives OK, FAIL, DEFER or ERROR."""

    def register(function: Handler) -> Handler:
        CONDITIONS[name] = Declared("condition", name, section, function)
        return function

    return register


def modifier(name: str, *, section: str = "44.19") -> Callable[[Handler], Handler]:
    """Register a modifier: ``f(evaluation, argument, step)`` gives OK or ERROR."""

    def register(function: Handler) -> Handler:
        CONDITIONS[name] = Declared("modifier", name, section, function)
        return function

    return register


def control(name: str, *, section: str = "44.21") -> Callable[[Control], Control]:
    """Register a control: ``f(evaluation, rest, argument)`` gives OK or ERROR."""

    def register(function: Control) -> Control:
        CONTROLS[name] = Declared("control", name, section, function)
        return function

    return register


def verify_item(name: str, *, section: str = "44.22") -> Callable[[Handler], Handler]:
    """Register an item of ``verify =``: ``f(evaluation, argument, step)``."""

    def register(function: Handler) -> Handler:
        VERIFIES[name] = Declared("verify", name, section, function)
        return function

    return register


def place(step: Step) -> str:
    """Name a step with its place, for people."""
    kind = "modifier" if step.is_modifier else "condition"
    source = step.span.source
    if source is None:
        return f'ACL {kind} "{step.name}"'
    position = source.position(step.span.start)
    return f'ACL {kind} "{step.name}" ({position.file}:{position.line})'


def load() -> None:
    """Import every module that registers."""
    if _loaded:
        return
    import os
    from importlib import import_module

    package = import_module("eximious.simulation.acl.conditions")
    for folder in package.__path__:
        for file in sorted(os.listdir(folder)):
            if file.endswith(".py") and file != "__init__.py":
                import_module(f"{package.__name__}.{file[:-3]}")
                _loaded.append(file)


def handler(name: str) -> Declared:
    """Give the declaration of a condition or modifier. Raises KeyError for a name that has none."""
    load()
    return CONDITIONS[name]
