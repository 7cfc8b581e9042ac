#!/usr/bin/env python3
"""Record the answers of the installed Exim to the expansion corpus.

    tools/record_expansion.py                  record everything anew, say what changed
    tools/record_expansion.py --check          change nothing; exit 1 if an answer would change
    tools/record_expansion.py lists headers    only these areas

Every input is asked twice: in a batch with its neighbours, and alone in another folder at another time. Where
the two differ, the input is asked alone again: an answer counts if two lonely runs agree (after a failed line
Exim's batch keeps old ``$1`` and ``$value``), else the case says that it changes from run to run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import casefile  # noqa: E402
from differential.corpus import BUILD, key  # noqa: E402
from differential.process import Answer  # noqa: E402
from differential.world import SOURCE, World, real_build, real_exim, real_version  # noqa: E402


def record(exim: str, files: list[casefile.CaseFile], worlds: tuple[World, World]) -> None:
    """Put the present answers of ``exim`` into the cases of ``files``."""
    groups: dict[tuple[tuple[str, str], ...], list[casefile.Case]] = {}
    for file in files:
        for case in file.cases:
            groups.setdefault((("area", str(file.path)), *key(case)), []).append(case)
    together, alone = worlds

    def ask(world: World, cases: list[casefile.Case]) -> list[Answer]:
        settings = cases[0].settings
        asker = world.asker([exim], settings)
        return world.ask(asker, [case.source for case in cases], settings.get("before", ""))

    def one(case: casefile.Case) -> Answer:
        return ask(alone, [case])[0]

    with ThreadPoolExecutor(2) as pool:
        everything = [case for cases in groups.values() for case in cases]
        batch = [
            a for answers in pool.map(lambda cases: ask(together, cases), groups.values()) for a in answers
        ]
        lonely = list(pool.map(one, everything))
    for case, first, second in zip(everything, batch, lonely):
        if first != second:
            first = one(case)
        if first != second:
            case.answer, case.reason = None, "changes from run to run"
        elif first.text is None:
            case.answer, case.reason = None, first.fate
        else:
            case.answer, case.reason = first.text, ""


def stamp(file: casefile.CaseFile, version: str) -> None:
    """Say at the top of the file which version answered."""
    line = f"@exim {version}"
    for number, part in enumerate(file.parts):
        if isinstance(part, str) and part.startswith("@exim"):
            file.parts[number] = line
            return
    for number, part in enumerate(file.parts):
        if not (isinstance(part, str) and part.startswith("#")):
            file.parts.insert(number, line)
            return


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
    paths = [SOURCE / f"{area}.cases" for area in options.areas] or sorted(SOURCE.glob("*.cases"))
    files = [casefile.read(path) for path in paths]
    before = [(case.answer, case.reason) for file in files for case in file.cases]
    with (
        tempfile.TemporaryDirectory(prefix="exim") as a,
        tempfile.TemporaryDirectory(prefix="recording") as b,
    ):
        for folder in (a, b):
            Path(folder).chmod(0o755)
        record(options.exim, files, (World.prepare(Path(a) / "w"), World.prepare(Path(b) / "w")))
    cases = [case for file in files for case in file.cases]
    changed = 0
    for case, (answer, reason) in zip(cases, before):
        if (case.answer, case.reason) == (answer, reason):
            continue
        changed += 1
        if answer is not None or reason:
            print(f"{case.path.name}:{case.line}: {case.source!r}")
            print(f"  was {reason or answer!r}\n  now {case.reason or case.answer!r}")
    if not options.check:
        BUILD.write_text(real_build(options.exim))
        for file in files:
            stamp(file, real_version(options.exim))
            file.write()
    errors = sum(1 for case in cases if case.answer is not None and case.answer.startswith("Failed: "))
    silent = sum(1 for case in cases if case.answer is None)
    print(f"{len(cases)} cases, {errors} errors, {silent} without an answer, {changed} changed")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
