"""cdb files: our reader, the library that takes over where a file is asked often, and the real Exim agree."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from eximious.interpreter.outcomes import Failure
from eximious.lookups import cdb
from eximious.lookups.cdb import CdbFile
from eximious.lookups.paged import PageReader
from eximious.lookups.registry import SearchDefer
from eximious.lookups.search import parse_type, search
from lookup_files import write_cdb
from lookup_world import ask_exim, context, environment, ours, real_exim, real_version, write_config
from test_lookups_random import SEED, mutated

KEYS = ["k0", "k1", "k2", "k7", "k19", "k50", "dup", "e", "none", "nix", "\xe4\xff", "a\0b"]
FILES = 60


def sources(folder: Path) -> list[bytes]:
    """Whole files of several sizes."""
    made = []
    for size in (3, 20, 60, 400):
        records = [(b"k%d" % n, b"v%d" % n * (n % 29 + 1)) for n in range(size)]
        records += [(b"dup", b"1"), (b"dup", b"2"), (b"dup", b"3"), (b"e", b"")]
        records += [(b"\xe4\xff", b"\0\xff\xe4"), (b"a\0b", b"binary")]
        write_cdb(folder / "whole", records)
        made.append((folder / "whole").read_bytes())
    return made


def damaged(chance: random.Random, data: bytes) -> bytes:
    """A file with some wrong bits and bytes, often among the tables; or much worse."""
    if chance.random() < 0.2:
        return mutated(chance, data)
    made = bytearray(data)
    for _ in range(chance.randrange(1, 8)):
        at = chance.choice(
            [
                chance.randrange(len(made)),
                chance.randrange(2048, len(made)),
                chance.randrange(len(made) * 2 // 3, len(made)),
            ]
        )
        made[at] = chance.choice([made[at] ^ 1 << chance.randrange(8), 0, 255, 1, 127, 128])
    if chance.random() < 0.2:
        at = chance.randrange(2048, len(made))
        made[at : at + 4] = b"\xff" * 4
    return bytes(made)


def opened(path: Path) -> CdbFile:
    """An open file."""
    return CdbFile(PageReader(open(path, "rb")), str(path))


def asked(file: CdbFile) -> list[str | None]:
    """What a file answers, its reasons to defer among it."""
    answers: list[str | None] = []
    for key in KEYS:
        try:
            answers.append(file.text(key))
        except SearchDefer as defer:
            answers.append("defer: " + defer.reason)
    return answers


def taken(file: CdbFile, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let the library take a file over, for as long as the test runs; gives whether it has."""
    monkeypatch.setattr(cdb, "FRESH", 1000.0)
    file._look()
    file._take_library()
    return file._quick is not None


def test_library_answers_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole and damaged files answer the same, whoever reads them."""
    pytest.importorskip("cdbx")
    chance = random.Random(SEED)
    whole = sources(tmp_path)
    used = 0
    for number in range(400):
        data = whole[number] if number < len(whole) else damaged(chance, chance.choice(whole))
        if len(data) < cdb.HEADER:
            continue
        path = tmp_path / "file"
        path.write_bytes(data)
        own, other = opened(path), opened(path)
        assert taken(other, monkeypatch) or number >= len(whole), number
        used += other._quick is not None
        expected = asked(own)
        assert asked(other) == expected, f"file {number} (seed {SEED})"
        if number < len(whole):
            assert expected[:2] + expected[6:] == ["v0", "v1v1", "1", "", None, None, "\0\xff\xe4", "binary"]
        own.close()
        other.close()
    assert used > 100


def test_library_is_not_misled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record's place of all ones means something to the library: such a file it does not get."""
    pytest.importorskip("cdbx")
    write_cdb(tmp_path / "file", [(b"k0", b"v0"), (b"dup", b"1"), (b"dup", b"2")])
    data = bytearray((tmp_path / "file").read_bytes())
    at = data.index(cdb.cdb_hash(b"dup").to_bytes(4, "little"))
    data[at + 4 : at + 8] = b"\xff" * 4
    (tmp_path / "file").write_bytes(data)
    file = opened(tmp_path / "file")
    assert not taken(file, monkeypatch)
    with pytest.raises(SearchDefer, match="too short"):
        file.text("dup")
    file.close()


def test_library_is_for_many_lookups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is imported when it pays, and nothing is missed where there is none."""
    pytest.importorskip("cdbx")
    path = tmp_path / "file"
    write_cdb(path, [(b"k%d" % number, b"v%d" % number) for number in range(100)])
    spec = parse_type("cdb,cache=no")
    for there in (True, False):
        monkeypatch.delitem(sys.modules, "cdbx", raising=False)
        if not there:
            monkeypatch.setitem(sys.modules, "cdbx", None)
        ctx = context(environment((4, 99)))
        for number in range(cdb.OFTEN + 200):
            if number == cdb.OFTEN - 1 and there:
                assert "cdbx" not in sys.modules
            found = search(ctx, spec, f"k{number % 110}", str(path))
            assert (found.value if found else None) == (f"v{number % 110}" if number % 110 < 100 else None)
        assert (ctx.env.searches.last.handle._quick is not None) is there
        ctx.env.searches.close()


@pytest.mark.parametrize("library", [False, True])
def test_cut_while_open(library: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is cut in its place defers where something is missing, and answers where it is not."""
    if library:
        pytest.importorskip("cdbx")
    path = tmp_path / "file"
    write_cdb(path, [(b"k%d" % number, b"v%d" % number) for number in range(5000)])
    file = opened(path)
    if library:
        assert taken(file, monkeypatch)
    assert file.text("k4999") == "v4999"
    os.truncate(path, 60_000)
    file._until = 0.0  # the next look comes a moment later
    with pytest.raises(SearchDefer, match=r"corrupt cdb file .* \(too short\)"):
        file.text("k4999")
    file.close()


@pytest.mark.parametrize("library", [False, True])
def test_ten_megabytes(library: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long values and keys."""
    if library:
        pytest.importorskip("cdbx")
    long = b"\xe4" * 10_000_000
    write_cdb(tmp_path / "file", [(b"k", b"v"), (b"big", long), (long[:70_000], b"l"), (b"last", b"x")])
    file = opened(tmp_path / "file")
    if library:
        assert taken(file, monkeypatch)
    assert file.text("big") == long.decode("latin-1")
    assert (file.text("k"), file.text("\xe4" * 70_000), file.text("last")) == ("v", "l", "x")
    file.close()


def test_no_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file cannot be mapped it is read in pieces."""

    def refuse(self: PageReader) -> bytes:
        raise OSError

    write_cdb(tmp_path / "file", [(b"k0", b"v0"), (b"dup", b"1"), (b"dup", b"2")])
    monkeypatch.setattr(PageReader, "map", refuse)
    file = opened(tmp_path / "file")
    file._take_library()
    assert file._quick is None
    assert (file.text("k0"), file.text("dup"), file.text("none")) == ("v0", "1", None)
    file.close()


@pytest.mark.differential
def test_damaged_files(tmp_path: Path) -> None:
    """Damaged files: what the real Exim says, as long as it reads what is in the file."""
    exim = real_exim()
    if exim is None or real_version(exim) != "4.96":
        pytest.skip("Exim 4.96 is not installed")
    tmp_path.chmod(0o755)
    config = write_config(tmp_path)
    chance = random.Random(SEED)
    whole = sources(tmp_path)
    lines = []
    for number in range(FILES):
        (tmp_path / f"{number}.cdb").write_bytes(damaged(chance, chance.choice(whole)))
        lines += [
            "${lookup{" + key + "}cdb{" + str(tmp_path) + f"/{number}.cdb" + "}{[${escape:$value}]}{NF}}"
            for key in KEYS[:10]
        ]
    env = environment()
    wrong = []
    for line, real in zip(lines, ask_exim(exim, config, lines), strict=True):
        answer = ours(env, line)
        # behind the last page the real one dies, or answers from memory of something else
        if answer != real and not answer.endswith("(too short)"):
            wrong.append(f"{line}\n  Exim: {real!r}\n  ours: {answer!r}")
    assert not wrong, f"{len(wrong)} of {len(lines)} differ (seed {SEED})\n" + "\n".join(wrong[:10])


def test_broken_never_ends_in_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file gives an answer or a failure, read by the library, too."""
    monkeypatch.setattr(cdb, "OFTEN", 1)
    chance = random.Random(SEED + 5)
    whole = sources(tmp_path)
    for _ in range(200):
        path = tmp_path / "file"
        path.write_bytes(mutated(chance, chance.choice(whole)))
        ctx = context(environment((4, 99)))
        for key in KEYS:
            try:
                search(ctx, parse_type("cdb"), key, str(path))
            except Failure:
                continue
        ctx.env.searches.close()
