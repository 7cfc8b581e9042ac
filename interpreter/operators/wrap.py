"""The operator headerwrap (since 4.97): long header text over several lines.

Proven against recorded answers only; what white space before the first word, white space at the very end
and newlines inside the text do is not among them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.registry import operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_ATOI = re.compile(r"[ \t\n\v\f\r]*\+?0*([0-9]*)")
_SPACES = " \t\n\v\f\r"
_INDENT = "\n\t"
_TAB_COLUMNS = 8


def wrap_header(text: str, columns: int = 80, limit: int = 998) -> str:
    """Break text into lines of at most ``columns`` columns, in all at most ``limit`` bytes; 0: no bound.

    Lines are broken at white space, which goes, or where there is none at the last column. The lines after
    the first begin with a tab, which takes eight columns. What does not fit into the limit is cut off; line
    breaks and tabs count.
    """
    if columns <= 0 and limit <= 0:
        return text
    room = columns
    lines: list[str] = []
    at, size = 0, len(text)
    done = 0
    while columns > 0 and size - at > room and (limit <= 0 or done <= limit):
        end = start = at + room
        for space in range(at + room, at, -1):
            if text[space] in _SPACES:
                end = start = space
                break
        while end > at and text[end - 1] in _SPACES:
            end -= 1
        while start < size and text[start] in _SPACES:
            start += 1
        lines.append(text[at:end])
        done += end - at + 2
        at = start
        # A line must take something, however narrow it is.
        room = max(columns - _TAB_COLUMNS, 1)
    if at < size or not lines:
        lines.append(text[at:])
    wrapped = _INDENT.join(lines)
    return wrapped[:limit] if limit > 0 else wrapped


@operator("headerwrap", section="11.6", takes="arg")
def headerwrap(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Wrap text for a header line: ``headerwrap_columns_limit``, by default 80 and 998. Manual 11.6."""
    columns, limit = 80, 998
    if arg:
        numbers = arg.split("_")
        columns = _atoi(numbers[0])
        if len(numbers) > 1:
            limit = _atoi(numbers[1])
    return wrap_header(text, columns, limit)


def _atoi(digits: str) -> int:
    match = _ATOI.match(digits)
    return int(match[1][:10] or "0") if match else 0
