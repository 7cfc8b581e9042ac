"""A configuration that was read: options with their values, lists, ACLs, drivers, rules, and what was wrong.

It is what the later stages ask. Values are typed as :mod:`eximious.grammar.config_values` gives them; an
option that is not set has its default of the version in question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_defaults import default_value, site_values
from eximious.grammar.config_options import ALIASES, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from eximious.grammar import config_ast as ast
    from eximious.grammar.catalogue import Catalogue, Option
    from eximious.grammar.config_rules import Retrying, Rewriting
    from eximious.grammar.config_values import Users
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.grammar.reader import Reader

#: the kinds of named lists, by the letter Exim uses for them
LIST_KINDS = {"d": "domain", "h": "host", "a": "address", "l": "localpart"}
LIST_LETTERS = {kind: letter for letter, kind in LIST_KINDS.items()}

#: the kind of a driver in the tables
TABLE_KINDS = {"router": "router", "transport": "transport", "authenticator": "auth"}


class Outside:
    """What reading a configuration asks of the machine and of the other packages.

    ``users`` answers for users and groups; ``expand``: text -> text for the few options that are expanded
    while reading (raises an exception with ``message`` in Exim's words); ``hostname``: what uname gives;
    ``parse_address``: text -> (address or None, Exim's complaint).
    """

    __slots__ = ("expand", "hostname", "parse_address", "users")

    def __init__(
        self,
        users: Users,
        expand: Callable[[str], str],
        hostname: str,
        parse_address: Callable[[str], tuple[str | None, str]] | None,
    ) -> None:
        self.users, self.expand = users, expand
        self.hostname, self.parse_address = hostname, parse_address


class NamedListEntry:
    """A named list: ``kind`` domain, host, address or localpart; ``text`` as it is expanded and searched."""

    __slots__ = ("cache", "hide", "kind", "name", "node", "text")

    def __init__(self, kind: str, name: str, text: str, cache: bool, hide: bool, node: ast.NamedList) -> None:
        self.kind, self.name, self.text, self.cache, self.hide, self.node = (
            kind,
            name,
            text,
            cache,
            hide,
            node,
        )

    def __repr__(self) -> str:
        return f"NamedListEntry({self.kind!r}, {self.name!r}, {self.text!r})"


class Instance:
    """A router, transport or authenticator (``kind`` says which). ``driver``: the name of its driver, None if
    it is not given or unknown; ``derived``: what its initialisation worked out beside option values."""

    __slots__ = ("configuration", "derived", "driver", "kind", "name", "node", "settings")

    def __init__(self, configuration: Configuration, kind: str, name: str, node: ast.Driver) -> None:
        self.configuration, self.kind, self.name, self.node = configuration, kind, name, node
        self.driver: str | None = None
        self.settings = Settings()
        self.derived: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Instance({self.kind!r}, {self.name!r}, {self.driver!r})"

    def declaration(self, name: str) -> Option | None:
        """Give the declaration of one of its options, generic ones first; None: there is no such option."""
        return self.configuration.driver_option(self.kind, self.driver, name)

    def option(self, name: str) -> Any:
        """Give the value of an option, or its default. Raises KeyError for a name it has not."""
        values = self.settings.values
        shared = ALIASES.get(name, name)
        if shared in values:
            return values[shared]
        return self.configuration.driver_default(self.kind, self.driver, name)

    def is_set(self, name: str) -> bool:
        """Say whether the configuration sets the option."""
        return name in self.settings.seen


class Configuration:
    """A configuration. ``first_error`` is the complaint with which Exim would stop, or None.

    ``tree``: the syntax tree; ``settings``: the main options that are set; ``lists``: letter (d, h, a, l) ->
    name -> entry; ``acls``: name -> tree; ``routers``, ``transports``, ``authenticators``: name -> instance,
    in order; ``rewrite``, ``retry``: rules; ``reader``: macros, sources and trivia; ``diagnostics``: all
    findings, in the order in which Exim would meet them.
    """

    def __init__(self, path: str, catalogue: Catalogue, reader: Reader) -> None:
        self.path, self.catalogue, self.reader = path, catalogue, reader
        self.tree: ast.ConfigurationTree
        self.settings = Settings()
        self.lists: dict[str, dict[str, NamedListEntry]] = {letter: {} for letter in LIST_KINDS}
        self.acls: dict[str, ast.Acl] = {}
        self.routers: dict[str, Instance] = {}
        self.transports: dict[str, Instance] = {}
        self.authenticators: dict[str, Instance] = {}
        self.rewrite: tuple[Rewriting, ...] = ()
        self.retry: tuple[Retrying, ...] = ()
        self.diagnostics: list[Diagnostic] = []
        #: values that Exim works out after reading the main section (primary_hostname and the like)
        self.computed: dict[str, Any] = {}
        #: says what is wrong with a regular expression: (PCRE2's message, offset)
        self.regex_error: Callable[[str], tuple[str, int] | None] | None = None
        #: expands a text as Exim does while it reads, with what is read so far
        self.expand_now: Callable[[str], str] | None = None
        self._site: Mapping[str, str] | None = None
        self._defaults: dict[tuple[str, str], Any] = {}
        self._options: dict[tuple[str, str, str], Option | None] = {}

    @property
    def macros(self) -> Any:
        """The macros, in Exim's order (``all()``), by name (``get()``)."""
        return self.reader.macros

    @property
    def first_error(self) -> Diagnostic | None:
        """The first finding for which Exim refuses the configuration."""
        return next((found for found in self.diagnostics if found.fatal), None)

    def option(self, name: str) -> Any:
        """Give the value of a main option, or its default. Raises KeyError for a name that does not exist."""
        name = ALIASES.get(name, name)
        if name in self.computed:
            return self.computed[name]
        values = self.settings.values
        if name in values:
            return values[name]
        key = ("", name)
        if key not in self._defaults:
            declaration = self.catalogue.option("main", name)
            if declaration is None:
                raise KeyError(name)
            self._defaults[key] = self._main_default(name, declaration)
        return self._defaults[key]

    def _main_default(self, name: str, declaration: Option) -> Any:
        """Give the default of a main option: fixed by the build, made of other options, or in the tables."""
        site = self.site()
        if name in site:
            return site[name]
        if name == "exim_version":
            return self.catalogue.release
        if name == "process_log_path":
            return f"{self.option('spool_directory')}/exim-process.info"
        return default_value(declaration)

    def site(self) -> Mapping[str, str]:
        """Give what the build fixes."""
        if self._site is None:
            self._site = site_values(self.catalogue.build)
        return self._site

    def driver_option(self, kind: str, driver: str | None, name: str) -> Option | None:
        """Give the declaration of an option of a driver, generic ones first."""
        found = self.private_option(kind, "generic", name)
        if found is None and driver is not None:
            found = self.private_option(kind, driver, name)
        return found

    def private_option(self, kind: str, driver: str, name: str) -> Option | None:
        """Give the declaration of an option of one driver ("generic": those of all)."""
        key = (kind, driver, name)
        if key not in self._options:
            self._options[key] = self.catalogue.option(TABLE_KINDS[kind], name, driver)
        return self._options[key]

    def driver_default(self, kind: str, driver: str | None, name: str) -> Any:
        """Give the default of an option of a driver."""
        key = (f"{kind} {driver}", name)
        if key not in self._defaults:
            declaration = self.driver_option(kind, driver, name)
            if declaration is None:
                raise KeyError(name)
            if name == "log_as_local":
                self._defaults[key] = driver == "accept"
            else:
                self._defaults[key] = default_value(declaration)
        return self._defaults[key]

    def drivers(self, kind: str) -> dict[str, Instance]:
        """Give the instances of a kind: router, transport or authenticator."""
        found: dict[str, Instance] = getattr(self, f"{kind}s")
        return found
