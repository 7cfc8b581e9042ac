#!/usr/bin/env python3
"""The cases of ``fixtures/reading``: read them, ask a real Exim, write its answers down.

A file holds cases; a case is files and the answer of ``exim -bP config``:

    === title
    --- c.conf            the configuration
    --- other             more files, in the same folder
    --- arguments         one -D... in a line
    --- 4.96              what Exim 4.96 answered: its standard output without the heading, or its error

``<0D>`` stands for the byte 0D (blanks at a line's end, control characters), ``<EOF>`` at the end of a
line for no newline there, ``@DIR@`` for the folder. Text before the first case is a comment.

    python tools/reading_cases.py record [EXIM]     # ask, and write the answers into the files
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "reading"
VERSION = "4.96"
CODE = re.compile("<([0-9A-F]{2})>")
UNPRINTED = re.compile(r"[^\x20-\x7e\n]|[ \t]+$", re.M)


class Case:
    """One case. ``files``: name to text (latin-1); ``arguments``; ``answer``: the text written down."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.files: dict[str, str] = {}
        self.arguments: list[str] = []
        self.answer = ""

    def lay_out(self, folder: Path) -> Path:
        """Write the files into ``folder`` and give the path of the configuration."""
        for name, text in self.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.replace("@DIR@", str(folder)).encode("latin-1"))
        return folder / "c.conf"

    def ask(self, exim: str) -> str:
        """Give the answer of a real Exim in the form in which it is written down."""
        with tempfile.TemporaryDirectory(prefix="reading") as name:
            path = self.lay_out(Path(name))
            done = subprocess.run(
                [exim, "-C", str(path), *self.arguments, "-bP", "config"],
                capture_output=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            text = done.stdout if done.returncode == 0 else done.stderr
            return plain(text.decode("latin-1"), name)


def plain(text: str, folder: str) -> str:
    """Give what Exim printed without the heading, the time of an error and the folder's name."""
    text = re.sub(r"\A# Exim Configuration \([^)\n]*\)\n", "", text)
    text = re.sub(r"^[0-9-]{10} [0-9:]{8} ", "", text, flags=re.M)
    return text.replace(folder, "@DIR@")


def encode(text: str) -> str:
    """Give ``text`` as it stands in a case file."""
    shown = UNPRINTED.sub(lambda match: "".join(f"<{ord(char):02X}>" for char in match[0]), text)
    return shown if shown.endswith("\n") or not shown else shown + "<EOF>\n"


def decode(text: str) -> str:
    """Give the text that a part of a case file stands for."""
    return CODE.sub(lambda match: chr(int(match[1], 16)), text.replace("<EOF>\n", ""))


def load(path: Path) -> tuple[str, list[Case]]:
    """Give the comment at the head of a case file and its cases."""
    head, *chunks = re.split(r"^=== ", path.read_text("ascii"), flags=re.M)
    cases = []
    for chunk in chunks:
        title, *parts = re.split(r"^--- ", chunk, flags=re.M)
        case = Case(title.strip())
        for part in parts:
            name, _, text = part.partition("\n")
            if name == "arguments":
                case.arguments = decode(text).rstrip("\n").split("\n")
            elif name == VERSION:
                case.answer = decode(text)
            else:
                case.files[name] = decode(text)
        cases.append(case)
    return head, cases


def dump(head: str, cases: list[Case]) -> str:
    """Give the text of a case file."""
    out = [head]
    for case in cases:
        out.append(f"=== {case.title}\n")
        out += [f"--- {name}\n{encode(text)}" for name, text in case.files.items()]
        if case.arguments:
            out.append("--- arguments\n" + encode("\n".join(case.arguments) + "\n"))
        out.append(f"--- {VERSION}\n{encode(case.answer)}")
    return "".join(out)


def main(arguments: list[str]) -> int:
    """Record the answers of all cases anew."""
    if not arguments or arguments[0] != "record":
        print(__doc__)
        return 2
    exim = arguments[1] if len(arguments) > 1 else "exim4"
    count = 0
    for path in sorted(FOLDER.glob("*.cases")):
        head, cases = load(path)
        for case in cases:
            case.answer = case.ask(exim)
            count += 1
        path.write_text(dump(head, cases), "ascii")
    print(f"{count} answers recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
