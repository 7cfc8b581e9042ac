#!/usr/bin/env python3
"""Compare random chains of routers × random addresses with the installed Exim.

    tools/differential_routes.py --chains 250 --addresses 40 --seed 1

Prints what differed, made small, and how often each driver and option came. Exit code 1 if there is a
difference. Needs root: the real one routes as root, and names are asked in a namespace of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import routingcases  # noqa: E402
from differential.routes import compare  # noqa: E402
from differential.world import real_exim  # noqa: E402
from dnsworld import DnsWorld  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chains", type=int, default=250, help="how many configurations")
    parser.add_argument("--addresses", type=int, default=40, help="how many addresses through each")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same chains")
    parser.add_argument(
        "--dns", type=float, default=0.3, help="the share of chains whose names are in the zones"
    )
    parser.add_argument("--shrink", type=int, default=5, help="how many differences to make small")
    parser.add_argument("--rows", action="store_true", help="print how often each driver and option came")
    parser.add_argument("--exim", default=real_exim(), help="the Exim to ask")
    options = parser.parse_args()
    if not options.exim:
        print("no Exim is installed here", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="routes") as name:
        folder = routingcases.prepare(Path(name))
        world = DnsWorld.start(folder, routingcases.ZONES, routingcases.HOSTS, routingcases.RESOLV_CONF)
        if world is None:
            print("no namespace of its own can be made here: no chain asks the DNS", file=sys.stderr)
        try:
            report = compare(
                routingcases.Real(options.exim, folder, world),
                seed=options.seed,
                chains=options.chains,
                addresses=options.addresses,
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
