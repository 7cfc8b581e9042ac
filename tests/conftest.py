"""What a run says of itself: which Python, and whether there is a real Exim to compare with."""

from __future__ import annotations

import shutil
import subprocess


def pytest_report_header() -> str:
    """Name the real Exim, as differential tests are skipped without it."""
    exim = shutil.which("exim4") or shutil.which("exim")
    if exim is None:
        return "real Exim: none is installed, differential tests are skipped"
    done = subprocess.run([exim, "-bV"], capture_output=True, text=True, errors="replace", check=False)
    return f"real Exim: {exim}, {done.stdout.partition(chr(10))[0]}"
