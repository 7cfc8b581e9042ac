"""Compares sessions through random ACLs with the installed Exim's -bh, and makes what differs small."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sessioncases

from differential.acls import FILES, HOOKS, VALUES, Talk, random_talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Any, TextIO

    Differ = Callable[[Talk], str]
    Answer = Callable[[Talk], str]

_LINE = re.compile(r"!?\s*(?:(control|verify|set)\b\s*=?\s*)?(\w*)")


@dataclass
class Report:
    """What came of it. ``rows`` counts verbs, hooks, conditions, modifiers, controls and checks in the configurations,
    ``replies`` the codes that were answered."""

    processes: int = 0
    transactions: int = 0
    refused: int = 0
    differences: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)

    def write(self, out: TextIO, rows: bool) -> None:
        """Print it for people."""
        for text in self.differences:
            out.write(f"{text}\n\n")
        for text in self.deaths:
            out.write(f"the real one died:\n{text}\n\n")
        if rows:
            for (kind, name), count in sorted(self.rows.items()):
                out.write(f"{count:7,} {kind} {name}\n")
            for name, count in self.replies.most_common():
                out.write(f"{count:7,} replies {name}\n")
        out.write(
            f"{self.transactions:,} transactions in {self.processes:,} processes ({self.refused} configurations "
            f"refused): {len(self.differences)} differ, {len(self.deaths)} killed the real one\n"
        )


class Pair:
    """The real Exim and ours in one folder, made by :func:`sessioncases.prepare`."""

    def __init__(self, real: sessioncases.Real) -> None:
        self.real, self.folder = real, real.folder
        self.ours = sessioncases.Ours(real.folder)
        self._base = (self.folder / "conf" / "main.conf").read_text(encoding="latin-1")
        for name, text in FILES.items():
            path = self.folder / "files" / name
            path.write_text(text)
            path.chmod(0o644)

    def theirs(self, talk: Talk) -> str:
        """What the real one answers."""
        command = [self.real.exim]
        if talk.dns:
            assert self.real.world is not None
            command = ["nsenter", "-t", str(self.real.world.process.pid), "-n", "-m", self.real.exim]
        shutil.rmtree(self.folder / "spool" / "db", ignore_errors=True)
        return settled(self.real.session(command, self._file(talk), self._settings(talk), self._typed(talk)))

    def mine(self, talk: Talk) -> str:
        """What ours answers; an exception counts as an answer, and differs."""
        try:
            return settled(self.ours.session(self._file(talk), self._settings(talk), self._typed(talk)))
        except Exception as error:
            return f"ours raised {error!r}"

    def _file(self, talk: Talk) -> Path:
        text = sessioncases.configuration_text(self._base, talk.fragment())
        path = self.folder / "conf" / "random.made"
        path.unlink(missing_ok=True)
        path.write_text(text.replace("@DIR@", str(self.folder)), encoding="latin-1")
        path.chmod(0o644)
        return path

    @staticmethod
    def _settings(talk: Talk) -> dict[str, str]:
        return {"ip": talk.ip, **({"dns": "yes"} if talk.dns else {})}

    @staticmethod
    def _typed(talk: Talk) -> bytes:
        return sessioncases.typed(talk.typed())


def settled(answer: str) -> str:
    """An answer without what changes from run to run: the ids in Message-ID headers."""
    return re.sub(r"\bE[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}@", "ID@", answer)


def compare(
    real: sessioncases.Real, *, seed: int, processes: int, mails: int, dns: float, shrinks: int = 5
) -> Report:
    """Let clients send ``mails`` messages through each of ``processes`` configurations; ``dns``: the share of those
    that ask for names."""
    report = Report()
    pair = Pair(real)

    def differ(talk: Talk) -> str:
        """What the two say from where it is not the same; empty where it is."""
        theirs, mine = pair.theirs(talk), pair.mine(talk)
        return "" if theirs == mine or died(theirs) else parted(theirs, mine)

    for number in range(processes):
        chance = random.Random(f"{seed} {number}")
        talk = random_talk(chance, mails, real.world is not None and chance.random() < dns)
        theirs = pair.theirs(talk)
        report.processes += 1
        report.transactions += len([mail for mail in talk.mails if mail != ["QUIT"]])
        _count(report, talk, theirs)
        if died(theirs):
            report.deaths.append(f"{seed} {number}: {theirs[-500:]}")
            continue
        if theirs != pair.mine(talk):
            if len(report.differences) < shrinks:
                talk = smallest(talk, differ)
            report.differences.append(
                f"session {number} of seed {seed}\n{shown(talk)}\n{differ(talk)[:2000]}"
            )
    return report


def died(answer: str) -> bool:
    """Whether a signal ended the real one."""
    return bool(re.search(r"^exit -", answer, re.MULTILINE))


def parted(theirs: str, mine: str) -> str:
    """Both answers, from a little before they part."""
    left, right = theirs.split("\n"), mine.split("\n")
    same = next((at for at, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
    begin = max(0, same - 2)
    return "\n".join(["--- theirs", *left[begin : same + 6], "--- ours", *right[begin : same + 6]])


def _count(report: Report, talk: Talk, theirs: str) -> None:
    for name, statements in talk.acls.items():
        if name in HOOKS:
            report.rows["hook", name] += 1
        for statement in statements:
            for line in lines_of(statement):
                report.rows[row_of(line)] += 1
            report.rows["verb", statement[0].split()[0]] += 1
    if "\nexit 1" in theirs and not re.search(r"^\d{3}", theirs, re.MULTILINE):
        report.refused += 1
    report.replies.update(re.findall(r"^(\d{3})[ -]", theirs, re.MULTILINE))


def lines_of(statement: Sequence[str]) -> Iterator[str]:
    """The conditions and modifiers of a statement, without its verb."""
    first = statement[0].partition(" ")[2]
    yield from [first] if first else []
    yield from statement[1:]


def row_of(line: str) -> tuple[str, str]:
    """Kind and name of the fact that a line is an instance of."""
    found = _LINE.match(line)
    assert found is not None
    kind, name = found[1], found[2]
    if kind == "set":
        return "modifier", "set"
    if kind:
        return kind, name
    return ("condition" if name in VALUES["condition"] else "modifier"), name


def shown(talk: Talk) -> str:
    """A session for people."""
    acls = []
    for name, statements in talk.acls.items():
        acls += [
            f"{name}:",
            *(
                "    ".join(["  ", statement[0]]) + "".join(f"\n      {line}" for line in statement[1:])
                for statement in statements
            ),
        ]
    return "\n".join(
        [f"{talk.ip}{' (zones)' if talk.dns else ''}", *talk.options, *acls, "----", talk.typed()]
    )


def smallest(talk: Talk, differ: Differ) -> Talk:
    """A session with as little as possible that still differs."""
    shorter = True
    while shorter:
        shorter = False
        for candidate in _shorter(talk):
            if differ(candidate):
                talk, shorter = candidate, True
                break
    return talk


def _shorter(talk: Talk) -> Iterator[Talk]:
    mails = talk.mails
    size = len(mails) // 2
    while size >= 1:
        for at in range(0, len(mails), size):
            yield talk._replace(mails=[*mails[:at], *mails[at + size :]])
        size //= 2
    for name in talk.acls:
        yield talk._replace(acls={key: value for key, value in talk.acls.items() if key != name})
    for at in range(len(talk.options)):
        yield talk._replace(options=_without(talk.options, at))
    for name, statements in talk.acls.items():
        for at in range(len(statements)):
            if len(statements) > 1:
                yield talk._replace(acls={**talk.acls, name: _without(statements, at)})
    for at, mail in enumerate(mails):
        for line in range(len(mail)):
            if len(mail) > 1:
                yield talk._replace(mails=[*mails[:at], _without(mail, line), *mails[at + 1 :]])
    for name, statements in talk.acls.items():
        for at, statement in enumerate(statements):
            verb, _, first = statement[0].partition(" ")
            less = [[verb, *statement[1:]]] if first else []
            less += [_without(statement, line) for line in range(1, len(statement))]
            for one in less:
                yield talk._replace(acls={**talk.acls, name: [*statements[:at], one, *statements[at + 1 :]]})


def _without(items: Sequence[Any], place: int) -> list[Any]:
    return [*items[:place], *items[place + 1 :]]
