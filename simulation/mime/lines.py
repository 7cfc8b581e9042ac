"""Lines as Exim reads them into buffers of a fixed length, and where a boundary ends a part.

A line longer than the buffer comes in pieces, and each piece counts as a line where boundaries are looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.simulation.mime.mailbox import Stream


def pieces(text: str, at: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield the lines of a text from ``at`` to ``end`` as (start, end), newline included, in pieces of ``most``."""
    while at < end:
        newline = text.find("\n", at, end)
        stop = end if newline < 0 else newline + 1
        while stop - at > most:
            yield at, at + most
            at += most
        yield at, stop
        at = stop


def find_boundary(text: str, at: int, end: int, boundary: str, most: int) -> int:
    """Give where the next piece begins that starts with two hyphens and the boundary; ``end`` if none does.

    ``at`` is the start of a piece. What follows the boundary on its line does not matter.
    """
    wanted = "--" + boundary
    if len(wanted) > most:
        return end
    line = at  # where the line begins whose pieces are counted
    seen = at  # up to here newlines were looked for
    while True:
        place = text.find(wanted, seen, end)
        if place < 0:
            return end
        if place == line or text[place - 1] == "\n":
            return place
        newline = text.rfind("\n", seen, place)
        if newline >= 0:
            line = newline + 1
        if (place - line) % most == 0:
            return place
        seen = place + 1


def skip_to_boundary(stream: Stream, boundary: str, most: int) -> bool | None:
    """Read up to the next line with the boundary: True. False: it is the last one. None: there is none."""
    text, end = stream.text, stream.end
    place = find_boundary(text, stream.at, end, boundary, most)
    if place >= end:
        stream.at = end
        return None
    after = place + 2 + len(boundary)
    newline = text.find("\n", place, min(end, place + most))
    stream.at = newline + 1 if newline >= 0 else min(end, place + most)
    return not (text.startswith("--", after) and after + 2 <= stream.at)
