"""What lists said of a subject, kept where it depends on nothing else (no lookup, no file, no name to be found).

The real Exim keeps what named lists said for the time of a message (manual 10.8); this is for whole runs, in which the
same few lists are asked about the same few hosts and domains again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.program import HOST_WORDS, Programs, Run
from eximious.conditions.lists.result import DEFER, ListResult
from eximious.conditions.lists.strings import DOMAIN

if TYPE_CHECKING:
    from typing import Any

    from eximious.conditions.lists.program import Kind
    from eximious.interpreter.context import Context

    #: a kind's letter, a list's text and whether it is one item, the subject, and what it is made of
    Key = tuple[Any, ...]

KEPT = 4_096  #: verdicts that are kept
LONGEST = 512  #: characters of a list or subject of which they are
DEPTH = 10  #: named lists inside each other that are looked into


def verdict(ctx: Context, key: Key) -> ListResult | None:
    """What was found before, None if nothing was kept."""
    programs: Programs | None = ctx.env.lists
    if programs is None:
        return None
    known: ListResult | None = programs.verdicts.get(key)
    if known is None or known.captures is None:
        return known
    # the captures become those of an expansion, which may change them
    return ListResult(known.outcome, known.item, known.data, list(known.captures), None, known.touched)


def keep(ctx: Context, kind: Kind, text: str, subject: str, key: Key, result: ListResult) -> None:
    """Keep what was found, if it is the same whenever the same is asked."""
    if result.outcome == DEFER or result.message is not None:
        return
    if len(text) > LONGEST or len(subject) > LONGEST:
        return
    if kind.letter == "a" and subject and "@" not in subject:
        return  # that is logged
    programs: Programs = ctx.env.lists
    name = kind.letter, text
    pure = programs.pure.get(name)
    if pure is None:
        if len(programs.pure) >= KEPT:
            programs.pure.clear()
        pure = programs.pure[name] = is_pure(ctx, kind, text)
    if pure:
        if len(programs.verdicts) >= KEPT:
            programs.verdicts.clear()
        captures = None if result.captures is None else list(result.captures)
        programs.verdicts[key] = ListResult(
            result.outcome, result.item, result.data, captures, None, result.touched
        )


def is_pure(ctx: Context, kind: Kind, text: str, depth: int = 0) -> bool:
    """Say whether a list's outcome depends on the subject's text alone."""
    if "$" in text or "\\" in text or depth > DEPTH:
        return False
    programs: Programs = ctx.env.lists
    return all(
        isinstance(entry, Run) or _is_pure_item(ctx, kind, entry.body, depth)
        for entry in programs.get(kind, text, False, ctx.env.version)
    )


def _is_pure_item(ctx: Context, kind: Kind, body: str, depth: int) -> bool:
    start = body[:1]
    if start == "+":
        if body in HOST_WORDS:
            return False
        inner = ctx.env.named_lists[kind.letter].get(body[1:])
        return inner is not None and is_pure(ctx, kind, inner, depth + 1)
    if start == "/" or ";" in body:
        return False
    if kind.letter == "h":
        return body in ("", "*")
    if kind.letter == "a":
        if start in ("", "^"):
            return True
        domain = body.rpartition("@")[2]
        return (
            start != "@"
            and "@@" not in body
            and domain[:1] not in ("", "!", "^")
            and _is_pure_item(ctx, DOMAIN, domain, depth)
        )
    return start != "@" or body == "@"
