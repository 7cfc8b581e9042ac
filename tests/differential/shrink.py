"""Making a text that shows a difference short, by leaving out what it does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: candidates that are tried at once
_ROUND = 250


def groups(text: str) -> list[tuple[int, int]]:
    """Start and end of every balanced ``{…}`` and ``${…}``, ends exclusive."""
    found: list[tuple[int, int]] = []
    open_: list[int] = []
    escaped = False
    for place, sign in enumerate(text):
        if escaped:
            escaped = False
        elif sign == "\\":
            escaped = True
        elif sign == "{":
            open_.append(place)
        elif sign == "}" and open_:
            start = open_.pop()
            found.append((start, place + 1))
            if start and text[start - 1] == "$":
                found.append((start - 1, place + 1))
    return found


def candidates(text: str) -> Iterator[str]:
    """Shorter texts that are worth trying: first those that lose most."""
    for start, end in groups(text):
        whole = text[start:end]
        yield text[:start] + text[end:]
        yield whole
        if whole.startswith("${"):
            yield text[:start] + "x" + text[end:]
        else:
            yield text[:start] + "{}" + text[end:]
            yield text[:start] + "{x}" + text[end:]
            yield text[:start] + whole[1:-1] + text[end:]
            yield whole[1:-1]
    size = len(text) // 2
    while size:
        for start in range(0, len(text), size):
            yield text[:start] + text[start + size :]
        size //= 2


def shrink(text: str, differing: Callable[[list[str]], str | None]) -> str:
    """The shortest text found that still differs.

    ``differing`` gets texts, shortest first, and gives back one that surely differs, or None.
    """
    while True:
        tried = {text}
        shorter: list[str] = []
        for candidate in candidates(text):
            candidate = candidate.rstrip("\\ \t")
            if candidate and len(candidate) < len(text) and candidate not in tried:
                tried.add(candidate)
                shorter.append(candidate)
        shorter.sort(key=len)
        better = None
        for start in range(0, len(shorter), _ROUND):
            better = differing(shorter[start : start + _ROUND])
            if better is not None:
                break
        if better is None:
            return text
        text = better
