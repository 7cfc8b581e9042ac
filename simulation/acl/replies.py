"""How a message for the client is broken into lines (manual 44.20)."""

from __future__ import annotations

from eximious.interpreter.text import follow

WIDTH = 75  #: a line as long as this is not broken
NEAR = 35  #: breaks are sought from the width back to here


def split_message(text: str) -> str:
    """Give ``text`` with newlines in place of some spaces, so that lines are short.

    A line is broken at the last space up to column 75, but rather at one behind a colon; nothing before
    column 35 counts. Where there is none, at the next space or newline behind.
    """
    if len(text) <= WIDTH:
        return text
    parts = list(text)
    start = 0
    while start < len(text):
        newline = text.find("\n", start, start + WIDTH)
        if newline >= 0:
            start = newline + 1
            continue
        end = start + WIDTH
        if end >= len(text):
            break
        if text[end] == "\n":
            start = end + 1
            continue
        place = _break(text, start, end)
        if place < 0:
            break
        parts[place] = "\n"
        start = place + 1
    return follow("".join(parts), text)


def _break(text: str, start: int, end: int) -> int:
    """The place to break a line that goes on beyond ``end``; -1: nowhere."""
    found = -1
    for at in range(end, start + NEAR, -1):
        if text[at] == " ":
            if text[at - 1] == ":":
                return at
            if found < 0:
                found = at
    if found >= 0:
        return found
    for at in range(end + 1, len(text)):
        if text[at] in " \n":
            return at
    return -1
