#!/usr/bin/env python3
"""Record the answers of the installed Exim to the configurations under ``fixtures/config``.

tools/record_broken.py             record everything anew, say what changed
tools/record_broken.py --check     change nothing; exit 1 if an answer would change
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import casefile
import configcases


def main(arguments: list[str]) -> int:
    """Record or compare; gives the exit code."""
    exim = configcases.real_exim()
    if exim is None:
        print(f"no Exim {configcases.VERSION} here", file=sys.stderr)
        return 2
    changed = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:

        def record(numbered: tuple[int, casefile.Case]) -> tuple[str | None, str]:
            number, case = numbered
            place = Path(folder) / str(number)
            place.mkdir()
            return configcases.ask(exim, case, place)

        files = configcases.files()
        cases = [case for file in files for case in file.cases]
        for case, (answer, reason) in zip(cases, pool.map(record, enumerate(cases))):
            if (answer, reason) != (case.answer, case.reason):
                changed += 1
                print(f"{case.id}: {case.answer!r} -> {answer!r} {reason}")
                case.answer, case.reason = answer, reason
    if "--check" in arguments:
        return 1 if changed else 0
    for file in files:
        file.write()
    print(f"{len(cases)} cases, {changed} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
