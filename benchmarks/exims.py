"""What the benchmarks of commands share: the programs that are compared, their inputs, and how time is taken.

A ratio is made of times of the same run: the programs take turns, and the least time of each counts.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
OURS = [str(Path(sys.executable).parent / "eximious")]
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}

COMMON = [
    "${lc:$primary_hostname}",
    "${if eq{$sender_host_address}{}{local}{remote}}",
    "${if match{mail.example.org}{^([^.]+)\\\\.(.*)\\$}{$2}{none}}",
    "${extract{2}{:}{one:two:three}}",
    "${sg{a.b.c}{\\\\.}{-}}",
    "${if match_domain{example.org}{example.com:*.example.org:example.org}{yes}{no}}",
    "${length_3:${uc:abcdef}}",
    "$tod_zone ${message_size}",
    "${eval:(3+4)*5-$rcpt_count} ${quote:a b}",
    "${if and{{def:primary_hostname}{!eq{a}{b}}}{${substr_1_3:abcdef}}{}}",
]
NESTED = {
    "map in map in map, 10 x 10 x 10": "${map{0:1:2:3:4:5:6:7:8:9}{${map{0:1:2:3:4:5:6:7:8:9}"
    "{${map{0:1:2:3:4:5:6:7:8:9}{$item}}}}}}",
    "filter over 1,500": "${filter{NUMBERS}{>{$item}{700}}}",
    "map over 1,500": "${map{NUMBERS}{${eval:$item+1}}}",
    "reduce over 1,500": "${reduce{NUMBERS}{0}{${eval:$value+$item}}}",
}


class Times(NamedTuple):
    """Seconds that each of several programs took at best."""

    best: list[float]
    output: list[bytes]


def real_exim() -> str | None:
    """The installed Exim."""
    return shutil.which("exim4") or shutil.which("exim")


def take_turns(
    commands: list[list[str]], data: bytes = b"", rounds: int = 3, codes: tuple[int, ...] = (0, 1)
) -> Times:
    """Run the commands in turn, each ``rounds`` times with ``data`` on standard input.

    Raises RuntimeError where one ends with a code that is no answer (none of ``codes``).
    """
    best = [float("inf")] * len(commands)
    output = [b""] * len(commands)
    for _ in range(rounds):
        for number, command in enumerate(commands):
            start = time.perf_counter()
            done = subprocess.run(command, input=data, capture_output=True, env=ENVIRONMENT, check=False)
            best[number] = min(best[number], time.perf_counter() - start)
            output[number] = done.stdout
            if done.returncode not in codes or b"Traceback" in done.stderr:
                raise RuntimeError(f"{command}: exit code {done.returncode}: {done.stderr[-300:]!r}")
    return Times(best, output)


def common_lines(count: int) -> bytes:
    """``count`` lines of ten common expressions."""
    return "".join(f"{text}\n" for text in COMMON).encode() * (count // len(COMMON))


def different_lines(count: int) -> bytes:
    """``count`` expressions that all differ."""
    forms = [text.replace("mail.example.org", "m@.example.org") for text in COMMON]
    return "".join(f"{number} {forms[number % 10]} ${{uc:x{number}}}\n" for number in range(count)).encode()


#: the macro for a list of 1,500 numbers: a line of -be itself may only have 1,023 bytes
NUMBERS = "NUMBERS = " + ":".join(str(number) for number in range(1500)) + "\n"


def repeated(text: str, count: int) -> bytes:
    """The same line ``count`` times."""
    return f"{text}\n".encode() * count


def addresses(count: int, host: str) -> list[str]:
    """``count`` addresses that all differ: half of them elsewhere, half at ``host``, some of whose users exist."""
    import pwd

    users = [entry.pw_name for entry in pwd.getpwall()][: count // 10]
    here = [*users, *(f"user{number}" for number in range(count // 2 - len(users)))]
    elsewhere = (f"user{number}@host{number}.example" for number in range(count - len(here)))
    return [*(f"{name}@{host}" for name in here), *elsewhere]


def children_memory() -> int:
    """The most memory that a child of this process held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
