"""Log lines of the compatible front, which go to standard error: there is no log to write to."""

from __future__ import annotations

import sys
from functools import cache


def write_watched(line: str, where: str) -> None:
    """Write a line as Exim shows it while it is watched (``-v``, ``-bt``, ``-bh``).

    ``where``: main, reject, panic, or several in one text, behind the selector that the line depends on.
    """
    words = [word if "_" in word else word.upper() for word in where.split(" ")]
    _write(f"LOG: {' '.join(words)}\n  {line}\n")


def write_told(line: str, where: str) -> None:
    """Write a line as host checking does (``-bh``)."""
    _write(f"LOG: {line}\n")


def write_stamped(line: str, where: str) -> None:
    """Write a line as Exim does where it has no log: with date and time, once for each log but the main one."""
    import time

    _write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


#: debugging output that is still to be written
_held: list[str] = []
#: lines that are kept at most, and how long such a line may be
HELD, LONG = 1000, 1000


def write_debug(text: str) -> None:
    """Write a line of debugging output; kept until there is enough of it, or something else is written."""
    _held.append(f"{text}\n")
    if len(_held) > _most() or len(text) > LONG:
        flush_debug()


def write_trace(line: str) -> None:
    """Write a line about what is done as host checking does (``-bh``); kept as :func:`write_debug` does."""
    if "\n" in line:
        line = line.replace("\n", "\n>>> ")
    _held.append(f">>> {line}\n")
    if len(_held) > _most() or len(line) > LONG:
        flush_debug()


@cache
def _most() -> int:
    """How many lines may be kept: none where somebody sees each as it comes."""
    return 0 if sys.stderr.isatty() else HELD


def flush_debug() -> None:
    """Write out what is kept of debugging output."""
    if _held:
        _write("")


def _write(text: str) -> None:
    sys.stdout.flush()
    if _held:
        text = "".join(_held) + text
        _held.clear()
    stream = getattr(sys.stderr, "buffer", None)
    if stream is None:
        sys.stderr.write(text)
        return
    sys.stderr.flush()
    stream.write(text.encode("latin-1", "replace"))
    stream.flush()
