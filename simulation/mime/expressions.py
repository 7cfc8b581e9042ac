"""``regex`` and ``mime_regex``: regular expressions on a message, or on one of its parts (manual 45.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.regex import BadPattern, compile_regex
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.mime.decode import part_end
from eximious.simulation.mime.lines import pieces
from eximious.simulation.mime.mailbox import scan_of
from eximious.simulation.mime.writing import decode_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eximious.interpreter.context import Context
    from eximious.interpreter.regex import Regex

#: what is looked at of a line, and of a decoded part
LINE_MAX = 32766
#: captures there is room for; a match that has set more is none
CAPTURES = 9
#: what $regex_match_string shows at most
_SHOWN = 1023


def regex(ctx: Context, argument: str) -> int:
    """Whether a line of the message, or in a MIME ACL of the undecoded part, matches one of the expressions."""
    _forget(ctx)
    scan = scan_of(ctx)
    expressions = _compiled(ctx, argument)
    if not expressions:
        return FAIL
    stream = scan.stream
    if stream is None:
        text = scan.text(ctx)
        at, end = 0, len(text)
    else:
        text, at, end = stream.text, stream.at, part_end(scan, stream, LINE_MAX)
    return _first(ctx, expressions, (text[a:b] for a, b in pieces(text, at, end, LINE_MAX)))


def mime_regex(ctx: Context, argument: str) -> int:
    """Whether the beginning of the decoded part matches one of the expressions; it is decoded if it was not."""
    _forget(ctx)
    expressions = _compiled(ctx, argument)
    if not expressions:
        return FAIL
    if not ctx.message.mime_decoded_filename:
        decode_part(ctx, "")
        if not ctx.message.mime_decoded_filename:
            log_write(ctx, "mime_regex acl condition warning - could not decode MIME part to file")
            return DEFER
    path = ctx.message.mime_decoded_filename
    found = scan_of(ctx).files.get(path)
    if found is None:
        log_write(ctx, f"mime_regex acl condition warning - can't open '{path}' for reading")
        return DEFER
    text, start, end = found
    return _first(ctx, expressions, (text[start : min(end, start + LINE_MAX)],), False)


def _forget(ctx: Context) -> None:
    ctx.message.regex_match_string = ""
    ctx.message.regex = []


def _compiled(ctx: Context, argument: str) -> list[Regex]:
    """The expressions of a list, last first, as they are tried; a wrong one is logged and left out."""
    found: list[Regex] = []
    for item in split_list(argument):
        if item == "0" or item.lower() == "false":
            continue
        try:
            found.insert(0, compile_regex(item))
        except BadPattern as bad:
            log_write(
                ctx,
                f"regex acl condition warning - error in regex '{item}': {bad.reason} at offset {bad.place}, skipped.",
            )
    return found


def _first(ctx: Context, expressions: list[Regex], subjects: Iterable[str], to_nul: bool = True) -> int:
    """Look for the first subject that matches, and set what the variables show. A NUL ends a line."""
    for subject in subjects:
        if to_nul and "\0" in subject:
            subject = subject.partition("\0")[0]
        for expression in expressions:
            captures = expression.search(subject)
            if captures is not None and len(captures) <= CAPTURES + 1:
                ctx.message.regex_match_string = expression.pattern[:_SHOWN]
                ctx.message.regex = [Tainted(capture.partition("\0")[0]) for capture in captures[1:]]
                return OK
    return FAIL
