"""A key of a wildlsearch file as the single item of a list (manual 9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.program import Kind, Run, Scan
from eximious.conditions.lists.strings import StringRun, string_group, string_item
from eximious.conditions.lists.subject import Subject, lower

if TYPE_CHECKING:
    from eximious.conditions.lists.program import Check
    from eximious.interpreter.context import Context


def _item(body: str) -> Check:
    return string_item(body, at_special=False, partial=True)


def _group(body: str) -> tuple[type[Run], str] | None:
    # there are no named lists of strings: a plus is text
    return (StringRun, lower(body)) if body.startswith("+") and ";" not in body else string_group(body)


KEY = Kind("k", "string", _item, _group)


def match_key(ctx: Context, text: str, key: str, expand: bool) -> int:
    """Say OK, FAIL or DEFER: whether ``text`` matches ``key``, whatever separators that holds.

    ``expand``: the key is to be expanded first (an error there defers, a forced failure does not match).
    Raises ListPanic where the real Exim ends its process.
    """
    return Scan(KEY, Subject(ctx, text, lower(text), True, -1)).run(key, expand, single=True)
