#!/usr/bin/env python3
"""Compare sessions through random ACLs with the installed Exim.

    tools/differential_smtp.py --processes 1000 --mails 20 --seed 1

Prints what differed, made small, and how often each condition, modifier and control came. Exit code 1 if there is a
difference. Needs root: the real one takes a configuration from root only, and names are asked in a namespace of their
own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import sessioncases  # noqa: E402
from differential.smtp import compare  # noqa: E402
from differential.world import real_exim  # noqa: E402
from dnsworld import DnsWorld  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--processes", type=int, default=1000, help="how many configurations, each with a session"
    )
    parser.add_argument("--mails", type=int, default=20, help="how many transactions in each session")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same sessions")
    parser.add_argument(
        "--dns", type=float, default=0.3, help="the share of sessions whose names are in the zones"
    )
    parser.add_argument("--shrink", type=int, default=5, help="how many differences to make small")
    parser.add_argument(
        "--rows", action="store_true", help="print how often each condition, modifier and control came"
    )
    parser.add_argument("--exim", default=real_exim(), help="the Exim to ask")
    options = parser.parse_args()
    if not options.exim:
        print("no Exim is installed here", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="smtp") as name:
        folder = sessioncases.prepare(Path(name))
        world = DnsWorld.start(folder, sessioncases.ZONES, sessioncases.HOSTS, sessioncases.RESOLV_CONF)
        if world is None:
            print("no namespace of its own can be made here: no session asks the DNS", file=sys.stderr)
        try:
            report = compare(
                sessioncases.Real(options.exim, folder, world),
                seed=options.seed,
                processes=options.processes,
                mails=options.mails,
                dns=options.dns,
                shrinks=options.shrink,
            )
        finally:
            if world is not None:
                world.close()
    report.write(sys.stdout, options.rows)
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
