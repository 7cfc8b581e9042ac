"""Write docs/rules.md from the docstrings of lint's rules and explanations. --check compares only."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from eximious.lint.registry import EXPLANATIONS, RULES, load_rules

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "rules.md"

HEAD = """\
# What `eximious lint` finds

Made from the sources by `tools/make_rules.py`: do not edit. Every finding has a place, a code and a hint.
The first part lists the rules: what Exim accepts when it reads the configuration, and fails at (or does not
do as meant) when mail comes. The second part lists what Exim refuses when it reads the configuration, with
its own words.
"""


def page(codes: tuple[str, ...], why: str) -> list[str]:
    """Give the lines of one entry."""
    out = [f"### {', '.join(f'`{code}`' for code in codes)}", ""]
    code = False
    for line in inspect.cleandoc(why).split("\n"):
        if code and line and not line.startswith("    "):
            while out[-1] == "":
                out.pop()
            out += ["```", ""]
            code = False
        if line.endswith("::"):
            out += [line[:-1], "", "```"]
            code = True
        elif code:
            if line or out[-1] != "```":
                out.append(line.removeprefix("    "))
        else:
            out.append(line.replace("``", "`"))
    if code:
        while out[-1] == "":
            out.pop()
        out.append("```")
    return [*out, ""]


def source() -> str:
    """Give the text of the page."""
    load_rules()
    lines = [HEAD, "## Rules", ""]
    for code in sorted(RULES):
        lines += page((code,), RULES[code].why)
    lines += ["## What Exim refuses", ""]
    explained = {each.codes[0]: each for each in EXPLANATIONS.values()}
    for code in sorted(explained):
        lines += page(explained[code].codes, explained[code].why)
    return "\n".join(lines).rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    """Write (or with --check compare) the page; gives the exit code."""
    text = source()
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in arguments:
        print("docs/rules.md is stale: run python tools/make_rules.py")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
