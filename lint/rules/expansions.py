"""Rules on string expansions and regular expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import Diagnostic
from eximious.lint.registry import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.lint.engine import Site, Subject


@rule("broken-expansion")
def broken_expansion(subject: Subject) -> Iterator[Diagnostic]:
    """An expansion that Exim cannot read, whatever it evaluates.

    Exim reads expansions when it needs them, so a configuration with one is accepted, and mail fails
    later: ``data = ${lookup{$local_part}lsearch{/etc/aliases}`` lacks its last brace. The message is
    Exim's own. Unknown names of items, operators, conditions, variables and lookup types are found here, too.
    """
    for site in subject.sites:
        if not site.expanded or ("$" not in site.text and "\\" not in site.text):
            continue
        seen = set()
        for offset, message in problems(site, subject):
            if message.startswith("regular expression error") or (offset, message) in seen:
                continue
            seen.add((offset, message))
            # what stands behind a place that Exim cannot read is not read
            yield Diagnostic(
                "broken-expansion",
                "error",
                message.partition("\n")[0],
                site.span(offset, offset + 1),
                hint=hint_for(message, subject),
            )
            if not message.startswith("unknown "):
                break


@rule("bad-regex")
def bad_regex(subject: Subject) -> Iterator[Diagnostic]:
    """A regular expression that PCRE does not accept, in an expansion or as an item of a list.

    Mail that meets it is deferred: ``${if match{$h_subject:}{(free}{...}}`` lacks a parenthesis.
    """
    for site in subject.sites:
        if site.expanded and "$" in site.text:
            seen = set()
            for offset, message in problems(site, subject):
                if message.startswith("regular expression error") and offset not in seen:
                    seen.add(offset)
                    yield Diagnostic("bad-regex", "error", message, site.span(offset, offset + 1))
        elif site.kind in ("domain", "address", "host", "localpart"):
            yield from _list_regexes(site)


def _list_regexes(site: Site) -> Iterator[Diagnostic]:
    from eximious.grammar.expansion_parser import unescape
    from eximious.grammar.listspans import split_spans
    from eximious.interpreter.outcomes import ExpansionError
    from eximious.interpreter.regex import compile_regex

    if "$" in site.text:
        return
    for item, start, end in split_spans(unescape(site.text)):
        pattern = item.lstrip("!").lstrip()
        if pattern.startswith("^"):
            try:
                compile_regex(pattern)
            except ExpansionError as failure:
                place = site.span(start, end) if "\\" not in site.text else site.span(0, len(site.text))
                yield Diagnostic("bad-regex", "error", failure.message, place)


def problems(site: Site, subject: Subject) -> list[tuple[int, str]]:
    """What Exim would find wrong with a text, by place: the compiler puts it down."""
    from eximious.interpreter.compiler import Compiler

    compiler = Compiler(subject.language, site.text)
    compiler.expansion(site.tree(subject.language))
    return sorted(set(compiler.problems))


def hint_for(message: str, subject: Subject) -> str | None:
    """What to do about a message, None if that is plain."""
    import re
    from difflib import get_close_matches

    language = subject.language
    found = re.search(r'unknown (condition|expansion operator|variable(?: name| in)?|lookup type) "(?:\$\{)?([^"}]+)', message)
    if found:
        what, name = found[1], found[2]
        if what == "condition":
            names = language.condition_shapes
        elif what == "expansion operator":
            names = {**language.catalogue.operators, **dict.fromkeys(language.catalogue.items)}
        elif what == "lookup type":
            names = dict.fromkeys(language.lookup_names)
        else:
            names = dict(language.catalogue.variables)
        close = get_close_matches(name, names, 1, 0.7)
        if close:
            return f"did you mean {close[0]}?"
        version = ".".join(map(str, language.version))
        return f"Exim {version} knows no such name; a macro that is not defined looks like this, too"
    if message.startswith("missing } at end of string"):
        return "a brace that was opened is not closed"
    if message.startswith("$ not followed"):
        return "a dollar that is meant literally is written \\$"
    return None
