"""What a lookup costs in files of a million keys, against the library that there is for the format.

Run it: ``python benchmarks/lookups.py [KEYS]``. Times are processor time, the best of several rounds in which both
take turns; trust the proportions. A lookup is all that ``${lookup`` asks of the package, nothing kept: the source
that is open, the key, the value as text. A call of the library is its open handle asked for the encoded key, the
value left as bytes: py-lmdb with a transaction of its own, sqlite3, and cdbx and berkeleydb (or bsddb3) where they
are installed; without cdbx, cdb files are read by eximious alone, as they always are for the first thousand lookups.
"Missing" are keys that are not in the file; "kept" is a lookup whose answer is at hand.
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
ROUNDS = 40


def measured(calls: list[Callable[[str], object]], keys: list[str]) -> list[float]:
    """Microseconds of one call of each, in turns, the best of several rounds."""
    best = [float("inf")] * len(calls)
    part = max(len(keys) // 10, 1)
    for number in range(ROUNDS):
        begin = number % 10 * part
        asked = keys[begin : begin + part]
        for at, call in enumerate(calls):
            begun = time.process_time()
            for key in asked:
                call(key)
            best[at] = min(best[at], (time.process_time() - begun) / len(asked) * 1e6)
    return best


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


def line(name: str, kind: str, library: Callable[[str], object] | None, place: str, keys: list[str]) -> None:
    """Measure one format and print its line."""
    ctx = context(environment((4, 99)))
    missing = [key + "x" for key in keys]
    few = keys[:1000] * (len(keys) // 1000)
    lookup, kept = (asker(ctx, kind, options, place) for options in (",cache=no", ""))
    found = lookup(keys[0])
    assert getattr(found, "value", None) == f"value of {int(keys[0][3:])}", name
    assert lookup(missing[0]) is None, name
    for key in keys[:2000]:
        lookup(key)  # what is asked often may be asked in another way
    columns = ""
    for asked in (keys, missing):
        if library is None:
            columns += f" {measured([lookup], asked)[0]:9.1f} {'':9} {'':7}"
        else:
            ours, theirs = measured([lookup, library], asked)
            columns += f" {ours:9.1f} {theirs:9.1f} {ours / theirs:7.1f}"
    print(f"{name:14}{columns} {measured([kept], few)[0]:9.1f}", flush=True)


def main(size: int) -> None:
    """Make the files, ask, print a line per format."""
    chance = random.Random(1)
    keys = [f"key{chance.randrange(size):07}" for _ in range(ASKED)]
    with tempfile.TemporaryDirectory() as scratch:
        sides = f"{'lookup':>9} {'library':>9} {'ratio':>7} {'missing':>9} {'library':>9} {'ratio':>7}"
        print(f"{'format':14} {sides} {'kept':>9}   (microseconds)")
        for name, (kind, library) in make(Path(scratch), size).items():
            place = str(Path(scratch) / name)
            line(name, kind, library, place, keys)
            if name == "cdb" and library is not None:
                hidden = sys.modules["cdbx"]
                sys.modules["cdbx"] = None  # type: ignore[assignment]
                line("cdb, no cdbx", kind, library, place, keys)
                sys.modules["cdbx"] = hidden


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
