"""Pictures as SVG, laid out here: columns from left to right, boxes from top to bottom.

A box stands level with the one it belongs to where there is room. Arrows between columns leave at the right
and arrive at the left; those inside a column go straight down to the next box, or around at the left.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from eximious.drawing.picture import COLOURS, RESULT, USE, readable

if TYPE_CHECKING:
    from eximious.drawing.picture import Arrow, Box, Picture

LINE = 15  #: pixels from one line of text to the next
TITLE = 19
PAD = 9
GAP = 20  #: between boxes of a column
LANE = 11  #: between arrows that go around
CHARACTER = 5.9  #: pixels a character of the small font takes
TITLE_CHARACTER = 7.6
COLUMN_GAP = 96
MARGIN = 26
SMALLEST = 130

_STROKES = {RESULT: ("#15803d", "1.6", ""), USE: ("#9ca3af", "1.1", ' stroke-dasharray="4 3"')}
_FLOW = ("#475569", "1.3", "")


class _Placed:
    __slots__ = ("box", "height", "width", "x", "y")

    def __init__(self, box: Box) -> None:
        self.box = box
        texts = [(box.title, TITLE_CHARACTER, len(box.note) * CHARACTER + 16 if box.note else 0)]
        texts += [(line, CHARACTER, 0) for line in box.lines]
        texts += [(box.place, CHARACTER, 0)]
        width = max(len(readable(text)) * size + more for text, size, more in texts)
        self.width = max(SMALLEST, round(width) + 2 * PAD)
        self.height = 2 * PAD + TITLE + LINE * (len(box.lines) + bool(box.place)) - 4
        self.x = self.y = 0


def to_svg(picture: Picture) -> str:
    """Write a picture as an SVG document that stands alone."""
    placed = {box.name: _Placed(box) for box in picture.boxes}
    arrows = picture.known_arrows()
    lanes = _lanes(picture, arrows, placed)
    columns: dict[int, list[_Placed]] = {}
    for item in placed.values():
        columns.setdefault(item.box.column, []).append(item)
    top = MARGIN + 22 + (24 if picture.headings else 0)
    # the columns that stand for themselves first, so that the others find what they stand beside
    for column in sorted(columns, key=lambda one: (any(item.box.beside for item in columns[one]), one)):
        y = top
        for item in columns[column]:
            other = placed.get(item.box.beside)
            item.y = max(y, other.y if other is not None else y)
            y = item.y + item.height + GAP
    x = MARGIN
    heads: dict[int, int] = {}
    for column in sorted(columns):
        x += LANE * (lanes.get(column, 0) + 1)
        width = max(item.width for item in columns[column])
        for item in columns[column]:
            item.x, item.width = x, width
        heads[column] = x
        x += width + COLUMN_GAP
    right = max((item.x + item.width for item in placed.values()), default=300) + MARGIN
    bottom = max((item.y + item.height for item in placed.values()), default=100) + MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{right}" height="{bottom}" viewBox="0 0 {right} {bottom}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="11.5" fill="#111827">',
        f"<title>{_text(picture.title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7.4" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0,0.6 L7.6,4 L0,7.4 z" fill="context-stroke"/></marker></defs>',
        f'<text x="{MARGIN}" y="{MARGIN + 6}" font-size="16" font-weight="bold">{_text(picture.title)}</text>',
    ]
    for column, heading in picture.headings.items():
        if column in heads:
            out.append(
                f'<text x="{heads[column]}" y="{top - 12}" font-size="13" fill="#64748b">{_text(heading)}</text>'
            )
    router = _Router(placed)
    out += [router.arrow(arrow) for arrow in arrows]
    out += [_box(item) for item in placed.values()]
    out += router.labels
    return "\n".join([*out, "</svg>", ""])


def _lanes(picture: Picture, arrows: list[Arrow], placed: dict[str, _Placed]) -> dict[int, int]:
    """How many arrows go around at the left of each column."""
    order = {box.name: at for at, box in enumerate(picture.boxes)}
    by_column: dict[int, list[str]] = {}
    for box in picture.boxes:
        by_column.setdefault(box.column, []).append(box.name)
    following = {one: after for names in by_column.values() for one, after in pairwise(names)}
    found: dict[int, int] = {}
    for arrow in arrows:
        start, end = placed[arrow.start].box, placed[arrow.end].box
        if start.column >= end.column and following.get(arrow.start) != arrow.end and order:
            found[end.column] = found.get(end.column, 0) + 1
    return found


def _box(item: _Placed) -> str:
    box = item.box
    fill, border = COLOURS.get(box.kind, COLOURS["unknown"])
    x, y = item.x + PAD, item.y + PAD + 11
    parts = [
        f'<g id="{escape(readable(box.name), quote=True)}">',
        f'<rect x="{item.x}" y="{item.y}" width="{item.width}" height="{item.height}" rx="6" fill="{fill}" '
        f'stroke="{border}" stroke-width="1.2"/>',
        f'<text x="{x}" y="{y}" font-size="13" font-weight="bold">{_text(box.title)}</text>',
    ]
    if box.note:
        edge = item.x + item.width - PAD
        parts.append(f'<text x="{edge}" y="{y}" text-anchor="end" fill="{border}">{_text(box.note)}</text>')
    y += TITLE - 3
    if box.place:
        parts.append(f'<text x="{x}" y="{y}" font-size="10.5" fill="#6b7280">{_text(box.place)}</text>')
        y += LINE
    for line in box.lines:
        parts.append(f'<text x="{x}" y="{y}" xml:space="preserve">{_text(line)}</text>')
        y += LINE
    return "\n".join([*parts, "</g>"])


def _text(text: str) -> str:
    return escape(readable(text), quote=False)


class _Router:
    """Finds the ways of arrows, and keeps their labels, which are drawn last."""

    def __init__(self, placed: dict[str, _Placed]) -> None:
        self.placed = placed
        self.labels: list[str] = []
        self._lanes: dict[int, int] = {}
        self._leaving: dict[str, int] = {}
        self._arriving: dict[str, int] = {}
        columns: dict[int, list[_Placed]] = {}
        for item in placed.values():
            columns.setdefault(item.box.column, []).append(item)
        self._next = {
            one.box.name: after.box.name for items in columns.values() for one, after in pairwise(items)
        }

    def arrow(self, arrow: Arrow) -> str:
        start, end = self.placed[arrow.start], self.placed[arrow.end]
        colour, width, dashes = _STROKES.get(arrow.kind, _FLOW)
        if start.box.column < end.box.column:
            path, at = self._across(start, end)
        elif self._next.get(arrow.start) == arrow.end:
            x = start.x + 24
            path = f"M{x},{start.y + start.height} L{x},{end.y - 1}"
            at = (x + 5, (start.y + start.height + end.y) // 2 + 4)
        else:
            path, at = self._around(start, end)
        if arrow.label:
            self.labels.append(
                f'<text x="{at[0]}" y="{at[1]}" font-size="10" fill="{colour}" stroke="#ffffff" stroke-width="3" '
                f'paint-order="stroke">{_text(arrow.label)}</text>'
            )
        return (
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes} '
            'marker-end="url(#head)"/>'
        )

    def _slot(self, used: dict[str, int], item: _Placed) -> int:
        """The height at which the next arrow leaves or reaches a box."""
        number = used[item.box.name] = used.get(item.box.name, 0) + 1
        room = max(item.height - 24, 1)
        return item.y + 12 + (number - 1) * 9 % room

    def _across(self, start: _Placed, end: _Placed) -> tuple[str, tuple[int, int]]:
        x1, y1 = start.x + start.width, self._slot(self._leaving, start)
        x2, y2 = end.x - 1, self._slot(self._arriving, end)
        bend = max(30, min(70, (x2 - x1) // 2))
        return f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}", (x1 + 6, y1 - 3)

    def _around(self, start: _Placed, end: _Placed) -> tuple[str, tuple[int, int]]:
        column = end.box.column
        lane = self._lanes[column] = self._lanes.get(column, 0) + 1
        x = end.x - LANE * lane - 3
        y1, y2 = start.y + start.height - 10, self._slot(self._arriving, end)
        return (
            f"M{start.x},{y1} L{x + 5},{y1} Q{x},{y1} {x},{y1 + (5 if y2 > y1 else -5)} "
            f"L{x},{y2 + (-5 if y2 > y1 else 5)} Q{x},{y2} {x + 5},{y2} L{end.x - 1},{y2}",
            (x + 4, y1 - 3),
        )
