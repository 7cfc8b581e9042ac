"""Reading against the recorded answers of a real Exim, and against a real one where it is installed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eximious.grammar.catalogue import Catalogue
from eximious.grammar.macros import DefineError, parse_defines
from eximious.grammar.printed import print_config
from eximious.grammar.reader import Reader

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "fixtures" / "reading"


def tool() -> Any:
    """Load tools/reading_cases.py, which knows the form of the case files."""
    spec = importlib.util.spec_from_file_location("reading_cases", ROOT / "tools" / "reading_cases.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = [(path.stem, case) for path in sorted(FOLDER.glob("*.cases")) for case in tool().load(path)[1]]
IDS = [f"{area}: {case.title}" for area, case in CASES]
DEBIAN = Catalogue.from_bv((FOLDER / "debian-4.96.bv").read_text("latin-1"))


def test_number_of_cases() -> None:
    assert len(CASES) >= 300


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=IDS)
def test_recorded(case: Any, tmp_path: Path) -> None:
    path = str(case.lay_out(tmp_path))
    answer = case.answer.replace("@DIR@", str(tmp_path))
    try:
        defines = parse_defines(argument[2:] for argument in case.arguments)
    except DefineError as error:
        assert error.message + "\n" == answer
        return
    reader = Reader(DEBIAN, defines, keep_lines=True)
    lines = list(reader.read(path))
    first = next((finding for finding in reader.diagnostics if finding.fatal), None)
    if first is not None:
        assert first.exim_text() + "\n" == answer
        return
    refused = re.match(r"Exim configuration error(?: in line (\d+) of (.*))?:\n", answer)
    if refused:
        # the reader has nothing against it, what parses its lines has: they must stand where Exim says
        if refused[1]:
            assert (refused[2], int(refused[1])) in [(line.file, line.line) for line in lines]
        return
    assert "".join(f"{text}\n" for text in print_config(reader.printed or [])) == answer


@pytest.mark.differential
def test_live() -> None:
    exim = shutil.which("exim4")
    if exim is None:
        pytest.skip("no exim4 here")
    heading = subprocess.run([exim, "-bV"], capture_output=True, check=False, text=True).stdout
    if not heading.startswith("Exim version 4.96 "):
        pytest.skip("the installed Exim is not the 4.96 that the answers come from")
    wrong = [case.title for _, case in CASES if case.ask(exim) != case.answer]
    assert wrong == []
