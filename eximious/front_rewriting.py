"""``-brw`` of the compatible front: what rewriting makes of an address, wherever it stands (manual 31.3)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.assembly import Assembly
    from eximious.exim_front import Arguments


def run(assembly: Assembly, arguments: Arguments) -> int:
    """Print what the rules make of the address of the command line; gives the exit code."""
    from eximious.exim_front import _Output, too_long
    from eximious.front_logs import write_stamped, write_watched
    from eximious.interpreter.text import Tainted
    from eximious.simulation.rewriting.testing import test_rewriting

    problem, _ = assembly.set_origin(arguments.origin, arguments.sender)
    if problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if not arguments.rest:
        sys.stdout.write("-brw needs an address argument\n")
        return 1
    complaint = too_long(arguments.rest[0])
    if complaint:
        sys.stderr.write(complaint)
        return 1
    ctx = assembly.context
    if arguments.sender is None:
        ctx.message.sender_address = ""
    ctx.env.log = write_watched if arguments.verbose else write_stamped
    out = _Output()
    try:
        for line in test_rewriting(ctx, Tainted(arguments.rest[0])):
            out.write(line + "\n")
    finally:
        out.flush()
        assembly.close()
    return 0
