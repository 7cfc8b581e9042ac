"""A key of a wildlsearch file as the single item of a list (manual 9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.program import Kind, Scan
from eximious.conditions.lists.strings import missed, plain_item, string_item, subject_key
from eximious.conditions.lists.subject import Subject, lower

if TYPE_CHECKING:
    from eximious.conditions.lists.program import Check
    from eximious.interpreter.context import Context


def _item(body: str) -> Check:
    return string_item(body, at_special=False, partial=True)


def _plain(body: str) -> str | None:
    # there are no named lists of strings: a plus is text
    return lower(body) if body.startswith("+") and ";" not in body else plain_item(body)


KEY = Kind("k", "string", _item, _plain, subject_key, missed)


def match_key(ctx: Context, text: str, key: str, expand: bool) -> int:
    """Say OK, FAIL or DEFER: whether ``text`` matches ``key``, whatever separators that holds.

    ``expand``: the key is to be expanded first (an error there defers, a forced failure does not match).
    Raises ListPanic where the real Exim ends its process.
    """
    return Scan(KEY, Subject(ctx, text, lower(text), True, -1)).run(key, expand, single=True)
