"""Finding the elements of a list in text, with where each stands (manual 6.21, 6.22).

Nothing here expands or matches, and nothing knows of taint: the lists that are evaluated are split by
:mod:`eximious.interpreter.listsplit`, on top of this.
"""

from __future__ import annotations

#: what C's isspace() takes in the C locale
SPACE = " \t\n\v\f\r"

#: what may follow ``<`` to change the separator: C's ispunct() and iscntrl()
CHANGERS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x7f" + "".join(map(chr, range(1, 32))))

CONTROLS = frozenset("\x7f" + "".join(map(chr, range(32))))

#: white space to skip before an item, by separator: all of it, but never the separator itself
SKIP = {char: SPACE.replace(char, "") for char in SPACE}


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
        if text[start + 1] in CHANGERS:
            return text[start + 1], start + 2
    return default, start


def trim(item: str) -> str:
    """Take off trailing white space; one such character stays if a backslash is before it."""
    bare = item.rstrip(SPACE)
    return item[: len(bare) + 1] if bare.endswith("\\") else bare


def split_spans(text: str, sep: str | None = None) -> list[tuple[str, int, int]]:
    """Give the items of a list as (item, start, end), the last two offsets into ``text``.

    ``sep``: None lets the text choose; see :func:`eximious.interpreter.listsplit.split_list`. The offsets
    leave out the white space around an item; a doubled separator inside it counts as two characters. Items
    are plain text whatever the list.
    """
    at = 0
    if sep is None:
        sep, at = list_separator(text)
    skip = SKIP.get(sep, SPACE)
    doubles = sep not in CONTROLS
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
        item = trim(item)
        end -= whole - len(item)
        found.append((item, start, end))
        at = at_next
