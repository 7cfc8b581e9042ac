"""The public API: load a configuration, check it, evaluate expansions in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.assembly import Assembly, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from eximious.grammar.config_ast import ConfigurationTree
    from eximious.grammar.diagnostics import Diagnostic


def load(
    path: str,
    *,
    exim_version: str = "",
    build: str = "",
    defines: Mapping[str, str] | Iterable[str] = (),
    allow: Iterable[str] = (),
    root: str = "",
    nameserver: str = "",
    world: str = "",
    live: Iterable[str] = (),
    record: str = "",
) -> Configuration:
    """Read the configuration in the file ``path``.

    ``exim_version``: the Exim to be like, such as "4.96" (default: the newest); ``build``: a file with the
    output of a real ``exim -bV``; ``defines``: macros, as a mapping or as ``NAME=VALUE`` texts; ``allow``:
    permissions (as ``--allow``); ``root``: the folder that holds the files which the configuration names;
    ``nameserver``: the only DNS server to ask; ``world``: the folder of a described world, ``live``: its doors
    that are real (as ``--live``), ``record``: the world to write answers into when the process ends.
    Errors of the configuration are no exception: see :attr:`Configuration.error` and
    :meth:`Configuration.lint`. Raises ConfigurationUnreadable where there is
    nothing to read. Manual chapter 6.
    """
    macros = [f"{name}={value}" for name, value in defines.items()] if hasattr(defines, "items") else defines
    assembly = Assembly(
        path,
        version=exim_version,
        build=build,
        defines=tuple(macros),
        allow=tuple(allow),
        root=root,
        nameserver=nameserver,
        world=world,
        live=tuple(live),
        record=record,
    )
    assembly.configuration  # noqa: B018  (reads it: what cannot be read is found now)
    return Configuration(assembly)


class Configuration:
    """A configuration that was read; made by :func:`load`."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @property
    def path(self) -> str:
        """The file it was read from."""
        return self._assembly.configuration.path

    @property
    def tree(self) -> ConfigurationTree:
        """The syntax tree, with the place of every node."""
        return self._assembly.configuration.tree

    @property
    def error(self) -> str:
        """What Exim would say when it refuses this configuration, "" if it would accept it."""
        return self._assembly.configuration_error()

    def option(self, name: str) -> Any:
        """Give the value of a main option, its default included; KeyError: there is no such option."""
        return self._assembly.configuration.option(name)

    def expand(
        self,
        text: str,
        *,
        variables: Mapping[str, str] | None = None,
        message: str = "",
        sender: str | None = None,
    ) -> str:
        """Expand ``text`` as Exim would, and give what comes of it.

        Text is one character a byte (what is read from a file as latin-1). ``variables``: values that stand
        for what came from outside, by name without the dollar; ``message``: a file with a message whose
        headers and body are known; ``sender``: the envelope sender. Every call starts from nothing.

        Raises a Failure with Exim's message (ExpansionError, ForcedFailure, Defer), Refused where a
        permission is lacking, Unanswered where the described world does not answer, OverBudget.
        Manual chapter 11.
        """
        from eximious.interpreter.engine import expand

        return expand(text, self._context(variables, message, sender)).partition("\0")[0]

    def _context(self, variables: Mapping[str, str] | None, message: str, sender: str | None) -> Any:
        from eximious.assembly import fresh_context
        from eximious.interpreter.variables import set_variable

        assembly = self._assembly
        if variables or message or sender is not None:
            # a context of its own: what is set here is not seen by the next call
            own = assembly.sibling()
            problem, _ = own.set_origin({}, sender, message)
            if problem:
                raise Unreadable(problem)
            for name, value in (variables or {}).items():
                set_variable(own.context, name, value)
            return own.context
        return fresh_context(assembly.context.env)

    def lint(self) -> list[Diagnostic]:
        """Check the configuration; gives the findings in the order of the files."""
        from eximious.lint.engine import run_rules

        return run_rules(self._assembly.configuration, self._assembly.environment.language)
