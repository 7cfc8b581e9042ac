"""Our answers to a file of expansion cases against the recorded ones."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from .world import SOURCE, ours

if TYPE_CHECKING:
    import casefile

    from .process import Answer
    from .world import World

GAPS = SOURCE / "gaps.txt"  #: differences that are known
BUILD = SOURCE / "build.txt"  #: what ``exim -bV`` printed where the answers were recorded


@dataclasses.dataclass(slots=True, frozen=True)
class Difference:
    """One case that we answer otherwise."""

    case: casefile.Case
    answer: Answer
    noise: str

    def text(self) -> str:
        """For people: where, what was asked, both answers."""
        case = self.case
        mine = repr(self.answer.text) if self.answer.text is not None else f"{self.answer.fate} {self.noise}"
        theirs = repr(case.answer) if case.answer is not None else case.reason
        return f"{case.path.name}:{case.line}: {case.source!r}\n  exim {theirs}\n  ours {mine}"


def gaps(kind: str) -> dict[str, str]:
    """The known gaps of a kind (``case`` or ``row``) with their reasons."""
    found = {}
    for line in GAPS.read_text(encoding="utf-8").splitlines():
        first, _, rest = line.partition(" ")
        if first == kind:
            what, _, reason = rest.partition("\t")
            found[what] = reason
    return found


def key(case: casefile.Case) -> tuple[tuple[str, str], ...]:
    """Cases with the same key can share a process."""
    return tuple(sorted((name, value) for name, value in case.settings.items() if name != "exim"))


#: what holds the day it was made, and a digest of that: PRVS and SRS addresses
_OF_THE_DAY = re.compile(r"prvs=\d{4}[0-9a-f]{6}(?==)|SRS0=(?:[0-9a-f]{4}|hash)=[A-Za-z2-7]{2}(?==)")


def same(recorded: str | None, answer: str | None) -> bool:
    """Whether two answers are the same but for the day on which they were given.

    Digests are compared where both are asked on the same day: live, and in the tests of these items.
    """
    if recorded == answer or recorded is None or answer is None:
        return recorded == answer
    return _OF_THE_DAY.sub("#", recorded) == _OF_THE_DAY.sub("#", answer)


def compare(
    world: World, file: casefile.CaseFile, program: list[str] | None = None
) -> tuple[list[Difference], int]:
    """The differences, and how many cases were compared.

    Where the real Exim gave no answer, any answer of ours will do: what must not be is none.
    ``program`` is another command to hold against the record: a real Exim, which keeps old captures after
    a failed line, so that what differs in a batch is asked again alone.
    """
    groups: dict[tuple[tuple[str, str], ...], list[casefile.Case]] = {}
    for case in file.cases:
        groups.setdefault(key(case), []).append(case)
    differences = []
    for cases in groups.values():
        settings = cases[0].settings
        before = settings.get("before", "")
        words = program or [*ours(), "--exim-version", settings.get("exim", "4.96"), "--build", str(BUILD)]
        asker = world.asker(words, settings, EXIMIOUS_ALLOW="all")
        answers = world.ask(asker, [case.source for case in cases], before)
        noise = asker.noise.strip().rpartition("\n")[2]
        for case, answer in zip(cases, answers):
            if not same(case.answer, answer.text):
                # what an earlier line left behind ($runrc, $srs_recipient…) is not the case's
                answer = world.ask(asker, [case.source], before)[0]
            if case.answer is None:
                if program is None and answer.text is None:
                    differences.append(Difference(case, answer, noise))
            elif not same(case.answer, answer.text):
                differences.append(Difference(case, answer, noise))
    return differences, len(file.cases)
