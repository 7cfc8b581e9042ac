"""Rules on the items of domain, host, address and local part lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_model import LIST_LETTERS
from eximious.grammar.diagnostics import ERROR, WARNING, Diagnostic
from eximious.grammar.patterns import compiled
from eximious.lint import uses
from eximious.lint.items import Item, items
from eximious.lint.registry import rule
from eximious.lint.static import HOLE
from eximious.lint.suggest import did_you_mean, version_hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.source import Span
    from eximious.lint.engine import Subject
    from eximious.lint.sites import Site

#: words with a plus sign that are no named lists, by kind
_WORDS = {
    "host": frozenset(("include_unknown", "ignore_unknown", "include_defer", "ignore_defer")),
    "address": frozenset(("caseful",)),
    "localpart": frozenset(("caseful",)),
    "domain": frozenset(),
}
_WHOLE_LOOKUP = r"[A-Za-z0-9-]*\*?@?;"
_NET_LOOKUP = r"net[0-9]*-"
#: digits and dots to the end or to a slash: meant as an address
_BAD_ADDRESS = r"[0-9.]*\Z|[0-9.]+/"


_ARTICLES = {"domain": "a domain", "host": "a host", "address": "an address", "localpart": "a local part"}


def shown_kind(kind: str) -> str:
    """Give the word that messages have for a kind of list."""
    return "local part" if kind == "localpart" else kind


@rule("undefined-list")
def undefined_list(subject: Subject) -> Iterator[Diagnostic]:
    """A ``+name`` in a list for which there is no named list of that kind.

    Exim looks the name up when it works through the list. It then writes a line to the panic log and defers:
    the recipient, the router, the host. Each kind of list (domain, host, address, local part) has names
    of its own, so a host list cannot be used where domains are wanted.

    Example::

        hostlist relay_from_hosts = 192.0.2.0/24
        begin acl
        check_rcpt:
          accept hosts = +relay_form_hosts

    Write ``+relay_from_hosts``.
    """
    if not subject.complete("list"):
        return
    for site in subject.sites:
        if site.use in uses.LISTS:
            for item in items(site, subject.language):
                yield from _check_name(item, site.use, subject)
        if site.expanded and "${listnamed" in site.text:
            yield from _listnamed(site, subject)


def _check_name(item: Item, kind: str, subject: Subject) -> Iterator[Diagnostic]:
    body, start = item.body, 0
    if kind == "address" and "@" in body and body[0] not in "^+" and not compiled(_WHOLE_LOOKUP).match(body):
        start = body.rindex("@") + 1
        kind = "domain"
    name = body[start + 1 :]
    if not body.startswith("+", start) or HOLE in name:
        return
    if name in _WORDS[kind] and item.whole == body:
        return
    if name not in subject.configuration.lists[LIST_LETTERS[kind]]:
        yield _undefined(
            f'unknown named {shown_kind(kind)} list "+{name}"',
            name,
            kind,
            item.span(subject.language, start, len(body)),
            subject,
        )


def _undefined(message: str, name: str, kind: str, where: Span, subject: Subject) -> Diagnostic:
    lists = subject.configuration.lists
    hint = did_you_mean(f"+{name}", [f"+{known}" for known in lists[LIST_LETTERS[kind]]])
    for other, letter in LIST_LETTERS.items():
        if not hint and name in lists[letter]:
            hint = f"+{name} is {_ARTICLES[other]} list, and here {_ARTICLES[kind]} list is wanted"
    hint = hint or f"define it in the main section: {kind}list {name} = ..."
    return Diagnostic("undefined-list", ERROR, message, where, hint=hint)


_LETTER_KINDS = {letter: kind for kind, letter in LIST_LETTERS.items()}


def _listnamed(site: Site, subject: Subject) -> Iterator[Diagnostic]:
    """The operator ``listnamed``: a name without or with the letter of a kind."""
    from eximious.grammar.expansion_ast import Operator
    from eximious.lint.static import literal

    lists = subject.configuration.lists
    for node in site.tree(subject.language).walk():
        if type(node) is not Operator or node.name.partition("_")[0] != "listnamed":
            continue
        text = literal(node.body)
        letter = node.name.partition("_")[2][:1]
        if text is None or (letter and letter not in lists):
            continue
        name = text.text.removeprefix("+")
        searched = [lists[letter]] if letter else list(lists.values())
        if any(name in known for known in searched):
            continue
        kind = _LETTER_KINDS.get(letter, "")
        word = f"{shown_kind(kind)} " if kind else ""
        where = text.map(site.source).span(0, max(len(text.text), 1))
        yield _undefined(f'"{name}" is not a {word}named list', name, kind or "domain", where, subject)


@rule("bad-lookup")
def bad_lookup(subject: Subject) -> Iterator[Diagnostic]:
    """An item of a list that is a lookup of a type that does not exist or cannot be used like this.

    An item with a semicolon in it is a lookup: ``type;file`` or ``type;query``. Exim finds out when it
    gets to the item, and then ends its process or defers. ``partial-`` and the defaults ``*`` and ``*@``
    are for types that look up a key in a file.

    Example::

        domainlist local_domains = lsearhc;/etc/exim4/domains

    Write ``lsearch;/etc/exim4/domains``.
    """
    for site in subject.sites:
        if site.use in uses.LISTS or site.use == uses.STRINGS:
            for item in items(site, subject.language):
                found = _lookup_type(item.body, site.use)
                if found is not None:
                    yield from _check_type(item, found[0], found[1], subject)


def _lookup_type(body: str, kind: str) -> tuple[str, int] | None:
    """Give the lookup type in an item and its offset; None if the item is no lookup."""
    if ";" not in body or body[0] in "^+/":
        return None
    start = 0
    if kind == "host":
        net = compiled(_NET_LOOKUP).match(body)
        if net is not None:
            start = net.end()
        elif body.startswith("net"):
            return None
    elif kind == "address" and not compiled(_WHOLE_LOOKUP).match(body):
        if body.startswith("@@"):
            start = 2
        else:
            start = body.find("@") + 1
    if body[start : start + 1] in ("*", "@", "^", "+"):
        return None
    text = body[start:].partition(";")[0]
    return None if HOLE in text else (text, start)


def _check_type(item: Item, text: str, start: int, subject: Subject) -> Iterator[Diagnostic]:
    from eximious.interpreter.outcomes import ExpansionError

    language = subject.language
    try:
        language.lookups.parse_type(text, language.version, language.lookup_names)
    except ExpansionError as error:
        name = text.removeprefix("partial-").partition(",")[0].rstrip("*@")
        if error.message.startswith("unknown"):
            hint = version_hint(lambda other: other.has("lookups", name), language.catalogue)
            hint = hint or did_you_mean(name, language.lookup_names) or _no_lookup(item)
        else:
            hint = "partial- and the defaults * and *@ are for types that look up a key in a file"
        where = item.span(language, start, start + len(text))
        yield Diagnostic("bad-lookup", ERROR, error.message, where, hint=hint)


def _no_lookup(item: Item) -> str:
    if " " in item.body:
        return "an item with a semicolon is a lookup; to separate items by semicolons begin the list with <;"
    return "an item with a semicolon is a lookup: type;file or type;query"


@rule("bad-host-item")
def bad_host_item(subject: Subject) -> Iterator[Diagnostic]:
    """An item of a host list that is meant as an IP address or network, and is none.

    Such an item never matches, or Exim complains when it gets there. Most often it is an IPv6 address in a
    list that is separated by colons: the address falls apart. Change the separator (``<; ::1 ; 10.0.0.0/8``)
    or double the colons. A mask beyond the size of an address counts as the whole address, and an
    empty one (``10.0.0.0/``) matches every host.

    Example::

        hostlist relay_from_hosts = 127.0.0.1 : ::1 : 192.168.300.0/24

    Write ``<; 127.0.0.1 ; ::1 ; 192.168.30.0/24``.
    """
    for site in subject.sites:
        if site.use == "host":
            for item in items(site, subject.language):
                found = _host_item(item) if item.complete else None
                if found is not None:
                    severity, message, hint = found
                    yield Diagnostic(
                        "bad-host-item", severity, message, item.span(subject.language), hint=hint
                    )


_COLONS = "for IPv6 addresses change the separator: begin the list with <; and separate items by semicolons"


def _host_item(item: Item) -> tuple[str, str, str] | None:
    from eximious.interpreter.ipaddress import parse_net

    body = item.body
    if not body or body[0] in "^+@*" or ";" in body:
        return None
    net = parse_net(body)
    _, slash, mask = body.partition("/")
    if net is not None:
        bits = net[0]
        if slash and (not mask or int(mask) > bits):
            message = f'"{body}" has the mask "{mask}", and an address has {bits} bits'
            return (
                WARNING,
                message,
                "an empty mask matches every host" if not mask else "write the right mask",
            )
        return None
    if body.startswith("/"):
        return None  # a file
    if compiled(_BAD_ADDRESS).match(body):
        hint = _COLONS if "." not in body else "an IPv4 address is four numbers up to 255"
        return ERROR, f'malformed IPv4 address or address mask "{body}"', hint
    if ":" in body:
        message = f'"{body}" is no IP address, and names of hosts hold no colons: it never matches'
        return WARNING, message, _COLONS
    return None
