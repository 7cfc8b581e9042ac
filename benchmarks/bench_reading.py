"""Reading long configurations: lines a second, linear cost, memory. python -m pytest benchmarks/bench_reading.py

Each measurement runs in a process of its own, so that its memory is its own; times are taken inside, after
start-up.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from generated import configuration

#: lines a second at least, megabytes at most, and how much the cost of a line may grow from 10,000 to 100,000
LINES_A_SECOND, MEGABYTES, GROWTH = 8_000, 600, 1.6

READ = """
import sys, time, resource
from eximious.grammar.configuration import load_configuration
times = []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter()
    found = load_configuration(sys.argv[1])
    times.append(time.perf_counter() - begin)
    assert not found.diagnostics, found.diagnostics[:3]
    del found
print(min(times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(path: Path, rounds: int = 3) -> tuple[float, float]:
    """Seconds to read a configuration, and megabytes of the process that does it."""
    command = [sys.executable, "-c", READ, str(path), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("long")
    found = {}
    for lines in (10_000, 50_000, 100_000):
        path = found[lines] = folder / f"{lines}.conf"
        path.write_text(configuration(lines))
    return found


def test_long_configurations(texts: dict[int, Path]) -> None:
    """Linear, fast and small enough."""
    speeds = {}
    for lines, path in texts.items():
        seconds, megabytes = measure(path)
        count = path.read_text().count("\n")
        speeds[lines] = count / seconds
        print(
            f"{count:7,} lines: {seconds:6.2f} s, {speeds[lines]:8,.0f} lines a second, {megabytes:4.0f} MB"
        )
        assert megabytes < MEGABYTES
    assert speeds[100_000] >= LINES_A_SECOND
    assert speeds[10_000] / speeds[100_000] <= GROWTH


@pytest.mark.parametrize("lines", [10_000])
def test_reading(benchmark: Any, texts: dict[int, Path], lines: int) -> None:
    from eximious.grammar.configuration import load_configuration

    found = benchmark.pedantic(load_configuration, (str(texts[lines]),), rounds=5)
    assert not found.diagnostics
