"""Compares random chains of routers with the installed Exim, and makes what differs small."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import casefile
import routingcases

from differential.chains import Chain, random_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TextIO

    Differ = Callable[[Chain], str]


@dataclass
class Report:
    """What came of it. ``rows`` counts ``driver`` or ``option driver``."""

    chains: int = 0
    addresses: int = 0
    differences: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def write(self, out: TextIO, rows: bool) -> None:
        """Print it for people."""
        for text in self.differences:
            out.write(f"{text}\n\n")
        for text in self.deaths:
            out.write(f"the real one died:\n{text}\n\n")
        if rows:
            for name, count in sorted(self.rows.items()):
                out.write(f"{count:7,} {name}\n")
            for name, count in self.outcomes.most_common():
                out.write(f"{count:7,} {name}\n")
        out.write(
            f"{self.addresses:,} addresses through {self.chains:,} chains of routers: {len(self.differences)} "
            f"differ, {len(self.deaths)} killed the real one\n"
        )


def case_of(folder: Path, chain: Chain) -> casefile.Case:
    """A chain as a case of :mod:`routingcases`, all addresses on standard input."""
    settings = {"ask": chain.ask, "options": chain.options, "stdin": "yes"}
    if chain.dns:
        settings["dns"] = "yes"
    routers = "\n".join("\n  ".join(router) for router in chain.routers)
    return casefile.Case(folder, 1, "", settings, f"{'|'.join(chain.addresses)}\n{routers}")


def compare(
    real: routingcases.Real, *, seed: int, chains: int, addresses: int, dns: float, shrinks: int = 5
) -> Report:
    """Send ``addresses`` addresses through each of ``chains`` chains; ``dns``: the share of those with names."""
    report = Report()
    ours = routingcases.Ours(real.folder)

    def differ(chain: Chain) -> str:
        """What the two say, where it is not the same; empty where it is."""
        case = case_of(real.folder, chain)
        theirs, mine = _settled(real.answer(case)), _settled(ours.answer(case))
        if theirs == mine or _died(theirs):
            return ""
        return f"--- theirs\n{theirs}\n--- ours\n{mine}"

    for number in range(chains):
        chance = random.Random(f"{seed} {number}")
        chain = random_chain(chance, addresses, real.world is not None and chance.random() < dns)
        case = case_of(real.folder, chain)
        theirs = _settled(real.answer(case))
        report.chains += 1
        report.addresses += len(chain.addresses)
        _count(report, chain, theirs)
        if _died(theirs):
            report.deaths.append(f"{shown(chain)}\n{theirs[-500:]}")
        elif theirs != _settled(ours.answer(case)):
            if len(report.differences) < shrinks:
                chain = smallest(chain, differ)
            report.differences.append(
                f"chain {number} of seed {seed}\n{shown(chain)}\n{differ(chain)[:2000]}"
            )
    return report


def _settled(answer: str) -> str:
    """An answer without what the real one takes from memory that something else left: a system call's last error."""
    return re.sub(r"readerror='[^']*'", "readerror=''", answer)


def _died(answer: str) -> bool:
    return "\nexit -" in f"\n{answer}"


def _count(report: Report, chain: Chain, theirs: str) -> None:
    for router in chain.routers:
        driver = router[1].removeprefix("driver = ")
        report.rows[driver] += 1
        for line in router[2:]:
            report.rows[f"{option_of(line)} {driver}"] += 1
    for answer in theirs.split("\n> "):
        for word in (
            "undeliverable",
            "router =",
            "cannot be resolved",
            "verified",
            "failed to verify",
            "-->",
        ):
            if word in answer:
                report.outcomes[f"answers with “{word}”"] += 1


def option_of(line: str) -> str:
    """The name of an option from a line that sets it."""
    return line.partition(" = ")[0].removeprefix("no_")


def shown(chain: Chain) -> str:
    """A chain for people."""
    lines = ["\n  ".join(router) for router in chain.routers]
    where = " (zones)" if chain.dns else ""
    return "\n".join([f"{chain.options} {chain.ask}{where} {' | '.join(chain.addresses)}".strip(), *lines])


def smallest(chain: Chain, differ: Differ) -> Chain:
    """A chain with as little as possible that still differs."""
    for address in dict.fromkeys(chain.addresses):
        alone = chain._replace(addresses=[address])
        if differ(alone):
            chain = alone
            break
    shorter = True
    while shorter:
        shorter = False
        for candidate in _shorter(chain):
            if differ(candidate):
                chain, shorter = candidate, True
                break
    return chain


def _shorter(chain: Chain) -> Iterator[Chain]:
    for place in range(len(chain.addresses)):
        if len(chain.addresses) > 1:
            yield chain._replace(addresses=_without(chain.addresses, place))
    for place in range(len(chain.routers)):
        if len(chain.routers) > 1:
            yield chain._replace(routers=_without(chain.routers, place))
    if chain.options:
        yield chain._replace(options="")
    for place, router in enumerate(chain.routers):
        for line in range(2, len(router)):
            routers = list(chain.routers)
            routers[place] = _without(router, line)
            yield chain._replace(routers=routers)


def _without(items: Sequence[Any], place: int) -> list[Any]:
    return [*items[:place], *items[place + 1 :]]
