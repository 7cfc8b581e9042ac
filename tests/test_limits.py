"""The list of known gaps is true: each is still there, says why, and the document is made from it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("make_limits", ROOT / "tools" / "make_limits.py")
assert _spec is not None and _spec.loader is not None
make_limits = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_limits)
GAPS = make_limits.gaps()


def printed(probe: dict[str, Any]) -> str:
    """What the command of a probe prints."""
    done = subprocess.run(
        [sys.executable, "-m", "eximious", *probe["arguments"]],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", **probe.get("environment", {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    return done.stdout.decode("latin-1")


SHOWN = [gap for gap in GAPS if "probe" in gap]


@pytest.mark.parametrize("gap", SHOWN, ids=lambda gap: gap["title"])
def test_the_gap_is_still_there(gap: dict[str, Any]) -> None:
    """If this fails the gap is closed: take it out of docs/limits.json and run tools/make_limits.py."""
    assert gap["probe"]["shows"] and gap["probe"]["shows"] in printed(gap["probe"])


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap["title"])
def test_every_gap_has_a_reason_and_a_probe(gap: dict[str, Any]) -> None:
    assert gap["what"].endswith(".") and gap["reason"].endswith(".")
    assert ("probe" in gap) != ("unshown" in gap), "a probe, or why there is none"
    assert gap.get("unshown", "some") != ""


def test_the_document_is_fresh() -> None:
    assert make_limits.document() == make_limits.TARGET.read_text(encoding="utf-8")
