#!/usr/bin/env python3
"""Record what the installed Exim answers to the cases of fixtures/maildirsize.json.

    tools/record_maildirsize.py             record everything anew, say what changed
    tools/record_maildirsize.py --check     change nothing; exit 1 if an answer would change

Needs root: the configuration is put in place of the machine's, in a mount namespace.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import maildircases  # noqa: E402
from differential.world import real_exim  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if anything would change")
    check = parser.parse_args().check
    exim = real_exim()
    if exim is None:
        print("no Exim is installed here", file=sys.stderr)
        return 2
    changed = 0
    cases = maildircases.cases()
    with tempfile.TemporaryDirectory(prefix="maildirsize") as name:
        for case in cases:
            answer = maildircases.real(exim, Path(name).resolve(), case)
            if answer != case.get("code"):
                changed += 1
                print(f"{case}: now {answer}")
            case["code"] = answer
    if not check:
        lines = ",\n".join(f"  {json.dumps(case)}" for case in cases)
        maildircases.PATH.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(cases)} cases, {changed} changed")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
