#!/usr/bin/env python3
"""Write what ours answers to the scenarios below their heads, to be read: tools/record_scenarios.py [--check] [NAME…]

A NAME is a configuration, or CONFIGURATION/SCENARIO. With --check nothing is written; exit 1 if anything would change.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import scenariocases


def main() -> int:
    names = [word for word in sys.argv[1:] if word != "--check"]
    changed = 0
    for scenario in scenariocases.scenarios():
        if names and scenario.id not in names and scenario.configuration not in names:
            continue
        try:
            answer = scenariocases.Ours(scenario).answer()
        except AssertionError as problem:
            print(f"{scenario.id}: {problem}")
            changed += 1
            continue
        if answer == scenario.expected:
            continue
        changed += 1
        print(f"{scenario.id}: changed")
        if "--check" not in sys.argv:
            scenario.path.write_text(scenario.written(answer), encoding="utf-8")
    return 1 if changed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
