"""Large files: nothing is read whole, and a lookup costs what its format must."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from eximious.lookups.search import parse_type, search
from lookup_files import write_cdb
from lookup_world import context, environment
from test_lookups_random import make_lmdb

SIZE = 200_000
PEAK = 4_000_000  #: bytes that a few lookups may hold


def make_sqlite(path: Path, records: list[tuple[bytes, bytes]]) -> None:
    """Write a SQLite file."""
    with sqlite3.connect(path) as database:
        database.execute("create table t (k text primary key, v text) without rowid")
        database.executemany("insert into t values (?, ?)", ((k.decode(), v.decode()) for k, v in records))


def make_text(path: Path, records: list[tuple[bytes, bytes]]) -> None:
    """Write a file for linear search."""
    path.write_bytes(b"".join(key + b": " + value + b"\n" for key, value in records))


def make_dbm(path: Path, records: list[tuple[bytes, bytes]]) -> None:
    """Write a Berkeley DB file with Exim's own tool, which names it as it likes."""
    tool = shutil.which("exim_dbmbuild")
    if tool is None:
        pytest.skip("exim_dbmbuild is not installed")
    source = path.with_suffix(".txt")
    make_text(source, records)
    subprocess.run([tool, "-nozero", "-noduperr", str(source), str(path)], check=True, capture_output=True)
    if not path.exists():
        path.with_suffix(".db").rename(path)


MAKERS: dict[str, Callable[[Path, list[tuple[bytes, bytes]]], None]] = {
    "cdb": write_cdb,
    "dbmnz": make_dbm,
    "lmdb": make_lmdb,
    "lsearch": make_text,
    "sqlite": make_sqlite,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_large_file(kind: str, tmp_path: Path) -> None:
    """A file of many keys: lookups are right, hold little memory, and a hundred of them take a moment."""
    file = tmp_path / kind
    MAKERS[kind](file, [(b"key%07d" % number, b"value of %d" % number) for number in range(SIZE)])
    ctx = context(environment((4, 99)))
    spec = parse_type("sqlite,file=" + str(file) if kind == "sqlite" else kind)

    def value(number: int) -> str | None:
        if kind == "sqlite":
            found = search(ctx, spec, None, f"select v from t where k = 'key{number:07}'")
        else:
            found = search(ctx, spec, f"key{number:07}", str(file))
        return None if found is None else found.value

    assert value(SIZE // 2) == f"value of {SIZE // 2}"
    tracemalloc.start()
    for number in (0, 7, SIZE - 1, SIZE // 3):
        assert value(number) == f"value of {number}"
    assert value(SIZE) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < PEAK
    count = 10 if kind == "lsearch" else 100
    begun = time.process_time()
    for number in range(0, SIZE, SIZE // count):
        value(number)
    assert time.process_time() - begun < 1.0
