"""Which of the lines about routing host checking shows: ``-bh`` tells less than Exim's debugging output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

_TOLD = re.compile(
    r"routing |calling \S+ router\Z|routed by |Cannot do callout|re-routed to |no more routers\Z|\"(?:more|unseen)\"|"
    r"\S+ router(?: (?:declined|passed) for | forced |: defer for )"
)
_BEGIN = ">" * 35


def host_checking(ctx: Context) -> Callable[[str], None] | None:
    """Give a listener for the router chain that passes on what ``-bh`` shows; None where nobody listens.

    These lines are not indented, however many ACLs are inside each other.
    """
    acl = ctx.session.acl
    if acl is None or acl.trace is None:
        return None
    listener = acl.trace

    def told(line: str) -> None:
        if _TOLD.match(line):
            if line.startswith("routing "):
                listener(_BEGIN)
            for one in line.split("\n"):
                listener(one)

    return told
