#!/usr/bin/env python3
"""Compare our answers with the recorded answers of the real Exim, area by area.

    tools/compare_corpus.py                    every area: counts and the first differences
    tools/compare_corpus.py lists headers -n 50    these areas, up to 50 differences each
    tools/compare_corpus.py -q                 counts only

Exit code 1 if there is a difference.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import casefile  # noqa: E402
from differential.corpus import compare  # noqa: E402
from differential.world import SOURCE, World  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("areas", nargs="*", help="names of case files without .cases (default: all)")
    parser.add_argument("-n", "--show", type=int, default=5, help="differences to show for each area")
    parser.add_argument("-q", "--quiet", action="store_true", help="show counts only")
    options = parser.parse_args()
    paths = [SOURCE / f"{area}.cases" for area in options.areas] or sorted(SOURCE.glob("*.cases"))
    total = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        world = World.prepare(Path(folder))
        for path in paths:
            differences, count = compare(world, casefile.read(path))
            total, wrong = total + count, wrong + len(differences)
            print(f"{path.stem:16} {count - len(differences):5} of {count:5}", flush=True)
            for difference in [] if options.quiet else differences[: options.show]:
                print(difference.text())
    print(f"{'all':16} {total - wrong:5} of {total:5}  {100 * (total - wrong) / max(total, 1):.2f} %")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
