#!/usr/bin/env python3
"""Record the answers of the installed Exim to the SMTP sessions.

    tools/record_sessions.py             record everything anew, say what changed
    tools/record_sessions.py --check     change nothing; exit 1 if an answer would change
    tools/record_sessions.py --ours      change nothing; show where ours answers otherwise
    tools/record_sessions.py envelope  only these files

Needs root: the real one reads the configuration of root, and cases that ask the DNS need a namespace of their own.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import casefile  # noqa: E402
import sessioncases  # noqa: E402
from differential.world import real_exim, real_version  # noqa: E402
from dnsworld import DnsWorld  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("areas", nargs="*", help="names of case files without .cases (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if anything would change")
    parser.add_argument("--ours", action="store_true", help="compare ours with what is recorded")
    parser.add_argument("--exim", default=real_exim(), help="the Exim to ask")
    options = parser.parse_args()
    paths = [sessioncases.SOURCE / f"{area}.cases" for area in options.areas]
    files = [casefile.read(path) for path in paths] or sessioncases.case_files()
    with tempfile.TemporaryDirectory(prefix="sessions") as name:
        folder = sessioncases.prepare(Path(name))
        if options.ours:
            return compare(files, sessioncases.Ours(folder))
        if not options.exim:
            print("no Exim is installed here", file=sys.stderr)
            return 2
        world = DnsWorld.start(folder, sessioncases.ZONES, sessioncases.HOSTS, sessioncases.RESOLV_CONF)
        if world is None:
            print("no namespace of its own can be made here for the DNS", file=sys.stderr)
            return 2
        try:
            real = sessioncases.Real(options.exim, folder, world)
            changed = record(files, real)
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


def record(files: list[casefile.CaseFile], real: sessioncases.Real) -> int:
    """Put present answers into the cases; gives the number that changed."""
    changed = 0
    for file in files:
        for case in file.cases:
            if case.reason:
                continue
            answer = real.answer(case)
            if case.answer != answer:
                changed += 1
                if case.answer is not None:
                    print(f"{case.path.name}:{case.line}: was {case.answer!r}\n  now {answer!r}")
                case.answer = answer
    return changed


def compare(files: list[casefile.CaseFile], ours: sessioncases.Ours) -> int:
    """Show the cases that ours answers otherwise; gives the exit code."""
    wrong = count = 0
    for file in files:
        for case in file.cases:
            if case.reason or case.answer is None:
                continue
            count += 1
            answer = ours.answer(case)
            if answer == case.answer:
                continue
            wrong += 1
            print(f"{case.path.name}:{case.line}: {case.heading}\n{case.source}")
            for line in difflib.ndiff(case.answer.split("\n"), answer.split("\n")):
                if not line.startswith("?"):
                    print(f"    {line}")
    print(f"{count} cases, {wrong} answered otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
