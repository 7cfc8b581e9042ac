"""What a command imports: start-up is paid by every script that calls it. No times are measured here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SMALL = ROOT / "fixtures" / "configurations" / "small-office" / "exim.conf"
ROOTED = ["exim", "--root", str(SMALL.parent), "-C", str(SMALL)]
#: never needed by these commands
HEAVY = frozenset(
    """
    lark dataclasses inspect json subprocess socket ssl selectors asyncio logging tempfile random hashlib
    datetime calendar ctypes multiprocessing concurrent threading unittest xml http email sqlite3 pydoc
    decimal tomllib dns yaml cryptography pcre2 lmdb spf ldap3 psycopg pymysql redis passlib
    """.split()  # noqa: SIM905
)
#: what argparse brings with it; only the compatible front does without it
ARGUMENTS = frozenset(("argparse", "gettext", "locale", "shutil"))
#: cheap for a program that runs long, not for one that answers a line
FRONT = HEAVY | ARGUMENTS | {"pathlib", "difflib", "textwrap"}

COMMANDS = {
    "front: -be": (["exim", "-be", "$primary_hostname"], FRONT),
    "front: -be with a configuration": ([*ROOTED, "-be", "${uc:$primary_hostname}"], FRONT),
    "front: -bP": ([*ROOTED, "-bP", "spool_directory"], FRONT),
    "front: -bV": ([*ROOTED, "-bV"], FRONT),
    "expand": (["expand", "${lc:ABC}"], HEAVY),
    "help": (["--help"], FRONT),
}

#: prints what an interpreter has before and after a command, whatever the environment's own start loads
PROBE = """
import sys
before = set(sys.modules)
from eximious.__main__ import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code or 0
sys.stdout.flush()
sys.stderr.write("\\nMODULES " + " ".join(sorted(set(sys.modules) - before)) + "\\n")
sys.exit(code)
"""


def imported(arguments: list[str]) -> tuple[int, set[str]]:
    """The exit code of a command and the modules that it imported."""
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )
    line = done.stderr.rsplit("\nMODULES ", 1)
    assert len(line) == 2, done.stderr
    return done.returncode, set(line[1].split())


@pytest.mark.parametrize(("arguments", "heavy"), COMMANDS.values(), ids=list(COMMANDS))
def test_heavy_modules_are_not_imported(arguments: list[str], heavy: frozenset[str]) -> None:
    code, modules = imported(arguments)
    assert code == 0
    found = {name for name in modules if name in heavy or name.split(".")[0] in heavy}
    assert not found


def test_lint_imports_nothing_heavy() -> None:
    code, modules = imported(["lint", "--root", str(SMALL.parent), str(SMALL)])
    assert code in (0, 1)
    # pcre2 checks the regular expressions of the configuration
    found = {name for name in modules if name.split(".")[0] in HEAVY - {"pcre2"}}
    assert not found


def test_importing_the_package_is_cheap() -> None:
    probe = (
        "import sys; before = set(sys.modules); import eximious; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd="/")
    assert set(done.stdout.split()) <= {"__future__", "eximious"}
