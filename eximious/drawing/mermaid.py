"""Pictures as Mermaid flow charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.drawing.picture import COLOURS, FLOW, RESULT, USE, readable

if TYPE_CHECKING:
    from eximious.drawing.picture import Box, Picture

_ARROWS = {FLOW: "-->", RESULT: "==>", USE: "-.->"}


def to_mermaid(picture: Picture) -> str:
    """Write a picture as a Mermaid flow chart: one subgraph a column, a class for each kind of box."""
    out = ["flowchart LR"]
    columns: dict[int, list[Box]] = {}
    for box in picture.boxes:
        columns.setdefault(box.column, []).append(box)
    numbers = {box.name: f"n{at}" for at, box in enumerate(picture.boxes)}
    for column in sorted(columns):
        heading = picture.headings.get(column)
        indent = "  "
        if heading:
            out += [f'  subgraph c{column}["{escaped(heading)}"]', "    direction TB"]
            indent = "    "
        for box in columns[column]:
            out.append(f'{indent}{numbers[box.name]}["{_label(box)}"]:::{box.kind}')
        if heading:
            out.append("  end")
    for arrow in picture.known_arrows():
        label = f'|"{escaped(arrow.label)}"|' if arrow.label else ""
        out.append(f"  {numbers[arrow.start]} {_ARROWS[arrow.kind]}{label} {numbers[arrow.end]}")
    for kind in sorted({box.kind for box in picture.boxes}):
        fill, border = COLOURS.get(kind, COLOURS["unknown"])
        out.append(f"  classDef {kind} fill:{fill},stroke:{border},color:#111827,text-align:left")
    return "\n".join([*out, ""])


def _label(box: Box) -> str:
    title = f"<b>{escaped(box.title)}</b>" + (f" ({escaped(box.note)})" if box.note else "")
    place = [f"<i>{escaped(box.place)}</i>"] if box.place else []
    return "<br/>".join([title, *place, *(escaped(line) for line in box.lines)])


def escaped(text: str) -> str:
    """Give text as it stands inside a label: everything that could be markup as a character code."""
    return "".join(
        character if character.isalnum() or character in " .,:=_+-/@*!" else f"#{ord(character)};"
        for character in readable(text)
    )
