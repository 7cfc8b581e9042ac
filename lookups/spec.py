"""Lookup types as written: ``partial3(*.)lsearch*@,ret=key`` taken apart (manual 9.6, 9.7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.lookups.registry import ABSFILE_QUERY, MODULES, QUERY, SINGLE_KEY

if TYPE_CHECKING:
    from collections.abc import Container

STAR = 1  #: ``type*``: then look up ``*``
STARAT = 2  #: ``type*@``: then ``*@domain``, then ``*``

_PARTIAL = re.compile(r"partial([0-9]*)(?:\(([!-(*-/:-@\[-`{-~]*)\)|(-))")

#: styles of the types that have no module to ask (and of all, without importing one)
_QUERIES = (
    "dnsdb ibase ldap ldapauth ldapdn ldapm mysql nisplus oracle passwd pgsql readsock redis"
    " testdb testdb2 testdb_nq whoson"
)
STYLES = (
    dict.fromkeys(MODULES, SINGLE_KEY) | dict.fromkeys(_QUERIES.split(), QUERY) | {"sqlite": ABSFILE_QUERY}
)


class LookupSpec:
    """A lookup type with what is written around it.

    ``partial``: how many components must stay in a partial match, -1 for none. ``affix``: what is put
    before the key. ``star``: 0, STAR or STARAT. ``takes_key``: whether it is a single-key type,
    with ``{key}`` before the type and a file after it. ``options``: those for the type itself;
    ``ret_key``, ``cache_read`` and ``cache_write`` are taken out of them. ``file``: what the option ``file=``
    says. ``plain``: a key is looked up as it is.
    """

    __slots__ = (
        "affix",
        "cache_read",
        "cache_write",
        "file",
        "name",
        "options",
        "options_text",
        "partial",
        "plain",
        "ret_key",
        "star",
        "style",
        "takes_key",
        "text",
    )

    def __init__(self, text: str, name: str, partial: int, affix: str, star: int, options: list[str]) -> None:
        self.text, self.name, self.partial, self.affix, self.star = text, name, partial, affix, star
        self.style = STYLES[name]
        self.takes_key = self.style == SINGLE_KEY
        self.ret_key = "ret=key" in options
        self.plain = self.takes_key and partial < 0 and not star and not self.ret_key
        self.cache_read = self.cache_write = True
        self.options = [option for option in options if option != "ret=key"]
        self.options_text = ""
        self.file = next((option[5:] for option in options if option.startswith("file=")), None)

    def check_key(self, key_given: bool) -> None:
        """Raise Exim's error where a key is missing before the type, or is there and may not be."""
        if not key_given and self.takes_key:
            raise ExpansionError(f'missing {{key}} for single-key "{self.text}" lookup')
        if key_given and not self.takes_key:
            raise ExpansionError(
                f'a single key was given for lookup type "{self.text}", which is not a single-key lookup type'
            )


def split_options(text: str) -> list[str]:
    """Split a lookup's options at commas, a doubled comma standing for one."""
    from eximious.interpreter.listsplit import split_list

    return split_list(text, ",")


def parse_type(
    text: str, version: tuple[int, int] = (4, 99), available: Container[str] | None = None
) -> LookupSpec:
    """Take a lookup type as written apart.

    ``available``: the names that the version and build have (None: all). Raises ExpansionError with
    Exim's message: unknown type, format error, partial or default not permitted. Manual 9.6, 9.7.
    """
    partial, affix, rest = -1, "*.", text
    if text.startswith("partial"):
        match = _PARTIAL.match(text)
        if match is None:
            raise ExpansionError(f'format error in lookup type "{text}"')
        partial = 2
        if match[1]:
            partial = _c_int(match[1])
        if match[3] is None:
            affix = match[2]
        rest = text[match.end() :]

    star = 0
    options = ""
    cut = rest.find("*")
    if cut >= 0:
        star = STARAT if rest.startswith("@", cut + 1) else STAR
        comma = rest.find(",", cut)
    else:
        comma = cut = rest.find(",")
    if comma >= 0:
        options = rest[comma + 1 :]
    name = rest[:cut] if cut >= 0 else rest

    if name not in MODULES or (available is not None and name not in available):
        raise ExpansionError(f'unknown lookup type "{name}"')
    if STYLES[name] != SINGLE_KEY:
        if partial >= 0:
            raise ExpansionError(f'"partial" is not permitted for lookup type "{rest}"')
        if star:
            raise ExpansionError(f'defaults using "*" or "*@" are not permitted for lookup type "{rest}"')
    spec = LookupSpec(text, name, partial, affix, star, split_options(options) if options else [])
    _take_cache_options(spec, version)
    return spec


def _c_int(digits: str) -> int:
    """Digits as a C int collects them, overflow and all: ``partial4294967295-`` is the same as no partial."""
    value = 0
    for digit in digits:
        value = (value * 10 + ord(digit) - 48) & 0xFFFFFFFF
    return value - ((value & 0x80000000) << 1)


def _take_cache_options(spec: LookupSpec, version: tuple[int, int]) -> None:
    """Take ``cache=`` out of the options: no_rd from 4.95, no and no_wr from 4.99."""
    left = []
    for option in spec.options:
        if option == "cache=no_rd" and version >= (4, 95):
            spec.cache_read = False
        elif option == "cache=no" and version >= (4, 99):
            spec.cache_read = spec.cache_write = False
        elif option == "cache=no_wr" and version >= (4, 99):
            spec.cache_write = False
        else:
            left.append(option)
    spec.options = left
    spec.options_text = ",".join(left)
