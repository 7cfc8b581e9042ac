"""The registries: one declaration per operator, item, condition and variable.

A decorator holds the whole declaration (name, shape, section of the manual, how taint flows), the
function under it the behaviour. Which versions and builds have the name is not repeated here: it
comes from the language facts. Modules that register live beside each other and are found by
:func:`load`, on first use, one name at a time where the index knows the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

FOLLOW = "follow"  #: the result is tainted if an argument is
CLEAN = "clean"  #: the result is never tainted (computed afresh)
OWN = "own"  #: the function itself gives a Tainted where needed


class Declaration:
    """What one registered name is. ``kind``: operator, item or condition."""

    __slots__ = ("args", "call", "kind", "name", "section", "taint", "takes")

    def __init__(
        self, kind: str, name: str, section: str, takes: str, args: tuple[int, int], taint: str, call: Any
    ) -> None:
        self.kind, self.name, self.section = kind, name, section
        self.takes, self.args, self.taint, self.call = takes, args, taint, call


class ItemCompiler:
    """An item with a shape of its own: ``run(compiler, node)`` and ``skip(compiler, node)`` make its functions.

    ``skip`` gives the function for the item where it is read but not wanted, or None where nothing can
    be found out about it then (see :class:`eximious.interpreter.compiler.Compiler`).
    """

    __slots__ = ("name", "run", "section", "skip")

    def __init__(self, name: str, section: str, run: Any, skip: Any) -> None:
        self.name, self.section, self.run, self.skip = name, section, run, skip


OPERATORS: dict[str, Declaration] = {}
ITEMS: dict[str, Declaration] = {}
CONDITIONS: dict[str, Declaration] = {}
ITEM_COMPILERS: dict[str, ItemCompiler] = {}


def operator(name: str, *, section: str, takes: str = "text", taint: str = FOLLOW) -> Callable[[F], F]:
    """Register an operator ``${name:text}`` (manual 11.7).

    ``takes`` says what the function gets: ``"text"``: ``f(text)``; ``"ctx"``: ``f(ctx, text)``;
    ``"arg"``: ``f(ctx, text, arg, name)`` with ``arg`` the text after the underscore of the name or
    None, and ``name`` as written. It returns text or raises a Failure with Exim's message.
    """

    def register(function: F) -> F:
        OPERATORS[name] = Declaration("operator", name, section, takes, (1, 1), taint, function)
        return function

    return register


def item(name: str, *, section: str, args: tuple[int, int], taint: str = FOLLOW) -> Callable[[F], F]:
    """Register an item whose arguments are all expanded text: ``${name{a}{b}...}`` (manual 11.6).

    The function is ``f(ctx, args)``: ``args`` a list as long as the most arguments, None for those not
    given. Items with yes/no strings, conditions or raw text have their own compiler instead.
    """

    def register(function: F) -> F:
        ITEMS[name] = Declaration("item", name, section, "args", args, taint, function)
        return function

    return register


def condition(name: str, *, section: str, args: int, takes: str = "args") -> Callable[[F], F]:
    """Register a condition whose arguments are all expanded text: ``name {a}{b}`` (manual 11.8).

    The function is ``f(ctx, a, b, ...)`` with ``takes="args"``; ``f(a, b, ...)`` with
    ``takes="text"`` (pure). It returns bool or raises a Failure with Exim's message.
    """

    def register(function: F) -> F:
        CONDITIONS[name] = Declaration("condition", name, section, takes, (args, args), CLEAN, function)
        return function

    return register


def compiled_item(name: str, *, section: str, skip: Callable[..., Any]) -> Callable[[F], F]:
    """Register an item that is compiled by a function of its own (manual 11.5).

    The decorated function is ``f(compiler, node) -> Run``; ``skip`` is ``f(compiler, node) -> Run | None``.
    """

    def register(function: F) -> F:
        ITEM_COMPILERS[name] = ItemCompiler(name, section, function, skip)
        return function

    return register
