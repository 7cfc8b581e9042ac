"""How Exim shows text from elsewhere inside its own messages, by version."""

from __future__ import annotations

import re

_AWKWARD = re.compile(r'["\\\x00-\x1f\x7f-\xff]')
_LETTERS = {"\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in '"\\':
        return "\\" + char
    return "\\" + (_LETTERS.get(char) or f"{ord(char):03o}")


def shown(text: str, version: tuple[int, int]) -> str:
    """Give ``text`` as a message shows it between double quotes.

    Up to 4.98 it is copied raw; 4.99 puts a backslash before quotes and backslashes and shows control
    and 8-bit bytes as ``\\n``, ``\\377`` and so on.
    """
    if version >= (4, 99) and _AWKWARD.search(text):
        return _AWKWARD.sub(_escape, text)
    return text
