"""Log lines of the compatible front: where Exim has no log to write to, or is watched, they go to standard error."""

from __future__ import annotations

import sys


def write_logs(line: str, where: str) -> None:
    """Write a line as Exim shows it while it is watched. ``where``: main, reject, panic, or several in one text."""
    sys.stdout.flush()
    text = f"LOG: {where.upper()}\n  {line}\n"
    stream = getattr(sys.stderr, "buffer", None)
    if stream is None:
        sys.stderr.write(text)
    else:
        sys.stderr.flush()
        stream.write(text.encode("latin-1", "replace"))
        stream.flush()
