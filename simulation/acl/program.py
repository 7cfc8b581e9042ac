"""ACLs taken apart once: from the tree, from text in place, from a file.

A :class:`Program` is a name and statements; a statement a verb and steps; a step one condition or modifier
with the function that does it, and what has to be known before that is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import prepared
from eximious.simulation.acl.phases import allows
from eximious.simulation.acl.registry import handler

if TYPE_CHECKING:
    from eximious.grammar.catalogue import AclRow, Catalogue
    from eximious.grammar.config_ast import Acl, AclCondition, AclStatement
    from eximious.grammar.source import Span
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run
    from eximious.simulation.acl.registry import Handler

    Part = AclCondition | AclStatement

#: statements inside an ACL given as text that are kept; a bound of ours
TEXTS_KEPT = 1_000


class AclTextError(Exception):
    """An ACL given as text that Exim refuses; ``message`` is its complaint."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Step:
    """A condition or modifier of a statement.

    ``varies``: its argument is expanded before it is called, and not just itself. ``later``: it takes effect when the
    statement has come to its result.
    """

    __slots__ = (
        "argument", "call", "is_modifier", "later", "name", "negated", "node", "phases", "row", "run", "variable",
        "varies",
    )  # fmt: skip

    def __init__(self, node: AclCondition, row: AclRow, call: Handler) -> None:
        self.node, self.row, self.call = node, row, call
        self.name, self.negated, self.variable = node.name, node.negated, node.variable
        self.argument = "" if node.value is None else node.value.raw
        self.is_modifier = bool(row.is_modifier)
        self.later = node.name in _LATER
        whole = not self.later and (row.expanded_at or "").startswith("whole")
        self.varies = bool(whole) and ("$" in self.argument or "\\" in self.argument)
        self.phases: dict[str, bool] = {}
        #: what expands the argument, once it was needed
        self.run: Run | None = None

    def prepare(self, ctx: Context) -> Run:
        """Give the function that expands the argument; an ACL that was taken apart serves one environment only."""
        self.run = run = prepared(self.argument, ctx.env.language)
        return run

    def allowed(self, phase: str) -> bool:
        """Say whether it may be used in a phase."""
        found = self.phases.get(phase)
        if found is None:
            found = self.phases[phase] = allows(self.row, phase)
        return found

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.node.span

    def __repr__(self) -> str:
        return f"{'!' if self.negated else ''}{self.name}{' ' + self.variable if self.variable else ''}"


#: modifiers whose value is kept for later or has none
_LATER = frozenset(("message", "log_message", "endpass"))


class Statement:
    """A verb with its steps, in order. ``foreign``: it is no part of the configuration."""

    __slots__ = ("foreign", "node", "steps", "verb")

    def __init__(self, node: AclStatement, steps: tuple[Step, ...], foreign: bool) -> None:
        self.node, self.verb, self.steps, self.foreign = node, node.verb, steps, foreign

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.node.span


class Program:
    """An ACL that can be run. ``name`` is None for one given as text."""

    __slots__ = ("name", "statements")

    def __init__(self, name: str | None, statements: tuple[Statement, ...]) -> None:
        self.name, self.statements = name, statements


def compile_acl(acl: Acl, catalogue: Catalogue) -> Program:
    """Take a named ACL of the configuration apart."""
    return Program(acl.name, compile_statements(acl.statements, catalogue))


def compile_statements(
    nodes: tuple[AclStatement, ...], catalogue: Catalogue, foreign: bool = False
) -> tuple[Statement, ...]:
    """Take statements apart."""
    statements = []
    for node in nodes:
        steps = []
        for condition in node.conditions:
            row = catalogue.acl_row("condition", condition.name) or catalogue.acl_row(
                "modifier", condition.name
            )
            assert row is not None  # the reader knows no others
            steps.append(Step(condition, row, handler(condition.name).call))
        statements.append(Statement(node, tuple(steps), foreign))
    return tuple(statements)


def parse_text(text: str, catalogue: Catalogue, file: str = "") -> tuple[Statement, ...]:
    """Take an ACL given as text apart (manual 44.4). Raises AclTextError with Exim's message.

    ``file``: the path it was read from. A line that could begin another ACL, or define a macro, ends it.
    """
    from eximious.simulation.acl.inline import parse_statements

    return compile_statements(parse_statements(text, catalogue, file), catalogue, foreign=True)
