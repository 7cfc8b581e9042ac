"""The tree of an expansion: frozen, slotted, every node with its place in the text.

``start`` and ``end`` are offsets into the expanded text (the half-open range of the node). Trees are
made by :mod:`eximious.grammar.expansion_parser` and printed by
:mod:`eximious.grammar.expansion_printer`. They say what was written, not what it means: whether an
item exists or has its arguments is decided when the tree is compiled, because Exim reads a string
while it evaluates it (manual chapter 11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_set = object.__setattr__


class Node:
    """A part of an expansion. Equal to a node of the same class with equal fields, places apart."""

    __slots__ = ("end", "start")
    start: int
    end: int

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def fields(self) -> tuple[Any, ...]:
        """The values of the node's own fields, in order."""
        return tuple(getattr(self, name) for name in type(self).__slots__)

    def children(self) -> Iterator[Node]:
        """The nodes directly below, in the order of the text."""
        for value in self.fields():
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                for part in value:
                    if isinstance(part, Node):
                        yield part

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the text."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(list(node.children())))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.fields() == other.fields()

    def __hash__(self) -> int:
        return hash((type(self), self.fields()))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__slots__)
        return f"{type(self).__name__}({inner})"


class Literal(Node):
    r"""Text that stands for itself: ``value`` with its escapes and ``\N...\N`` resolved, ``raw`` as written.

    ``value`` may hold a NUL (``\0``): Exim's strings end there.
    """

    __slots__ = ("raw", "value")
    raw: str
    value: str

    def __init__(self, value: str, raw: str, start: int, end: int) -> None:
        _set(self, "value", value)
        _set(self, "raw", raw)
        _set(self, "start", start)
        _set(self, "end", end)


class Variable(Node):
    """``$name`` or ``${name}``."""

    __slots__ = ("braced", "name")
    braced: bool
    name: str

    def __init__(self, name: str, braced: bool, start: int, end: int) -> None:
        _set(self, "name", name)
        _set(self, "braced", braced)
        _set(self, "start", start)
        _set(self, "end", end)


class Header(Node):
    """``$h_name:`` and its kin: ``prefix`` as written (``h_``, ``rheader_``…), ``name`` without the colon."""

    __slots__ = ("colon", "name", "prefix")
    colon: bool
    name: str
    prefix: str

    def __init__(self, prefix: str, name: str, colon: bool, start: int, end: int) -> None:
        _set(self, "prefix", prefix)
        _set(self, "name", name)
        _set(self, "colon", colon)
        _set(self, "start", start)
        _set(self, "end", end)

    @property
    def kind(self) -> str:
        """``""`` for ``$h_``, else the letter ``r``, ``b`` or ``l``."""
        return self.prefix[0] if self.prefix[0] != "h" else ""


class Capture(Node):
    """``$1`` or ``${1}``."""

    __slots__ = ("braced", "number")
    braced: bool
    number: int

    def __init__(self, number: int, braced: bool, start: int, end: int) -> None:
        _set(self, "number", number)
        _set(self, "braced", braced)
        _set(self, "start", start)
        _set(self, "end", end)


class Broken(Node):
    """A place that Exim cannot read, with its message; ``rest`` is the text from there to where all ends.

    ``curly``: one of the messages that Exim replaces when a header name swallowed a brace.
    """

    __slots__ = ("curly", "message", "rest")
    curly: bool
    message: str
    rest: str

    def __init__(self, message: str, rest: str, curly: bool, start: int, end: int) -> None:
        _set(self, "message", message)
        _set(self, "rest", rest)
        _set(self, "curly", curly)
        _set(self, "start", start)
        _set(self, "end", end)


class Expansion(Node):
    """Text with expansions in it: the whole string, or what is inside one pair of braces."""

    __slots__ = ("parts",)
    parts: tuple[Node, ...]

    def __init__(self, parts: tuple[Node, ...], start: int, end: int) -> None:
        _set(self, "parts", parts)
        _set(self, "start", start)
        _set(self, "end", end)


class Argument(Node):
    """``{text}``: one argument of an item, condition or condition group. ``text`` excludes the braces.

    ``raw``: the argument is taken without expanding ``$`` (second argument of ``match_domain`` and its kin).
    """

    __slots__ = ("closed", "raw", "text")
    closed: bool
    raw: bool
    text: Expansion

    def __init__(self, text: Expansion, raw: bool, closed: bool, start: int, end: int) -> None:
        _set(self, "text", text)
        _set(self, "raw", raw)
        _set(self, "closed", closed)
        _set(self, "start", start)
        _set(self, "end", end)


class Word(Node):
    """Text between arguments that is in no braces: a lookup type, ``fail``, ``json``, or a mistake."""

    __slots__ = ("text",)
    text: str

    def __init__(self, text: str, start: int, end: int) -> None:
        _set(self, "text", text)
        _set(self, "start", start)
        _set(self, "end", end)


class Condition(Node):
    """``name {a}{b}``: ``negations`` counts the ``!`` before it; ``def:`` has its subject in ``arguments``.

    ``arguments`` holds Argument, ConditionArgument, Group and Subarguments nodes, and for ``def`` one
    Variable or Header. ``closed`` is False where the text broke before all its arguments were read.
    """

    __slots__ = ("arguments", "name", "negations")
    name: str
    arguments: tuple[Node, ...]
    negations: int

    def __init__(self, name: str, negations: int, arguments: tuple[Node, ...], start: int, end: int) -> None:
        _set(self, "name", name)
        _set(self, "negations", negations)
        _set(self, "arguments", arguments)
        _set(self, "start", start)
        _set(self, "end", end)


class ConditionArgument(Node):
    """``{condition}``: of ``and``, ``or``, ``forany``, ``filter``…"""

    __slots__ = ("closed", "condition")
    condition: Condition | Broken
    closed: bool

    def __init__(self, condition: Condition | Broken, closed: bool, start: int, end: int) -> None:
        _set(self, "condition", condition)
        _set(self, "closed", closed)
        _set(self, "start", start)
        _set(self, "end", end)


class Group(Node):
    """``{{cond}{cond}...}`` of ``and`` and ``or``."""

    __slots__ = ("closed", "conditions")
    conditions: tuple[ConditionArgument, ...]
    closed: bool

    def __init__(self, conditions: tuple[ConditionArgument, ...], closed: bool, start: int, end: int) -> None:
        _set(self, "conditions", conditions)
        _set(self, "closed", closed)
        _set(self, "start", start)
        _set(self, "end", end)


class Subarguments(Node):
    """``{{a}{b}...}`` of the conditions ``acl`` and ``saslauthd``."""

    __slots__ = ("arguments", "closed")
    arguments: tuple[Argument, ...]
    closed: bool

    def __init__(self, arguments: tuple[Argument, ...], closed: bool, start: int, end: int) -> None:
        _set(self, "arguments", arguments)
        _set(self, "closed", closed)
        _set(self, "start", start)
        _set(self, "end", end)


class Item(Node):
    """``${name ...}`` with a name of the item table; ``parts`` are Argument, ConditionArgument and Word nodes.

    ``closed`` is False where neither an argument, a word nor the closing brace could be read.
    """

    __slots__ = ("closed", "name", "parts")
    name: str
    parts: tuple[Node, ...]
    closed: bool

    def __init__(self, name: str, parts: tuple[Node, ...], closed: bool, start: int, end: int) -> None:
        _set(self, "name", name)
        _set(self, "parts", parts)
        _set(self, "closed", closed)
        _set(self, "start", start)
        _set(self, "end", end)


class If(Node):
    """``${if condition {yes}{no}}``."""

    __slots__ = ("closed", "condition", "parts")
    condition: Condition | Broken
    parts: tuple[Node, ...]
    closed: bool

    def __init__(
        self, condition: Condition | Broken, parts: tuple[Node, ...], closed: bool, start: int, end: int
    ) -> None:
        _set(self, "condition", condition)
        _set(self, "parts", parts)
        _set(self, "closed", closed)
        _set(self, "start", start)
        _set(self, "end", end)


class Operator(Node):
    """``${name:text}``; ``name`` as written, with what follows an underscore."""

    __slots__ = ("body", "closed", "name")
    name: str
    body: Expansion
    closed: bool

    def __init__(self, name: str, body: Expansion, closed: bool, start: int, end: int) -> None:
        _set(self, "name", name)
        _set(self, "body", body)
        _set(self, "closed", closed)
        _set(self, "start", start)
        _set(self, "end", end)
