"""The figures of conformance are figures only, and the ratchet notices when one goes down."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location(
    "conformance_ratchet", ROOT / "tools" / "conformance_ratchet.py"
)
assert _spec is not None and _spec.loader is not None
ratchet = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(ratchet)


def test_only_figures_are_kept() -> None:
    figures = json.loads(ratchet.FIGURES.read_text(encoding="utf-8"))
    assert set(figures) == {"about", "without", "only"}
    for half in ("without", "only"):
        assert set(figures[half]) <= set(ratchet.CATEGORIES)
        assert all(type(figure) is int and figure > 0 for figure in figures[half].values())


@pytest.mark.parametrize(("passes", "code"), [(9, 1), (10, 0), (11, 0)])
def test_fewer_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passes: int, code: int) -> None:
    """Measured with a runner that only prints a figure."""
    (tmp_path / "conformance.py").write_text(
        "import sys\nif 'without' in sys.argv:\n    print('print-bP %d/12')\n" % passes  # noqa: UP031
    )
    figures = tmp_path / "figures.json"
    figures.write_text('{"about": "", "without": {"print-bP": 10}, "only": {}}')
    monkeypatch.setattr(ratchet, "FIGURES", figures)
    monkeypatch.setattr(sys, "argv", ["ratchet", str(tmp_path), "--category", "print-bP"])
    assert ratchet.main() == code
    assert json.loads(figures.read_text())["without"] == {"print-bP": 10}
