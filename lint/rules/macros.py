"""Rules on macros."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import WARNING, Diagnostic, Related
from eximious.grammar.patterns import compiled
from eximious.grammar.source import Position
from eximious.lint import uses
from eximious.lint.items import items
from eximious.lint.registry import rule
from eximious.lint.rules.references import possible
from eximious.lint.suggest import looks_like_macro, macro_hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.source import Span
    from eximious.lint.engine import Subject
    from eximious.lint.sites import Site

_ASKED = r"[ \t]*\.(?:el)?ifn?def[ \t]+(.*)"
_WORD = r"(?<![A-Za-z0-9_$])[A-Z][A-Z0-9_]{2,}(?![A-Za-z0-9_])"
#: lists whose items are names: one in upper case with an underscore is no domain and no host
_NAMES = frozenset(("domain", "host"))


@rule("undefined-macro")
def undefined_macro(subject: Subject) -> Iterator[Diagnostic]:
    """A word that is meant as a macro, and is not replaced because the macro is not defined there.

    Exim replaces the names of the macros that it has read so far, and leaves everything else as it is:
    ``hosts = RELAY_HOSTS`` without a definition above is a host of that name, and nobody is told. Reported
    are: a word that is defined as a macro further down; one that an ``.ifdef`` or ``.ifndef`` asks for; and
    an item of a list of domains or hosts in upper case with an underscore, which no name in the DNS has.
    Transports that nothing uses are left out.

    Example::

        hostlist relay_from_hosts = RELAY_HOSTS
        RELAY_HOSTS = 192.0.2.0/24

    Put the definition above the line that uses it.
    """
    if not subject.complete("list"):
        return
    asked = _asked(subject)
    idle = _idle_transports(subject)
    defined = {macro.name: macro for macro in subject.configuration.macros.user.values()}
    for site in subject.sites:
        if site.inner or not any(char.isupper() for char in site.text):
            continue
        if site.section == "transport" and site.owner in idle:
            continue
        for word, start, end in _words(site, subject):
            macro = defined.get(word)
            where = site.span(start, end)
            if macro is not None and macro.origin == "file" and not _inside_macro(where):
                message = f"{word} is not replaced here: the macro is defined further down"
                related = (Related("defined here", Position(macro.file, macro.line, 1)),)
                hint = "put the definition above this line"
                yield Diagnostic("undefined-macro", WARNING, message, where, hint=hint, related=related)
            elif macro is None and word in asked and ("_" in word or site.text.strip() == word):
                message = f"{word} looks like a macro that is not defined here: .ifdef asks for it elsewhere"
                yield Diagnostic("undefined-macro", WARNING, message, where, hint=macro_hint(word))
        if site.use in _NAMES:
            for item in items(site, subject.language):
                word = item.body
                if looks_like_macro(word) and "_" in word and word not in asked and word not in defined:
                    yield Diagnostic(
                        "undefined-macro",
                        WARNING,
                        f"{word} looks like a macro that is not defined here",
                        item.span(subject.language),
                        hint=macro_hint(word),
                    )


def _words(site: Site, subject: Subject) -> Iterator[tuple[str, int, int]]:
    """The words of a text that may be names of macros."""
    if site.use == uses.REGEX:
        return
    for found in compiled(_WORD).finditer(site.text):
        yield found.group(), found.start(), found.end()


def _idle_transports(subject: Subject) -> frozenset[str]:
    """The transports that nothing names. (They may be options of a configuration made for several uses.)"""
    used: set[str] = set()
    for site in subject.sites:
        if site.use in (uses.TRANSPORT, uses.TRANSPORT_NAME):
            named = [text for text, _ in possible(site, subject)]
            if not named:
                return frozenset()
            used.update(named)
    return frozenset(subject.configuration.transports) - used if used else frozenset()


def _inside_macro(where: Span) -> bool:
    """Whether a place lies inside replaced text: Exim looks there only for macros defined later."""
    position = where.position
    return position is not None and bool(position.via)


def _asked(subject: Subject) -> frozenset[str]:
    """The words that conditionals ask for."""
    reader = subject.configuration.reader
    found: set[str] = set()
    for trivia in reader.trivia:
        if trivia.kind == "directive":
            line = reader.sources.line(trivia.file, trivia.line) or ""
            match = compiled(_ASKED).match(line)
            if match:
                found.update(word for word in match[1].split() if looks_like_macro(word))
    return frozenset(found)
