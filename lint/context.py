"""Where in a configuration a finding stands: in which section, and in which router, transport or ACL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar import config_ast as ast
from eximious.grammar.source import Pieces, Slice, Span

if TYPE_CHECKING:
    from eximious.grammar.config_model import Configuration
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.grammar.source import SourceMap


class Context:
    """A place: ``section`` as in :mod:`~eximious.grammar.config_ast`; ``node``: the driver or None."""

    __slots__ = ("node", "section")

    def __init__(self, section: str, node: ast.Driver | None) -> None:
        self.section, self.node = section, node

    @property
    def driver(self) -> str:
        """The name of the driver, "" if there is none."""
        if self.node is not None:
            for option in self.node.options:
                if option.name == "driver" and option.value is not None:
                    return option.value.string()[0]
        return ""


_MAIN = Context(ast.MAIN, None)


def contexts_of(configuration: Configuration) -> dict[int, Context]:
    """Give the place of each line of the sections, by the identity of its map."""
    found: dict[int, Context] = {}
    for section in configuration.tree.sections:
        plain = Context(section.kind, None)
        found[id(section.source)] = plain
        for line in section.leading:
            found[id(line.source)] = plain
        for item in section.items:
            if type(item) is ast.Driver:
                here = Context(section.kind, item)
                found[id(item.source)] = here
                for line in item.lines:
                    found[id(line.source)] = here
            else:
                found[id(item.source)] = plain
    return found


def context_of(finding: Diagnostic, contexts: dict[int, Context]) -> Context:
    """Give the place of a finding."""
    where = finding.where
    if not isinstance(where, Span):
        return _MAIN
    source: SourceMap | None = where.source
    while isinstance(source, (Slice, Pieces)):
        source = source.parent
    return contexts.get(id(source), _MAIN)
