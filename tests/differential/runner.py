"""Random expansions through a real Exim and through ours: compare, sort out, shrink, report.

What a real Exim says in a batch may depend on the failed lines before (it keeps old captures and
``$value``), so a line that differs is asked again alone, twice. It counts as a difference only if the real
Exim's two lonely answers agree and ours is another. Lines that kill the real Exim and lines whose answers
change are listed.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .corpus import BUILD
from .generator import Generated, Generator
from .process import Answer
from .shrink import shrink
from .world import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from eximious.grammar.catalogue import Catalogue

    from .world import World

_SESSION = (
    "-oMa 192.0.2.7.4321 -oMs client.example.com -oMr esmtpsa -oMt joe"
    " -oMai alice -oMaa plain -f alice@example.com"
)
#: a line that sets nothing and uses memory
_FILL = "".join(f"${{uc:{letter * 40}}}${{tr{{{letter}}}{{{letter}}}{{\\xe9}}}}" for letter in "jkqzw")
#: the conditions acl and saslauthd with too many arguments
_GARBAGE = re.compile(r"Too many arguments for '(?![a-z_0-9]+')[^']*' \(max")
#: the last error of the system, whatever that was; the place that another release of PCRE2 gives
_VARYING = (
    re.compile(r"(?<=too short for cdb lookup: ).*"),
    re.compile(r"(?<=unrecognized character follows \\ at offset )\d+"),
)
_NAMED = "Too many arguments for 'NAME' (max"
#: how often an answer that differs is asked again, to see whether it is the same every time
_AGAIN = 20
#: what the expansions run in, and how often
SURROUNDINGS: tuple[tuple[int, dict[str, str]], ...] = (
    (9, {}),
    (4, {"message": "plain.eml", "arguments": _SESSION}),
    (3, {"message": "headers.eml"}),
    (2, {"arguments": "-oMa 2001:db8::25 -oMr smtp -f <>"}),
    (1, {"config": "perl.conf"}),
    (1, {"config": "newlines.conf", "message": "body.eml"}),
    (1, {"config": "latin1.conf", "message": "resent.eml"}),
)


@dataclasses.dataclass(slots=True, frozen=True)
class Finding:
    """A text worth showing. ``real`` and ``mine`` are the two answers."""

    text: str
    settings: dict[str, str]
    real: Answer
    mine: Answer
    #: lines that had to come before for ours to differ
    before: tuple[str, ...] = ()

    def shown(self) -> str:
        """For people."""
        lines = "".join(f"{line!r}, then\n" for line in self.before)
        where = " ".join(f"{name}={value}" for name, value in self.settings.items())
        real, mine = (repr(a.text) if a.text is not None else a.fate for a in (self.real, self.mine))
        if real == mine:
            mine += "   (when asked again: ours changed in between, or is not the same every time)"
        return f"{lines}{self.text!r}{'   (' + where + ')' if where else ''}\n  exim {real}\n  ours {mine}"


@dataclasses.dataclass(slots=True)
class Report:
    """What a run found."""

    rows: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    wanted: frozenset[str] = frozenset()
    count: int = 0
    errors: int = 0
    crashes: list[Finding] = dataclasses.field(default_factory=list)
    unstable: list[Finding] = dataclasses.field(default_factory=list)
    differences: list[Finding] = dataclasses.field(default_factory=list)
    shrunk: list[Finding] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    @property
    def least(self) -> int:
        """How often the rarest row came."""
        return min((self.rows[row] for row in self.wanted), default=0)

    @property
    def values(self) -> float:
        """The share of answers that are no errors."""
        return (self.count - self.errors) / self.count if self.count else 0.0

    def write(self, out: TextIO, *, rows: bool = False, listed: int = 10) -> None:
        """The report as text; ``rows``: with the count of every row."""
        print(
            f"{self.count} expansions in {self.seconds:.0f} s, {100 * self.values:.1f} % values; "
            f"{len(self.wanted)} rows, each at least {self.least} times",
            file=out,
        )
        if rows:
            for row in sorted(self.wanted, key=lambda row: (self.rows[row], row)):
                print(f"  {self.rows[row]:8} {row}", file=out)
        for name, found in (("killed Exim", self.crashes), ("changed from run to run", self.unstable)):
            print(f"{len(found)} {name}", file=out)
            for finding in found[:listed]:
                print(f"  {finding.text!r}: {finding.real.fate or 'unstable'}", file=out)
        print(f"{len(self.differences)} differences", file=out)
        for finding in self.shrunk or self.differences[:listed]:
            print(finding.shown(), file=out)
        if 0 < len(self.shrunk) < len(self.differences):
            print("and more, not shrunk or the same", file=out)


class Pair:
    """A real Exim and ours in the same surroundings.

    ``spoil`` may change our answers (text asked, answer): that is how tests plant errors.
    """

    def __init__(
        self,
        world: World,
        exim: Sequence[str],
        mine: Sequence[str],
        settings: dict[str, str],
        spoil: Callable[[str, str], str] | None = None,
    ) -> None:
        self.world, self.settings, self.spoil = world, settings, spoil
        self._exim, self._mine = list(exim), list(mine)

    def real(self, texts: Sequence[str]) -> list[Answer]:
        """The real Exim's answers."""
        return self.world.ask(self.world.asker(self._exim, self.settings), texts)

    def mine(self, texts: Sequence[str]) -> list[Answer]:
        """Our answers."""
        answers = self.world.ask(self.world.asker(self._mine, self.settings, EXIMIOUS_ALLOW="all"), texts)
        if self.spoil is None:
            return answers
        spoil = self.spoil
        return [Answer(None if a.text is None else spoil(t, a.text), a.fate) for t, a in zip(texts, answers)]

    def alone(self, text: str) -> tuple[Answer, Answer, bool]:
        """Both answers to a text alone, and whether the real one can be repeated.

        It is asked often again, behind a line that leaves other bytes in memory: two random numbers may be the same.
        """
        first, again = self.real([text])[0], self.real([_FILL, text] * _AGAIN)[1::2]
        return first, self.mine([text])[0], all(answer == first for answer in again)

    def culprits(self, lines: Sequence[str], text: str, answer: Answer) -> tuple[str, ...]:
        """The last of ``lines`` that is needed for ours to give ``answer``, if one suffices."""
        low, high = 0, len(lines)  # from low on it shows, from high on it does not
        while high - low > 1:
            middle = (low + high) // 2
            if self.mine([*lines[middle:], text])[-1] == answer:
                low = middle
            else:
                high = middle
        return (
            (lines[low],) if lines and self.mine([lines[low], text])[-1] == answer else tuple(lines[low:])[:3]
        )

    def surely_differing(self, texts: list[str]) -> str | None:
        """The first of ``texts`` that differs alone, too."""
        for text, real, mine in zip(texts, self.real(texts), self.mine(texts)):
            if real.text is not None and real != mine:
                first, own, stable = self.alone(text)
                if (
                    stable
                    and first.text is not None
                    and first.text != own.text
                    and not _same_but_memory(first, own)
                ):
                    return text
        return None


def _same_but_memory(real: Answer, mine: Answer) -> bool:
    """Whether the answers are the same where 4.96 shows memory in place of a condition's name."""
    if real.text is None or mine.text is None:
        return False
    for varying in _VARYING:
        if varying.search(real.text) and varying.sub("", real.text) == varying.sub("", mine.text):
            return True
    if not _GARBAGE.search(real.text):
        return False
    return _GARBAGE.sub(_NAMED, real.text) == re.sub(r"'(?:acl|saslauthd)' \(max", "'NAME' (max", mine.text)


def compare(pair: Pair, batch: Sequence[Generated], report: Report) -> None:
    """One batch through both; what was found goes into ``report``."""
    texts = [one.text for one in batch]
    fresh = 0  # from here on the real one is the process that answered
    for number, (one, real, mine) in enumerate(zip(batch, pair.real(texts), pair.mine(texts))):
        report.count += 1
        report.rows.update(one.rows)
        report.errors += real.failed
        if real.text is None:
            fresh = number + 1
        if real == mine or _same_but_memory(real, mine):
            continue
        settings = pair.settings
        if real.text is None and mine.text is not None:
            report.crashes.append(Finding(one.text, settings, real, mine))
            continue
        first, own, stable = pair.alone(one.text)
        if first.text is None and own.text is not None:
            report.crashes.append(Finding(one.text, settings, first, own))
        elif not stable:
            report.unstable.append(Finding(one.text, settings, Answer(first.text), own))
        elif first.text != own.text:
            report.differences.append(Finding(one.text, settings, first, own))
        elif first == real and (not fresh or pair.mine(texts[fresh : number + 1])[-1] != real):
            # what lines before left behind changes our answer, but not the real one's
            before = pair.culprits(texts[:number], one.text, mine)
            # (unless the real one was started anew in between, because a line had killed it)
            if pair.real([*before, one.text])[-1] == first:
                report.differences.append(Finding(one.text, settings, first, mine, before))


def batches(
    seed: int, count: int, size: int, make: Callable[[int, bool], Generator]
) -> Iterator[tuple[dict[str, str], list[Generated]]]:
    """Batches in changing surroundings until ``count`` texts are out; the same for the same seed."""
    turns = itertools.cycle([settings for weight, settings in SURROUNDINGS for _ in range(weight)])
    generators: dict[int, Generator] = {}
    while count > 0:
        settings = next(turns)
        generator = generators.get(id(settings))
        if generator is None:
            generator = generators[id(settings)] = make(seed + len(generators), "message" in settings)
        wanted = min(size, count)
        yield settings, [generator.one() for _ in range(wanted)]
        count -= wanted


def run(
    world: World,
    exim: str,
    catalogue: Catalogue,
    *,
    count: int,
    seed: int,
    mine: Sequence[str] | None = None,
    size: int = 500,
    workers: int = 2,
    broken: float = 0.2,
    left_out: frozenset[str] = frozenset(),
    shrinks: int = 10,
    spoil: Callable[[str, str], str] | None = None,
    out: TextIO | None = None,
) -> Report:
    """Compare ``count`` random expansions; ``out`` gets a line of progress now and then."""
    version = ".".join(map(str, catalogue.version))
    command = list(mine or [*ours(), "--exim-version", version, "--build", str(BUILD)])
    report = Report()
    start = time.monotonic()

    def make(number: int, message: bool) -> Generator:
        made = Generator(number, catalogue, message=message, broken=broken, left_out=left_out)
        report.wanted = made.rows
        return made

    def work(task: tuple[dict[str, str], list[Generated]]) -> Report:
        part = Report()
        compare(Pair(world, [exim], command, task[0], spoil), task[1], part)
        return part

    with ThreadPoolExecutor(workers) as pool:
        tasks = batches(seed, count, size, make)
        while chunk := list(itertools.islice(tasks, 4 * workers)):
            for part in pool.map(work, chunk):
                report.rows.update(part.rows)
                report.count += part.count
                report.errors += part.errors
                report.crashes += part.crashes
                report.unstable += part.unstable
                report.differences += part.differences
            if out is not None:
                print(f"{report.count} done, {len(report.differences)} differences", file=out, flush=True)
    report.seconds = time.monotonic() - start
    seen: set[object] = set()
    for finding in sorted(report.differences, key=lambda found: len(found.text)):
        if len(report.shrunk) >= shrinks:
            break
        if finding.before:
            if finding.before[:1] not in seen:
                seen.add(finding.before[:1])
                report.shrunk.append(finding)
            continue
        pair = Pair(world, [exim], command, finding.settings, spoil)
        text = shrink(finding.text, pair.surely_differing)
        if text in seen:
            continue
        seen.add(text)
        real, own, _ = pair.alone(text)
        report.shrunk.append(Finding(text, finding.settings, real, own))
    return report


def progress() -> TextIO:
    """Where progress goes."""
    return sys.stderr
