"""How ``${lookup`` reaches the lookups: they are handed in, because the lookups build on this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.interpreter.language import Language


def lookup_spec(text: str, language: Language) -> Any:
    """Take a lookup type as written apart; raises ExpansionError with Exim's message (manual 9.6)."""
    return language.lookups.parse_type(text, language.version, language.lookup_names)


def search(ctx: Context, spec: Any, key: str | None, query: str) -> Any:
    """Search; gives something with ``value``, ``wild`` and ``fixed``, or None where nothing was found."""
    language = ctx.env.language
    return language.lookups.search(ctx, spec, key, query, language.expander(ctx))
