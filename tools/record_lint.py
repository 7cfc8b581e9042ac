"""Write what lint finds now into the case files of fixtures/lint, below the lines. Read the difference then.

usage: python tools/record_lint.py [FILE …]
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lintcases import FOLDER, MAIN, read_cases, written  # noqa: E402


def record(path: Path) -> None:
    """Rewrite one file."""
    text = path.read_bytes().decode("latin-1")
    head = text[: text.index("#---")]
    out = [head]
    for case in read_cases(path):
        words = f" | {' '.join(case.settings)}" if case.settings else ""
        out.append(f"#--- {case.title}{words}\n")
        found = case.run()
        for name, lines in case.texts.items():
            if name != MAIN:
                out.append(f"#+++ {name}\n")
            for number, line in enumerate(lines, 1):
                out.append(f"{line}\n")
                for finding in found:
                    if (finding.file, finding.line) == (name, number):
                        out += [f"{row}\n" for row in written(finding)]
        for finding in found:
            if finding.file not in case.texts:
                print(f"{case.id}: no place for {finding.row()}")
        out.append("\n")
    path.write_bytes("".join(out).rstrip("\n").encode("latin-1") + b"\n")


def main(arguments: list[str]) -> int:
    """Rewrite the files named, or all."""
    for path in [Path(name) for name in arguments] or sorted(FOLDER.glob("*.conf")):
        record(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
