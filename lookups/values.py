"""How several lookup types show and quote values."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\xff]")
_BLANK = re.compile(r"[ \t\n\r]")
_LETTERS = {"\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}


def printing(text: str) -> str:
    """Give ``text`` with control and 8-bit characters as ``\\n``, ``\\377`` and so on, all else as it is."""
    return _UNPRINTABLE.sub(lambda m: "\\" + (_LETTERS.get(m[0]) or f"{ord(m[0]):03o}"), text)


def named_value(name: str, value: str) -> str:
    """Give ``name=value `` as a database row shows it (manual 9.20): quoted where it must be."""
    return f"{name}={quoted_value(value)} "


def quoted_value(value: str) -> str:
    """Quote a value of a row if it is empty, holds a space, tab or line end, or begins with a quote."""
    if value and not value.startswith('"') and not _BLANK.search(value):
        return value
    inner = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
