"""Fields of a text, by name and by number, for ``${extract}`` (manual 11.5, 11.6)."""

from __future__ import annotations

import re

from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.quoting import dequote
from eximious.interpreter.text import Tainted

_SPACES = re.compile(f"[{SPACE}]*")
_KEY = re.compile(f"[^={SPACE}]*")
_TO_VALUE = re.compile(f"[{SPACE}]*(?:=[{SPACE}]*)?")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def extract_named(key: str, text: str) -> str | None:
    """Give the value of ``key`` in text like ``user=alice quota="10 M"``; None where it is not there.

    The case of ASCII letters in keys does not matter. White space may stand around the ``=``, which may
    even be missing: in ``a b=2`` the value of ``a`` is ``b=2``. Values may be quoted, with backslash
    escapes. A value of tainted text is tainted.
    """
    wanted = key.translate(_LOWER)
    at = _SPACES.match(text).end()  # type: ignore[union-attr]
    size = len(text)
    while at < size:
        name = _KEY.match(text, at)
        assert name is not None
        at = _TO_VALUE.match(text, name.end()).end()  # type: ignore[union-attr]
        value, at = dequote(text, at)
        if name.end() - name.start() == len(wanted) and name.group().translate(_LOWER) == wanted:
            return Tainted(value) if type(text) is Tainted else value
        at = _SPACES.match(text, at).end()  # type: ignore[union-attr]
    return None


def extract_numbered(number: int, separators: str, text: str) -> str | None:
    """Give field ``number`` of ``text``, counted from 1, or from the end if negative; 0 is all of it.

    Every character of ``separators`` ends a field; with none there is one field. None where there are not
    so many fields. A field of tainted text is tainted.
    """
    if number == 0:
        return text
    if not separators:
        fields = [text]
    else:
        separator = separators[0]
        plain = text
        for other in separators[1:]:
            plain = plain.replace(other, separator)
        fields = plain.split(separator, number) if 0 < number <= len(text) else plain.split(separator)
    if not -len(fields) <= number <= len(fields):
        return None
    field = fields[number - 1 if number > 0 else number]
    return Tainted(field) if type(text) is Tainted else field
