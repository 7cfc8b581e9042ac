"""Scanners that are programs (manual 45.1, ``cmdline``): run by a shell, found out by regular expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.scanners.daemons import capture, expression
from eximious.simulation.scanners.link import ScannerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.simulation.scanners.malware import Job

#: bytes of a line of output that are looked at
LINE_MAX = 32768


def cmdline(job: Job) -> str | None:
    """Run the program with the folder in place of ``%s``. Raises ScannerError."""
    if job.options is None:
        raise ScannerError("NULL")
    trigger = expression(job, "trigger")
    pattern = expression(job, "virus name regex")
    folder = job.scan.on_disk(job.ctx).rpartition("/")[0]
    command = job.options.replace("%s", folder, 1).replace("%%", "%") + " 2>&1"
    try:
        # only what the command itself sends to standard output is read
        code, output = job.doors.processes.run(
            ["/bin/sh", "-c", f"exec 2>/dev/null\n{command}"], "", job.timeout
        )
    except TimeoutError:
        raise ScannerError("running scanner failed: time limit") from None
    lines: list[str] = []
    # an empty line ends what Exim reads
    for line in output.split("\n"):
        line = line[: LINE_MAX - 1].partition("\0")[0]
        if not line:
            break
        lines.append(line)
    if code:
        raise ScannerError(f"scanner returned error code: {-code if code < 0 else code << 8}")
    if not any(trigger.matches(line) for line in lines):
        return None
    name = "unknown"
    for line in lines:
        name = capture(pattern, line + "\n") or name
    return name


PROTOCOLS: dict[str, Callable[[Job], str | None]] = {"cmdline": cmdline}
