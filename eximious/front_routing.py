"""``-bt``, ``-bv`` and ``-bvs`` of the compatible front: where addresses go, and whether they verify (manual 5.2)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eximious.assembly import Assembly
    from eximious.exim_front import Arguments
    from eximious.simulation.routing.verify import Verification

    Write = Callable[[str], object]


def run(assembly: Assembly, arguments: Arguments) -> int:
    """Test the addresses of the command line, or those that standard input has, one a line; gives the exit code."""
    from eximious.conditions.lists.result import ListPanic
    from eximious.exim_front import _Output, too_long
    from eximious.front_logs import flush_debug, write_debug, write_stamped, write_watched
    from eximious.interpreter.outcomes import OverBudget
    from eximious.simulation.routing.run import RECIPIENT, SENDER
    from eximious.simulation.routing.verify import Verification

    problem, _ = assembly.set_origin(arguments.origin, arguments.sender)
    if problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    import gc

    gc.freeze()
    gc.disable()
    out = _Output()
    testing = arguments.mode == "-bt"
    watched = testing or arguments.verbose
    assembly.context.env.log = write_watched if watched else write_stamped
    assembly.context.env.log_testing = True
    verification = Verification(
        assembly.context,
        SENDER if arguments.mode == "-bvs" else RECIPIENT,
        testing=testing,
        full=watched,
        write=out.write,
        qualify=True,
    )
    if watched:
        verification.chain.debug = write_debug
    test = _Test(verification, out.write)
    try:
        if arguments.rest:
            for word in arguments.rest:
                complaint = too_long(word)
                if complaint:
                    out.flush()
                    sys.stderr.write(complaint)
                    return 1
                if word and "," not in word:
                    test.one(word)
                    continue
                for item in _items(word):
                    test.one(item)
        else:
            for line in _lines(out):
                test.one(line)
    except ListPanic as panic:  # the real one ends here
        out.flush()
        assembly.context.env.log(panic.message, "main panic die")
        test.code = 1
    except OverBudget as bound:  # a bound of ours
        out.flush()
        sys.stderr.write(f"eximious exim: {bound}\n")
        test.code = 3
    finally:
        out.flush()
        flush_debug()
        assembly.close()
    return test.code


class _Test:
    """Tests addresses one after another; ``code`` is the exit code so far."""

    def __init__(self, verification: Verification, write: Write) -> None:
        from eximious.assembly import fresh_run
        from eximious.interpreter.addresses import Syntax, parse_extract_address

        self.verification, self.write = verification, write
        self.code = 0
        self._fresh, self._extract = fresh_run, parse_extract_address
        self._syntax = Syntax.of(verification.ctx.env.options)

    def one(self, text: str) -> None:
        """Test one address, as it was typed."""
        found = self._extract(text, syntax=self._syntax)
        if not found.address:
            self.write(f"syntax error: {found.error}\n")
            self.code = 2
            return
        verification = self.verification
        verification.chain.ctx = verification.ctx = self._fresh(verification.ctx)
        outcome = verification.ask(Tainted(found.address)).outcome
        if outcome == "fail":
            self.code = 2
        elif outcome == "defer" and self.code == 0:
            self.code = 1


def _items(word: str) -> Iterator[str]:
    """The addresses of one argument, which commas separate."""
    from eximious.interpreter.addresses import parse_find_address_end

    start = 0
    while start < len(word):
        end = parse_find_address_end(word, start)
        comma = end < len(word) and word[end] == ","
        yield word[start : end if comma else len(word)]
        if not comma:
            return
        start = end + 1
        while start < len(word) and word[start] in ", \t\n\v\f\r":
            start += 1


def _lines(out: object) -> Iterator[str]:
    """The lines of standard input, with a prompt before each as Exim gives them."""
    from eximious.expansion_test import joined_lines

    write, flush = out.write, out.flush  # type: ignore[attr-defined]
    interactive = sys.stdin.isatty()
    for line in joined_lines(sys.stdin.buffer):
        write("> ")
        if interactive:
            flush()
        yield line
    write("> \n" if not interactive else "\n")
