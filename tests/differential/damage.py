"""Small damage to a text: what people mistype, and what no one would."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_WORDS = (
    "if",
    "eq",
    "fail",
    "lc:",
    "map",
    "nosuch",
    "item",
    "value",
    "$",
    "${",
    "}",
    "{",
    "\\",
    "\\N",
    "!",
    ":",
    " ",
    "\t",
    "and",
    "x",
)
_BYTES = "\x01\x7f\x80\xff\xe9\x0b\x0c\r\x1b"


def damage(random: random.Random, text: str) -> str:
    """``text`` with one to three changes. No newline or NUL comes in: they would end the line of ``-be``."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        if not text:
            return random.choice(_WORDS)
        place = random.randrange(len(text))
        braces = [n for n, c in enumerate(text) if c in "{}"]
        way = random.randrange(10)
        if way <= 1 and braces:  # a brace lost
            place = random.choice(braces)
            text = text[:place] + text[place + 1 :]
        elif way == 2 and braces:  # a brace doubled
            place = random.choice(braces)
            text = text[:place] + text[place] + text[place:]
        elif way == 3:  # a brace too many, anywhere
            text = text[:place] + random.choice("{}") + text[place:]
        elif way == 4:  # cut off
            text = text[: place + 1]
        elif way == 5:  # a word too many
            text = text[:place] + random.choice(_WORDS) + text[place:]
        elif way == 6:  # an odd byte
            text = text[:place] + random.choice(_BYTES) + text[place:]
        elif way == 7:  # a character lost
            text = text[:place] + text[place + 1 :]
        elif way == 8:  # two changed places
            text = text[:place] + text[place + 1 : place + 2] + text[place] + text[place + 2 :]
        else:  # a piece repeated
            end = min(len(text), place + random.randrange(1, 8))
            text = text[:end] + text[place:end] + text[end:]
    # a backslash at the end would join the next line
    return text.rstrip("\\") if text.endswith("\\") else text
