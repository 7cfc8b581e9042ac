#!/usr/bin/env python3
"""Compare random expansions with the installed Exim.

    tools/differential_expansion.py --count 200000 --seed 1

Prints what differed, shrunk, what killed the real Exim, and how often each row of the facts came. Exit
code 1 if there is a difference, if a row came less than --least times or if fewer than 30 % of the answers
are values.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

from differential.corpus import gaps  # noqa: E402
from differential.runner import progress, run  # noqa: E402
from differential.world import World, real_build, real_exim  # noqa: E402
from eximious.grammar.catalogue import Catalogue  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000, help="how many expansions")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same expansions")
    parser.add_argument("--broken", type=float, default=0.2, help="share of damaged texts")
    parser.add_argument("--least", type=int, default=0, help="how often each row has to come")
    parser.add_argument("--leave-out", action="append", default=[], metavar="ROW", help='such as "item acl"')
    parser.add_argument("--all", action="store_true", help="also the rows that are known gaps")
    parser.add_argument("--exim", default=real_exim(), help="the Exim to ask")
    parser.add_argument("--shrink", type=int, default=10, help="how many differences to shrink")
    parser.add_argument("--rows", action="store_true", help="print the count of every row")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if not options.exim:
        print("no Exim is installed here", file=sys.stderr)
        return 2
    catalogue = Catalogue.from_bv(real_build(options.exim))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        report = run(
            World.prepare(Path(folder) / "world"),
            options.exim,
            catalogue,
            count=options.count,
            seed=options.seed,
            broken=options.broken,
            left_out=frozenset(options.leave_out) | (frozenset() if options.all else frozenset(gaps("row"))),
            shrinks=options.shrink,
            workers=options.workers,
            out=progress(),
        )
    report.write(sys.stdout, rows=options.rows)
    good = not report.differences and report.least >= options.least and report.values >= 0.3
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
