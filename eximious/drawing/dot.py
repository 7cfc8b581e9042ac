"""Pictures in Graphviz' DOT language."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from eximious.drawing.picture import COLOURS, RESULT, USE, readable

if TYPE_CHECKING:
    from eximious.drawing.picture import Box, Picture

_STYLES = {RESULT: ' style="bold"', USE: ' style="dashed" color="#9ca3af" arrowhead="vee"'}


def to_dot(picture: Picture) -> str:
    """Write a picture as a DOT graph: one cluster a column, the boxes as left-aligned labels."""
    out = [
        f"digraph {quoted(picture.title)} {{",
        '  graph [rankdir="LR" fontname="Helvetica" fontsize="12" nodesep="0.25" ranksep="0.9"];',
        '  node [shape="box" style="filled,rounded" fontname="Helvetica" fontsize="10"];',
        '  edge [fontname="Helvetica" fontsize="9"];',
    ]
    columns: dict[int, list[Box]] = {}
    for box in picture.boxes:
        columns.setdefault(box.column, []).append(box)
    columns_of = {box.name: box.column for box in picture.boxes}
    joined = {(arrow.start, arrow.end) for arrow in picture.known_arrows()}
    for column in sorted(columns):
        heading = picture.headings.get(column)
        if not heading:
            out += [f"  {_node(box)}" for box in columns[column]]
            continue
        out += [
            f"  subgraph {quoted(f'cluster_{column}')} {{",
            f"    label={quoted(heading)};",
            "    {",
            "      rank=same;",
        ]
        out += [f"      {_node(box)}" for box in columns[column]]
        # what keeps the boxes of a column in their order: dot puts the end of an arrow above its start
        out += [
            f"      {quoted(after.name)} -> {quoted(one.name)} [style=invis];"
            for one, after in pairwise(columns[column])
            if (one.name, after.name) not in joined
        ]
        out += ["    }", "  }"]
    # what keeps columns that nothing joins beside each other
    out += [
        f"  {quoted(columns[one][0].name)} -> {quoted(columns[after][0].name)} [style=invis];"
        for one, after in pairwise(sorted(columns))
        if picture.headings
    ]
    for arrow in picture.known_arrows():
        label = f" label={quoted(arrow.label)}" if arrow.label else ""
        style = _STYLES.get(arrow.kind, "")
        start, end = arrow.start, arrow.end
        if picture.headings and columns_of[start] == columns_of[end]:
            start, end, style = end, start, f'{style} dir="back"'
        out.append(f"  {quoted(start)} -> {quoted(end)} [{(label + style).strip()}];")
    return "\n".join([*out, "}", ""])


def _node(box: Box) -> str:
    fill, border = COLOURS.get(box.kind, COLOURS["unknown"])
    title = box.title + (f"   [{box.note}]" if box.note else "")
    lines = [title, *([box.place] if box.place else []), *box.lines]
    label = "".join(escaped(readable(line)) + "\\l" for line in lines)
    return f'{quoted(box.name)} [label="{label}" fillcolor="{fill}" color="{border}"];'


def escaped(text: str) -> str:
    """Give text as it stands inside a DOT string: backslashes and quotes escaped."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def quoted(text: str) -> str:
    """Give text as a DOT string."""
    return f'"{escaped(readable(text))}"'
