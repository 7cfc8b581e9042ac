"""Sessions are answered as the real Exim answered them (``fixtures/sessions``; tools/record_sessions.py records)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import casefile
import pytest
import sessioncases
from differential.world import real_exim, real_version
from eximious.simulation.smtp.session import SmtpSession

CASES = [case for file in sessioncases.case_files() for case in file.cases]
EXIM = real_exim()
#: every so many cases are asked the installed one anew; those that ask the DNS need a world of their own
STEP = 9
SAMPLE = [case for case in CASES if "dns" not in case.settings and not case.reason][:: STEP // 2]
#: sessions of which all is compared that standard error has; the words named are not written yet
UNTOLD = (
    "cutthrough", "MIME ACL that discards", "a size limit that", "size_limit = junk",
    "envelope: rewriting", "between chunks",
)  # fmt: skip
TRACED = [
    case
    for case in CASES
    if "dns" not in case.settings
    and not case.reason
    and "\nAUTH " not in sessioncases.parts(case)[1]  # passwords would be shown
    and not any(word in f"{case.path.stem}: {case.heading}" for word in UNTOLD)
][:: STEP // 2]
#: sessions that ours still answers otherwise, by heading of a file
DIFFERENT = {
    line
    for line in (sessioncases.SOURCE / "different.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A prepared folder that the user whom Exim runs as can reach, too."""
    with tempfile.TemporaryDirectory(prefix="sessions") as name:
        yield sessioncases.prepare(Path(name))


@pytest.mark.parametrize("case", CASES, ids=sessioncases.case_id)
def test_recorded(folder: Path, case: casefile.Case) -> None:
    answer = sessioncases.Ours(folder).answer(case)
    if f"{case.path.stem}: {case.heading}" in DIFFERENT:
        assert answer != case.answer, "it is answered alike now: take it out of different.txt"
    else:
        assert answer == case.answer


@pytest.mark.parametrize("case", CASES[::2], ids=sessioncases.case_id)
def test_byte_by_byte(folder: Path, case: casefile.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection may cut what is sent anywhere."""
    feed = SmtpSession.feed

    def in_pieces(session: SmtpSession, data: bytes) -> bytes:
        return b"".join(feed(session, data[at : at + 1]) for at in range(len(data)))

    monkeypatch.setattr(SmtpSession, "feed", in_pieces)
    test_recorded(folder, case)


def test_known_differences_are_cases() -> None:
    assert {f"{case.path.stem}: {case.heading}" for case in CASES} >= DIFFERENT


def test_many_configurations() -> None:
    assert len(CASES) >= 400
    assert len({sessioncases.parts(case)[0] for case in CASES}) >= 40


@pytest.mark.differential
@pytest.mark.skipif(EXIM is None, reason="no Exim is installed here")
@pytest.mark.skipif(os.geteuid() != 0, reason="the real one takes a configuration of root's only from root")
@pytest.mark.parametrize("case", SAMPLE, ids=sessioncases.case_id)
def test_real_one_still_says_so(folder: Path, case: casefile.Case) -> None:
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("the answers were recorded with another version")
    assert sessioncases.Real(EXIM, folder).answer(case) == case.answer


@pytest.mark.differential
@pytest.mark.skipif(EXIM is None, reason="no Exim is installed here")
@pytest.mark.skipif(os.geteuid() != 0, reason="the real one takes a configuration of root's only from root")
@pytest.mark.parametrize("case", TRACED, ids=sessioncases.case_id)
def test_all_that_host_checking_says(folder: Path, case: casefile.Case) -> None:
    """Standard error as a whole: what was matched against which list, and why."""
    assert EXIM is not None
    if real_version(EXIM) != "4.96":
        pytest.skip("the words are those of another version")
    path = sessioncases.configuration(folder, case)
    settings = {**case.settings, "traces": "yes"}
    data = sessioncases.typed(sessioncases.parts(case)[1])
    theirs = sessioncases.Real(EXIM, folder).session([EXIM], path, settings, data)
    assert sessioncases.Ours(folder).session(path, settings, data) == theirs
