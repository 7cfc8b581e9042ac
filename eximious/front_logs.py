"""Log lines of the compatible front, which go to standard error: there is no log to write to."""

from __future__ import annotations

import sys


def write_watched(line: str, where: str) -> None:
    """Write a line as Exim shows it while it is watched (``-v``, ``-bt``, ``-bh``).

    ``where``: main, reject, panic, or several in one text.
    """
    _write(f"LOG: {where.upper()}\n  {line}\n")


def write_told(line: str, where: str) -> None:
    """Write a line as host checking does (``-bh``)."""
    _write(f"LOG: {line}\n")


def write_stamped(line: str, where: str) -> None:
    """Write a line as Exim does where it has no log: with date and time, once for each log but the main one."""
    import time

    _write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


def write_debug(text: str) -> None:
    """Write a line of debugging output."""
    _write(f"{text}\n")


def _write(text: str) -> None:
    sys.stdout.flush()
    stream = getattr(sys.stderr, "buffer", None)
    if stream is None:
        sys.stderr.write(text)
        return
    sys.stderr.flush()
    stream.write(text.encode("latin-1", "replace"))
    stream.flush()
