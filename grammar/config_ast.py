"""The tree of a configuration: frozen, slotted, every node with its place.

Trees are made by :mod:`eximious.grammar.config_parser` and printed by
:mod:`eximious.grammar.config_printer`. They say what was written after macros were replaced: values are raw
text, names are not yet looked up. A node's ``start`` and ``end`` are offsets in ``source``, the logical line
it stands in (for nodes of several lines: where they begin); :attr:`ConfigNode.span` leads to the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import Node
from eximious.grammar.source import Pieces, Slice, Span

if TYPE_CHECKING:
    from eximious.grammar.source import SourceMap

_set = object.__setattr__


#: the kinds of a section, and the full words after ``begin`` as Exim compares them (it adds a lacking ``s``)
MAIN, ACL, ROUTERS, TRANSPORTS, AUTHENTICATORS = "main", "acl", "routers", "transports", "authenticators"
REWRITE, RETRY, LOCAL_SCAN, UNKNOWN = "rewrite", "retry", "local_scan", "unknown"
SECTION_WORDS = {
    "acls": ACL,
    "authenticators": AUTHENTICATORS,
    "local_scans": LOCAL_SCAN,
    "retrys": RETRY,
    "rewrites": REWRITE,
    "routers": ROUTERS,
    "transports": TRANSPORTS,
}


class ConfigNode(Node):
    """A part of a configuration. Equal to one of the same class with equal fields, places apart."""

    __slots__ = ("source",)
    source: SourceMap

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.source, self.start, self.end)


class Value(ConfigNode):
    """The text of a value: ``raw`` is what was written, without the blanks around it."""

    __slots__ = ("raw",)
    raw: str

    def __init__(self, raw: str, source: SourceMap, start: int, end: int) -> None:
        _set(self, "raw", raw)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)

    @property
    def quoted(self) -> bool:
        """Whether it begins with a double quote (string options take the quotes off, ACLs do not)."""
        return self.raw[:1] == '"'

    def string(self) -> tuple[str, SourceMap]:
        """Give the text that a string option gets, and the map from its offsets to the file (manual 6.16)."""
        if not self.quoted:
            return self.raw, Slice(self.source, self.start)
        from eximious.grammar.config_values import dequote

        text, _, marks = dequote(self.raw, 0)
        return text, Pieces(Slice(self.source, self.start), marks)

    def elements(self, separator: str | None = None) -> tuple[Element, ...]:
        """Give the elements of the value read as a list (manual 6.21); ``separator`` fixes the character."""
        from eximious.grammar.listspans import split_spans

        text, source = self.string()
        return tuple(Element(item, source, start, end) for item, start, end in split_spans(text, separator))


class Element(ConfigNode):
    """One element of a list: ``text`` with doubled separators undone."""

    __slots__ = ("text",)
    text: str

    def __init__(self, text: str, source: SourceMap, start: int, end: int) -> None:
        _set(self, "text", text)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class Macro(ConfigNode):
    """A macro definition: ``operator`` is ``=`` or ``==``. One without either is a :class:`BadLine`."""

    __slots__ = ("name", "operator", "value")
    name: str
    operator: str
    value: Value

    def __init__(
        self, name: str, operator: str, value: Value, source: SourceMap, start: int, end: int
    ) -> None:
        _set(self, "name", name)
        _set(self, "operator", operator)
        _set(self, "value", value)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class NamedList(ConfigNode):
    """A named list (manual 10.5). ``kind``: domain, host, address or localpart; ``value`` None: no ``=``."""

    __slots__ = ("cache", "hide", "kind", "name", "value")
    kind: str
    name: str
    value: Value | None
    cache: bool
    hide: bool

    def __init__(
        self,
        kind: str,
        name: str,
        value: Value | None,
        cache: bool,
        hide: bool,
        source: SourceMap,
        start: int,
        end: int,
    ) -> None:
        _set(self, "kind", kind)
        _set(self, "name", name)
        _set(self, "value", value)
        _set(self, "cache", cache)
        _set(self, "hide", hide)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class Option(ConfigNode):
    """An option line. ``name`` as written, any ``no_`` or ``not_`` included; ``rest``: text that follows
    the name without an equals sign (Exim refuses it); ``start`` to ``end`` is the name."""

    __slots__ = ("hide", "name", "rest", "value")
    name: str
    hide: bool
    rest: str
    value: Value | None

    def __init__(
        self, name: str, hide: bool, rest: str, value: Value | None, source: SourceMap, start: int, end: int
    ) -> None:
        _set(self, "name", name)
        _set(self, "hide", hide)
        _set(self, "rest", rest)
        _set(self, "value", value)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class BadLine(ConfigNode):
    """A line that Exim refuses as it stands: ``message`` in Exim's words, ``code`` for diagnostics."""

    __slots__ = ("code", "message", "text")
    text: str
    code: str
    message: str

    def __init__(self, text: str, code: str, message: str, source: SourceMap, start: int, end: int) -> None:
        _set(self, "text", text)
        _set(self, "code", code)
        _set(self, "message", message)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


Line = Macro | NamedList | Option | BadLine


class AclCondition(ConfigNode):
    """A condition or modifier (manual 44.19, 44.22). ``variable`` is what follows ``set``, else None;
    ``value`` is None only for ``endpass``. ``start`` to ``end`` is the name, a negation included."""

    __slots__ = ("name", "negated", "value", "variable")
    name: str
    negated: bool
    variable: str | None
    value: Value | None

    def __init__(
        self,
        name: str,
        negated: bool,
        variable: str | None,
        value: Value | None,
        source: SourceMap,
        start: int,
        end: int,
    ) -> None:
        _set(self, "name", name)
        _set(self, "negated", negated)
        _set(self, "variable", variable)
        _set(self, "value", value)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class AclStatement(ConfigNode):
    """A verb with its conditions, in order; macro definitions and refused lines stand where they stood."""

    __slots__ = ("body", "verb")
    verb: str
    body: tuple[AclCondition | Macro | BadLine, ...]

    def __init__(
        self,
        verb: str,
        body: tuple[AclCondition | Macro | BadLine, ...],
        source: SourceMap,
        start: int,
        end: int,
    ) -> None:
        _set(self, "verb", verb)
        _set(self, "body", body)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)

    @property
    def conditions(self) -> tuple[AclCondition, ...]:
        """Its conditions and modifiers alone."""
        return tuple(node for node in self.body if type(node) is AclCondition)


class Acl(ConfigNode):
    """An ACL: ``leading`` holds definitions and refused lines before the first statement."""

    __slots__ = ("leading", "name", "statements")
    name: str
    leading: tuple[Line, ...]
    statements: tuple[AclStatement, ...]

    def __init__(
        self,
        name: str,
        leading: tuple[Line, ...],
        statements: tuple[AclStatement, ...],
        source: SourceMap,
        start: int,
        end: int,
    ) -> None:
        _set(self, "name", name)
        _set(self, "leading", leading)
        _set(self, "statements", statements)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class Driver(ConfigNode):
    """A router, transport or authenticator instance with its lines."""

    __slots__ = ("lines", "name")
    name: str
    lines: tuple[Line, ...]

    def __init__(self, name: str, lines: tuple[Line, ...], source: SourceMap, start: int, end: int) -> None:
        _set(self, "name", name)
        _set(self, "lines", lines)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)

    @property
    def options(self) -> tuple[Option, ...]:
        """Its option lines alone."""
        return tuple(line for line in self.lines if type(line) is Option)


class RewriteRule(ConfigNode):
    """A rewriting rule (manual 31.5): the parts as written (quotes and escapes included)."""

    __slots__ = ("flags", "pattern", "replacement")
    pattern: Value
    replacement: Value
    flags: Value | None

    def __init__(
        self,
        pattern: Value,
        replacement: Value,
        flags: Value | None,
        source: SourceMap,
        start: int,
        end: int,
    ) -> None:
        _set(self, "pattern", pattern)
        _set(self, "replacement", replacement)
        _set(self, "flags", flags)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class RetryStep(ConfigNode):
    """One step of a retry rule (manual 32.2): ``algorithm`` F, G or H and its arguments as written."""

    __slots__ = ("algorithm", "arguments")
    algorithm: str
    arguments: tuple[Value, ...]

    def __init__(
        self, algorithm: str, arguments: tuple[Value, ...], source: SourceMap, start: int, end: int
    ) -> None:
        _set(self, "algorithm", algorithm)
        _set(self, "arguments", arguments)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class RetryRule(ConfigNode):
    """A retry rule: pattern, error name, ``senders=`` list or None, and steps."""

    __slots__ = ("error", "pattern", "senders", "steps")
    pattern: Value
    error: Value
    senders: Value | None
    steps: tuple[RetryStep, ...]

    def __init__(
        self,
        pattern: Value,
        error: Value,
        senders: Value | None,
        steps: tuple[RetryStep, ...],
        source: SourceMap,
        start: int,
        end: int,
    ) -> None:
        _set(self, "pattern", pattern)
        _set(self, "error", error)
        _set(self, "senders", senders)
        _set(self, "steps", steps)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


Item = Acl | Driver | RewriteRule | RetryRule | BadLine


class Section(ConfigNode):
    """A section after ``begin``. ``word`` as written; ``kind`` one of the constants above; ``leading``:
    lines before the first item (for local_scan and unknown sections: all)."""

    __slots__ = ("items", "kind", "leading", "word")
    word: str
    kind: str
    leading: tuple[Line, ...]
    items: tuple[Item, ...]

    def __init__(
        self,
        word: str,
        kind: str,
        leading: tuple[Line, ...],
        items: tuple[Item, ...],
        source: SourceMap,
        start: int,
        end: int,
    ) -> None:
        _set(self, "word", word)
        _set(self, "kind", kind)
        _set(self, "leading", leading)
        _set(self, "items", items)
        _set(self, "source", source)
        _set(self, "start", start)
        _set(self, "end", end)


class ConfigurationTree(Node):
    """A whole configuration: the lines of the main section, then the other sections in order."""

    __slots__ = ("main", "sections")
    main: tuple[Line, ...]
    sections: tuple[Section, ...]

    def __init__(self, main: tuple[Line, ...], sections: tuple[Section, ...]) -> None:
        _set(self, "main", main)
        _set(self, "sections", sections)
        _set(self, "start", 0)
        _set(self, "end", 0)

    def section(self, kind: str) -> Section | None:
        """Give the (first) section of a kind, or None."""
        return next((section for section in self.sections if section.kind == kind), None)
