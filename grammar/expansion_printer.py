"""Prints the tree of an expansion back to text that has the same tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import (
    Argument,
    Broken,
    Capture,
    Condition,
    ConditionArgument,
    Expansion,
    Group,
    Header,
    If,
    Item,
    Literal,
    Operator,
    Subarguments,
    Variable,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from eximious.grammar.expansion_ast import Node


def print_expansion(node: Node) -> str:
    """Give the text of a tree: parsed again, it gives an equal one. White space between braces is not kept."""
    out: list[str] = []
    _print(node, out.append)
    return "".join(out)


def _print(node: Node, write: Callable[[str], object]) -> None:
    _PRINTERS[type(node)](node, write)


def _each(nodes: Sequence[Node], write: Callable[[str], object]) -> None:
    for node in nodes:
        _print(node, write)


def _parts(nodes: Sequence[Node], write: Callable[[str], object]) -> None:
    """Arguments and words; a word needs a blank where it would join the word or name before it."""
    behind_word = True
    for index, node in enumerate(nodes):
        if type(node) is Word and behind_word and not (index == 0 and node.text.startswith(",")):
            write(" ")
        _print(node, write)
        behind_word = type(node) is Word


def _literal(node: Literal, write: Callable[[str], object]) -> None:
    write(node.raw)


def _variable(node: Variable, write: Callable[[str], object]) -> None:
    write(f"${{{node.name}}}" if node.braced else f"${node.name}")


def _header(node: Header, write: Callable[[str], object]) -> None:
    write(f"${node.prefix}{node.name}{':' if node.colon else ''}")


def _capture(node: Capture, write: Callable[[str], object]) -> None:
    write(f"${{{node.number}}}" if node.braced else f"${node.number}")


def _broken(node: Broken, write: Callable[[str], object]) -> None:
    write(node.rest)


def _expansion(node: Expansion, write: Callable[[str], object]) -> None:
    _each(node.parts, write)


def _argument(node: Argument, write: Callable[[str], object]) -> None:
    write("{")
    _each(node.text.parts, write)
    if node.closed:
        write("}")


def _word(node: Word, write: Callable[[str], object]) -> None:
    write(node.text)


def _condition(node: Condition, write: Callable[[str], object]) -> None:
    write("!" * node.negations + node.name)
    if node.name == "def":
        subject = node.arguments[0]
        if type(subject) is Header:
            write(f":{subject.prefix}{subject.name}{':' if subject.colon else ' '}")
        else:
            write(f":{subject.name} ")  # type: ignore[attr-defined]
        return
    _each(node.arguments, write)
    if not node.arguments:
        write(" ")


def _condition_argument(node: ConditionArgument, write: Callable[[str], object]) -> None:
    write("{")
    _print(node.condition, write)
    if node.closed:
        write("}")


def _group(node: Group | Subarguments, write: Callable[[str], object]) -> None:
    write("{")
    _each(node.conditions if type(node) is Group else node.arguments, write)  # type: ignore[union-attr]
    if node.closed:
        write("}")


def _item(node: Item, write: Callable[[str], object]) -> None:
    write(f"${{{node.name}")
    _parts(node.parts, write)
    if node.closed:
        write("}")


def _if(node: If, write: Callable[[str], object]) -> None:
    write("${if ")
    _print(node.condition, write)
    _parts(node.parts, write)
    if node.closed:
        write("}")


def _operator(node: Operator, write: Callable[[str], object]) -> None:
    write(f"${{{node.name}:")
    _each(node.body.parts, write)
    if node.closed:
        write("}")


_PRINTERS: dict[type[Any], Callable[[Any, Callable[[str], object]], None]] = {
    Argument: _argument,
    Broken: _broken,
    Capture: _capture,
    Condition: _condition,
    ConditionArgument: _condition_argument,
    Expansion: _expansion,
    Group: _group,
    Header: _header,
    If: _if,
    Item: _item,
    Literal: _literal,
    Operator: _operator,
    Subarguments: _group,
    Variable: _variable,
    Word: _word,
}
