"""How ``${lookup`` reaches the lookups: they are handed in, because the lookups build on this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError

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


def ask_ldap(ctx: Context, query: str) -> bool:
    """Whether an LDAP server takes the user and password of a query (lookup type ``ldapauth``).

    A described world may say so as a verdict. Raises ExpansionError with Exim's message.
    """
    language = ctx.env.language
    spec = language.lookups.parse_type("ldapauth", language.version, None)
    try:
        return language.lookups.search(ctx, spec, None, query, language.expander(ctx)) is not None
    except language.lookups.SearchDefer as defer:
        raise ExpansionError(defer.reason) from None
