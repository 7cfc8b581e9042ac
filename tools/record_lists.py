#!/usr/bin/env python3
"""Record the answers of the installed Exim to the list and DNS cases.

    tools/record_lists.py                 record everything anew, say what changed
    tools/record_lists.py --check         change nothing; exit 1 if an answer would change
    tools/record_lists.py domains dnsdb   only these files

Cases that ask the DNS need a network and mount namespace of their own, hence root.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import casefile  # noqa: E402
import listcases  # noqa: E402
from differential.world import real_exim, real_version  # noqa: E402
from dnsworld import DnsWorld  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("areas", nargs="*", help="names of case files without .cases (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if anything would change")
    parser.add_argument("--exim", default=real_exim(), help="the Exim to ask")
    options = parser.parse_args()
    if not options.exim:
        print("no Exim is installed here", file=sys.stderr)
        return 2
    paths = [listcases.SOURCE / f"{area}.cases" for area in options.areas]
    files = [casefile.read(path) for path in paths] or listcases.case_files()
    changed = 0
    with tempfile.TemporaryDirectory(prefix="lists") as name:
        folder = listcases.prepare(Path(name))
        world = DnsWorld.start(folder, listcases.ZONES, listcases.HOSTS)
        if world is None:
            print("no namespace of its own can be made here for the DNS", file=sys.stderr)
            return 2
        try:
            for file in files:
                changed += record(file, listcases.Real(options.exim, folder, world))
        finally:
            world.close()
    if not options.check:
        version = f"@exim {real_version(options.exim)}"
        for file in files:
            for number, part in enumerate(file.parts):
                if isinstance(part, str) and part.startswith("@exim"):
                    file.parts[number] = version
                    break
            file.write()
    print(f"{sum(len(file.cases) for file in files)} cases, {changed} changed")
    return 1 if options.check and changed else 0


def record(file: casefile.CaseFile, real: listcases.Real) -> int:
    """Put present answers into a file's cases; gives the number that changed."""
    changed = 0
    for key, cases in listcases.groups([case for case in file.cases if not case.reason]).items():
        for case, answer in zip(cases, listcases.answers_of(real, key, cases)):
            if case.answer != answer:
                changed += 1
                if case.answer is not None:
                    print(f"{case.path.name}:{case.line}: {case.source!r}")
                    print(f"  was {case.answer!r}\n  now {answer!r}")
                case.answer = answer
    return changed


if __name__ == "__main__":
    sys.exit(main())
