"""Lists in text: splitting them and putting them together again (manual 6.21, 6.22).

Exim has no list type: a list is text, split anew by whoever needs its items. Nothing here expands or matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.listspans import CONTROLS, SKIP, SPACE, list_separator, split_spans, trim
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SPACE", "append_element", "append_to_list", "count_list", "double_separator", "join_list"]
__all__ += ["list_separator", "split_default", "split_list", "split_spans"]


def split_list(text: str, sep: str | None = None) -> list[str]:
    """Give the items of a list, without the white space around each (but ``a\\ `` keeps its last space).

    ``sep``: None lets the text choose (``<x``, else a colon); a character fixes it, and then ``<x`` is text.
    A doubled separator stands for itself, except that control characters never double. An empty item at
    the very end does not count: ``a:`` has one item, ``:`` one (empty), ``a: :`` two. Items of a tainted
    list are tainted.
    """
    at = 0
    if sep is None:
        sep = ":"
        if "<" in text:
            sep, at = list_separator(text)
    body = text[at:] if at else text
    if sep + sep in body and sep not in CONTROLS:
        items = [item for item, _, _ in split_spans(body, sep)]
    elif sep in SPACE:
        skip = SKIP[sep]
        items = [trim(part.lstrip(skip)) for part in body.split(sep)]
        if not items[-1]:
            items.pop()
    else:
        if "\\" in body:
            items = [trim(part.lstrip(SPACE)) for part in body.split(sep)]
        else:
            items = [part.strip(SPACE) for part in body.split(sep)]
        if not items[-1]:
            items.pop()
    if type(text) is Tainted:
        return [Tainted(item) for item in items]
    return items


def split_default(text: str, default: str) -> list[str]:
    """Give the items of a list whose separator is ``default`` unless the text begins with ``<x``."""
    separator, at = list_separator(text, default)
    body = text[at:] if at else text
    return split_list(Tainted(body) if type(text) is Tainted else body, separator)


def count_list(text: str, sep: str | None = None) -> int:
    """Give the number of items (``${listcount:...}``)."""
    return len(split_list(text, sep))


def double_separator(item: str, sep: str) -> str:
    """Give ``item`` with each separator in it doubled."""
    return item.replace(sep, sep + sep)


def join_list(sep: str, items: Iterable[str]) -> str:
    """Put a list together as ``${map}``, ``${filter}`` and ``${addresses:}`` do.

    Separators inside items are doubled (control characters, too, though splitting does not undo these).
    Where an item other than the first is empty or begins with the separator, a space is put before it, since
    the separators would otherwise be read as one doubled. The first item gets none: the result of a
    ``map`` to empty strings begins with the bare separator. White space is kept. It begins with no ``<x``.
    """
    parts: list[str] = []
    for item in items:
        append_element(parts, sep, item)
    return sep.join(parts)


def append_element(parts: list[str], sep: str, item: str) -> None:
    """Add one more item to ``parts``, which ``sep.join(parts)`` makes a list; see :func:`join_list`."""
    if sep in item:
        item = item.replace(sep, sep + sep)
    if parts and (not item or item[0] == sep):
        item = " " + item
    parts.append(item)


def append_to_list(text: str, sep: str, item: str) -> str:
    """Add an item to the text of a list as ``${sort}``, lookups and lists of addresses do.

    Separators in the item are doubled. Unlike :func:`join_list`, nothing is done for items that are empty or
    begin with the separator, and an empty text counts as a list without items.
    """
    if sep in item:
        item = item.replace(sep, sep + sep)
    return f"{text}{sep}{item}" if text else item
