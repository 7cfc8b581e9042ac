"""What lint takes against ``python -c pass``, and lines a second: python -m pytest benchmarks/bench_lint.py"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from generated import configuration

ROOT = Path(__file__).resolve().parents[1]
SMALL = ROOT / "fixtures" / "configurations" / "small-office" / "exim.conf"
DEBIAN = Path("/etc/exim4")
#: as many times as ``python -c pass`` at most
RATIO = 25
LINES, LINES_A_SECOND, MEGABYTES = 100_000, 8_000, 600

MEMORY = (
    "import resource, sys; from eximious.command_lint import main; code = main(sys.argv[1:]); "
    "sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)); sys.exit(code)"
)


def _timed(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, capture_output=True, timeout=600, check=False)
    return time.perf_counter() - begin


def ratio(command: list[str], rounds: int = 15) -> float:
    """How many times as long a command takes as the bare interpreter, in turns; the best of each."""
    bare = [sys.executable, "-c", "pass"]
    times = [(_timed(command), _timed(bare)) for _ in range(rounds)]
    return min(ours for ours, _ in times) / min(theirs for _, theirs in times)


@pytest.mark.skipif(not (DEBIAN / "exim4.conf.template").exists(), reason="exim4-config is not installed")
@pytest.mark.parametrize("path", ["", "conf.d", "exim4.conf.template"])
def test_debian(path: str) -> None:
    """Debian's configuration, start-up included."""
    found = ratio([sys.executable, "-m", "eximious", "lint", str(DEBIAN / path)])
    print(f"lint of {DEBIAN / path}: {found:.1f} times python -c pass (at most {RATIO})")
    assert found <= RATIO


def test_long_configuration(tmp_path: Path) -> None:
    """A whole run over a configuration without an end."""
    path = tmp_path / "long.conf"
    path.write_text(configuration(LINES))
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, timeout=600
    )
    seconds = time.perf_counter() - begin
    assert done.returncode == 0, done.stdout[-500:]
    megabytes = int(done.stderr)
    print(f"lint of {LINES:,} lines: {seconds:.1f} s, {LINES / seconds:,.0f} a second, {megabytes} MB")
    assert LINES / seconds >= LINES_A_SECOND
    assert megabytes < MEGABYTES


def test_lint(benchmark: Any) -> None:
    """One configuration of some hundred lines, in a process that has started."""
    from eximious.linting import check

    found = benchmark(lambda: check(str(SMALL)))
    assert not found.count("error")
