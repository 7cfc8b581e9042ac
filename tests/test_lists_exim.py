"""Lists and the DNS compared with the installed Exim, live; skipped where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import casefile
import listcases
import pytest
from differential.world import real_exim, real_version
from dnsworld import DnsWorld

pytestmark = pytest.mark.differential
TOOL = Path(__file__).resolve().parents[1] / "tools" / "differential_lists.py"
HOSTS_TOOL = TOOL.with_name("differential_hosts.py")
FILES = sorted(listcases.SOURCE.glob("*.cases"))


@pytest.fixture(scope="module")
def exim() -> str:
    found = real_exim()
    if found is None:
        pytest.skip("no Exim is installed")
    if os.geteuid() != 0:
        pytest.skip("what was recorded is what root is told")
    return found


@pytest.fixture(scope="module")
def real(exim: str):
    # not below pytest's own folder, which only its owner may enter: -bh gives up root's rights
    with tempfile.TemporaryDirectory(prefix="lists") as name:
        yield from _real(exim, listcases.prepare(Path(name)))


def _real(exim: str, folder: Path):
    world = DnsWorld.start(folder, listcases.ZONES, listcases.HOSTS)
    if world is None:
        pytest.skip("a network and mount namespace cannot be made here")
    yield listcases.Real(exim, folder, world)
    world.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded(path: Path, exim: str, real: listcases.Real) -> None:
    """The installed Exim still says what was recorded (only where it is the version that was recorded)."""
    file = casefile.read(path)
    if real_version(exim) != file.cases[0].settings["exim"]:
        pytest.skip("another version is installed")
    different = []
    for key, cases in listcases.groups(file.cases).items():
        for case, answer in zip(cases, listcases.answers_of(real, key, cases), strict=True):
            if answer != case.answer:
                different.append(f"{case.id}\n  recorded {case.answer!r}\n  now      {answer!r}")
    assert not different, f"{len(different)} differ\n" + "\n".join(different[:20])


@pytest.mark.usefixtures("exim")
@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)], ids=["few", "many"])
def test_random_lists(count: int) -> None:
    """Random lists and subjects: none different."""
    run = subprocess.run(
        [sys.executable, str(TOOL), "--count", str(count), "--batch", str(min(count, 5000))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert f"{count} compared, 0 different" in run.stdout


@pytest.mark.usefixtures("exim")
@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.slow)], ids=["few", "many"])
def test_random_host_lists(count: int) -> None:
    """Random host lists, clients and DNS settings, with the same DNS for both: none different."""
    run = subprocess.run(
        [sys.executable, str(HOSTS_TOOL), "--count", str(count)], capture_output=True, text=True, check=False
    )
    if run.returncode == 2:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert f"{count} compared, 0 different" in run.stdout


@pytest.mark.usefixtures("exim")
def test_planted_errors_show() -> None:
    """Answers of ours that are made wrong are found."""
    run = subprocess.run(
        [sys.executable, str(TOOL), "--count", "4000", "--batch", "4000", "--plant"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout[-4000:] + run.stderr[-2000:]
