"""What the compiler knows of names: the catalogue of a version and build joined with the registries.

One :class:`Language` per catalogue. It finds a declaration by name and imports the module that makes it
only then; which module that is stands in the generated index (tools/make_index.py).
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from eximious.grammar.shapes import condition_shapes, item_shapes
from eximious.interpreter import _registered
from eximious.interpreter.engine import expand
from eximious.interpreter.registry import CONDITIONS, ITEM_COMPILERS, ITEMS, OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.expansion_ast import Header
    from eximious.interpreter.context import Context
    from eximious.interpreter.registry import Declaration, ItemCompiler

    Run = Callable[[Context], str]


class Language:
    """The expansion language of one version and build.

    ``lookups`` is the package of lookups (handed in: it builds on this one).
    """

    def __init__(self, catalogue: Catalogue, lookups: Any = None) -> None:
        self.catalogue = catalogue
        self.version: tuple[int, int] = catalogue.version
        self._lookups = lookups
        self._operators: dict[str, tuple[Declaration | None, str | None, str]] = {}
        self._variables: dict[str, Run | None] = {}
        #: compiled expansions by text: one compilation per distinct text (see engine)
        self.programs: dict[str, Run] = {}

    @cached_property
    def item_shapes(self) -> dict[str, str]:
        """The items that exist, with their shapes."""
        return item_shapes(self.catalogue.items)

    @cached_property
    def condition_shapes(self) -> dict[str, str]:
        """The conditions that exist, with their shapes."""
        return condition_shapes(self.catalogue.conditions)

    # ---- declarations

    def item_compiler(self, name: str) -> ItemCompiler | None:
        """The compiler of an item with a shape of its own."""
        found: ItemCompiler | None = _declared(ITEM_COMPILERS, _registered.ITEM_COMPILERS, name)
        return found

    def item(self, name: str) -> Declaration:
        """The declaration of an item that takes text arguments only."""
        return _declared(ITEMS, _registered.ITEMS, name)  # type: ignore[no-any-return]

    def condition(self, name: str) -> Declaration:
        """The declaration of a condition that takes text arguments only."""
        return _declared(CONDITIONS, _registered.CONDITIONS, name)  # type: ignore[no-any-return]

    def operator(self, name: str) -> tuple[Declaration | None, str | None, str]:
        """The declaration behind an operator as written, its argument, and Exim's message if there is none.

        An underscore is part of the name, or introduces an argument (manual 11.6).
        """
        found = self._operators.get(name)
        if found is None:
            found = self._operators[name] = self._find_operator(name)
        return found

    def _find_operator(self, name: str) -> tuple[Declaration | None, str | None, str]:
        unknown = f'unknown expansion operator "{name}"'
        catalogue = self.catalogue
        row = catalogue.operator(name)
        if row is not None and (row.underscore_in_name or "_" not in name):
            return _declared(OPERATORS, _registered.OPERATORS, name), None, ""
        main, underscore, argument = name.partition("_")
        row = catalogue.operator(main)
        if row is None or row.underscore_in_name:
            return None, None, unknown
        if underscore and not row.takes_argument and self.version >= (4, 99):
            return None, None, f'{unknown} ("{main}" does not take an _arg)'
        return _declared(OPERATORS, _registered.OPERATORS, main), argument if underscore else None, ""

    # ---- variables and headers

    def variable(self, name: str) -> Run | None:
        """The function that gives a variable's value; None if there is no such variable."""
        if name in self._variables:
            return self._variables[name]
        from eximious.interpreter.variables import resolver_for

        found = self._variables[name] = resolver_for(name, self.catalogue, self.version)
        return found

    def defined(self, name: str) -> Callable[[Context], bool] | None:
        """The function for ``def:name``; None if there is no such variable."""
        from eximious.interpreter.variables import defined_for

        return defined_for(name, self.catalogue, self.version)

    def unset_is_unknown(self, name: str) -> bool:
        """Whether a variable of that name may be unknown for want of a value, even where it is skipped."""
        from eximious.interpreter.variables import unset_is_unknown

        return unset_is_unknown(name)

    def unknown_variable(self, name: str, braced: bool) -> str:
        """Exim's message for a variable that does not exist."""
        from eximious.interpreter.variables import unknown_variable_message

        return unknown_variable_message(name, braced)

    def variable_hint(self, name: str) -> str:
        """What Exim adds to a message about an unknown variable."""
        from eximious.interpreter.variables import unknown_variable_message

        plain = f'unknown variable name "{name}"'
        return unknown_variable_message(name, False).removeprefix(plain)

    def certificate(self, name: str) -> Callable[[Context], Any] | None:
        """The function that gives the certificate in a variable; None if the variable holds none ever."""
        row = self.catalogue.variable(name)
        if row is None or "cert" not in row.kind:
            return None
        from eximious.interpreter.variables import certificate_for

        return certificate_for(name)

    def header_reader(self, node: Header) -> Run:
        """The function for ``$h_name:`` and its kin."""
        from eximious.interpreter.headers import header_value

        kind, name = node.kind, node.name
        suspicious = "}" in name

        def run(ctx: Context) -> str:
            value = header_value(ctx, kind, name)
            if value is None:
                if suspicious:
                    ctx.malformed_header = True
                return ""
            return value

        return run

    def header_exists(self, node: Header) -> Callable[[Context], bool]:
        """The function for ``def:h_name``."""
        from eximious.interpreter.headers import header_value

        kind, name = node.kind, node.name
        return lambda ctx: header_value(ctx, kind, name, exists_only=True) is not None

    # ---- lookups

    @property
    def lookups(self) -> Any:
        """The package of lookups."""
        if self._lookups is None:
            self._lookups = import_module("eximious.lookups.search")
        return self._lookups

    @cached_property
    def lookup_names(self) -> frozenset[str]:
        """The lookup types that exist."""
        return frozenset(self.catalogue.lookups)

    def expander(self, ctx: Context) -> Callable[[str], str]:
        """A function that expands text in the state of ``ctx``."""
        return lambda text: expand(text, ctx)


def _declared(registry: dict[str, Any], index: dict[str, str], name: str) -> Any:
    found = registry.get(name)
    if found is None:
        module = index.get(name)
        if module is None:
            return None
        import_module(module)
        found = registry[name]
    return found
