"""The operator quote, and quote_<lookup type>: text made safe inside the queries of a lookup type.

One table says how each type quotes (manual 9.9, 9.16, 9.22, 9.26); types that are not in it leave text
as it is. Which types there are, version and build decide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.operators.text import quote_word
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

    Quote = Callable[[str], str]

_LETTERS = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b"}
_BACKSLASHED = str.maketrans({**_LETTERS, "'": "\\'", '"': '\\"', "\\": "\\\\"})
_PGSQL = str.maketrans({**_LETTERS, "'": "''", '"': '\\"', "\\": "\\\\"})
_APOSTROPHES = str.maketrans({"'": "''"})
_NISPLUS = str.maketrans({'"': '""'})
_REDIS = str.maketrans({char: f"\\{char}" for char in " \t\n\v\f\r\\"})

_URL_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!$'-._+()*")
_URL = {code: f"%{code:02X}" for code in range(256) if code not in _URL_SAFE}
_FILTER = _URL | {ord(char): f"%5C{ord(char):02X}" for char in "*()\\"}
_DN = _URL | str.maketrans({char: f"%5C{_URL.get(ord(char), char)}" for char in ',+"\\<>;'})
_DN_START = re.compile(r"[ #]*")


def _ldap_dn(text: str) -> str:
    """Quote for a distinguished name: spaces and # that lead, and spaces that trail, get a backslash too."""
    start = _DN_START.match(text).end()  # type: ignore[union-attr]
    leading = "".join([f"%5C{_URL[ord(char)]}" for char in text[:start]])
    middle = text[start:].rstrip(" ")
    return leading + middle.translate(_DN) + "%5C%20" * (len(text) - start - len(middle))


def _by(table: dict[int, str]) -> Quote:
    return lambda text: text.translate(table)


#: lookup type -> how it quotes
QUOTING: dict[str, Quote] = {
    "ibase": _by(_APOSTROPHES),
    "ldap": _by(_FILTER),
    "ldapauth": _by(_FILTER),
    "ldapdn": _by(_FILTER),
    "ldapm": _by(_FILTER),
    "mysql": _by(_BACKSLASHED),
    "nisplus": _by(_NISPLUS),
    "oracle": _by(_BACKSLASHED),
    "pgsql": _by(_PGSQL),
    "redis": _by(_REDIS),
    "sqlite": _by(_APOSTROPHES),
}
#: (lookup type, what follows it after an underscore) -> how it quotes
QUOTING_VARIANTS: dict[tuple[str, str], Quote] = {
    (name, "dn"): _ldap_dn for name in ("ldap", "ldapauth", "ldapdn", "ldapm")
}


@operator("quote", section="11.6", takes="arg")
def quote(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Put text into double quotes unless it is a plain word; with a lookup type, quote for its queries.

    Plain are ASCII letters, digits, ``_``, ``.`` and ``-``. Inside, quotes and backslashes get a backslash,
    newline and carriage return become ``\\n`` and ``\\r``. Raises ExpansionError with Exim's message where
    there is no such lookup type or variant (only ``ldap_dn``). Manual 11.6.
    """
    if arg is None:
        return quote_word(text)
    lookup, underscore, variant = arg.partition("_")
    catalogue = ctx.env.catalogue
    if catalogue is not None and lookup not in catalogue.lookups:
        raise ExpansionError(f'unknown lookup type "{lookup}"')
    if underscore:
        function = QUOTING_VARIANTS.get((lookup, variant))
        if function is None:
            raise ExpansionError(f'"{variant}" unrecognized after "${{quote_{lookup}"')
        return function(text)
    function = QUOTING.get(lookup)
    return function(text) if function is not None else text


operator("quote_<lookup type>", section="11.6", takes="arg")(quote)
