#!/usr/bin/env python3
"""The Exim-compatible front with a folder of fake zone files for its DNS, to measure conformance with.

    tools/conformance_front.py FOLDER [ARGUMENTS OF EXIM...]

The zones (see tests/fakezones.py) are served on loopback in this process; ``--nameserver`` points at it.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))


def main() -> int:
    import fakezones
    from dnsserver import DnsServer

    zones, domain = fakezones.load(Path(sys.argv[1]))
    server = DnsServer(fakezones.QualifyingZones(zones, domain))
    from eximious.exim_front import main as front

    return front(["--nameserver", f"127.0.0.1:{server.port}", *sys.argv[2:]])


if __name__ == "__main__":
    sys.exit(main())
