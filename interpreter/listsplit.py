"""Lists in text: finding the separator, splitting, and putting lists together again (manual 6.21, 6.22).

Exim has no list type: a list is text, split anew by whoever needs its items. Nothing here expands or matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Iterable

#: what C's isspace() takes in the C locale
SPACE = " \t\n\v\f\r"

#: what may follow ``<`` to change the separator: C's ispunct() and iscntrl()
_CHANGERS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x7f" + "".join(map(chr, range(1, 32))))

_CONTROLS = frozenset("\x7f" + "".join(map(chr, range(32))))

#: white space to skip before an item, by separator: all of it, but never the separator itself
_SKIP = {char: SPACE.replace(char, "") for char in SPACE}


def list_separator(text: str, default: str = ":") -> tuple[str, int]:
    """Say which separator a list uses and the offset at which its first item may begin.

    A leading ``<`` with a punctuation or control character sets the separator. White space before the
    first item is not yet skipped, except before and around the ``<x``.
    """
    start = 0
    size = len(text)
    while start < size and text[start] in SPACE:
        start += 1
    if text.startswith("<", start):
        if start + 1 == size:  # a lone "<": Exim takes the end of the text for the separator
            return default, size
        if text[start + 1] in _CHANGERS:
            return text[start + 1], start + 2
    return default, start


def _trim(item: str) -> str:
    """Take off trailing white space; one such character stays if a backslash is before it."""
    bare = item.rstrip(SPACE)
    return item[: len(bare) + 1] if bare.endswith("\\") else bare


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
    if sep + sep in body and sep not in _CONTROLS:
        items = [item for item, _, _ in split_spans(body, sep)]
    elif sep in SPACE:
        skip = _SKIP[sep]
        items = [_trim(part.lstrip(skip)) for part in body.split(sep)]
        if not items[-1]:
            items.pop()
    else:
        if "\\" in body:
            items = [_trim(part.lstrip(SPACE)) for part in body.split(sep)]
        else:
            items = [part.strip(SPACE) for part in body.split(sep)]
        if not items[-1]:
            items.pop()
    if type(text) is Tainted:
        return [Tainted(item) for item in items]
    return items


def split_spans(text: str, sep: str | None = None) -> list[tuple[str, int, int]]:
    """As :func:`split_list`, with where each item stands: (item, start, end) as offsets into ``text``.

    The offsets leave out the white space around an item; a doubled separator inside it counts as two
    characters. Items are plain text whatever the list.
    """
    at = 0
    if sep is None:
        sep, at = list_separator(text)
    skip = _SKIP.get(sep, SPACE)
    doubles = sep not in _CONTROLS
    size = len(text)
    found: list[tuple[str, int, int]] = []
    while True:
        while at < size and text[at] in skip:
            at += 1
        if at >= size:
            return found
        start = at
        if text[at] == sep:
            if not (doubles and text.startswith(sep, at + 1)):
                found.append(("", at, at))
                at += 1
                continue
            at += 1
        # text[at] is data whatever it is; what follows a lone separator begins the next item
        parts = []
        while True:
            end = text.find(sep, at + 1)
            if end < 0:
                end = at_next = size
                parts.append(text[at:])
                break
            parts.append(text[at:end])
            at_next = end + 1
            if not (doubles and text.startswith(sep, at_next)):
                break
            at = at_next
        item = "".join(parts)
        whole = len(item)
        item = _trim(item)
        end -= whole - len(item)
        found.append((item, start, end))
        at = at_next


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
