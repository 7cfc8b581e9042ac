"""Addresses and redirection data that somebody made to hurt: bounded, and without a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

import eximious
from eximious.routing_report import text_of

CONFIG = """primary_hostname = mail.example.org
qualify_domain = test.ex
begin routers
r:
  driver = redirect
  data = ${lookup{$local_part}lsearch{@DIR@/aliases}}
  allow_fail
last:
  driver = accept
  transport = t
begin transports
t:
  driver = appendfile
  file = /dev/null
"""


def _route(folder: Path, aliases: bytes, address: str) -> str:
    """The report of an address."""
    (folder / "aliases").write_bytes(aliases)
    config = folder / "exim.conf"
    config.write_text(CONFIG.replace("@DIR@", str(folder)))
    return "\n".join(text_of(eximious.load(str(config), allow=("all",)).route(address)))


@pytest.mark.parametrize("levels", [12, 25, 60])
def test_files_that_include_each_other_twice(tmp_path: Path, levels: int) -> None:
    for level in range(levels):
        following = f":include:{tmp_path}/i{level + 1}"
        (tmp_path / f"i{level}").write_text(f"{following}, {following}\n")
    (tmp_path / f"i{levels}").write_text("x@test.ex\n")
    said = _route(tmp_path, f"bomb: :include:{tmp_path}/i0\n".encode(), "bomb@test.ex")
    if levels == 12:
        assert "x@test.ex" in said
    else:
        assert "more than 20000 included files" in said or "Too many open files" in said


@pytest.mark.parametrize(
    ("aliases", "address", "wanted"),
    [
        (b"loop1: loop2\nloop2: loop1\n", "loop1@test.ex", "skipped: routed by it already"),
        (
            b"fan: fan1, fan2\nfan1: fan, fan2\nfan2: fan, fan1\n",
            "fan@test.ex",
            "skipped: routed by it already",
        ),
        (b"nul: a\0b@test.ex\n", "nul@test.ex", "a@test.ex  router last, transport t"),
        (b"eight: \xe9\xff@test.ex\n", "eight@test.ex", "\xe9\xff@test.ex  router last, transport t"),
    ],
)
def test_odd_aliases(tmp_path: Path, aliases: bytes, address: str, wanted: str) -> None:
    assert wanted in _route(tmp_path, aliases, address)


@pytest.mark.parametrize("address", ["x" * 65536 + "@test.ex", "x@" + "a." * 32768 + "ex"])
def test_addresses_of_64_kilobytes(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="ridiculously long"):
        _route(tmp_path, b"", address)
