"""Makes the tree of an expansion: the lexer's tokens through the tables of expansion.lark.

Owns the builders that the grammar names, and the reading of escapes. Nothing of Lark's leaves (or
enters) this module.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from eximious.grammar import _expansion_lalr, lalr
from eximious.grammar.expansion_ast import (
    Argument,
    Condition,
    ConditionArgument,
    Expansion,
    Group,
    If,
    Item,
    Literal,
    Node,
    Operator,
    Subarguments,
    Word,
)
from eximious.grammar.expansion_lexer import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from eximious.grammar.expansion_ast import Broken
    from eximious.grammar.expansion_lexer import Token

_escape_pattern = re.compile(r"\\N(?s:(.*?))(?:\\N|\Z)|\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{0,2})|(?s:(.)))")
_escape = _escape_pattern.sub
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _resolve(found: re.Match[str]) -> str:
    """One escape (manual 11.1 and 6.16): the character it stands for."""
    which = found.lastindex
    if which == 1:
        return found[1]
    if which == 2:
        return chr(int(found[2], 8) & 255)
    if which == 3:
        return chr(int(found[3] or "0", 16))
    return _CONTROL.get(found[4], found[4])


def unescape(raw: str) -> str:
    r"""Give the text that ``raw`` stands for: escapes resolved, ``\N...\N`` copied as it is."""
    return _escape(_resolve, raw) if "\\" in raw else raw


def escape_marks(raw: str) -> list[tuple[int, int]]:
    r"""Say where the text that ``raw`` stands for comes from: (offset in it, offset in ``raw``), wherever the
    distance between the two changes, for :class:`eximious.grammar.source.Pieces`."""
    marks = [(0, 0)]
    size = at = 0
    for found in _escape_pattern.finditer(raw):
        size += found.start() - at
        if found.lastindex == 1:  # \N...\N: the text begins behind the first \N
            marks.append((size, found.start(1)))
        size += len(_resolve(found))
        at = found.end()
        marks.append((size, at))
    return marks


class _Builders:
    """One function per alternative of the grammar; each gets the tokens and values of its rule."""

    @staticmethod
    def finish(pieces: list[Node]) -> list[Node]:
        return pieces

    @staticmethod
    def no_pieces() -> list[Node]:
        return []

    no_parts = no_pieces

    @staticmethod
    def add_text(pieces: list[Node], token: Token) -> list[Node]:
        raw = token[1]
        pieces.append(Literal(unescape(raw) if "\\" in raw else raw, raw, token[2], token[3]))
        return pieces

    @staticmethod
    def add_leaf(pieces: list[Node], token: Token) -> list[Node]:
        pieces.append(token[1])
        return pieces

    @staticmethod
    def add_leaf_part(parts: list[Node], token: Token) -> list[Node]:
        parts.append(Word(token[1], token[2], token[3]))
        return parts

    @staticmethod
    def add_item(pieces: list[Node], opening: Token, parts: list[Node], end: Token) -> list[Node]:
        pieces.append(Item(opening[1], tuple(parts), end[1], opening[2], end[3]))
        return pieces

    @staticmethod
    def add_if(
        pieces: list[Node], opening: Token, condition: Condition, parts: list[Node], end: Token
    ) -> list[Node]:
        pieces.append(If(condition, tuple(parts), end[1], opening[2], end[3]))
        return pieces

    @staticmethod
    def add_operator(pieces: list[Node], opening: Token, body: list[Node], end: Token) -> list[Node]:
        text = Expansion(tuple(body), opening[3], end[2])
        pieces.append(Operator(opening[1], text, end[1], opening[2], end[3]))
        return pieces

    @staticmethod
    def add_text_argument(parts: list[Node], token: Token) -> list[Node]:
        value, start, end = token[1], token[2], token[3]
        literals = (Literal(value, value, start + 1, end - 1),) if value else ()
        parts.append(Argument(Expansion(literals, start + 1, end - 1), False, True, start, end))
        return parts

    @staticmethod
    def add_argument(parts: list[Node], opening: Token, pieces: list[Node], end: Token) -> list[Node]:
        text = Expansion(tuple(pieces), opening[3], end[2])
        parts.append(Argument(text, opening[1], end[1], opening[2], end[3]))
        return parts

    @staticmethod
    def add_condition_argument(
        parts: list[Node], opening: Token, condition: Condition | Broken, end: Token
    ) -> list[Node]:
        parts.append(ConditionArgument(condition, end[1], opening[2], end[3]))
        return parts

    @staticmethod
    def make_condition(opening: Token, arguments: list[Node], end: Token) -> Condition:
        name, negations, subject = opening[1]
        parts = tuple(arguments) if subject is None else (subject,)
        return Condition(name, negations, parts, opening[2], parts[-1].end if parts else opening[3])

    @staticmethod
    def bad_condition(token: Token) -> Broken:
        return token[1]  # type: ignore[no-any-return]

    @staticmethod
    def add_group(parts: list[Node], opening: Token, conditions: list[Any], end: Token) -> list[Node]:
        parts.append(Group(tuple(conditions), end[1], opening[2], end[3]))
        return parts

    @staticmethod
    def add_subargs(parts: list[Node], opening: Token, arguments: list[Any], end: Token) -> list[Node]:
        parts.append(Subarguments(tuple(arguments), end[1], opening[2], end[3]))
        return parts


_table = lalr.Table(sys.modules[_expansion_lalr.__name__], _Builders)


def parse_expansion(text: str, items: Mapping[str, str], conditions: Mapping[str, str]) -> Expansion:
    """Give the tree of ``text``; every text has one (what is wrong in it is a node of it).

    ``items`` and ``conditions`` map the names that exist to their shapes; see
    :func:`eximious.grammar.expansion_lexer.tokens`. Source: manual chapter 11.
    """
    if "$" not in text and "\\" not in text:
        return Expansion((Literal(text, text, 0, len(text)),) if text else (), 0, len(text))
    return Expansion(tuple(_table.parse(tokens(text, items, conditions))), 0, len(text))
