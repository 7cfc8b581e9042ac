"""What an expansion gives as far as that is known without evaluating it.

Owns the text with holes: what is written out stands in it, and each part that is worked out at run time is
one :data:`HOLE`. Also what the text may become where it is a choice between texts that are written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import Argument, If, Item, Literal
from eximious.grammar.source import Pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.expansion_ast import Expansion, Node
    from eximious.grammar.source import SourceMap

#: stands for a part that is not known; no text of a configuration holds it (those are bytes)
HOLE = "\ue000"

#: branches inside branches that are followed
MAX_DEPTH = 30

Marks = list[tuple[int, int]]


class Known:
    """A text with holes. ``marks`` lead to offsets of the expanded text."""

    __slots__ = ("marks", "text")

    def __init__(self, text: str, marks: Marks) -> None:
        self.text, self.marks = text, marks

    @property
    def complete(self) -> bool:
        """Whether the text is known to the last character."""
        return HOLE not in self.text

    def map(self, parent: SourceMap) -> SourceMap:
        """Give the map for this text, from the one of the text that is expanded."""
        return Pieces(parent, self.marks)


def known(tree: Expansion) -> Known:
    """Give what is known of the text that an expansion gives."""
    out: list[str] = []
    marks: Marks = []
    size = 0
    for part in tree.parts:
        if type(part) is Literal:
            whole: str = part.value
            raw: str = part.raw
            value = whole.partition("\0")[0]
            if value == raw:
                marks.append((size, part.start))
            else:
                from eximious.grammar.expansion_parser import escape_marks

                marks += [(size + here, part.start + there) for here, there in escape_marks(raw)]
            out.append(value)
            size += len(value)
            if len(value) < len(whole):
                break  # a NUL ends the text
        else:
            marks.append((size, part.start))
            out.append(HOLE)
            size += 1
    return Known("".join(out), marks)


def literal(tree: Expansion) -> Known | None:
    """Give the text of an expansion in which nothing is expanded, else None."""
    if all(type(part) is Literal for part in tree.parts):
        return known(tree)
    return None


def outcomes(tree: Expansion, depth: int = 0) -> Iterator[Known]:
    """Give the texts that are written out and that the expansion may become: all of it, or its branches."""
    if depth > MAX_DEPTH:
        return
    parts = tree.parts
    whole = literal(tree)
    if whole is not None:
        yield whole
        return
    if len(parts) == 1:
        for branch in _branches(parts[0]):
            yield from outcomes(branch.text, depth + 1)


def _branches(node: Node) -> list[Argument]:
    """The arguments of which an item gives one as it stands."""
    if type(node) is If:
        return [part for part in node.parts if type(part) is Argument][:2]
    if type(node) is Item and node.name == "lookup":
        arguments = [part for part in node.parts if type(part) is Argument]
        # {key} type {file} {yes}{no}, or type {query} {yes}{no}
        return arguments[2 if type(node.parts[0]) is Argument else 1 :]
    return []
