"""Rules on names that refer to something elsewhere in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import Diagnostic
from eximious.grammar.expansion_ast import Argument, Condition, Literal
from eximious.lint.registry import rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eximious.lint.engine import Site, Subject

LETTERS = {"domain": "d", "host": "h", "address": "a", "localpart": "l"}
#: words with a plus that are no named lists
SPECIAL = frozenset(
    (
        "include_unknown",
        "ignore_unknown",
        "include_defer",
        "ignore_defer",
        "caseful",
    )
)
MATCH_KINDS = {
    "match_domain": "domain",
    "match_address": "address",
    "match_local_part": "localpart",
    "match_ip": "host",
}
ACL_VERBS = frozenset(("accept", "defer", "deny", "discard", "drop", "require", "warn"))
TRANSPORT_OPTIONS = frozenset(
    ("transport", "file_transport", "pipe_transport", "reply_transport", "directory_transport")
)


@rule("undefined-list")
def undefined_list(subject: Subject) -> Iterator[Diagnostic]:
    """A ``+name`` in a list that names no list of that kind.

    Exim accepts the configuration, and fails when the list is matched: ``hosts = +relay_form_hosts``
    makes every recipient a temporary error.
    """
    for site in subject.sites:
        if site.kind in LETTERS:
            yield from _check_list(subject, site, site.text, 0, site.kind)
        if site.expanded and "match_" in site.text and "$" in site.text:
            for node in site.tree(subject.language).walk():
                if type(node) is Condition and node.name in MATCH_KINDS and len(node.arguments) == 2:
                    second = node.arguments[1]
                    if type(second) is Argument and all(type(part) is Literal for part in second.text.parts):
                        text = site.text[second.text.start : second.text.end]
                        yield from _check_list(subject, site, text, second.text.start, MATCH_KINDS[node.name])


def _check_list(subject: Subject, site: Site, text: str, offset: int, kind: str) -> Iterator[Diagnostic]:
    from eximious.grammar.listspans import split_spans

    known = subject.lists.get(LETTERS[kind], set())
    for item, start, end in split_spans(text):
        name = item.lstrip("!").strip()
        if not name.startswith("+") or name[1:] in SPECIAL or not _plain(name[1:]):
            continue
        if name[1:] not in known:
            yield Diagnostic(
                "undefined-list",
                "error",
                f'unknown named {_shown(kind)} list "{name}"',
                site.span(offset + start, offset + end),
                hint=_close(name[1:], known) or _other_kind(subject, name[1:], kind),
            )


def _shown(kind: str) -> str:
    return "local part" if kind == "localpart" else kind


def _other_kind(subject: Subject, name: str, kind: str) -> str | None:
    for other, letter in LETTERS.items():
        if other != kind and name in subject.lists.get(letter, ()):
            return f"there is a {_shown(other)} list of that name, but a {_shown(kind)} list is wanted here"
    return f"define it with {'localpart' if kind == 'localpart' else kind}list {name} = …"


def _plain(name: str) -> bool:
    return bool(name) and all(character.isalnum() or character in "_-." for character in name)


def _close(name: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(name, known, 1, 0.7)
    return f"did you mean {close[0]}?" if close else None


@rule("undefined-acl")
def undefined_acl(subject: Subject) -> Iterator[Diagnostic]:
    """An ACL that is named and not there: ``acl_smtp_rcpt = acl_check_rcpt`` without such an ACL.

    Exim treats the name as the name of a file or as a statement, fails, and defers all mail.
    """
    for site in subject.sites:
        if site.section == "main" and site.name.startswith("acl_"):
            yield from _check_acl(subject, site)
        elif site.section == "acl" and site.name == "acl":
            yield from _check_acl(subject, site)


def _check_acl(subject: Subject, site: Site) -> Iterator[Diagnostic]:
    text = site.text.strip()
    name = text.split()[0] if text.split() else ""
    if not _plain(name) or name in subject.acls or name in ACL_VERBS or name.startswith("/"):
        return
    if site.section == "main" and name != text:
        return
    start = site.text.index(name)
    yield Diagnostic(
        "undefined-acl",
        "error",
        f'no ACL "{name}" is defined',
        site.span(start, start + len(name)),
        hint=_close(name, subject.acls) or "define it in the acl section",
    )


@rule("undefined-transport")
def undefined_transport(subject: Subject) -> Iterator[Diagnostic]:
    """A router that hands its mail to a transport that is not there.

    ``transport = remote_smpt``: Exim finds out when the router accepts an address, and defers it.
    """
    for site in subject.sites:
        if site.section == "router" and site.name in TRANSPORT_OPTIONS and _plain(site.text):
            if site.text not in subject.transports:
                yield Diagnostic(
                    "undefined-transport",
                    "error",
                    f'no transport "{site.text}" is defined',
                    site.span(0, len(site.text)),
                    hint=_close(site.text, subject.transports) or "define it in the transports section",
                )


@rule("undefined-macro", severity="warning")
def undefined_macro(subject: Subject) -> Iterator[Diagnostic]:
    """A word that looks like a macro which is not defined.

    Exim replaces the macros it knows and leaves the rest: ``hosts = RELAY_HOSTS`` without a definition
    above it is the host of that name. Reported where a value, or an item of a list, is all such a word, and
    where the word is asked for by ``.ifdef`` elsewhere in the file.
    """
    asked = subject.configuration.asked_macros
    for site in subject.sites:
        for word, start, end in _macro_like(site.text):
            whole = site.text.strip() == word and site.kind != "text"
            if word in asked or (whole and "_" in word):
                yield Diagnostic(
                    "undefined-macro",
                    "warning",
                    f"{word} looks like a macro that is not defined",
                    site.span(start, end),
                    hint=f"define it before this line ({word} = …), or with -D{word}=…",
                )


def _macro_like(text: str) -> Iterator[tuple[str, int, int]]:
    import re

    for found in re.finditer(r"(?<![A-Za-z0-9_$:{])[A-Z][A-Z0-9_]{3,}(?![A-Za-z0-9_(])", text):
        yield found[0], found.start(), found.end()


