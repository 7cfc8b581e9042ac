"""The texts of a configuration that Exim expands, matches or looks up, each with what it is used for.

A value may hold several: arguments of a command are expanded one by one, a routing rule has a pattern and
hosts, the replacement of ``${sg`` is expanded again. Each is a :class:`Site` with a map to its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_ast import AclCondition
from eximious.grammar.config_values import dequote
from eximious.grammar.listspans import SPACE, split_spans
from eximious.grammar.source import Pieces, Slice, Span
from eximious.lint import uses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.config_ast import Acl, ConfigNode, Value
    from eximious.grammar.config_model import Configuration, Instance
    from eximious.grammar.config_options import Settings
    from eximious.grammar.expansion_ast import Expansion
    from eximious.grammar.source import SourceMap
    from eximious.interpreter.language import Language
    from eximious.lint.static import Known

#: what is not expanded
_AS_IT_STANDS = frozenset((uses.REGEX, uses.TRANSPORT_NAME))


class Site:
    """A text with a use.

    ``use``: see :mod:`eximious.lint.uses`; ``section``: main, list, acl, router, transport, authenticator,
    rewrite, retry; ``name``: the option, condition or list it belongs to; ``single``: a list that has one
    item, whatever separators are in it; ``inner``: found inside an expansion, whose text it is once that is
    expanded; ``owner``: the name of the driver instance or ACL; ``cut``: the separator at which the value was
    split before (a blank for words).
    """

    __slots__ = (
        "_known",
        "_tree",
        "cut",
        "inner",
        "name",
        "owner",
        "section",
        "single",
        "source",
        "text",
        "use",
    )

    def __init__(
        self,
        text: str,
        source: SourceMap,
        use: str,
        section: str,
        name: str,
        owner: str = "",
        *,
        single: bool = False,
        inner: bool = False,
        cut: str = "",
    ) -> None:
        self.text, self.source, self.use, self.section, self.name = text, source, use, section, name
        self.owner, self.single, self.inner, self.cut = owner, single, inner, cut
        self._tree: Expansion | None = None
        self._known: Known | None = None

    def __repr__(self) -> str:
        return f"Site({self.text!r}, {self.use!r}, {self.section!r}, {self.name!r})"

    @property
    def expanded(self) -> bool:
        """Whether there is something in it that expansion would change."""
        return self.use not in _AS_IT_STANDS and ("$" in self.text or "\\" in self.text)

    def tree(self, language: Language) -> Expansion:
        """The tree of the text as an expansion."""
        if self._tree is None:
            from eximious.grammar.expansion_parser import parse_expansion

            self._tree = parse_expansion(self.text, language.item_shapes, language.condition_shapes)
        return self._tree

    def known(self, language: Language) -> Known:
        """What is known of the text after expansion."""
        if self._known is None:
            from eximious.lint.static import Known, known

            self._known = known(self.tree(language)) if self.expanded else Known(self.text, [(0, 0)])
        return self._known

    def span(self, start: int, end: int) -> Span:
        """Where a part of the text stands in the file."""
        size = len(self.text)
        return Span(self.source, min(start, size), min(max(end, start + 1), max(size, 1)))

    def known_span(self, language: Language, start: int, end: int) -> Span:
        """Where a part of the known text stands in the file."""
        return Span(self.known(language).map(self.source), start, max(end, start + 1))

    def part(self, start: int, end: int, use: str, *, single: bool = False, cut: str = "") -> Site:
        """The site of a part of the text that has a use of its own."""
        text, source, cut = self.text[start:end], Slice(self.source, start), cut or self.cut
        return Site(text, source, use, self.section, self.name, self.owner, single=single, cut=cut)

    def word(self, start: int, use: str, *, single: bool = False) -> tuple[Site, int]:
        """The site of the word, or quoted text, at an offset; and where the next one begins."""
        text = self.text
        if text.startswith('"', start):
            value, end, marks = dequote(text, start)
            found = self.part(start, end, use, single=single)
            found.text, found.source = value, Pieces(self.source, marks)
        else:
            end = _skip(text, start, False)
            found = self.part(start, end, use, single=single, cut=" ")
        return found, _skip(text, end, True)


def _skip(text: str, at: int, space: bool) -> int:
    """Give the offset after the white space (or the other text) at ``at``."""
    while at < len(text) and (text[at] in SPACE) is space:
        at += 1
    return at


def all_sites(configuration: Configuration, language: Language) -> Iterator[Site]:
    """Give every site of a configuration, those inside expansions included."""
    for site in _outer_sites(configuration):
        yield site
        if site.expanded and "$" in site.text:
            yield from _inner_sites(site, language)


def _outer_sites(configuration: Configuration) -> Iterator[Site]:
    catalogue = configuration.catalogue
    yield from _settings_sites(configuration.settings, "main", "", catalogue)
    for known in configuration.lists.values():
        for entry in known.values():
            if entry.node.value is not None:
                yield Site(*entry.node.value.string(), entry.kind, "list", entry.name)
    for acl in configuration.acls.values():
        yield from _acl_sites(acl)
    for kind in ("router", "transport", "authenticator"):
        for instance in configuration.drivers(kind).values():
            yield from _driver_sites(instance)
    for section in configuration.tree.sections:
        if section.kind == "rewrite":
            for node in section.items:
                yield from _rewrite_sites(node)
        elif section.kind == "retry":
            for node in section.items:
                yield from _retry_sites(node)


def _value_site(value: Value, use: str, section: str, name: str, owner: str = "") -> Site:
    return Site(*value.string(), use, section, name, owner)


def _settings_sites(settings: Settings, section: str, owner: str, catalogue: Catalogue) -> Iterator[Site]:
    for name, nodes in settings.nodes.items():
        option = catalogue.option("main", name)
        use = uses.option_use("main", option) if option is not None else uses.NOTHING
        if use:
            for node in nodes:
                if node.value is not None:
                    yield from _parts(_value_site(node.value, use, section, name, owner))


def _driver_sites(instance: Instance) -> Iterator[Site]:
    kind = instance.kind
    table = "auth" if kind == "authenticator" else kind
    for name, nodes in instance.settings.nodes.items():
        option = instance.declaration(name)
        use = uses.option_use(table, option) if option is not None else uses.NOTHING
        if use == uses.COMMAND and instance.driver == "pipe" and name == "command":
            use = uses.TEXT if instance.option("use_shell") else use
        if use:
            for node in nodes:
                if node.value is not None:
                    yield from _parts(_value_site(node.value, use, kind, name, instance.name))


def _parts(site: Site) -> Iterator[Site]:
    """The sites that the value of an option has, by its use."""
    use, text = site.use, site.text
    if use == uses.IF_DOLLAR:
        site.use = uses.TEXT
        if text[:1] == "$":
            yield site
    elif use == uses.COMMAND:
        yield from _arguments(site)
    elif use.startswith(uses.ITEMS):
        for item in _items(site, use[len(uses.ITEMS) :]):
            yield item
    elif use == uses.ROUTES:
        for item in _items(site, ";"):
            yield from _route(item)
    elif use == uses.COPIES:
        for item in _items(site, ":"):
            pattern, after = item.word(0, "address", single=True)
            yield pattern
            yield item.part(after, len(item.text), uses.TEXT)
    elif use == uses.FORMATS:
        for number, item in enumerate(_items(site, ":")):
            if number % 2:
                item.use = uses.TRANSPORT_NAME
                yield item
    elif use == uses.REWRITES:
        for item in _items(site, ":"):
            pattern, after = item.word(0, "address", single=True)
            yield pattern
            if item.text[after : after + 1] not in ("", "*"):
                yield item.word(after, uses.TEXT)[0]
    else:
        yield site


def _items(site: Site, separator: str) -> Iterator[Site]:
    """The items of a list that is split before it is expanded, with doubled separators undone."""
    from eximious.grammar.listspans import list_separator

    separator, at = list_separator(site.text, separator)
    body = site.text[at:]
    for item, start, end in split_spans(body, separator):
        if not item:
            continue
        found = site.part(at + start, at + end, uses.TEXT, cut=separator)
        if len(item) != end - start:
            found.text, found.source = item, Pieces(found.source, _undoubled(body[start:end], separator))
        yield found


def _undoubled(raw: str, separator: str) -> list[tuple[int, int]]:
    """The marks of an item in which doubled separators stand for one each."""
    marks = [(0, 0)]
    at = raw.find(separator * 2)
    while at >= 0:
        marks.append((at + 1 - (len(marks) - 1), at + 2))
        at = raw.find(separator * 2, at + 2)
    return marks


def _arguments(site: Site) -> Iterator[Site]:
    """The arguments of a command: words, texts in double quotes with escapes, or in single quotes."""
    text = site.text
    at = _skip(text, 0, True)
    while at < len(text):
        if text[at] == "'":
            end = text.find("'", at + 1)
            end = len(text) if end < 0 else end
            yield site.part(at + 1, end, uses.TEXT)
            at = _skip(text, end + 1, True)
        else:
            found, at = site.word(at, uses.TEXT)
            if found.text != "$pipe_addresses":
                yield found


def _route(rule: Site) -> Iterator[Site]:
    """A rule of manualroute: a domain, hosts, options."""
    pattern, at = rule.word(0, "domain", single=True)
    yield pattern
    if at < len(rule.text):
        yield rule.word(at, uses.TEXT)[0]


def _acl_sites(acl: Acl) -> Iterator[Site]:
    for statement in acl.statements:
        for condition in statement.body:
            if type(condition) is not AclCondition or condition.value is None:
                continue
            value, name = condition.value, condition.name
            use = uses.ACL_USES.get(name, uses.TEXT)
            # an ACL keeps the quotes around a value
            site = Site(value.raw, Slice(value.source, value.start), use, "acl", name, acl.name)
            if use == uses.ACL_CALL:
                yield from _acl_call(site)
            elif use:
                yield site


def _acl_call(site: Site) -> Iterator[Site]:
    """``acl = name argument…``: each word is expanded by itself."""
    found, at = site.word(0, uses.ACL)
    yield found
    while at < len(site.text):
        found, at = site.word(at, uses.TEXT)
        yield found


def _rule_value(value: Value, use: str, section: str, name: str) -> Site:
    """A part of a rewriting or retry rule, whose list has one item."""
    return Site(*value.string(), use, section, name, single=True)


def _rewrite_sites(node: ConfigNode) -> Iterator[Site]:
    from eximious.grammar.config_ast import RewriteRule

    if type(node) is RewriteRule:
        yield _rule_value(node.pattern, "address", "rewrite", "pattern")
        if node.replacement.raw != "*":
            yield _rule_value(node.replacement, uses.TEXT, "rewrite", "replacement")


def _retry_sites(node: ConfigNode) -> Iterator[Site]:
    from eximious.grammar.config_ast import RetryRule

    if type(node) is RetryRule:
        kind = "address" if "@" in node.pattern.raw and ";" not in node.pattern.raw else "domain"
        yield _rule_value(node.pattern, kind, "retry", "pattern")
        if node.senders is not None:
            yield _value_site(node.senders, "address", "retry", "senders")


# ---- inside expansions

#: conditions whose second argument is a list that is expanded when it is matched
MATCHES = {
    "match_domain": "domain",
    "match_address": "address",
    "match_local_part": "localpart",
    "match_ip": "host",
}


#: texts inside texts that are followed
MAX_DEPTH = 8


def _inner_sites(site: Site, language: Language, depth: int = 0) -> Iterator[Site]:
    """The texts in an expansion that Exim expands or looks up once more, where they are written out."""
    from eximious.grammar.expansion_ast import Condition, Item, Operator, Subarguments

    for node in site.tree(language).walk():
        kind = type(node)
        found: tuple[object, str] | None = None
        if kind is Condition:
            name, arguments = node.name, node.arguments  # type: ignore[attr-defined]
            if name in MATCHES and len(arguments) == 2:
                found = arguments[1], MATCHES[name]
            elif name == "acl" and arguments and type(arguments[0]) is Subarguments:
                subarguments = arguments[0].arguments
                found = (subarguments[0], uses.ACL) if subarguments else None
        elif kind is Item:
            name, parts = node.name, node.parts  # type: ignore[attr-defined]
            if name == "sg" and len(parts) == 3:
                found = parts[2], uses.TEXT
            elif name == "acl" and parts:
                found = parts[0], uses.ACL
        elif kind is Operator and node.name == "expand":  # type: ignore[attr-defined]
            found = node, uses.TEXT
        if found is not None:
            inner = _inner(site, found[0], found[1])
            if inner is not None:
                yield inner
                if depth < MAX_DEPTH and inner.expanded and "$" in inner.text:
                    yield from _inner_sites(inner, language, depth + 1)


def _inner(site: Site, argument: object, use: str) -> Site | None:
    from eximious.grammar.expansion_ast import Argument, Operator
    from eximious.lint.static import literal

    source: SourceMap
    if type(argument) is Argument and argument.closed:
        tree = argument.text
    elif type(argument) is Operator and argument.closed:
        tree = argument.body
    else:
        return None
    if type(argument) is Argument and argument.raw:
        # it is taken as it stands, and expanded when it is matched
        if tree.start == tree.end:
            return None
        source = Slice(site.source, tree.start)
        text = site.text[tree.start : tree.end]
        return Site(text, source, use, site.section, site.name, site.owner, inner=True)
    known = literal(tree)
    if known is None or not known.text:
        return None
    source = known.map(site.source)
    return Site(known.text, source, use, site.section, site.name, site.owner, inner=True)
