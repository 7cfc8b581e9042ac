"""Operators on lists: listcount and listnamed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import count_list, list_separator, split_list
from eximious.interpreter.outcomes import ExpansionError, OverBudget
from eximious.interpreter.registry import CLEAN, OWN, operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_KINDS = {"a": "address ", "d": "domain ", "h": "host ", "l": "localpart "}
#: where a name is looked for without a kind
_ORDER = "adhl"
#: Exim copies elements through a buffer of this size less one
_ELEMENT_LIMIT = 255
_DEPTH_LIMIT = 100
_ELEMENTS_LIMIT = 100_000


@operator("listcount", section="11.6", taint=CLEAN)
def listcount(text: str) -> str:
    """Give the number of a list's elements. Manual 11.6."""
    return str(count_list(text))


@operator("listnamed", section="11.6", takes="arg", taint=OWN)
def listnamed(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Give the elements of a named list, those of the lists it names in their place, joined by `` : ``.

    ``listnamed_d`` looks among domain lists only (``a``, ``h``, ``l``: the others). Elements of a list with
    another separator get their colons doubled. What is surprising: elements of colon lists do not, and
    an element is cut after 255 bytes. Raises ExpansionError where there is no such list. Manual 11.6.
    """
    if arg is not None and arg[:1] not in _KINDS:
        raise ExpansionError('bad suffix on "list" operator')
    parts: list[str] = []
    _collect(ctx, text, arg[:1] if arg else "", parts, 0)
    return " : ".join(parts)


def _collect(ctx: Context, name: str, kind: str, parts: list[str], depth: int) -> None:
    name = name.removeprefix("+")
    if depth > _DEPTH_LIMIT:
        raise OverBudget("named lists inside each other", _DEPTH_LIMIT)
    lists = ctx.env.named_lists
    for letter in kind or _ORDER:
        text = lists.get(letter, {}).get(name)
        if text is not None:
            break
    else:
        raise ExpansionError(f'"{name}" is not a {_KINDS.get(kind, "")}named list')
    separator = list_separator(text)[0]
    before = len(parts)
    for element in split_list(text):
        element = element[:_ELEMENT_LIMIT]
        if element.startswith("+"):
            _collect(ctx, element, kind, parts, depth + 1)
        else:
            parts.append(element if separator == ":" else _for_colons(element, separator))
        if len(parts) > _ELEMENTS_LIMIT:
            raise OverBudget("elements in a named list", _ELEMENTS_LIMIT)
    if depth and len(parts) == before:
        parts.append("")  # an empty list still takes its place


def _for_colons(element: str, separator: str) -> str:
    """Double the colons; two separators in a row become one."""
    pattern = f":|{re.escape(separator)}{{1,2}}"
    return re.sub(pattern, lambda found: "::" if found.group() == ":" else separator, element)
