"""Random files and keys: ours and the real Exim find the same; broken files never end in a traceback."""

from __future__ import annotations

import os
import random
import shutil
import struct
from pathlib import Path

import pytest
from eximious.interpreter.outcomes import Failure
from eximious.lookups import lmdb_file
from eximious.lookups.search import SearchDefer, parse_type, search
from lookup_files import write_cdb
from lookup_world import ask_exim, context, environment, ours, prepare, real_exim, real_version, write_config

SEED = int(os.environ.get("EXIMIOUS_SEED", "20240610"))
FILES = int(os.environ.get("EXIMIOUS_RANDOM_FILES", "40"))
KEYS_PER_FILE = 60

WORDS = [
    "a",
    "b",
    "ab",
    "A",
    "x.y",
    "*.y",
    "*",
    "*@d.e",
    "u@d.e",
    "d.e",
    "*.d.e",
    "1.2.3.4",
    "1.2.0.0/16",
    "^a.*b",
    '""',
    "",
    "b.d.e",
]
SPACES = ["", " ", "\t", "  ", ":", " : ", ": ", "::"]


def text_file(chance: random.Random) -> str:
    """A file for linear search with all that the format has."""
    lines = []
    for _ in range(chance.randrange(1, 25)):
        kind = chance.random()
        if kind < 0.1:
            lines.append(chance.choice(["# comment", "#", "", " ", "\t"]))
        elif kind < 0.25:
            lines.append(
                chance.choice([" ", "\t", "  \t"]) + chance.choice(["more", "# no comment", ": x", ""])
            )
        else:
            key = chance.choice(WORDS)
            if chance.random() < 0.25:
                key = '"' + key.replace('"', '\\"') + chance.choice(['"', '"', '"x', "", '\\x41"', '\\t"'])
            data = chance.choice(["v", "v w", '"q"', "", "#x", "a:b", "x\\.y"]) + str(chance.randrange(100))
            lines.append(key + chance.choice(SPACES) + data + chance.choice(["", "", " ", "\r", "\t "]))
    return "\n".join(lines) + chance.choice(["\n", "", "\n\n"])


def type_text(chance: random.Random, name: str) -> str:
    """A single-key type with what may be around it."""
    partial = chance.choice(
        ["", "", "partial-", "partial0-", "partial1-", "partial()", "partial(.)", "partial0(*@)"]
    )
    star = chance.choice(["", "", "*", "*@"])
    option = chance.choice(["", "", ",ret=key", ",ret=full", ",x", ",cache=no_rd"])
    return partial + name + star + option


def key_text(chance: random.Random) -> str:
    """A key that may well be found."""
    key = chance.choice(
        [*WORDS, "q.b.d.e", "z.x.y", "v@d.e", "x@b.d.e", "1.2.9.9", "aab", "nothing", "x..y", ".y", "@d.e"]
    )
    return key.upper() if chance.random() < 0.2 else key


@pytest.mark.differential
def test_linear_search(tmp_path: Path) -> None:
    """Types of linear search, partial matching and defaults in random files."""
    exim = real_exim()
    if exim is None or real_version(exim) != "4.96":
        pytest.skip("Exim 4.96 is not installed")
    chance = random.Random(SEED)
    tmp_path.chmod(0o755)
    config = write_config(tmp_path)
    lines = []
    for number in range(FILES):
        file = tmp_path / f"file{number}"
        file.write_bytes(text_file(chance).encode("latin-1"))
        for _ in range(KEYS_PER_FILE):
            name = chance.choice(
                ["lsearch", "lsearch", "lsearch", "nwildlsearch", "wildlsearch", "iplsearch"]
            )
            result = "{[${escape:$value}|$1|$2]}{NF}" if name != "wildlsearch" else "{[${escape:$value}]}{NF}"
            lines.append(
                "${lookup{"
                + key_text(chance)
                + "}"
                + type_text(chance, name)
                + "{"
                + str(file)
                + "}"
                + result
                + "}"
            )
    env = environment()
    wrong = []
    for line, real in zip(lines, ask_exim(exim, config, lines), strict=True):
        answer = ours(env, line)
        # the real one ends its process where a default matches the empty key partially
        if answer != real and not real.startswith("died: internal error in string_catn"):
            wrong.append(f"{line}\n  Exim: {real!r}\n  ours: {answer!r}")
    assert not wrong, f"{len(wrong)} of {len(lines)} differ (seed {SEED})\n" + "\n".join(wrong[:10])


@pytest.mark.differential
def test_database_files(tmp_path: Path) -> None:
    """Random keys and values in cdb and dbm files."""
    exim = real_exim()
    build = shutil.which("exim_dbmbuild", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if exim is None or build is None:
        pytest.skip("Exim is not installed")
    chance = random.Random(SEED + 1)
    tmp_path.chmod(0o755)
    config = write_config(tmp_path)
    lines = []
    for number in range(8):
        size = chance.choice([1, 3, 50, 700])
        keys = {f"k{chance.randrange(10 ** chance.randrange(1, 6))}": None for _ in range(size)}
        records = [(key, "v" * chance.choice([0, 1, 5, 80, 5000]) + key) for key in keys]
        write_cdb(tmp_path / f"{number}.cdb", [(k.encode(), v.encode()) for k, v in records])
        source = tmp_path / f"{number}.src"
        source.write_text("".join(f"{key}: {value}\n" for key, value in records))
        os.spawnv(os.P_WAIT, build, [build, str(source), str(tmp_path / f"{number}.dbm")])
        asked = [*chance.sample(list(keys), min(len(keys), 60)), "none", "k", "kk1"]
        for kind in ("cdb", "dbm"):
            place = tmp_path / f"{number}.{kind}"
            lines += ["${lookup{" + key + "}" + kind + "{" + str(place) + "}{$value}{NF}}" for key in asked]
    env = environment()
    answers = ask_exim(exim, config, lines)
    assert [ours(env, line) for line in lines] == answers


def mutated(chance: random.Random, data: bytes) -> bytes:
    """A file cut, overwritten or shuffled somewhere."""
    made = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        if not made:
            break
        at = chance.randrange(len(made))
        kind = chance.random()
        if kind < 0.2:
            del made[at:]
        elif kind < 0.6:
            made[at : at + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(1, 9))
        elif kind < 0.8:
            value = chance.choice([0, 0xFF, 0x7F, 0x80])
            size = chance.choice([1, 2, 4, 8, 64])
            made[at : at + size] = bytes([value]) * size
        else:
            other = chance.randrange(len(made))
            made[at : at + 32] = made[other : other + 32]
    return bytes(made)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("cdb", "whole.cdb"),
        ("dbm", "zero.dbm"),
        ("dbmnz", "plain.dbm"),
        ("dbmnz", "tree.dbm"),
        ("dbmnz", "longtree.dbm"),
        ("lmdb", "lmdb"),
        ("json", "json"),
        ("lsearch", "format.lsearch"),
        ("iplsearch", "nets.iplsearch"),
        ("nwildlsearch", "wild-odd.lsearch"),
        ("sqlite", "them.db"),
    ],
)
def test_broken_files(name: str, source: str, tmp_path: Path) -> None:
    """A damaged file gives an answer, an error or a defer, in bounded time, and nothing else."""
    prepare(tmp_path)
    (tmp_path / "json").write_text('{"a": [1, {"b": "c"}], "k": "v", "n": 1e5, "t": true}')
    make_lmdb(tmp_path / "lmdb", [(b"key%d" % n, b"value" * (n % 900)) for n in range(300)])
    data = (tmp_path / source).read_bytes()
    chance = random.Random(SEED + 2)
    spec = parse_type(name)
    keys = ["k1", "key1", "key250", "key599", "k" * 700, "a", "a:1", "1.2.3.4", "long", "nf"]
    for number in range(400):
        file = tmp_path / "broken"
        file.write_bytes(mutated(chance, data))
        ctx = context(environment((4, 99)))
        for key in keys:
            try:
                if name == "sqlite":
                    search(ctx, spec, None, f"{file} select name from them where id='{key}'")
                else:
                    search(ctx, spec, key, str(file))
            except Failure:
                continue
            except BaseException as error:
                raise AssertionError(f"{name} {number} {key} (seed {SEED})") from error
        ctx.env.searches.close()


@pytest.mark.differential
@pytest.mark.parametrize("source", ["zero.dbm", "plain.dbm", "tree.dbm", "longtree.dbm"])
def test_damaged_berkeley_pages(source: str, tmp_path: Path) -> None:
    """What the library looks at in a page's head, and what not."""
    exim = real_exim()
    if exim is None or real_version(exim) != "4.96":
        pytest.skip("Exim 4.96 is not installed")
    prepare(tmp_path)
    tmp_path.chmod(0o755)
    config = write_config(tmp_path)
    whole = (tmp_path / source).read_bytes()
    (size,) = struct.unpack_from("<I", whole, 20)
    kind = "dbm" if source == "zero.dbm" else "dbmnz"
    damages = {
        "number": (8, struct.pack("<I", 7777)),
        "none": (8, bytes(4)),
        "before": (12, struct.pack("<I", 99999)),
        "level": (24, b"\x07"),
    }
    lines = []
    for place in (24, 26, 48, 49, 51, 94):
        for bit in (1, 4, 8, 16):
            damaged = bytearray(whole)
            damaged[place] ^= bit
            file = tmp_path / f"meta{place}-{bit}"
            file.write_bytes(damaged)
            lines.append("${lookup{k1}" + kind + "{" + str(file) + "}{[$value]}{NF}}")
    for page in range(size, len(whole), size):
        for name, (place, data) in damages.items():
            damaged = bytearray(whole)
            damaged[page + place : page + place + len(data)] = data
            file = tmp_path / f"{name}{page}"
            file.write_bytes(damaged)
            lines += [
                "${lookup{" + key + "}" + kind + "{" + str(file) + "}{[$value]}{NF}}"
                for key in ("k1", "k3", "key250", "key300", "long", "a", "nf")
            ]
    env = environment()
    answers = ask_exim(exim, config, lines)
    wrong = [line for line, real in zip(lines, answers, strict=True) if ours(env, line) != real]
    assert not wrong, f"{len(wrong)} of {len(lines)} differ:\n" + "\n".join(wrong[:10])


def make_lmdb(path: Path, records: list[tuple[bytes, bytes]], **how: int) -> None:
    """Write an LMDB file."""
    lmdb = pytest.importorskip("lmdb")
    with (
        lmdb.open(str(path), subdir=False, map_size=1 << 28, lock=False, **how) as made,
        made.begin(write=True) as put,
    ):
        for key, value in records:
            put.put(key, value)


def test_lmdb(tmp_path: Path) -> None:
    """Values short, long, empty, with and without a NUL, at the end of the file; keys that are not there."""
    chance = random.Random(SEED + 3)
    for count in (0, 1, 5, 300, 3000):
        records = {
            b"key%d" % chance.randrange(10**7): b"v" * chance.choice([0, 1, 10, 500, 2100, 9000])
            + b"%d" % number
            for number in range(count)
        }
        records |= {
            b"zero": b"with\0",
            b"bare": b"without",
            b"empty": b"",
            b"last": b"x" * 20000,
            b"k" * 511: b"l",
        }
        if not count:
            records = {}
        file = tmp_path / f"{count}.mdb"
        make_lmdb(file, list(records.items()))
        ctx = context(environment((4, 99)))
        spec = parse_type("lmdb")
        for key, value in records.items():
            found = search(ctx, spec, key.decode(), str(file))
            assert found is not None and found.value == value.partition(b"\0")[0].decode()
        for key in ("none", "key", "z", "a", "k" * 512, "key99999999"):
            assert search(ctx, spec, key, str(file)) is None
        ctx.env.searches.close()


def test_lmdb_cut(tmp_path: Path) -> None:
    """A file that ends early defers where what is asked for is gone, and answers else."""
    file = tmp_path / "cut.mdb"
    make_lmdb(
        file, [(b"a", b"1"), *((b"key%04d" % n, b"value%d" % n) for n in range(2000)), (b"big", b"x" * 30000)]
    )
    size = file.stat().st_size
    outcomes = set()
    for cut in range(0, size, 4096):
        os.truncate(file, size - cut)
        ctx = context(environment((4, 99)))
        for key in ("a", "key1000", "big"):
            try:
                found = search(ctx, parse_type("lmdb"), key, str(file))
                outcomes.add("found" if found else "nothing")
            except Failure as failure:
                outcomes.add(
                    failure.message.partition(": MDB_")[0].partition("LMDB: ")[2].partition(" with")[0]
                )
        if ctx.env.searches:
            ctx.env.searches.close()
    assert "found" in outcomes and "lookup error" in outcomes and "nothing" not in outcomes


def test_lmdb_cut_while_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is cut in its place defers where what is asked for is gone."""
    monkeypatch.setattr(lmdb_file, "FRESH", 0.0)
    file = tmp_path / "cut.mdb"
    make_lmdb(file, [(b"key%04d" % n, b"value%d" % n) for n in range(2000)])
    ctx = context(environment((4, 99)))
    spec = parse_type("lmdb,cache=no")
    for number in range(0, 2000, 7):
        assert search(ctx, spec, f"key{number:04}", str(file)) is not None
    os.truncate(file, 3 * 4096)
    with pytest.raises(SearchDefer, match="MDB_PAGE_NOTFOUND"):
        search(ctx, spec, "key1999", str(file))


def test_lmdb_cycle(tmp_path: Path) -> None:
    """A branch whose children are itself ends as damaged."""
    file = tmp_path / "cycle.mdb"
    make_lmdb(file, [(b"key%06d" % number, b"value") for number in range(5000)])
    with open(file, "r+b") as stream:
        data = bytearray(stream.read())
        newest = max((0, 4096), key=lambda place: struct.unpack_from("<Q", data, place + 144)[0])
        (root,) = struct.unpack_from("<Q", data, newest + 16 + 24 + 48 + 40)
        page = root * 4096
        number, _, kind, lower = struct.unpack_from("<QHHH", data, page)
        assert (number, kind) == (root, 1), "the root is no branch"
        for (offset,) in struct.iter_unpack("<H", data[page + 16 : page + lower]):
            struct.pack_into("<I", data, page + offset, root)
        stream.seek(0)
        stream.write(data)
    ctx = context(environment((4, 99)))
    for _ in range(3):
        with pytest.raises(Failure) as caught:
            search(ctx, parse_type("lmdb"), "key000100", str(file))
        assert "MDB_CORRUPTED" in caught.value.message


def test_lmdb_sees_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process commits is seen, at the latest a moment later."""
    monkeypatch.setattr(lmdb_file, "FRESH", 0.0)
    file = tmp_path / "grows.mdb"
    make_lmdb(file, [(b"a", b"1")])
    ctx = context(environment((4, 99)))
    spec = parse_type("lmdb,cache=no")
    found = search(ctx, spec, "a", str(file))
    assert found is not None and found.value == "1"
    for number in range(5):
        make_lmdb(file, [(b"a", b"%d" % number), (b"b", b"x" * 5000)])
    found = search(ctx, spec, "a", str(file))
    assert found is not None and found.value == "4"


@pytest.mark.parametrize("kind", ["cdb", "lmdb", "lsearch"])
def test_ten_megabytes(kind: str, tmp_path: Path) -> None:
    """A value of 10 MB is found whole."""
    value = b"x" * 10_000_000
    file = tmp_path / kind
    if kind == "cdb":
        write_cdb(file, [(b"k", b"v"), (b"big", value)])
    elif kind == "lmdb":
        make_lmdb(file, [(b"k", b"v"), (b"big", value)])
    else:
        file.write_bytes(b"k: v\nbig: " + value + b"\nlast: l\n")
    ctx = context(environment((4, 99)))
    for key, length in (("k", 1), ("big", len(value)), ("k", 1)):
        found = search(ctx, parse_type(kind), key, str(file))
        assert found is not None and len(found.value) == length
    if kind == "lsearch":
        found = search(ctx, parse_type(kind), "last", str(file))
        assert found is not None and found.value == "l"
