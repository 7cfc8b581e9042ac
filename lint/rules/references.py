"""Rules on names of ACLs and transports that stand elsewhere in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import ERROR, Diagnostic
from eximious.grammar.listspans import SPACE
from eximious.lint import uses
from eximious.lint.registry import rule
from eximious.lint.suggest import did_you_mean, looks_like_macro, macro_hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.source import Span
    from eximious.lint.engine import Subject
    from eximious.lint.sites import Site


def possible(site: Site, subject: Subject) -> Iterator[tuple[str, Span]]:
    """Give the texts that a site may become, as far as they are written out, each with its place."""
    from eximious.lint.static import outcomes

    if not site.expanded:
        text = site.text.strip(SPACE)
        start = len(site.text) - len(site.text.lstrip(SPACE))
        yield text, site.span(start, start + len(text))
        return
    for known in outcomes(site.tree(subject.language)):
        text = known.text.strip(SPACE)
        start = len(known.text) - len(known.text.lstrip(SPACE))
        yield text, known.map(site.source).span(start, start + max(len(text), 1))


@rule("undefined-acl")
def undefined_acl(subject: Subject) -> Iterator[Diagnostic]:
    """The name of an ACL that is not in the configuration.

    An option such as ``acl_smtp_rcpt``, the condition ``acl = …`` and the expansion item and condition
    ``acl`` take the name of an ACL, the path of a file with one, or an ACL written out. What is no known
    name is taken for an ACL written out, so Exim complains of an unknown verb, and every message is
    deferred.

    Example::

        acl_smtp_rcpt = acl_check_rctp
        begin acl
        acl_check_rcpt:
          accept

    Write ``acl_check_rcpt``.
    """
    if not subject.complete("acl"):
        return
    acls = subject.configuration.acls
    verbs = subject.language.catalogue.acl("verb")
    for site in subject.sites:
        if site.use != uses.ACL:
            continue
        for text, where in possible(site, subject):
            words = text.split(None, 1)
            if not words or text in acls or text.startswith("/") or words[0] in verbs:
                continue
            name = words[0]
            hint = macro_hint(name) if looks_like_macro(name) else did_you_mean(text, acls)
            yield Diagnostic(
                "undefined-acl",
                ERROR,
                f'unknown ACL verb "{name}" in "{text}"',
                where,
                hint=hint or f"there is no ACL of that name: write {name}: in the acl section",
            )


@rule("undefined-transport")
def undefined_transport(subject: Subject) -> Iterator[Diagnostic]:
    """The name of a transport that is not in the configuration.

    Routers name the transport for the addresses they accept, and the main section those for the system
    filter. Exim finds out when a router accepts an address, and defers it then. Where the name comes from an
    ``${if``, both its strings are looked at.

    Example::

        begin routers
        smarthost:
          driver = manualroute
          route_list = * mail.example.net
          transport = remote_smpt
        begin transports
        remote_smtp:
          driver = smtp

    Write ``remote_smtp``.
    """
    if not subject.complete("transports"):
        return
    known = subject.configuration.transports
    for site in subject.sites:
        if site.use not in (uses.TRANSPORT, uses.TRANSPORT_NAME):
            continue
        for text, where in possible(site, subject):
            if not text or text in known:
                continue
            owner = f"{site.owner} router" if site.section == "router" else f"{site.name}"
            hint = macro_hint(text) if looks_like_macro(text) else did_you_mean(text, known)
            yield Diagnostic(
                "undefined-transport",
                ERROR,
                f'transport "{text}" not found in {owner}',
                where,
                hint=hint or f"write {text}: in the transports section",
            )
