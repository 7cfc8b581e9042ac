"""Write interpreter/_registered.py: which module declares which name: python tools/make_index.py [--check].

Imports every module of the packages that register, so that at run time only the one that is needed is.
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from pathlib import Path

from eximious.interpreter.registry import CONDITIONS, ITEM_COMPILERS, ITEMS, OPERATORS

PACKAGES = (
    "eximious.interpreter.operators",
    "eximious.interpreter.items",
    "eximious.conditions.expansion",
    "eximious.conditions.lists",
)
TARGET = Path(__file__).resolve().parent.parent / "interpreter" / "_registered.py"


def source() -> str:
    """Give the source of the index."""
    for package in PACKAGES:
        for module in pkgutil.iter_modules(import_module(package).__path__, package + "."):
            import_module(module.name)
    lines = [
        '"""Which module declares which name, made by tools/make_index.py. Do not edit."""',
        "",
        "# fmt: off",
    ]
    tables = {"OPERATORS": OPERATORS, "ITEMS": ITEMS, "CONDITIONS": CONDITIONS}
    for name, registry in tables.items():
        lines += [f"{name} = {{"]
        lines += [f"    {key!r}: {registry[key].call.__module__!r}," for key in sorted(registry)]
        lines += ["}"]
    lines += ["ITEM_COMPILERS = {"]
    lines += [f"    {key!r}: {ITEM_COMPILERS[key].run.__module__!r}," for key in sorted(ITEM_COMPILERS)]
    lines += ["}", "# fmt: on"]
    return "\n".join(lines).replace("'", '"') + "\n"


def main(arguments: list[str]) -> int:
    """Write (or with --check compare) the index; gives the exit code."""
    text = source()
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in arguments:
        print("interpreter/_registered.py is stale: run python tools/make_index.py")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    print(f"wrote {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
