"""Write lint/_list_kinds.py from the facts: which options are lists of what. --check compares only."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "lint" / "_list_kinds.py"
KINDS = {
    "domain list": "domain",
    "host list": "host",
    "address list": "address",
    "local part list": "localpart",
}
TABLES = {
    "main": "main_options",
    "router": "router_options",
    "transport": "transport_options",
    "auth": "auth_options",
}


def source() -> str:
    """Give the source of the table."""
    rows = []
    for table, file in TABLES.items():
        facts = json.loads((ROOT / "grammar" / "tables" / f"{file}.json").read_text(encoding="utf-8"))
        for row in facts["rows"]:
            kind = KINDS.get(row.get("spec_type") or "")
            if kind:
                rows.append(f'    ("{table}", "{row.get("driver", "")}", "{row["name"]}"): "{kind}",')
    return "\n".join(
        [
            '"""Which options are lists of what, made by tools/make_list_kinds.py. Do not edit."""',
            "",
            "# fmt: off",
            "KINDS: dict[tuple[str, str, str], str] = {",
            *sorted(rows),
            "}",
            "# fmt: on",
            "",
        ]
    )


def main(arguments: list[str]) -> int:
    """Write (or with --check compare) the table; gives the exit code."""
    text = source()
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in arguments:
        print("lint/_list_kinds.py is stale: run python tools/make_list_kinds.py")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
