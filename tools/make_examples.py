#!/usr/bin/env python3
"""Run the commands that the documentation shows and write their output below them.

    tools/make_examples.py              rewrite the output in every document
    tools/make_examples.py --check      write nothing; exit code 1 if something else comes out than is shown
    tools/make_examples.py README.md    only these documents

An example is a line ``$ COMMAND`` in a ``console`` block (continued by backslash and newline); what follows,
up to the next, is its standard output and standard error. A shell runs it in the root of the repository.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
_BLOCK = re.compile(r"(?ms)^```console\n(.*?)^```$")
_COMMAND = re.compile(r"(?m)^\$ (.*(?:\\\n.*)*)$")


def run(command: str) -> str:
    """What a command prints, both streams together."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    text = done.stdout.decode("utf-8", "backslashreplace")
    return text if not text or text.endswith("\n") else text + "\n"


def fresh_block(block: str) -> str:
    """A console block with what its commands print now."""
    return "".join(f"$ {found[1]}\n{run(found[1])}" for found in _COMMAND.finditer(block))


def fresh(text: str) -> str:
    """A document with what its commands print now."""
    return _BLOCK.sub(lambda found: f"```console\n{fresh_block(found[1])}```", text)


def commands(text: str) -> list[str]:
    """The commands that a document shows."""
    return [found[1] for block in _BLOCK.finditer(text) for found in _COMMAND.finditer(block[1])]


def main(argv: list[str]) -> int:
    """Write or check the documents; gives the exit code."""
    check = "--check" in argv
    wrong = 0
    for name in [word for word in argv if not word.startswith("-")] or DOCUMENTS:
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = fresh(old)
        if old == new:
            continue
        wrong += 1
        if check:
            sys.stdout.writelines(
                difflib.unified_diff(
                    old.splitlines(True), new.splitlines(True), f"{name} as it is", f"{name} as it runs"
                )
            )
        else:
            path.write_text(new, encoding="utf-8")
            print(f"{name} rewritten")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
