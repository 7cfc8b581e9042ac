"""Suggestions: the name that was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from eximious.grammar.catalogue import Catalogue


def closest(name: str, known: Iterable[str]) -> str:
    """Give the known name that is most like ``name``, "" if none is."""
    from difflib import get_close_matches

    if len(name) > 100:
        return ""
    lower = {other.lower(): other for other in sorted(known, reverse=True)}
    close = get_close_matches(name.lower(), sorted(lower), 1, 0.75)
    return lower[close[0]] if close else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Give the hint that names it, "" if there is nothing to suggest."""
    found = closest(name, known)
    return f"did you mean {found}?" if found else ""


def looks_like_macro(name: str) -> bool:
    """Say whether a name looks like that of a macro: upper case, at least three characters."""
    return (
        len(name) > 2
        and name[:1].isalpha()
        and name.upper() == name
        and name.isascii()
        and all(char.isalnum() or char == "_" for char in name)
    )


def macro_hint(name: str) -> str:
    """Give the hint for a macro that is not defined."""
    return f"a macro that is not defined here? Write {name} = ... above this line, or give -D{name}=..."


def version_hint(has: Callable[[Catalogue], bool], catalogue: Catalogue) -> str:
    """Say so where another version of Exim, or another build, has what ``has`` asks for; "" if none has."""
    from eximious.grammar.catalogue import Catalogue, versions

    if has(Catalogue(catalogue.version)):
        return "Exim has it, but not this build"
    known = [version for version in versions() if has(Catalogue(version))]
    if not known:
        return ""
    (major, minor), (last_major, last_minor) = known[0], known[-1]
    if known[0] > catalogue.version:
        return f"Exim has it from version {major}.{minor} on"
    return f"Exim has it up to version {last_major}.{last_minor} only"
