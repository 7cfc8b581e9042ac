#!/usr/bin/env python3
"""Measure the front with a folder of conformance cases, and compare with the figures of last time.

    tools/conformance_ratchet.py ../shared/conformance              fails if a figure went down
    tools/conformance_ratchet.py ../shared/conformance --raise      writes the figures

The cases are not part of the project. The folder holds ``conformance.py`` and ``cases-CATEGORY.jsonl``; only
how many pass is kept here, in tools/conformance_figures.json.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "tools" / "conformance_figures.json"
_LAST = re.compile(r"(\S+) (\d+)/(\d+)\s*\Z")
#: what the front can run; the other categories wait for their issues
CATEGORIES = (
    "acl-bh", "expansion-be", "print-bP", "rewrite-brw", "route-bt", "verify-bv", "version-config-bV",
)  # fmt: skip


def commands(folder: Path) -> dict[str, list[str]]:
    """The command for each half: a wrapper gives the permissions, as the runner keeps the environment out."""
    front = folder / "front"
    with_zones = folder / "front-with-zones"
    python = shlex.quote(sys.executable)
    zones = shlex.quote(str(ROOT / "tools" / "conformance_front.py"))
    front.write_text(f'#!/bin/sh\nEXIMIOUS_ALLOW=all exec {python} -m eximious exim "$@"\n')
    with_zones.write_text(f'#!/bin/sh\nEXIMIOUS_ALLOW=all exec {python} {zones} "$@"\n')
    for script in (front, with_zones):
        script.chmod(0o755)
    return {
        "without": ["--dns", "without", "--command", str(front)],
        "only": ["--dns", "only", "--command", f"{with_zones} {{dnszones}}"],
    }


def measure(cases: Path, category: str, arguments: list[str]) -> tuple[int, int]:
    """How many cases of a category pass, out of how many. Raises RuntimeError where nothing was measured."""
    done = subprocess.run(
        [sys.executable, "conformance.py", "run", "--cases", ".", "--category", category, *arguments],
        cwd=cases,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    last = _LAST.search(done.stdout.strip())
    if last is None and done.returncode == 0 and not done.stdout.strip():
        return 0, 0  # no such cases
    if last is None:
        raise RuntimeError(f"{category}: no figure was printed\n{done.stdout[-500:]}{done.stderr[-500:]}")
    return int(last[2]), int(last[3])


def main() -> int:
    """Measure and compare; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", type=Path)
    parser.add_argument("--raise", dest="write", action="store_true", help="write the figures of this run")
    parser.add_argument("--category", action="append", choices=CATEGORIES)
    options = parser.parse_args()
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    lower = []
    with tempfile.TemporaryDirectory() as folder:
        for half, arguments in commands(Path(folder)).items():
            for category in options.category or CATEGORIES:
                passed, count = measure(options.cases, category, arguments)
                if not count:
                    continue
                before = figures[half].get(category, 0)
                note = f"  was {before}" if passed != before else ""
                print(
                    f"{category:20} dns {half:8} {passed:5}/{count:<5} {100 * passed / count:5.1f} %{note}",
                    flush=True,
                )
                if passed < before:
                    lower.append(f"{category} (dns {half})")
                figures[half][category] = passed
    if options.write:
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    elif lower:
        print(f"fewer pass than before: {', '.join(lower)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
