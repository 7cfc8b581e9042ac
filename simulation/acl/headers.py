"""Header lines that ACLs add and remove (manual 44.23, 44.24)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.text import follow
from eximious.simulation.acl.state import AFTER_RECEIVED, AT_END, AT_START, AT_START_RFC, AddedHeader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.interpreter.context import Context
    from eximious.simulation.acl.state import AclState

_POSITIONS = {
    ":after_received:": AFTER_RECEIVED,
    ":at_start_rfc:": AT_START_RFC,
    ":at_start:": AT_START,
    ":at_end:": AT_END,
}
#: what may stand before the colon of a header line's name
_NAME = re.compile(r"[!-9;-~]*:")


def add_headers(ctx: Context, state: AclState, text: str) -> None:
    """Add header lines: one or several, continuation lines included, each perhaps with a position.

    A line that has no header name gets ``X-ACL-Warn:``. One that is there already is not added again.
    """
    for line in _lines(text):
        position = AT_END
        if line.startswith(":"):
            for word, where in _POSITIONS.items():
                if line[: len(word)].lower() == word:
                    position, line = where, line[len(word) :]
                    break
            line = line.lstrip(" \t")
        if _NAME.match(line[:-1] if line.endswith("\n") else line) is None:
            line = f"X-ACL-Warn: {line}"
        known = state.message.added_headers
        if any(header.text[: len(line)] == line for header in known):
            continue
        header = AddedHeader(follow(line, text), position)
        known.append(header)
        # $headers_added is a list separated by newlines, so those inside a line are doubled
        ctx.message.added_headers.append(follow(line.removesuffix("\n").replace("\n", "\n\n"), text))


def _lines(text: str) -> Iterator[str]:
    """Yield header lines with their continuation lines and newline; blank lines around do not count."""
    text = text.strip("\n")
    if not text:
        return
    begin = at = 0
    text += "\n"
    while at < len(text):
        at = text.index("\n", at) + 1
        if at < len(text) and text[at] in " \t":
            continue
        yield text[begin:at]
        begin = at


def remove_headers(state: AclState, names: str) -> None:
    """Note names of header lines to be removed: a colon-separated list, which may hold wild cards."""
    if names:
        known = state.message.removed_headers
        state.message.removed_headers = follow(f"{known} : {names}", known, names) if known else names
