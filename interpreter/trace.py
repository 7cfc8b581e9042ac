"""Traces of an evaluation: how each part of an expansion got its value.

A :class:`Tracer` is the ``observe`` of a compiler. It keeps a tree of :class:`Step`; wrapping happens
while the functions are made, so that an evaluation without it pays nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar.expansion_ast import Node
    from eximious.interpreter.context import Context

#: steps that are kept; a trace of a loop over a long list says that it left out the rest
LIMIT = 5000


class Step:
    """One evaluated node: ``value`` (text, or a bool for a condition), or ``failure``, and the steps inside it."""

    __slots__ = ("children", "failure", "node", "value")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.value: str | bool | None = None
        self.failure: str | None = None
        self.children: list[Step] = []


class Tracer:
    """Collects steps. ``steps`` are the outermost ones; ``left_out`` counts those over the limit."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.left_out = 0
        self._open: list[Step] = []
        self._count = 0

    def observe(self, node: Node, run: Callable[[Context], Any]) -> Callable[[Context], Any]:
        """Wrap the function made for a node."""

        def traced(ctx: Context) -> Any:
            if self._count >= LIMIT:
                self.left_out += 1
                return run(ctx)
            self._count += 1
            step = Step(node)
            (self._open[-1].children if self._open else self.steps).append(step)
            self._open.append(step)
            try:
                step.value = run(ctx)
            except Failure as failure:
                step.failure = failure.message
                raise
            finally:
                self._open.pop()
            return step.value

        return traced
