"""The folder that the lookup tests look in, the real Exim and ours asked about it.

Run as a program it records what the installed Exim says into ``fixtures/lookups/*.cases``.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import casefile
from eximious.backends.files import Seeing
from eximious.interpreter.outcomes import Refused
from lookup_files import write_cdb, write_cdb_beyond

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "lookups"
BUILD = FIXTURES.parent / "expansion" / "build.txt"  #: ``exim -bV`` of the Exim whose answers are recorded

ROWS = [
    ("a b c", "one", 1),
    ("plain", "two", 2),
    ("", "empty", 3),
    (None, "null", 4),
    ('say "x" \\ y', "quote", 5),
    ("many", "many", 6),
    ("more of", "many", 7),
    ('"q', "startq", 8),
    ("x\\y", "back", 9),
    ("tab\tx", "tab", 10),
    (None, "nulls", None),
    ("nl\nx", "nl", 11),
]


def long_lines() -> bytes:
    """A file for linear search whose lines are about as long as Exim's buffer, or longer, or hold a NUL."""
    return b"".join(
        (
            b"a: " + b"x" * 5000 + b"y: z\n",
            *(b"n" * size + b": v%d\n" % size for size in (4090, 4094, 4095, 4096)),
            b"b: " + b"x" * 4090 + b"   \n",
            b"c: " + b"x" * 4092 + b" \n cont\n",
            b"d: " + b"x" * 4091 + b" \n cont\n",
            b"e: " + b"x" * 4090 + b" \n cont\n",
            b"f: 1\n" + b" " * 5000 + b"zz\n   yy\n",
            b"g: 1\n" + b"#" * 5000 + b"zz\n   yy\n",
            b"nul: a\0b\nnul2: x\nnul3: y\n",
            b"cr: a\r\n  b\r\ncr2: c\r\n",
            b'"q\\"4\\x41\\t\\\\\\q\\101": quoted\n',
        )
    )


def prepare(folder: Path) -> None:
    """Fill a folder with the files of the fixtures and those made here."""
    folder.chmod(0o777)
    for source in (FIXTURES / "files").iterdir():
        text = source.read_bytes()
        (folder / source.name).write_bytes(text.replace(b"@DIR@", os.fsencode(folder)))
    (folder / "long.lsearch").write_bytes(long_lines())
    records = [(b"k%d" % number, b"v%d" % number) for number in range(50)]
    records += [(b"dup", b"1"), (b"dup", b"2"), (b"nul", b"a\0b"), (b"empty", b""), (b"K", b"upper")]
    write_cdb(folder / "whole.cdb", [*records, (b"*.p.q", b"star")])
    whole = (folder / "whole.cdb").read_bytes()
    (folder / "header.cdb").write_bytes(whole[:2048])
    (folder / "cut.cdb").write_bytes(whole[:2100])
    (folder / "short.cdb").write_bytes(whole[:100])
    write_cdb_beyond(folder / "beyond.cdb")
    for name, size in (("cut1.dbm", 5000), ("cut2.dbm", 9000), ("cut3.dbm", 600), ("cut4.dbm", 100)):
        (folder / name).write_bytes((folder / "zero.dbm").read_bytes()[:size])
    (folder / "empty.dbm").write_bytes(b"")
    tree = folder / "tree"
    for name in ("sub", "..sub", ".x", "..."):
        (tree / name).mkdir(parents=True)
    for name in ("file", "sp ace"):
        (tree / name).write_text("")
    (tree / "dangling").symlink_to("/none")
    (tree / "link").symlink_to("/tmp")
    os.mkfifo(tree / "fifo")
    database = sqlite3.connect(folder / "them.db")
    database.execute("create table them (name text, id text, num integer, b blob)")
    database.executemany("insert into them values (?, ?, ?, x'000161')", ROWS)
    database.commit()
    database.close()


class Files(Seeing):
    """The files door: the real files."""

    def open(self, path: str) -> Any:
        return open(path.encode("latin-1"), "rb")

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(path.encode("latin-1"), follow_symlinks=follow_symlinks)

    def listdir(self, path: str) -> list[str]:
        return [os.fsdecode(name) for name in os.listdir(path.encode("latin-1"))]

    def local_path(self, path: str, write: bool = False) -> str:
        if write:
            raise Refused("files", f"writing to {path}", "--allow write=DIR")
        return path


class Clock:
    """The clock door."""

    def now(self) -> float:
        return time.time()


class Users:
    """The users door."""

    def getpwnam(self, name: str) -> Any:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            return None


class Resolver:
    """A resolver that knows nothing."""

    def query(self, name: str, rdtype: str, **how: Any) -> Any:
        from eximious.interpreter.dns import FAIL, Answer

        return Answer(FAIL)


def environment(
    version: tuple[int, int] = (4, 96), options: dict[str, Any] | None = None, **doors: Any
) -> Any:
    """An environment with real files, users and clock; 4.96 in the build that was recorded."""
    from eximious.backends.databases import RealDatabases
    from eximious.grammar.build import EVERYTHING, read_bv
    from eximious.grammar.catalogue import Catalogue
    from eximious.interpreter.state import Doors, Environment

    closed = dict.fromkeys(("processes", "sockets", "environ", "verdicts", "chance"))
    made = {"files": Files(), "clock": Clock(), "users": Users(), "resolver": Resolver()}
    made["databases"] = RealDatabases()
    env = Environment(
        version=version,
        options=options or {},
        doors=Doors(**(closed | made | doors)),
        primary_hostname="t.example",
        catalogue=Catalogue(version, read_bv(BUILD.read_text())[1] if version == (4, 96) else EVERYTHING),
    )
    return env


def context(env: Any) -> Any:
    """A fresh context in an environment."""
    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Address, Message, Session

    return Context(env, Session(), Message(), Address())


def ours(env: Any, text: str) -> str:
    """What ``-be`` prints for a line; ``died: …`` where the real Exim ends its process."""
    from eximious.conditions.lists.result import ListPanic
    from eximious.interpreter.engine import expand
    from eximious.interpreter.outcomes import Failure

    try:
        return expand(text, context(env))
    except ListPanic as panic:
        return "died: " + panic.message
    except Failure as failure:
        return "Failed: " + failure.message


def real_exim() -> str | None:
    """The installed Exim, if there is one."""
    return shutil.which(
        "exim4", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/exim/bin"
    ) or shutil.which("exim")


def real_version(exim: str) -> str:
    """The version of an Exim, as 4.96."""
    done = subprocess.run([exim, "-bV"], capture_output=True, check=False, encoding="latin-1")
    found = re.search(r"Exim version ([0-9]+\.[0-9]+)", done.stdout)
    return found[1] if found else ""


def ask_exim(exim: str, config: Path, lines: list[str]) -> list[str]:
    """The answers of ``exim -be`` to lines that are asked in one run.

    What follows an answer that ends the run is asked in another; that answer is ``died: ``.
    """
    answers: list[str] = []
    while len(answers) < len(lines):
        done = subprocess.run(
            [exim, "-C", str(config), "-be"],
            input="".join(line + "\n" for line in lines[len(answers) :]),
            capture_output=True,
            check=False,
            timeout=120,
            encoding="latin-1",
        )
        parts = ("\n" + done.stdout).split("\n> ")[1:]
        if done.returncode == 0:
            # the last prompt is answered with the end of the input
            if len(parts) != len(lines) - len(answers) + 1:
                raise RuntimeError(
                    f"{len(parts)} answers to {len(lines) - len(answers)} lines: {done.stdout[-500:]!r}"
                )
            return answers + parts[:-1]
        answers += parts[:-1]
        panic = done.stderr.strip().rpartition("\n")[2]
        answers.append("died: " + re.sub(r"^[0-9-]+ [0-9:]+ ", "", panic))
    return answers


def write_config(folder: Path, text: str = "") -> Path:
    """A configuration that Exim accepts."""
    config = folder / "exim.conf"
    config.write_text("primary_hostname = t.example\n" + text)
    config.chmod(0o644)
    return config


def record(folder: Path, exim: str) -> None:
    """Write the answers of an Exim into all case files."""
    prepare(folder)
    config = write_config(folder)
    for path in sorted(FIXTURES.glob("*.cases")):
        file = casefile.read(path)
        asked = [case for case in file.cases if not case.reason]
        answers = ask_exim(exim, config, [case.source.replace("@DIR@", str(folder)) for case in asked])
        for case, answer in zip(asked, answers, strict=True):
            case.answer = answer.replace(str(folder), "@DIR@")
        file.write()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        record(Path(scratch), real_exim() or sys.exit("no Exim is installed"))
