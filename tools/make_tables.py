#!/usr/bin/env python3
"""Make the Python tables of ``grammar/tables`` from the language facts beside them.

The facts (``*.json``) are kept as they came; ``corrections.json`` lists what a real Exim showed to be
wrong, each with its evidence. This script applies the corrections and writes ``_*.py`` modules of plain
literals, which Python caches compiled: reading one takes a fraction of the time of parsing JSON. Prose
columns stay in the JSON (``Catalogue.describe`` reads them when asked).

    python tools/make_tables.py            # write
    python tools/make_tables.py --check    # exit 1 if a file is not what would be written
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TABLES = Path(__file__).resolve().parent.parent / "grammar" / "tables"

OPTION = (
    *("type", "default", "default_note", "expanded", "hidden", "repeatable", "precondition"),
    *("since", "until", "guard"),
)
#: facts file -> (module, keys that nest, columns); a column named ``x`` brings ``x_history`` along
SHAPES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "main_options": ("_main_options", ("name",), OPTION),
    "router_options": ("_router_options", ("driver", "name"), OPTION),
    "transport_options": ("_transport_options", ("driver", "name"), OPTION),
    "auth_options": ("_auth_options", ("driver", "name"), OPTION),
    "drivers": ("_drivers", ("kind", "name"), ("since", "until", "guard")),
    "variables": ("_variables", ("name",), ("kind", "tainted", "in_table", "since", "until", "guard")),
    "expansion_items": ("_items", ("name",), ("since", "until", "guard")),
    "expansion_operators": (
        "_operators",
        ("name",),
        ("underscore_in_name", "takes_argument", "since", "until", "guard"),
    ),
    "expansion_conditions": ("_conditions", ("name",), ("since", "until", "guard")),
    "lookups": ("_lookups", ("name",), ("style", "own_options", "since", "until", "guard")),
    "acl": (
        "_acl",
        ("kind", "name"),
        (
            *("allowed_in", "is_modifier", "expanded_at", "negatable", "has_option", "phase"),
            *("when_unset", "since", "until", "guard"),
        ),
    ),
    "log_selectors": ("_log_selectors", ("name",), ("default_on", "since", "until", "guard")),
    "malware_types": ("_malware_types", ("name",), ("default_address", "since", "until", "guard")),
    "event_names": ("_event_names", ("name",), ("fires", "option_place", "since", "until", "guard")),
    "result_values": ("_result_values", ("area", "holder", "name"), ("since", "until")),
}
#: history of a column whose own name differs
HISTORIES = {"default_on": "default_history", "allowed_in": "allowed_history"}


def minor(version: str | None) -> int | None:
    """Give the 86 of "4.86" ("4.94.1" counts as 94); None stays None."""
    return None if version is None else int(version.split(".")[1])


def corrected(name: str) -> list[dict[str, Any]]:
    """Give the rows of a facts file, corrected; a correction that fits no row is an error."""
    rows: list[dict[str, Any]] = json.loads((TABLES / f"{name}.json").read_text("utf-8"))["rows"]
    file = TABLES / "corrections.json"
    for change in json.loads(file.read_text("utf-8"))["corrections"] if file.exists() else ():
        if change["file"] != name:
            continue
        where: dict[str, Any] = change["row"]
        if change.get("add"):
            rows.append({**where, **change["set"]})
            continue
        hits = [row for row in rows if all(row.get(key) == value for key, value in where.items())]
        if len(hits) != 1:
            raise SystemExit(f"corrections.json: {where} fits {len(hits)} rows of {name}")
        if change.get("remove"):
            rows.remove(hits[0])
        else:
            hits[0].update(change["set"])
    return rows


def value_of(row: dict[str, Any], column: str) -> Any:
    """Give one cell in the form the tables keep it in."""
    cell = row.get(column)
    if column in ("since", "until"):
        return minor(cell)
    if column == "expanded":
        return None if cell is None else cell == "yes"
    if column == "allowed_in" and isinstance(cell, list):
        return tuple(cell)
    if column == "own_options" and cell:
        return tuple((option["option"], minor(option["since"])) for option in cell)
    return cell


def history_of(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Give {column: ((since, value), ...)} for the columns that changed, or None."""
    found: dict[str, Any] = {}
    for column in columns:
        history = row.get(HISTORIES.get(column, f"{column}_history"))
        if history:
            found[column] = tuple((minor(since), value_of({column: cell}, column)) for since, cell in history)
    return found or None


def module_text(name: str) -> str:
    """Give the text of the module made from one facts file."""
    _, keys, columns = SHAPES[name]
    tree: dict[str, Any] = {}
    for row in sorted(corrected(name), key=lambda row: [str(row[key]) for key in keys]):
        place = tree
        for key in keys[:-1]:
            place = place.setdefault(row[key], {})
        if row[keys[-1]] in place:
            raise SystemExit(f"{name}: {row[keys[-1]]} twice")
        place[row[keys[-1]]] = (*(value_of(row, column) for column in columns), history_of(row, columns))
    out = [f'"""Made by tools/make_tables.py from {name}.json: do not edit."""\n\n# ruff: noqa\n# fmt: off\n']
    out.append(f"COLUMNS = {(*columns, 'history')!r}\n")

    def write(place: dict[str, Any], indent: str) -> None:
        for key, value in place.items():
            if isinstance(value, dict):
                out.append(f"{indent}{key!r}: {{\n")
                write(value, indent + " ")
                out.append(f"{indent}}},\n")
            else:
                out.append(f"{indent}{key!r}: {value!r},\n")

    out.append("ROWS: dict[str, object] = {\n")
    write(tree, " ")
    out.append("}\n")
    return "".join(out)


def main(arguments: list[str]) -> int:
    """Write the modules, or with ``--check`` compare them. The exit code is 1 for a stale module."""
    stale = 0
    for name, (module, _, _) in SHAPES.items():
        target, text = TABLES / f"{module}.py", module_text(name)
        if target.exists() and target.read_text("utf-8") == text:
            continue
        if "--check" in arguments:
            print(f"stale: {target.name}")
            stale = 1
        else:
            target.write_text(text, "utf-8")
            print(f"wrote {target.name}")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
