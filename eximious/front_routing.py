"""``-bt``, ``-bv`` and ``-bvs`` of the compatible front: where addresses go, and whether they verify (manual 5.2)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.assembly import Assembly
    from eximious.exim_front import Arguments


def run(assembly: Assembly, arguments: Arguments) -> int:
    """Test the addresses of the command line, or those that standard input has, one a line; gives the exit code."""
    from eximious.conditions.lists.result import ListPanic
    from eximious.exim_front import _Output, too_long
    from eximious.front_logs import write_debug, write_stamped, write_watched
    from eximious.interpreter.text import Tainted
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
    code = 0
    try:
        if arguments.rest:
            for word in arguments.rest:
                complaint = too_long(word)
                if complaint:
                    out.flush()
                    sys.stderr.write(complaint)
                    return 1
                for item in _items(word):
                    code = _test(verification, Tainted(item), out.write, code)
        else:
            for line in _lines(out):
                code = _test(verification, Tainted(line), out.write, code)
    except ListPanic as panic:  # the real one ends here
        out.flush()
        assembly.context.env.log(panic.message, "main panic die")
        code = 1
    finally:
        out.flush()
        assembly.close()
    return code


def _test(verification: object, text: str, write: object, code: int) -> int:
    from eximious.assembly import fresh_run
    from eximious.interpreter.addresses import Syntax, parse_extract_address
    from eximious.interpreter.text import follow
    from eximious.simulation.routing.results import DEFER, FAIL
    from eximious.simulation.routing.verify import Verification

    assert isinstance(verification, Verification) and callable(write)
    ctx = verification.ctx
    found = parse_extract_address(text, syntax=Syntax.of(ctx.env.options))
    if not found.address:
        write(f"syntax error: {found.error}\n")
        return 2
    verification.chain.ctx = verification.ctx = fresh_run(ctx)
    outcome = verification.ask(follow(found.address, text)).outcome
    if outcome == FAIL:
        return 2
    return 1 if outcome == DEFER and code == 0 else code


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
