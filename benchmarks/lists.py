"""What matching against lists costs: by length, by kind of item, and named lists against the real Exim.

Run it: ``python benchmarks/lists.py``. Times are processor time, the best of some runs. The first two parts
are in ``test_lists.py``, too, for pytest-benchmark, the last one in ``ratios.py``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from differential.world import real_exim
from eximious.conditions.lists.match import match_address, match_domain, match_host
from listworld import ListWorld

NAMED = {
    "d": {
        "small": "a.b : *.c.d : x.y : q.r",
        "regex": r"\N^x(.*)y$\N : z.z",
        "nested": "+small : foo.example",
    },
    "h": {"relay": "192.168.0.0/16 : 10.0.0.0/8 : 172.16.0.0/12"},
    "a": {"senders": "a@b.example : *@c.example : e.example"},
    "l": {},
}
LINES = 100_000


def measured(call: Callable[[], object], times: int) -> float:
    """Microseconds of one call, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(times):
            call()
        best = min(best, time.process_time() - begun)
    return best / times * 1e6


def long_lists(size: int) -> dict[str, str]:
    """Lists of so many items, by what these are."""
    numbers = range(size)
    return {
        "names": ":".join(f"h{number}.example" for number in numbers),
        "wild cards": ":".join(f"*.h{number}.example" for number in numbers),
        "networks": ":".join(f"10.{number >> 8 & 255}.{number & 255}.0/24" for number in numbers),
    }


def lengths() -> None:
    """Lists of 10, 1,000 and 100,000 items, the subject not among them; the first time and each later one."""
    print(f"{'items':>8} {'kind':12} {'first':>12} {'again':>12}   (microseconds)")
    for size in (10, 1_000, 100_000):
        for kind, text in long_lists(size).items():
            ctx = ListWorld().context()

            def ask(ctx=ctx, text=text, kind=kind) -> object:
                if kind == "networks":
                    return match_host(ctx, text, name="", address="11.0.0.1")
                return match_domain(ctx, "none.test", text)

            begun = time.process_time()
            ask()
            first = (time.process_time() - begun) * 1e6
            print(f"{size:8} {kind:12} {first:12.0f} {measured(ask, max(3, 3_000 // size)):12.1f}")


def named() -> None:
    """Named lists, by what decides."""
    ctx = ListWorld(lists=NAMED).context()
    for name, call in {
        "the last of four": lambda: match_domain(ctx, "q.r", "+small"),
        "none": lambda: match_domain(ctx, "none.example", "+small"),
        "in a list in a list": lambda: match_domain(ctx, "q.r", "+nested"),
        "regular expression": lambda: match_domain(ctx, "xfooy", "+regex"),
        "network": lambda: match_host(ctx, "+relay", name="", address="172.16.3.4"),
        "address": lambda: match_address(ctx, "me@e.example", "+senders"),
    }.items():
        print(f"{name:24} {measured(call, 20_000):8.2f} microseconds")


def against_exim() -> None:
    """A named list evaluated 100,000 times through ``-be``: the real Exim's processor time, and ours."""
    exim = real_exim()
    if exim is None:
        print("no Exim is installed here")
        return
    line = "${if match_domain{q.r}{+small}{yes}{no}}"
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "conf"
        config.write_text("".join(f"domainlist {name} = {text}\n" for name, text in NAMED["d"].items()))
        Path(scratch).chmod(0o755)
        text = f"{line}\n" * LINES
        spent = {}
        front = [sys.executable, "-m", "eximious", "exim"]
        for name, command in {"exim": [exim], "ours": front}.items():
            begun = _children()
            subprocess.run(
                [*command, "-C", str(config), "-be"], input=text, text=True, stdout=subprocess.DEVNULL
            )
            spent[name] = _children() - begun
    ratio = spent["ours"] / spent["exim"]
    print(f"{LINES} lines: exim {spent['exim']:.2f} s, ours {spent['ours']:.2f} s, {ratio:.1f} times")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    lengths()
    named()
    against_exim()
