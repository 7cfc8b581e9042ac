"""Applying rewriting rules to one address (manual 31.4 to 31.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_address
from eximious.interpreter.addresses import Syntax, parse_extract_address
from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eximious.grammar.config_rules import Rewriting
    from eximious.interpreter.context import Context

    #: of a rule: where it applies, its pattern as a list of one item, what traces call that
    _Ready = tuple[frozenset[str], str, str]

# where an address stands, by the flag letter of a rule that is for it
SENDER, FROM, TO, CC, BCC, REPLY_TO = "s", "f", "t", "c", "b", "r"
ENVELOPE_FROM, ENVELOPE_TO = "F", "T"
SMTP_RECIPIENT, SMTP_SENDER = "S", "S-sender"

#: the flags of header lines
HEADERS = frozenset((SENDER, FROM, TO, CC, BCC, REPLY_TO))
#: where -> how log lines call it
WHERE = {
    SENDER: "sender:",
    FROM: "from:",
    TO: "to:",
    CC: "cc:",
    BCC: "bcc:",
    REPLY_TO: "reply-to:",
    ENVELOPE_FROM: "env-from",
    ENVELOPE_TO: "env-to",
    SMTP_RECIPIENT: "smtp recipient",
    SMTP_SENDER: "smtp sender",
}
#: how often a rule with the flag R is applied again
REPEATS = 10

_EVERYWHERE = HEADERS | {ENVELOPE_FROM, ENVELOPE_TO}


class Rewritten:
    """What came of an address: ``text``; ``whole``: the phrase and all around it are to be replaced, too.

    ``changed``: a rule was applied (the text may be the same all the same).
    """

    __slots__ = ("changed", "text", "whole")

    def __init__(self, text: str) -> None:
        self.text, self.whole, self.changed = text, False, False


def places(rule: Rewriting) -> frozenset[str]:
    """Say where a rule applies."""
    found: set[str] = set()
    for flag in rule.flags:
        if flag in _EVERYWHERE:
            found.add(flag)
        elif flag == "h":
            found |= HEADERS
        elif flag == "E":
            found |= {ENVELOPE_FROM, ENVELOPE_TO}
        elif flag == "S":
            found |= {SMTP_RECIPIENT, SMTP_SENDER}
    return frozenset(found) if found else _EVERYWHERE


def exist_for(ctx: Context, rules: Sequence[Rewriting], where: str) -> bool:
    """Say whether any rule is for a place."""
    if not rules:
        return False
    return any(where in one[0] for one in _readied(ctx, rules))


def _readied(ctx: Context, rules: Sequence[Rewriting]) -> list[_Ready]:
    """The rules made ready; kept for the configuration's own, which are applied again and again."""
    if rules is not ctx.env.configuration.rewrite:
        return [_ready(rule) for rule in rules]
    kept: list[_Ready] = ctx.env.kept.setdefault("rewriting rules", [])
    if not kept:
        kept += [_ready(rule) for rule in rules]
    return kept


def _ready(rule: Rewriting) -> _Ready:
    return places(rule), f"<\x7f{rule.pattern}", f'"{rule.pattern}"'


def rewrite_one(
    ctx: Context,
    text: str,
    where: str,
    rules: Sequence[Rewriting],
    *,
    may_be_whole: bool = False,
) -> Rewritten:
    """Apply rules to an address, in order; what one makes of it the next ones get (manual 31.4).

    ``where``: one of the words of this module. At SMTP time ``text`` may be anything. Errors are logged and end it.
    """
    result = Rewritten(text)
    subject = text
    known = _readied(ctx, rules)
    start = end = 0  # of the address in a text that is whole
    for number, rule in enumerate(rules, 1):
        ready = known[number - 1]
        if where not in ready[0]:
            continue
        applied = 0
        while _matches(ctx, subject, where, rule, ready):
            if rule.replacement == "*":
                return result
            made = _replacement(ctx, subject, where, rule)
            if made is None or (made is _FAILED and "q" in rule.flags):
                return result
            if made is _FAILED:
                break
            new, parsed, first, last = made
            if _logged(ctx):
                log_write(ctx, f'"{result.text}" from {WHERE[where]} rewritten as "{new}" by rule {number}')
            if may_be_whole and "w" in rule.flags and where in HEADERS:
                result.text, start, end = _whole(ctx, new, parsed, first, last)
                result.whole = True
            elif may_be_whole and result.whole:
                before = result.text
                result.text = follow(f"{before[:start]}{parsed}{before[end:]}", before, parsed)
                end = start + len(parsed)
            else:
                result.text = parsed
            result.changed = True
            subject = parsed
            applied += 1
            if "R" not in rule.flags:
                break
            if applied > REPEATS:
                log_write(ctx, "rewrite rule repeat ignored after 10 times", "main panic")
                break
        if applied and "q" in rule.flags:
            return result
    return result


_FAILED = ("", "", 0, 0)


def _matches(ctx: Context, subject: str, where: str, rule: Rewriting, ready: _Ready) -> bool:
    """Whether the pattern is for the address; sets ``$0`` and on."""
    if where in (SMTP_RECIPIENT, SMTP_SENDER):
        return _matches_raw(ctx, subject, rule)
    _, pattern, label = ready
    result = match_address(ctx, subject, pattern, caseless=False, setup=0, label=label)
    if not result.matched:
        return False
    ctx.captures = result.captures if result.captures is not None else [subject]
    return True


def _matches_raw(ctx: Context, subject: str, rule: Rewriting) -> bool:
    """At SMTP time the pattern is a regular expression for all that the command has."""
    from eximious.interpreter.regex import BadPattern, compile_regex

    try:
        pattern = expand(rule.pattern, ctx)
    except ForcedFailure:
        return False
    except Failure as failure:
        line = f'failed to expand "{rule.pattern}" while checking for SMTP rewriting: {failure.message}'
        log_write(ctx, line, "main panic")
        return False
    try:
        found = compile_regex(pattern).search(subject)
    except BadPattern:
        return False
    if found is None:
        return False
    ctx.captures = [follow(one, subject) for one in found]
    return True


def _replacement(ctx: Context, subject: str, where: str, rule: Rewriting) -> tuple[str, str, int, int] | None:
    """The expanded replacement: text, its working part, where that is; None: give up; _FAILED: forced to fail."""
    try:
        new = _expanded(ctx, subject, where, rule.replacement)
    except ForcedFailure:
        return _FAILED
    except Failure as failure:
        line = f"Expansion of {rule.replacement} failed while rewriting: {failure.message}"
        log_write(ctx, line, "main panic")
        return None
    found = parse_extract_address(new, where == ENVELOPE_FROM, Syntax.of(ctx.env.options))
    if found.address is None:
        line = f"Rewrite of {subject} yielded unparseable address: {found.error} in address {new}"
        log_write(ctx, line, "main panic")
        return None
    parsed, first, last = follow(found.address, new), found.start, found.end
    if not found.domain and (parsed or where != ENVELOPE_FROM):
        if "Q" not in rule.flags:
            log_write(ctx, f'Rewrite of {subject} yielded unqualified address "{new}"', "main panic")
            return None
        from eximious.interpreter.variables.computed import qualify_recipient

        parsed = follow(f"{parsed}@{qualify_recipient(ctx)}", parsed)
        new = follow(f"{new[:first]}{parsed}{new[last:]}", new)
        last = first + len(parsed)
    return new, parsed, first, last


def _expanded(ctx: Context, subject: str, where: str, replacement: str) -> str:
    """Expand a replacement with ``$local_part`` and ``$domain`` of the address."""
    if where in (SMTP_RECIPIENT, SMTP_SENDER):
        return expand(replacement, ctx)
    address = ctx.address
    saved = address.local_part, address.domain
    head, _, tail = subject.rpartition("@")
    address.local_part, address.domain = follow(head, subject), follow(tail, subject)
    try:
        return expand(replacement, ctx)
    finally:
        address.local_part, address.domain = saved


def _logged(ctx: Context) -> bool:
    from eximious.interpreter.variables.clock import log_selected

    return log_selected(ctx.env, "address_rewrite")


def _whole(ctx: Context, new: str, parsed: str, first: int, last: int) -> tuple[str, int, int]:
    """A whole new item: what stands around the address as phrases that may stand there."""
    head_end, tail_start = max(first - 1, 0), min(last + 1, len(new))
    while head_end > 0 and new[head_end - 1] == " ":
        head_end -= 1
    while tail_start < len(new) and new[tail_start] == " ":
        tail_start += 1
    head, tail = _phrase(ctx, new[:head_end]), _phrase(ctx, new[tail_start:])
    text = f"{head}{new[head_end:tail_start]}{tail}"
    start = len(head) + first - head_end
    return follow(text, new), start, start + len(parsed)


def _phrase(ctx: Context, text: str) -> str:
    """Text as a phrase: encoded where it holds what may not stand in a header line (RFC 2047), else quoted."""
    text = text.strip(SPACE)
    if not text:
        return ""
    if any((character < " " and character != "\t") or character > "~" for character in text):
        from eximious.interpreter.operators.rfc2047 import rfc2047

        return str(rfc2047(ctx, text))
    from eximious.interpreter.submission import fix_phrase

    return fix_phrase(text)
