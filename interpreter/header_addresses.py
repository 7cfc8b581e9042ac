"""The addresses in a header line: finding them, and putting others in their place (manual 31.10, 47.2).

What stands around an address, phrases and comments, stays as it is; a line that grows is folded as Exim folds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Groups, parse_extract_address, parse_find_address_end
from eximious.interpreter.headers import SPACE
from eximious.interpreter.text import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eximious.interpreter.addresses import Extracted, Syntax

    #: the item's text and what was found in it -> the new text of the part from start to end, or None
    Change = Callable[[str, Extracted], "tuple[str, int, int] | None"]

#: a line is folded behind an address if more than this stands before what follows
FOLD_BEHIND = 40


def header_items(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Give the addresses of a header line from offset ``start`` on, each with its offset (no commas, no newline)."""
    plain = str(text)
    body_end = len(plain) - 1 if plain.endswith("\n") else len(plain)
    while start < body_end:
        while start < body_end and (plain[start] in SPACE or plain[start] == ","):
            start += 1
        if start >= body_end:
            return
        end = min(parse_find_address_end(plain, start), body_end)
        yield plain[start:end], start
        start = end + 1


def change_addresses(
    line: str, syntax: Syntax, change: Change, complain: Callable[[str], None] | None = None
) -> str:
    """Give a header line with addresses changed; the same object where nothing is.

    ``change`` gets each item that holds an address, and gives the new text with the offsets in the item of what it
    replaces; None leaves the item alone. ``complain`` is told what is wrong with an item that holds none.
    """
    text = str(line)
    groups = Groups()
    out: list[str] = []
    copied = size = fold_from = 0
    for item, start in header_items(text, text.index(":") + 1):
        found = parse_extract_address(item, False, syntax, groups)
        if not found.address:
            if complain is not None and found.error and found.error != "empty address":
                # Exim's message goes to the very end of the line, its newline included
                rest = "\n" if start + len(item) == len(text) - 1 else ""
                complain(parse_extract_address(item + rest, False, syntax, Groups()).error or found.error)
            continue
        changed = change(item, found)
        if changed is None:
            continue
        new, first, last = changed
        end = start + len(item)
        following = end + (end < len(text))
        while following < len(text) and text[following] in " \t":
            following += 1
        piece = text[copied : start + first] + new + text[start + last : following]
        out.append(piece)
        size += len(piece)
        copied = following
        if following < len(text) and text[following] != "\n" and size - fold_from > FOLD_BEHIND:
            out.append("\n\t")
            fold_from = size
            size += 2
    if not out:
        return line
    out.append(text[copied:])
    return follow("".join(out), line)
