"""The composition root: puts catalogue, doors, configuration and state objects together.

The only place that decides which doors an evaluation has. Nothing is opened before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from eximious.grammar.configuration import Configuration
    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Doors, Environment


class Unreadable(Exception):
    """Something that was named on the command line cannot be read or makes no sense."""


def catalogue_for(version: str = "", build: str = "") -> Catalogue:
    """Give the catalogue for a version ("4.96"; "": the newest) and a build (a file with the output of ``exim -bV``).

    Raises Unreadable.
    """
    from eximious.grammar.catalogue import NEWEST, parse_version, versions

    wanted: tuple[int, int] | None = None
    if version:
        try:
            wanted = parse_version(version)
        except ValueError as problem:
            raise Unreadable(str(problem)) from None
        if wanted not in versions():
            known = ", ".join(f"{major}.{minor}" for major, minor in versions())
            raise Unreadable(f"Exim {version} is not known; known are {known}")
    if build:
        try:
            with open(build, encoding="latin-1") as stream:
                text = stream.read(1 << 20)
        except OSError as problem:
            raise Unreadable(f"cannot read the build file {build}: {problem.strerror}") from None
        try:
            return Catalogue.from_bv(text, wanted)
        except ValueError as problem:
            raise Unreadable(f"{build} is not the output of exim -bV: {problem}") from None
    return Catalogue(wanted or NEWEST)


class Assembly:
    """One configuration with everything that it needs to be evaluated.

    ``path`` is a file, or several joined by colons of which the first that exists counts (as ``-C``).
    """

    def __init__(
        self,
        path: str,
        *,
        version: str = "",
        build: str = "",
        defines: Iterable[str] = (),
        allow: Iterable[str] = (),
        root: str = "",
        nameserver: str = "",
        catalogue: Catalogue | None = None,
        doors: Doors | None = None,
    ) -> None:
        self.catalogue = catalogue or catalogue_for(version, build)
        self.path = path
        self.allow = tuple(allow)
        self.root = root
        self.nameserver = nameserver
        self.defines = tuple(defines)
        self._doors = doors
        self._configuration: Configuration | None = None
        self._context: Context | None = None

    # ---- parts

    @property
    def doors(self) -> Doors:
        """The doors to the outside, with the permissions that were given."""
        if self._doors is None:
            from eximious.backends.capabilities import make_doors

            self._doors = make_doors(
                allow=self.allow,
                root=self.root or None,
                config_path=self.chosen_path,
                nameserver=self.nameserver or None,
            )
        return self._doors

    @property
    def chosen_path(self) -> str:
        """The first of the configuration files that exists, or the first one."""
        import os

        candidates = self.path.split(":") if ":" in self.path else [self.path]
        if len(candidates) > 1:
            for candidate in candidates:
                if os.path.exists(_mapped(self.root, candidate)):
                    return candidate
        return candidates[0]

    @property
    def configuration(self) -> Configuration:
        """The configuration, read on first use (errors are in it)."""
        if self._configuration is None:
            from eximious.grammar.configuration import load_configuration

            self._configuration = load_configuration(
                self.path,
                self.catalogue,
                defines=self.defines,
                files=self.doors.files,
                users=self.doors.users,
                expand=self._expand_while_reading,
            )
        return self._configuration

    def configuration_error(self) -> str:
        """Exim's text for the first error of the configuration, "" if there is none."""
        return self.configuration.first_error or ""

    def _expand_while_reading(self, text: str) -> str:
        """Expand an option that Exim expands while it reads."""
        if "$" not in text and "\\" not in text:
            return text
        from eximious.interpreter.engine import expand

        return expand(text, fresh_context(self._bare_environment()))

    def _bare_environment(self) -> Environment:
        from eximious.interpreter.state import Environment

        return Environment(
            version=self.catalogue.version,
            options={},
            doors=self.doors,
            catalogue=self.catalogue,
            primary_hostname=_hostname(),
        )

    @property
    def environment(self) -> Environment:
        """What an evaluation of this configuration runs in."""
        return self.context.env

    @property
    def context(self) -> Context:
        """A context with fresh state objects (always the same one)."""
        if self._context is None:
            self._context = fresh_context(environment_of(self.configuration, self.catalogue, self.doors))
        return self._context

    # ---- -be

    @property
    def has_macros(self) -> bool:
        """Whether any macro could occur in a line of ``-be``."""
        return bool(self.configuration.macros)

    def replace_macros(self, text: str, say: Callable[[str, bool], None]) -> str | None:
        """Replace the macros in a line of ``-be``; None where the line was a definition.

        ``say(text, is_error)`` gets what the real one prints for it.
        """
        return self.configuration.replace_macros(text, say)

    def set_origin(self, origin: Mapping[str, str], sender: str | None, message_file: str) -> str:
        """Set what ``-oM…``, ``-f`` and ``-bem`` say; gives what is wrong with it, "" if nothing is."""
        if not origin and sender is None and not message_file:
            return ""
        from eximious.interpreter.origin import apply_origin

        return apply_origin(self.context, origin, sender, message_file)


def _mapped(root: str, path: str) -> str:
    return root.rstrip("/") + path if root and path.startswith("/") else path


def _hostname() -> str:
    import os

    return os.uname().nodename


def environment_of(configuration: Configuration, catalogue: Catalogue, doors: Doors) -> Environment:
    """Give the environment of a configuration that was read."""
    from eximious.interpreter.state import Environment

    return Environment(
        version=catalogue.version,
        options=configuration.options,
        doors=doors,
        named_lists=configuration.named_lists,
        hidden_lists=configuration.hidden_lists,
        cached_lists=configuration.cached_lists,
        acls=configuration.acls,
        catalogue=catalogue,
        configuration=configuration,
        config_file=configuration.path,
        primary_hostname=configuration.primary_hostname,
    )


def fresh_context(env: Environment) -> Context:
    """Give a context with state objects in which nothing has happened."""
    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Address, Message, Session

    return Context(env, Session(), Message(), Address())


__all__ = ["Assembly", "Unreadable", "catalogue_for", "environment_of", "fresh_context"]
