"""Rules on string expansions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import ERROR, Diagnostic
from eximious.grammar.expansion_ast import Header, Operator
from eximious.grammar.patterns import compiled
from eximious.interpreter.outcomes import ExpansionError
from eximious.lint.registry import rule
from eximious.lint.suggest import did_you_mean, looks_like_macro, macro_hint, version_hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.source import Span
    from eximious.lint.engine import Subject
    from eximious.lint.sites import Site

_UNKNOWN = (
    r"unknown (?P<what>condition|expansion operator|variable name|variable in|variable|lookup type) "
    r'"(?:\$\{)?(?P<name>[^"}]+)'
)
#: operators with numbers behind their name
_WITH_NUMBERS = frozenset(("h", "hash", "l", "length", "nh", "nhash", "s", "substr"))
#: what Exim says where braces do not match up
_BRACES = ("missing", "curly", "Not enough", "each subcondition", "too few", "condition name")
#: problems after which the rest of the text is still read as it was meant
_LOCAL = ("unknown expansion operator", "unknown variable", "unknown lookup type", "numeric variable")


@rule("broken-expansion")
def broken_expansion(subject: Subject) -> Iterator[Diagnostic]:
    """A text with expansions in it that Exim cannot read, whatever the mail is.

    Exim reads expansions only when it needs their value. A configuration with a broken one is accepted by
    ``exim -bV``, and fails when the first message gets there: usually as a temporary error, which senders
    repeat for days before anybody notices. The message is Exim's own. Names of items, operators,
    conditions, variables and lookup types that the chosen version and build do not have are found here,
    too, also in branches that are never taken (Exim reads those as well), in the arguments of commands and
    in texts that are expanded a second time, such as the replacement of ``${sg``.

    Example::

        begin routers
        system_aliases:
          driver = redirect
          data = ${lookup{$local_part}lsearch{/etc/aliases}

    The last closing brace is missing. Write ``data = ${lookup{$local_part}lsearch{/etc/aliases}}``.
    """
    for site in subject.sites:
        if not site.expanded:
            continue
        for offset, message in subject.problems(site):
            if message.startswith("regular expression error"):
                continue
            yield _finding(site, offset, message.partition("\n")[0], subject)
            if not message.startswith(_LOCAL):
                break  # from here on Exim reads something else than what was meant
        if "_" in site.text or "${" in site.text:
            yield from _numbers(site, subject)


def _numbers(site: Site, subject: Subject) -> Iterator[Diagnostic]:
    """Operators whose numbers (``substr_3_5``) are missing or are none, whatever the text is."""
    for node in site.tree(subject.language).walk():
        if type(node) is not Operator:
            continue
        name: str = node.name
        if name.partition("_")[0] not in _WITH_NUMBERS:
            continue
        declaration, argument, _ = subject.language.operator(name)
        if declaration is None:
            continue
        try:
            declaration.call(None, "", argument, name)
        except ExpansionError as error:
            where = site.span(node.start + 2, node.start + 2 + len(name))
            hint = "numbers follow the name: ${length_3:text}, ${substr_3_5:text}, ${nhash_8:text}"
            if name.startswith("h_"):
                hint = f"a header is written without braces: ${name}:"
            yield Diagnostic("broken-expansion", ERROR, error.message, where, hint=hint)


def _end(text: str, offset: int, message: str) -> int:
    """Where the place ends that is underlined: the name, if it is one that is unknown."""
    found = compiled(_UNKNOWN).match(message)
    if found and found["name"] in text[offset : offset + len(found["name"]) + 8]:
        return text.index(found["name"], offset) + len(found["name"])
    return offset + 1


def _finding(site: Site, offset: int, message: str, subject: Subject) -> Diagnostic:
    where = site.span(offset, _end(site.text, offset, message))
    if message.startswith(_BRACES):
        header = _swallowing(site, offset, subject)
        if header is not None:
            where, written = header
            colon = f"the name of a header ends with a colon: ${written}:"
            return Diagnostic("broken-expansion", ERROR, message, where, hint=colon)
    hint = _cut_hint(site) if site.cut and not message.startswith(_LOCAL) else None
    hint = hint or _hint(message, site.text, offset, subject)
    return Diagnostic("broken-expansion", ERROR, message, where, hint=hint)


def _swallowing(site: Site, offset: int, subject: Subject) -> tuple[Span, str] | None:
    """Where braces do not match up: the header whose name took one in, for want of its colon."""
    for node in site.tree(subject.language).walk():
        if type(node) is Header and node.start <= offset:
            name: str = node.name
            if "}" in name:
                written = f"{node.prefix}{name.partition('}')[0]}"
                return site.span(node.start, node.start + len(written) + 1), written
    return None


def _cut_hint(site: Site) -> str | None:
    """Say so where the text is only a piece of what was meant, because the value is split first."""
    if site.cut == " ":
        return "the value is split at blanks before it is expanded: quote what belongs together"
    if site.cut == "\n":
        return None
    return (
        f"the list is split at each {site.cut} before it is expanded: double it ({site.cut * 2}) inside an "
        "item, or choose another separator by beginning the list with <"
    )


def _hint(message: str, text: str, offset: int, subject: Subject) -> str | None:
    """What to do about a message; None if that is plain."""
    found = compiled(_UNKNOWN).match(message)
    if found:
        return _unknown_hint(found["what"], found["name"], text[offset:], subject)
    item = _item_hint(message, subject)
    if item is not None:
        return item
    if "could be header name not terminated by colon" in message:
        return "write a colon behind the name of the header: $h_subject:"
    if "condition name expected" in message or "missing condition" in message:
        return "after ${if comes a condition such as eq{...}{...}"
    if message.startswith("missing } at end"):
        return "a brace that is opened in this text is not closed"
    if message.startswith("$ not followed"):
        return r"write \$ for a dollar sign that is meant as such"
    if "letter or digit expected" in message:
        return r"write \${ for signs that are meant as such"
    if message.startswith("missing lookup type") or "for single-key" in message:
        return "${lookup{key}type{file}} looks up a key, ${lookup type{query}} asks a database"
    if '"fail" expected' in message:
        return "after the first string comes {...}, the word fail, or the closing brace"
    if any(word in message for word in ("curly-bracket problem", "missing", "bracket", "{}")):
        return "count the braces: each argument stands in a pair of its own"
    return None


_NO_OPERATOR = r'"\$\{(\w+)" is not a known operator'
_TOO_FEW = r"Not enough arguments for '(\w+)'"


def _item_hint(message: str, subject: Subject) -> str | None:
    """Hints for items: names that are none, and arguments that are missing."""
    catalogue = subject.language.catalogue
    found = compiled(_NO_OPERATOR).match(message)
    if found:
        name = found[1]
        if looks_like_macro(name):
            return macro_hint(name)
        hint = _other_version("items", name, catalogue) or _other_version("operators", name, catalogue)
        hint = hint or did_you_mean(name, [*catalogue.items, *catalogue.operators])
        return hint or "a name before { is an item's, before : an operator's, and before } a variable's"
    found = compiled(_TOO_FEW).match(message)
    if found:
        return f"write ${{{found[1]}{{...}}{{...}}}}: each argument stands in a pair of braces"
    return None


def _unknown_hint(what: str, name: str, text: str, subject: Subject) -> str:
    catalogue = subject.language.catalogue
    names: Iterable[str]
    if what == "condition":
        names = [*catalogue.conditions, *("and", "or", "def:")]
    elif what == "expansion operator":
        name = name.partition("_")[0] if name.partition("_")[0] in catalogue.operators else name
        names = [*catalogue.operators, *catalogue.items]
    elif what == "lookup type":
        names = catalogue.lookups
    else:
        names = [variable.name for variable in catalogue.variables.values() if variable.in_table]
    version = f"{catalogue.version[0]}.{catalogue.version[1]}"
    if looks_like_macro(name):
        return macro_hint(name)
    elsewhere = _elsewhere(what, name, subject)
    return elsewhere or did_you_mean(name, names) or f"Exim {version} has no such name"


#: what an unknown name is called -> its table
_TABLES = {
    "condition": "conditions",
    "expansion operator": "operators",
    "lookup type": "lookups",
}


def _elsewhere(what: str, name: str, subject: Subject) -> str:
    """Say so where other versions or builds have the name, or where it is something else."""
    table = _TABLES.get(what, "variables")
    catalogue = subject.language.catalogue
    if what == "expansion operator" and name in catalogue.items:
        return f"{name} is an item: write ${{{name}{{...}}...}}"
    if what == "condition" and name in catalogue.operators:
        return f"{name} is an operator: ${{{name}:...}} gives a text, and a condition compares texts"
    return _other_version(table, name, catalogue)


def _other_version(table: str, name: str, catalogue: Catalogue) -> str:
    return version_hint(lambda other: other.has(table, name), catalogue)
