"""Rules on regular expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import ERROR, Diagnostic
from eximious.grammar.expansion_ast import Argument, Condition, Item
from eximious.lint import uses
from eximious.lint.items import items
from eximious.lint.registry import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.source import SourceMap
    from eximious.lint.engine import Subject
    from eximious.lint.sites import Site

#: lists whose items are regular expressions where they begin with ^
_PATTERN_LISTS = uses.LISTS | {uses.STRINGS}


@rule("bad-regex")
def bad_regex(subject: Subject) -> Iterator[Diagnostic]:
    r"""A regular expression that PCRE does not accept.

    It stands in ``match`` or ``sg`` in an expansion, is an item of a list that begins with ``^``, a value of
    the ACL conditions ``regex`` and ``mime_regex``, or an option. Exim compiles it when it is needed, and
    then defers the mail, or (in a list) even ends its process. In an expansion backslashes are used up
    before PCRE sees them: protect the expression with ``\N``.

    Example::

        begin acl
        check_data:
          deny condition = ${if match{$h_subject:}{(free|cheap}}

    The parenthesis is not closed. Write ``{(free|cheap)}``; and ``{\N^\d+$\N}`` for one with backslashes.
    """
    for site in subject.sites:
        if site.use in _PATTERN_LISTS:
            for item in items(site, subject.language):
                if item.body.startswith("^") and item.complete:
                    yield from _check(item.body, site, item.start, item.end, subject)
        elif site.use == uses.REGEXES:
            for item in items(site, subject.language):
                if item.body and item.complete:
                    yield from _check(item.whole, site, item.start, item.end, subject)
        elif site.use == uses.REGEX and site.text:
            yield from _check(site.text, site, 0, len(site.text), subject)
        if site.expanded and "$" in site.text:
            yield from _in_expansion(site, subject)


def _in_expansion(site: Site, subject: Subject) -> Iterator[Diagnostic]:
    """The regular expressions of ``match`` and ``sg``."""
    from eximious.lint.static import literal

    if "match" not in site.text and "sg" not in site.text:
        return
    for node in site.tree(subject.language).walk():
        kind = type(node)
        if kind is Condition and node.name == "match":  # type: ignore[attr-defined]
            parts = node.arguments  # type: ignore[attr-defined]
        elif kind is Item and node.name == "sg":  # type: ignore[attr-defined]
            parts = node.parts  # type: ignore[attr-defined]
        else:
            continue
        if len(parts) > 1 and type(parts[1]) is Argument and parts[1].closed:
            text = literal(parts[1].text)
            if text is not None:
                source = text.map(site.source)
                yield from _complaint(text.text, source, 0, parts[1].text.end - parts[1].text.start)


def _check(pattern: str, site: Site, start: int, end: int, subject: Subject) -> Iterator[Diagnostic]:
    source = site.known(subject.language).map(site.source)
    # offsets in the pattern are offsets in the text only where no separator is doubled
    yield from _complaint(pattern, source, start, end, exact=len(pattern) == end - start)


def _complaint(
    pattern: str, source: SourceMap, start: int, end: int, exact: bool = True
) -> Iterator[Diagnostic]:
    from eximious.grammar.source import Span
    from eximious.interpreter.regex import BadPattern, compile_regex

    try:
        compile_regex(pattern)
    except BadPattern as bad:
        message = f"regular expression error: {bad.reason} at offset {bad.place} while compiling {pattern}"
        where = Span(source, start, max(end, start + 1))
        if exact and bad.place < len(pattern):
            where = Span(source, start + bad.place, start + bad.place + 1)
        yield Diagnostic("bad-regex", ERROR, message, where, hint=_hint(bad.reason, pattern))


def _hint(reason: str, pattern: str) -> str:
    if "parenthes" in reason:
        return "a parenthesis that is meant as such is written \\("
    if "quantifier" in reason:
        return "a sign such as * or + repeats what stands before it; one that is meant as such is written \\*"
    if "character class" in reason or "missing terminating ]" in reason:
        return "a bracket that is meant as such is written \\["
    if "end of pattern" in reason and pattern.endswith("\\"):
        return "a backslash that is meant as such is written twice"
    if "too large" in reason:
        return "PCRE has bounds on how large a pattern may grow"
    return "the expression is read by PCRE2 as it stands after expansion"
