"""What a lookup costs in files of a million keys, against the library that there is for the format.

Run it: ``python benchmarks/lookups.py [KEYS]``. Times are processor time; trust the proportions. For LMDB and
SQLite the libraries are py-lmdb and sqlite3. For cdb and Berkeley DB files there is none among what eximious
needs: the modules cdbx and berkeleydb (or bsddb3) are compared with where they are installed, else the last
two columns are empty. "Kept" is a lookup as it is written without options, its key asked for before.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from eximious.lookups.search import parse_type, search
from lookup_files import write_cdb
from lookup_world import context, environment

ASKED = 20_000


def measured(call: Callable[[str], object], keys: list[str]) -> float:
    """Microseconds of one call, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for key in keys:
            call(key)
        best = min(best, time.process_time() - begun)
    return best / len(keys) * 1e6


def first_module(*names: str) -> Any:
    """The first of some modules that is installed, or None."""
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def make(folder: Path, size: int) -> dict[str, tuple[str, Callable[[str], object] | None]]:
    """Make the files; gives by name the lookup type and the library's own call for a key, if there is one."""
    import lmdb

    libraries: dict[str, tuple[str, Callable[[str], object] | None]] = {}
    records = ((b"key%07d" % n, b"value of %d" % n) for n in range(size))
    write_cdb(folder / "cdb", records)
    cdbx = first_module("cdbx")
    opened_cdb = cdbx.CDB(str(folder / "cdb")) if cdbx else None
    libraries["cdb"] = ("cdb", (lambda key: opened_cdb.get(key.encode())) if opened_cdb else None)

    made = lmdb.open(str(folder / "lmdb"), subdir=False, map_size=1 << 31, lock=False, sync=False)
    with made, made.begin(write=True) as put:
        for n in range(size):
            put.put(b"key%07d" % n, b"value of %d" % n, append=True)
    opened = lmdb.open(str(folder / "lmdb"), subdir=False, readonly=True, lock=False)

    def own_lmdb(key: str) -> object:
        with opened.begin() as view:
            return view.get(key.encode())

    libraries["lmdb"] = ("lmdb", own_lmdb)

    bdb = first_module("berkeleydb.db", "bsddb3.db")
    if bdb is not None:
        for name, kind in (("dbm hash", bdb.DB_HASH), ("dbm btree", bdb.DB_BTREE)):
            database = bdb.DB()
            database.set_cachesize(0, 1 << 28)
            database.open(str(folder / name), None, kind, bdb.DB_CREATE, 0o644)
            for n in range(size):
                database.put(b"key%07d" % n, b"value of %d" % n)
            database.close()
            reader = bdb.DB()
            reader.open(str(folder / name), None, bdb.DB_UNKNOWN, bdb.DB_RDONLY)
            libraries[name] = ("dbmnz", lambda key, reader=reader: reader.get(key.encode()))  # type: ignore[misc]
    else:
        text = folder / "text"
        text.write_text("".join(f"key{n:07}: value of {n}\n" for n in range(size)))
        try:
            built = ["exim_dbmbuild", "-nozero", "-noduperr", str(text), str(folder / "dbm")]
            subprocess.run(built, check=True, capture_output=True)
            name = next(path.name for path in (folder / "dbm.db", folder / "dbm") if path.exists())
            libraries[name] = ("dbmnz", None)
        except (OSError, subprocess.CalledProcessError, StopIteration):
            print("dbm: neither berkeleydb nor exim_dbmbuild is here: not measured")

    with sqlite3.connect(folder / "sqlite") as tables:
        tables.execute("create table t (k text primary key, v text) without rowid")
        tables.executemany(
            "insert into t values (?, ?)", ((f"key{n:07}", f"value of {n}") for n in range(size))
        )
    own = sqlite3.connect(folder / "sqlite", isolation_level=None)
    libraries["sqlite"] = (
        "sqlite",
        lambda key: own.execute(f"select v from t where k = '{key}'").fetchall(),
    )
    return libraries


def asker(ctx: Any, kind: str, options: str, place: str) -> Callable[[str], object]:
    """A function that looks a key up in a file."""
    spec = parse_type(f"{kind}{options}" + (f",file={place}" if kind == "sqlite" else ""))
    if kind == "sqlite":
        return lambda key: search(ctx, spec, None, f"select v from t where k = '{key}'")
    return lambda key: search(ctx, spec, key, place)


def main(size: int) -> None:
    """Make the files, ask, print a line per format."""
    chance = random.Random(1)
    keys = [f"key{chance.randrange(size):07}" for _ in range(ASKED)]
    few = keys[:1000] * (ASKED // 1000)
    ctx = context(environment((4, 99)))
    with tempfile.TemporaryDirectory() as scratch:
        print(f"{'format':10} {'lookup':>9} {'kept':>9} {'library':>9} {'ratio':>7}   (microseconds)")
        for name, (kind, library) in make(Path(scratch), size).items():
            place = str(Path(scratch) / name)

            lookup, kept = (asker(ctx, kind, options, place) for options in (",cache=no", ""))
            found = lookup(keys[0])
            assert getattr(found, "value", None) == f"value of {int(keys[0][3:])}", name
            ours, again = measured(lookup, keys), measured(kept, few)
            line = f"{name:10} {ours:9.1f} {again:9.1f}"
            if library is not None:
                theirs = measured(library, keys)
                line += f" {theirs:9.1f} {ours / theirs:7.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
