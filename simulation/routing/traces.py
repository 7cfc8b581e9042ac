"""Which of the lines about routing host checking shows: ``-bh`` tells less than Exim's debugging output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TOLD = re.compile(
    r"routing |calling \S+ router\Z|routed by |Cannot do callout|re-routed to |no more routers\Z|\"(?:more|unseen)\"|"
    r"\S+ router(?: (?:declined|passed) for | forced |: defer for )"
)
_BEGIN = ">" * 35


def host_checking(listener: Callable[[str], None] | None) -> Callable[[str], None] | None:
    """Give a listener for the router chain that passes on what ``-bh`` shows; None where nobody listens."""
    if listener is None:
        return None

    def told(line: str) -> None:
        if _TOLD.match(line):
            if line.startswith("routing "):
                listener(_BEGIN)
            for one in line.split("\n"):
                listener(one)

    return told
