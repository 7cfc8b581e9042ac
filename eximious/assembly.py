"""The composition root: puts catalogue, doors, configuration and state objects together.

The only place that decides which doors an evaluation has. Nothing is opened before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from eximious.grammar.build import Build
    from eximious.grammar.configuration import Configuration
    from eximious.grammar.macros import MacroError
    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Doors, Environment
    from eximious.world_options import Outside


class Unreadable(Exception):
    """Something that was named on the command line cannot be read or makes no sense."""


def catalogue_for(version: str = "", build: str = "", unsaid: Build | None = None) -> Catalogue:
    """Give the catalogue for a version ("4.96"; "": the newest) and a build (a file with the output of ``exim -bV``).

    ``unsaid``: the build where none is given, None: one with everything. Raises Unreadable.
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
    return Catalogue(wanted or NEWEST) if unsaid is None else Catalogue(wanted or NEWEST, unsaid)


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
        world: str = "",
        live: Iterable[str] = (),
        record: str = "",
        catalogue: Catalogue | None = None,
        doors: Doors | None = None,
        keep_lines: bool = False,
    ) -> None:
        self.catalogue = catalogue or catalogue_for(version, build)
        self.path = path
        self.allow = tuple(allow)
        self.root = root
        self.nameserver = nameserver
        self.defines = tuple(defines)
        self.keep_lines = keep_lines
        self._doors = doors
        self._outside: Outside | None = None
        if world or live or record:
            from eximious.world_options import Outside

            try:
                self._outside = Outside(world, live, record, root)
            except ValueError as problem:
                raise Unreadable(str(problem)) from None
        try:
            if self.allow:
                from eximious.backends.capabilities import parse_permissions

                parse_permissions(self.allow)
            if nameserver:
                from eximious.backends.dns import parse_nameserver

                parse_nameserver(nameserver)
        except ValueError as problem:
            raise Unreadable(str(problem)) from None
        self._configuration: Configuration | None = None
        self._context: Context | None = None

    # ---- parts

    @property
    def doors(self) -> Doors:
        """The doors to the outside, with the permissions that were given."""
        if self._doors is None:
            from eximious.backends.capabilities import make_doors

            make = make_doors if self._outside is None else self._outside.doors
            self._doors = make(
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
                if self._outside is not None and self._outside.has(candidate):
                    return candidate
        return candidates[0]

    @property
    def configuration(self) -> Configuration:
        """The configuration, read on first use (errors are in it)."""
        if self._configuration is None:
            from eximious.grammar.configuration import load_configuration
            from eximious.grammar.macros import DefineError, parse_defines

            try:
                defines = parse_defines(self.defines)
            except DefineError as problem:
                raise Unreadable(problem.message) from None
            outside: dict[str, Any] = {}
            if self._outside is not None:
                from eximious.world_options import ConfigurationUsers

                outside = {
                    "users": ConfigurationUsers(self.doors),
                    "hostname": self._outside.hostname(self.doors),
                }
            try:
                self._configuration = load_configuration(
                    self.chosen_path,
                    self.catalogue,
                    defines,
                    files=self.doors.files,
                    expand=self._expand_while_reading,
                    parse_address=_parse_address,
                    regex_error=_regex_error,
                    keep_lines=self.keep_lines,
                    **outside,
                )
            except OSError as problem:
                raise Unreadable(f"cannot read {self.chosen_path}: {problem.strerror}") from None
        return self._configuration

    def configuration_error(self) -> str:
        """Exim's text for the first error of the configuration, "" if there is none."""
        first = self.configuration.first_error
        return first.exim_text() if first is not None else ""

    def _expand_while_reading(self, configuration: Configuration, text: str) -> str:
        """Expand an option that Exim expands while it reads."""
        if "$" not in text and "\\" not in text:
            return text
        from eximious.interpreter.engine import expand

        return expand(text, fresh_context(environment_of(configuration, self.catalogue, self.doors)))

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

    def close(self) -> None:
        """End what the doors may have started."""
        if self._doors is not None:
            close = getattr(self._doors, "close", None)
            if close is not None:
                close()

    def sibling(self) -> Assembly:
        """The same with state objects of its own."""
        other = Assembly(self.path, catalogue=self.catalogue, doors=self.doors)
        other._configuration = self.configuration
        env = self.context.env
        other._context = fresh_context(env)
        return other

    # ---- -be

    def replace_macros(self, text: str) -> tuple[str, bool]:
        """A line of ``-be`` with its macros replaced, or what is printed for one that defines a macro.

        The flag says that it was a definition. Raises MacroError.
        """
        macros = self.configuration.macros
        text, _ = macros.replace(text, True)
        if "A" <= text[:1] <= "Z":
            macro = macros.define(text, "", 0)
            return f"Defined macro '{macro.name}'", True
        return text, False

    def stamped(self, problem: MacroError) -> str:
        """What the real one writes to standard error for a wrong definition in ``-be``."""
        import time

        place = ""
        if problem.located:
            last = self.configuration.reader.sources.texts.get(self.chosen_path, "").count("\n")
            place = f" in line {last} of {self.chosen_path}"
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        return f"{now} Exim configuration error{place}:\n  {problem.message}\n"

    def set_origin(
        self,
        origin: Mapping[str, str],
        sender: str | None = None,
        message_file: str = "",
        recipients: bool = False,
    ) -> tuple[str, list[str]]:
        """Set what the caller, ``-oM…``, ``-f`` and ``-bem`` say (``recipients``: ``-t`` was given).

        Gives what is wrong with it ("" if nothing is) and what the real one prints on the way.
        """
        from eximious.interpreter.origin import OriginError, apply_origin

        ctx = self.context
        login = self._login()
        values = {_ORIGIN[option]: text for option, text in origin.items()}
        try:
            apply_origin(ctx.env, ctx.session, ctx.message, login=login, sender=sender, **values)  # type: ignore[arg-type]
        except OriginError as error:
            return error.message, []
        if not message_file:
            return "", []
        from eximious.interpreter.message_file import MessageAbandoned, read_test_message

        try:
            with open(message_file.encode("latin-1"), "rb") as stream:
                data = stream.read(MESSAGE_LIMIT)
        except OSError as problem:
            return f"exim: failed to open {message_file}: {problem.strerror}", []
        try:
            notices = read_test_message(
                ctx, data, login=login, sender_given=sender is not None, extract_recipients=recipients
            )
        except MessageAbandoned as problem:
            return problem.message, []
        return "", notices

    def _login(self) -> str:
        entry = self.doors.users.getpwuid(self.doors.machine.caller()[0])
        return entry.pw_name if entry is not None else "unknown"


#: bytes of a message that are read
MESSAGE_LIMIT = 512 << 20

_ORIGIN = {
    "-oMa": "host_address",
    "-oMaa": "authenticator",
    "-oMai": "authenticated_id",
    "-oMas": "authenticated_sender",
    "-oMi": "interface",
    "-oMr": "protocol",
    "-oMs": "host_name",
    "-oMt": "ident",
}


def _parse_address(text: str) -> tuple[str | None, str]:
    from eximious.interpreter.addresses import parse_extract_address

    found = parse_extract_address(text)
    return found[0], found[1]


def _regex_error(pattern: str) -> tuple[str, int] | None:
    """What is wrong with a regular expression: PCRE's words and the place, None if nothing is."""
    from eximious.interpreter.regex import BadPattern, compile_regex

    try:
        compile_regex(pattern)
    except BadPattern as problem:
        return problem.reason, problem.place
    return None


class Options:
    """The main options of a configuration as the evaluator asks for them: by name, defaults included."""

    __slots__ = ("_configuration", "_found")

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        #: what was asked for already: the configuration does not change any more
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self._configuration.option(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an option, ``default`` where there is no such option or nothing is set."""
        try:
            value = self._found[name]
        except KeyError:
            value = self._read(name)
        return default if value is None else value

    def _read(self, name: str) -> Any:
        try:
            value = self._configuration.option(name)
        except KeyError:
            value = None
        self._found[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        return self.get(str(name)) is not None


def _mapped(root: str, path: str) -> str:
    return root.rstrip("/") + path if root and path.startswith("/") else path


def environment_of(configuration: Configuration, catalogue: Catalogue, doors: Doors) -> Environment:
    """Give the environment of a configuration that was read (or is being read)."""
    from eximious.interpreter.state import Environment

    lists = configuration.lists
    return Environment(
        version=catalogue.version,
        options=Options(configuration),  # type: ignore[arg-type]
        doors=doors,
        named_lists={
            kind: {name: entry.text for name, entry in found.items()} for kind, found in lists.items()
        },
        hidden_lists={
            (kind, name) for kind, found in lists.items() for name, entry in found.items() if entry.hide
        },
        cached_lists={
            (kind, name) for kind, found in lists.items() for name, entry in found.items() if entry.cache
        },
        acls=configuration.acls,
        catalogue=catalogue,
        configuration=configuration,
        config_file=configuration.path,
        primary_hostname=configuration.option("primary_hostname") or "",
        compile_date=catalogue.build.lines.get("built") or "01-Jan-2025 00:00:00",
        compile_number=catalogue.build.lines.get("number") or "1",
        version_text=catalogue.release,
        acl_runner=_run_acl,
    )


def _run_acl(ctx: Context, name: str, arguments: list[str]) -> tuple[str, str]:
    """Run an ACL for an expansion; the engine is loaded when the first one asks."""
    from eximious.simulation.acl.engine import run_from_expansion

    return run_from_expansion(ctx, name, arguments)


def fresh_context(env: Environment) -> Context:
    """Give a context with state objects in which nothing has happened."""
    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Address, Message, Session

    return Context(env, Session(), Message(), Address())


def fresh_run(ctx: Context) -> Context:
    """Give a context with the same state objects, in which nothing has been matched or looked up yet."""
    from eximious.interpreter.context import Context

    return Context(ctx.env, ctx.session, ctx.message, ctx.address)
