"""Runs the rules over a configuration.

A rule gets a :class:`Subject`: the configuration as read, with every text in it that Exim may expand or
match as a list, once (:class:`Site`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_ast import Acl, AclCondition, Driver, NamedList, Option
from eximious.grammar.diagnostics import Diagnostic
from eximious.grammar.source import Span
from eximious.lint.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.config_ast import ConfigurationTree, Value
    from eximious.grammar.configuration import Configuration
    from eximious.grammar.expansion_ast import Expansion
    from eximious.grammar.source import SourceMap
    from eximious.interpreter.language import Language

#: list kinds of the ACL conditions that match lists
ACL_LISTS = {
    "domains": "domain",
    "sender_domains": "domain",
    "hosts": "host",
    "encrypted": "string",
    "authenticated": "string",
    "local_parts": "localpart",
    "recipients": "address",
    "senders": "address",
}
#: ACL conditions and modifiers whose value is not expanded
ACL_NOT_EXPANDED = frozenset(("endpass",))


class Site:
    """A text that Exim may expand.

    ``kind``: "text", or the kind of list it is (domain, host, address, localpart, string); ``owner``: what it
    belongs to, for messages (``option data``); ``name``: the option's, condition's or list's name;
    ``section``: main, acl, router, transport, authenticator, list, rewrite.
    """

    __slots__ = ("_tree", "driver", "expanded", "kind", "name", "section", "source", "text", "value")

    def __init__(
        self, value: Value, kind: str, section: str, name: str, expanded: bool = True, driver: str = "", raw: bool = False
    ) -> None:
        self.value, self.kind, self.section, self.name = value, kind, section, name
        self.expanded, self.driver = expanded, driver
        self.text, self.source = _text_of(value, raw)
        self._tree: Expansion | None = None

    def tree(self, language: Language) -> Expansion:
        """The tree of the text as an expansion."""
        if self._tree is None:
            from eximious.grammar.expansion_parser import parse_expansion

            self._tree = parse_expansion(self.text, language.item_shapes, language.condition_shapes)
        return self._tree

    def span(self, start: int, end: int) -> Span:
        """Where a part of the text stands in the file."""
        size = len(self.text)
        return Span(self.source, min(start, size), min(max(end, start + 1), size))


def _text_of(value: Value, raw: bool) -> tuple[str, SourceMap]:
    if not raw:
        return value.string()
    from eximious.grammar.source import Slice

    return value.raw, Slice(value.source, value.start)


class Subject:
    """What the rules look at."""

    def __init__(self, configuration: Configuration, language: Language) -> None:
        self.configuration = configuration
        self.language = language
        self.tree: ConfigurationTree = configuration.tree
        self.sites = tuple(_sites(self))
        #: names of named lists by kind letter, ACLs, routers, transports
        self.lists = {kind: set(names) for kind, names in configuration.named_lists.items()}
        self.acls = set(configuration.acls)
        self.routers = {driver.name for driver in self.drivers("routers")}
        self.transports = {driver.name for driver in self.drivers("transports")}

    def drivers(self, kind: str) -> Iterator[Driver]:
        """The instances in the sections of a kind."""
        for section in self.tree.sections:
            if section.kind == kind:
                for item in section.items:
                    if type(item) is Driver:
                        yield item


def _sites(subject: Subject) -> Iterator[Site]:
    """Every text that may be expanded, in the order of the file."""
    catalogue = subject.language.catalogue
    for line in subject.tree.main:
        if type(line) is Option and line.value is not None:
            option = catalogue.option("main", line.name)
            if option is not None and option.type in ("string", "expand_bool", "rewrite", "func"):
                yield Site(line.value, list_kind("main", "", line.name), "main", line.name, bool(option.expanded))
        elif type(line) is NamedList and line.value is not None:
            yield Site(line.value, line.kind, "list", line.name)
    for section in subject.tree.sections:
        if section.kind == "acl":
            for item in section.items:
                if type(item) is Acl:
                    yield from _acl_sites(item)
        elif section.kind in ("routers", "transports", "authenticators"):
            for item in section.items:
                if type(item) is Driver:
                    yield from _driver_sites(item, section.kind[:-1], catalogue)


def _acl_sites(acl: Acl) -> Iterator[Site]:
    for statement in acl.statements:
        for condition in statement.body:
            if type(condition) is AclCondition and condition.value is not None:
                if condition.name not in ACL_NOT_EXPANDED:
                    kind = ACL_LISTS.get(condition.name, "text")
                    # ACL values keep their quotes, except where Exim reads a string
                    yield Site(condition.value, kind, "acl", condition.name, raw=True)


def _driver_sites(driver: Driver, kind: str, catalogue: object) -> Iterator[Site]:
    name = _driver_of(driver)
    table = {"authenticator": "auth"}.get(kind, kind)
    for option in driver.options:
        if option.value is None:
            continue
        spec = catalogue.option(table, option.name, name)  # type: ignore[attr-defined]
        if spec is None or spec.type not in ("string", "expand_bool", "expand_uid", "expand_gid", "rewrite"):
            continue
        where = list_kind(table, spec.driver, option.name)
        yield Site(option.value, where, kind, option.name, bool(spec.expanded), name)


def _driver_of(driver: Driver) -> str:
    for option in driver.options:
        if option.name == "driver" and option.value is not None:
            return option.value.string()[0]
    return ""


def list_kind(table: str, driver: str, name: str) -> str:
    """The kind of list that an option is, "text" for none."""
    from eximious.lint._list_kinds import KINDS

    return KINDS.get((table, driver, name), "text")


def run_rules(configuration: Configuration, language: Language) -> list[Diagnostic]:
    """Give what reading found wrong and what the rules find, in the order of the files."""
    from importlib import import_module
    from pkgutil import iter_modules

    rules = import_module("eximious.lint.rules")
    for module in iter_modules(rules.__path__):
        import_module(f"eximious.lint.rules.{module.name}")
    subject = Subject(configuration, language)
    found = list(configuration.diagnostics)
    for rule in RULES.values():
        found += rule.check(subject)
    return sorted(found, key=_order)


def _order(diagnostic: Diagnostic) -> tuple[int, str, int, int]:
    position = diagnostic.position
    if position is None:
        return (1, "", 0, 0)
    return (0, position.file, position.line, position.column)
