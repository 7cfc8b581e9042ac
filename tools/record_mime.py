#!/usr/bin/env python3
"""Record the answers of the installed Exim to the cases of content scanning.

tools/record_mime.py             record everything anew, say what changed
tools/record_mime.py --check     change nothing; exit 1 if an answer would change
tools/record_mime.py parts       only these files
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import casefile  # noqa: E402
import contentcases  # noqa: E402
from differential.world import real_exim, real_version  # noqa: E402


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
    paths = [contentcases.SOURCE / f"{area}.cases" for area in options.areas]
    files = [casefile.read(path) for path in paths] or contentcases.case_files()
    version = f"@exim {real_version(options.exim)}"
    changed = 0
    for file in files:
        for case in file.cases:
            if case.reason:
                continue
            with tempfile.TemporaryDirectory(prefix="mime") as name:
                folder = contentcases.prepare(Path(name))
                answer = contentcases.Real(options.exim, folder).answer(case)
            if case.answer != answer:
                changed += 1
                if case.answer is not None:
                    print(f"{case.path.name}:{case.line}: was {case.answer!r}\n  now {answer!r}")
                case.answer = answer
        if not options.check:
            for number, part in enumerate(file.parts):
                if isinstance(part, str) and part.startswith("@exim"):
                    file.parts[number] = version
                    break
            file.write()
    print(f"{sum(len(file.cases) for file in files)} cases, {changed} changed")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
