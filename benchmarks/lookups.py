"""What a lookup costs in files of a million keys, against the library that Python has for the format.

Run it: ``python benchmarks/lookups.py [KEYS]``. Times are processor time; trust the proportions.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from eximious.lookups.search import LookupSpec, parse_type, search
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


def main(size: int) -> None:
    """Make the files, ask, print a line per format."""
    import lmdb

    chance = random.Random(1)
    keys = [f"key{chance.randrange(size):07}" for _ in range(ASKED)]
    ctx = context(environment((4, 99)))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_cdb(folder / "cdb", ((b"key%07d" % n, b"value of %d" % n) for n in range(size)))
        made = lmdb.open(str(folder / "lmdb"), subdir=False, map_size=1 << 31, lock=False, sync=False)
        with made, made.begin(write=True) as put:
            for n in range(size):
                put.put(b"key%07d" % n, b"value of %d" % n, append=True)
        with sqlite3.connect(folder / "sqlite") as database:
            database.execute("create table t (k text primary key, v text) without rowid")
            database.executemany(
                "insert into t values (?, ?)", ((f"key{n:07}", f"value of {n}") for n in range(size))
            )
        opened = lmdb.open(str(folder / "lmdb"), subdir=False, readonly=True, lock=False)
        own = sqlite3.connect(folder / "sqlite", isolation_level=None)

        def own_lmdb(key: str) -> object:
            with opened.begin() as view:
                return view.get(key.encode())

        def own_sqlite(key: str) -> object:
            return own.execute(f"select v from t where k = '{key}'").fetchall()

        libraries = {"cdb": None, "lmdb": own_lmdb, "sqlite": own_sqlite}
        for name, library in libraries.items():
            place = str(folder / name)
            spec = parse_type(f"sqlite,cache=no,file={place}" if name == "sqlite" else f"{name},cache=no")

            def lookup(key: str, name: str = name, spec: LookupSpec = spec, place: str = place) -> object:
                if name == "sqlite":
                    return search(ctx, spec, None, f"select v from t where k = '{key}'")
                return search(ctx, spec, key, place)

            ours = measured(lookup, keys)
            line = f"{name:8} lookup {ours:6.1f} us"
            if library is not None:
                theirs = measured(library, keys)
                line += f"   library {theirs:6.1f} us   ratio {ours / theirs:4.1f}"
            print(line)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
