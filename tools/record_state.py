#!/usr/bin/env python3
"""Records what the installed Exim answers to the cases in ``fixtures/variables`` and ``fixtures/messages``.

Run as root from anywhere: ``python tools/record_state.py [FILE...]``. Answers in the files are replaced.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import casefile  # noqa: E402
import state_world  # noqa: E402
from differential.world import real_exim, real_version  # noqa: E402


def main(names: list[str]) -> int:
    """Record the files that are named, or all; gives the exit code."""
    exim = real_exim()
    if exim is None:
        sys.stderr.write("no Exim is installed\n")
        return 2
    paths = [Path(name) for name in names] or sorted(ROOT.glob("fixtures/[vm]*s/*.cases"))
    for path in paths:
        file = casefile.read(path)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            for cases in state_world.grouped(file.cases):
                cases[0].settings.setdefault("exim", real_version(exim))
                for case, answer in zip(cases, state_world.real(cases, Path(folder), exim)):
                    if case.reason:
                        continue
                    case.answer = answer
                    if answer is None:
                        case.reason = "died"
        print(f"{path.name}: {len(file.cases)} cases{', changed' if file.write() else ''}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
