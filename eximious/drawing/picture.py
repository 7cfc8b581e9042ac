"""What is drawn: boxes in columns, arrows between them. Text is one character a byte, as everywhere."""

from __future__ import annotations

import contextlib

#: what a line between boxes means: it goes on, it ends there, it only points at something
FLOW, RESULT, USE = "flow", "result", "use"


class Box:
    """A box. ``kind``: a word that decides its colours (router, transport, acl, hook, list, address, …).

    ``title``: the first line; ``lines``: what else is in it; ``place``: ``file:line`` or empty; ``note``: a short
    remark in the corner. ``column``: where it stands in an SVG, from the left; ``beside``: the box it stands
    level with, where there is room.
    """

    __slots__ = ("beside", "column", "kind", "lines", "name", "note", "place", "title")

    def __init__(
        self,
        name: str,
        kind: str,
        title: str,
        lines: list[str] | None = None,
        *,
        place: str = "",
        note: str = "",
        column: int = 0,
        beside: str = "",
    ) -> None:
        self.name, self.kind, self.title, self.lines = name, kind, title, lines or []
        self.place, self.note, self.column, self.beside = place, note, column, beside


class Arrow:
    """An arrow from one box to another, by their names. ``kind``: FLOW, RESULT or USE."""

    __slots__ = ("end", "kind", "label", "start")

    def __init__(self, start: str, end: str, label: str = "", kind: str = FLOW) -> None:
        self.start, self.end, self.label, self.kind = start, end, label, kind


class Picture:
    """Boxes and arrows; ``headings``: what the columns are called. Boxes of a column stand in their order."""

    def __init__(self, title: str, headings: dict[int, str] | None = None) -> None:
        self.title = title
        self.headings = headings or {}
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self._names: set[str] = set()

    def add(self, box: Box) -> Box:
        """Add a box; one of a name that is there already is left out."""
        if box.name not in self._names:
            self._names.add(box.name)
            self.boxes.append(box)
        return box

    def connect(self, start: str, end: str, label: str = "", kind: str = FLOW) -> None:
        """Add an arrow between boxes that are there (checked when it is drawn)."""
        self.arrows.append(Arrow(start, end, label, kind))

    def known_arrows(self) -> list[Arrow]:
        """The arrows whose two ends are in the picture."""
        return [arrow for arrow in self.arrows if arrow.start in self._names and arrow.end in self._names]

    def to_json(self) -> str:
        """The boxes and arrows as JSON."""
        import json

        boxes = [
            {
                "id": readable(box.name),
                "kind": box.kind,
                "title": readable(box.title),
                "place": readable(box.place),
                "note": readable(box.note),
                "lines": [readable(line) for line in box.lines],
            }
            for box in self.boxes
        ]
        arrows = [
            {
                "from": readable(arrow.start),
                "to": readable(arrow.end),
                "label": readable(arrow.label),
                "kind": arrow.kind,
            }
            for arrow in self.known_arrows()
        ]
        return json.dumps({"title": readable(self.title), "boxes": boxes, "arrows": arrows}, indent=2) + "\n"


#: kind -> fill, border
COLOURS = {
    "hook": ("#eef2f7", "#64748b"),
    "acl": ("#fff7ed", "#c2410c"),
    "router": ("#eff6ff", "#1d4ed8"),
    "transport": ("#f0fdf4", "#15803d"),
    "list": ("#faf5ff", "#7e22ce"),
    "address": ("#eff6ff", "#1d4ed8"),
    "delivery": ("#f0fdf4", "#15803d"),
    "failed": ("#fef2f2", "#b91c1c"),
    "deferred": ("#fefce8", "#a16207"),
    "discarded": ("#f3f4f6", "#4b5563"),
    "unknown": ("#fef2f2", "#b91c1c"),
}


def shortened(text: str, width: int) -> str:
    """Give a text in one line of at most ``width`` characters."""
    text = " ".join(str(text).split())
    return text if len(text) <= width else text[: width - 1] + "…"


def readable(text: str) -> str:
    """Give text of one character a byte as it is meant: UTF-8 where it is that; nothing that cannot be shown."""
    with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):
        text = text.encode("latin-1").decode("utf-8")
    return "".join(character if character.isprintable() or character == " " else "�" for character in text)
