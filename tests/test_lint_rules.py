"""Every rule and every finding of reading: the cases in fixtures/lint, and the examples of the reference."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from eximious.grammar.diagnostics import Diagnostic
from eximious.lint.registry import EXPLANATIONS, RULES, Explanation, Rule, load_rules
from lintcases import FOLDER, Case, all_cases

from eximious.linting import check

CASES = list(all_cases())
load_rules()

#: codes for which a line of text is no case: limits that take a lot to reach, CR LF, a byte order mark,
#: and checks that need values which no version's defaults leave (what can be shown is tested below)
WITHOUT_CASE = frozenset(("bom", "ignored", "macro-growth", "read-limit", "tls-verify"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case) -> None:
    found = case.run()
    assert not (case.title.startswith("nothing is wrong") and case.expected)
    order = {name: number for number, name in enumerate(case.texts)}

    def key(row: tuple[str, int, int, str, str, str]) -> tuple[int, int, int, str]:
        return order.get(row[0], -1), row[1], row[2], row[3]

    assert sorted((each.row() for each in found), key=key) == sorted(
        (each.row() for each in case.expected), key=key
    )
    hints = {each.row(): each.hint for each in found}
    assert {each.row(): hints[each.row()] for each in case.expected if each.hint is not None} == {
        each.row(): each.hint for each in case.expected if each.hint is not None
    }
    assert not [each.row() for each in found if not each.hint], "findings without a hint"


def test_every_code_has_a_case() -> None:
    seen = {each.code for case in CASES for each in case.expected}
    missing = (set(RULES) | set(EXPLANATIONS)) - seen - WITHOUT_CASE
    assert not missing
    assert not WITHOUT_CASE & seen
    assert seen <= set(RULES) | set(EXPLANATIONS), "a code that the reference does not explain"


def test_every_rule_has_a_file_with_good_and_bad_cases() -> None:
    for code in RULES:
        cases = [case for case in CASES if case.path.stem == code]
        assert any(case.expected and case.expected[0].code == code for case in cases), code
        assert any(not case.expected for case in cases), f"{code}: no case without findings"


def _pages() -> list[tuple[str, Rule | Explanation]]:
    pages: list[tuple[str, Rule | Explanation]] = list(RULES.items())
    return pages + list({each.codes[0]: each for each in EXPLANATIONS.values()}.items())


def example_of(page: Rule | Explanation) -> str:
    """The configuration after ``Example::`` in a docstring."""
    why = inspect.cleandoc(page.why)  # 3.13 takes the indentation away itself
    match = re.search(r"\nExample::\n\n((?:(?:    .*)?\n)+)", why + "\n")
    assert match is not None, "no example"
    return re.sub("(?m)^    ", "", match[1]).strip("\n") + "\n"


@pytest.mark.parametrize(("code", "page"), _pages(), ids=[code for code, _ in _pages()])
def test_docstring_teaches(code: str, page: Rule | Explanation) -> None:
    """What, why, and an example that shows it."""
    what, _, rest = page.why.partition("\n")
    assert what.endswith((".", ":", "set.", ")")) or rest, "the first line says what is found"
    if code in ("bom", "no-user", "macro-growth"):
        return
    codes = {code} if isinstance(page, Rule) else set(page.codes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "exim.conf")
        path.write_text(example_of(page))
        found = check(str(path)).findings
    assert codes & {each.code for each in found}, [each.code for each in found]


def _run(data: bytes) -> list[Diagnostic]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "exim.conf")
        path.write_bytes(data)
        return check(str(path)).findings


def test_byte_order_mark() -> None:
    (found,) = _run(b"\xef\xbb\xbfsplit_spool_directory\n")
    assert found.code == "bom"
    assert found.hint


def test_lines_of_windows() -> None:
    found = _run(b".ifdef A\r\nsplit_spool_directory\r\n.endif\r\n")
    assert [each.code for each in found] == ["if-unclosed", "if-dropped"]
    assert "CR LF" in (found[1].hint or "")


def test_macros_that_grow() -> None:
    lines = ["AA = " + "a" * 50]
    lines += [f"{sign * 2} = {chr(ord(sign) - 1) * 100}" for sign in "BCDEFG"]
    found = _run("\n".join([*lines, "smtp_banner = GG", ""]).encode())
    assert "macro-growth" in [each.code for each in found]


def test_file_that_includes_itself() -> None:
    found = _run(b".include exim.conf\n")
    assert {each.code for each in found} <= {"read-limit", "include-open"}
    assert found


def test_folder_holds_only_case_files() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.suffix != ".conf"} == {"configurations.txt"}


@pytest.mark.parametrize("tool", ["make_rules", "make_list_kinds"])
def test_generated_files_are_fresh(tool: str) -> None:
    path = FOLDER.parents[1] / "tools" / f"{tool}.py"
    done = subprocess.run([sys.executable, str(path), "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
