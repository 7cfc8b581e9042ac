#!/usr/bin/env python3
"""Write docs/limits.md from docs/limits.json and the corrected facts: tools/make_limits.py [--check].

With ``--check`` nothing is written; exit code 1 says that the document is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "limits.md"
FACTS = "grammar/tables/corrections.json"

HEAD = """\
<!-- made by tools/make_limits.py from docs/limits.json; edit that -->

# Limits

Every known gap and difference, with its reason. Where a command can show one, a test runs it: a gap that
closes fails the test until its entry is removed. A difference from the real Exim that is not in this list is
a bug.
"""


def gaps() -> list[dict[str, Any]]:
    """The entries of the list."""
    found: list[dict[str, Any]] = json.loads((ROOT / "docs" / "limits.json").read_text(encoding="utf-8"))[
        "gaps"
    ]
    return found


def document() -> str:
    """The text of the document."""
    parts = [HEAD]
    areas = list(dict.fromkeys(gap["area"] for gap in gaps()))
    for area in areas:
        parts.append(f"\n## {area}\n")
        for gap in gaps():
            if gap["area"] == area:
                parts.append(f"\n**{gap['title']}.** {gap['what']} {gap['reason']}\n")
    parts.append(corrections())
    return "".join(parts)


def corrections() -> str:
    """The section on facts that a real Exim showed to be wrong."""
    rows = json.loads((ROOT / FACTS).read_text(encoding="utf-8"))["corrections"]
    lines = [
        "\n## Facts that were corrected\n",
        "\nThe language tables were taken over from a survey of Exim's history. Where a real Exim showed a",
        f"\nfact to be wrong it was corrected (`{FACTS}`):\n",
        "\n| table | name | corrected | seen |\n|---|---|---|---|\n",
    ]
    for row in rows:
        name = " ".join(str(part) for part in row["row"].values())
        what = "new" if row.get("add") else "removed" if row.get("remove") else ", ".join(sorted(row["set"]))
        lines.append(f"| {row['file']} | {_cell(name)} | {_cell(what)} | {_cell(row['evidence'])} |\n")
    return "".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def main(argv: list[str]) -> int:
    """Write or compare the document; gives the exit code."""
    text = document()
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in argv:
        print("docs/limits.md is stale: run tools/make_limits.py")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    print("wrote docs/limits.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
