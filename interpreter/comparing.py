"""Comparing texts without regard to case, as Exim does for conditions and for sort."""

from __future__ import annotations

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def fold(text: str) -> str:
    """Give ``text`` with its ASCII letters in lower case; other bytes stay."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def compare_folded(left: str, right: str) -> int:
    """Give a number below, at or above 0 as ``left`` comes before, with or after ``right``, but for case.

    If one is the beginning of the other, the first counts as the greater, even where it is the shorter one.
    """
    left, right = fold(left), fold(right)
    if left == right:
        return 0
    return -1 if left < right and not right.startswith(left) else 1
