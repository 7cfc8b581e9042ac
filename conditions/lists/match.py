"""The list matchers as the rest of the package calls them (manual chapter 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.addresses import ADDRESS, AddressSubject
from eximious.conditions.lists.hosts import HOST, HostSubject
from eximious.conditions.lists.program import Scan, expanded
from eximious.conditions.lists.result import ListResult
from eximious.conditions.lists.strings import DOMAIN, LOCAL_PART
from eximious.conditions.lists.subject import Subject, Unset, lower
from eximious.conditions.lists.verdicts import keep, verdict
from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.conditions.lists.program import Kept, Kind
    from eximious.interpreter.context import Context

    Trace = Callable[[str], None]


def match_domain(
    ctx: Context,
    domain: str,
    list_text: str | None,
    *,
    expand: bool = True,
    kept: Kept | None = None,
    label: str | None = None,
    trace: Trace | None = None,
    single: bool = False,
) -> ListResult:
    """Match a domain against a domain list (manual 10.9).

    ``list_text`` None is an option that is not set: no match. ``expand`` False: the text is expanded
    already. ``single``: the text is one item, whatever separators it holds. ``kept`` holds what was found
    for named lists, for as long as the caller keeps it (10.8). ``label``: what traces call the list.
    ``trace`` gets a line per decision, as Exim's debug output has it. Raises ListPanic where the real Exim
    ends its process, and what the doors raise.
    """
    return _match_string(DOMAIN, ctx, domain, list_text, True, expand, kept, label, trace, single)


def match_local_part(
    ctx: Context,
    local_part: str,
    list_text: str | None,
    *,
    caseless: bool = True,
    expand: bool = True,
    kept: Kept | None = None,
    label: str | None = None,
    trace: Trace | None = None,
) -> ListResult:
    """Match a local part against a local part list (manual 10.22). See :func:`match_domain`."""
    return _match_string(LOCAL_PART, ctx, local_part, list_text, caseless, expand, kept, label, trace)


def _match_string(
    kind: Kind,
    ctx: Context,
    text: str,
    list_text: str | None,
    caseless: bool,
    expand: bool,
    kept: Kept | None,
    label: str | None,
    trace: Trace | None,
    single: bool = False,
) -> ListResult:
    if trace is None:
        trace = ctx.listener
    key = None
    written = list_text
    if trace is None and list_text is not None:
        if expand and ("$" in list_text or "\\" in list_text):
            made = expanded(ctx, list_text)
            if isinstance(made, int):
                return ListResult(made)
            list_text = made
        expand = False
        if type(list_text) is not Tainted:
            key = kind.letter, list_text, single, text, type(text), caseless
            known = verdict(ctx, key)
            if known is not None:
                return known
    subject = Subject(ctx, text, follow(lower(text), text) if caseless else text, caseless, 0, trace)
    subject.data = None
    scan = Scan(kind, subject, kept)
    result = result_of(scan, subject, scan.run(list_text, expand, single, label, written))
    if key is not None and list_text is not None:
        keep(ctx, kind, list_text, text, key, result)
    return result


def match_address(
    ctx: Context,
    address: str,
    list_text: str | None,
    *,
    caseless: bool = True,
    setup: int = -1,
    expand: bool = True,
    kept: Kept | None = None,
    label: str | None = None,
    trace: Trace | None = None,
) -> ListResult:
    """Match an address (or the empty one) against an address list (manual 10.20).

    ``setup`` 0 sets ``$0``, ``$1``… (rewriting and retry rules do), -1 none. See :func:`match_domain`.
    """
    if trace is None:
        trace = ctx.listener
    key = None
    written = list_text
    if trace is None and list_text is not None:
        if expand and ("$" in list_text or "\\" in list_text):
            made = expanded(ctx, list_text)
            if isinstance(made, int):
                return _undecided(made, address, setup)
            list_text = made
        expand = False
        if type(list_text) is not Tainted:
            key = "a", list_text, setup, address, type(address), caseless
            known = verdict(ctx, key)
            if known is not None:
                return known
    subject = AddressSubject.of(ctx, address, caseless, setup, trace)
    if setup == 0:
        subject.captures, subject.setup = [address], 1
    scan = Scan(ADDRESS, subject, kept)
    result = result_of(scan, subject, scan.run(list_text, expand, False, label, written))
    if key is not None and list_text is not None:
        keep(ctx, ADDRESS, list_text, address, key, result)
    return result


def match_host(
    ctx: Context,
    list_text: str | None,
    *,
    name: str | None = None,
    address: str | None = None,
    expand: bool = True,
    kept: Kept | None = None,
    label: str | None = None,
    trace: Trace | None = None,
) -> ListResult:
    """Match a host against a host list (manual 10.10).

    Without ``name`` and ``address`` it is the client: its name is looked up if an item needs it. ``name``
    empty: only the address counts (``match_ip``). See :func:`match_domain`.
    """
    if address is None:
        address = ctx.session.sender_host_address
    if trace is None:
        trace = ctx.listener
    key = None
    written = list_text
    if trace is None and list_text is not None:
        if expand and ("$" in list_text or "\\" in list_text):
            made = expanded(ctx, list_text)
            if isinstance(made, int):
                return ListResult(made, touched=False)
            list_text = made
        expand = False
        if type(list_text) is not Tainted:
            key = "h", list_text, name, address
            known = verdict(ctx, key)
            if known is not None:
                return known
    subject = HostSubject(ctx, name, address, trace)
    scan = Scan(HOST, subject, kept)
    result = result_of(scan, subject, scan.run(list_text, expand, False, label, written))
    if key is not None and list_text is not None:
        keep(ctx, HOST, list_text, address, key, result)
    return result


def _undecided(outcome: int, address: str, setup: int) -> ListResult:
    """What becomes of an address where the list could not be expanded."""
    return ListResult(outcome, captures=[address] if setup == 0 else None, touched=False)


def result_of(scan: Scan, subject: Subject | HostSubject, outcome: int) -> ListResult:
    """What a scan that was run has given."""
    data = subject.data
    if isinstance(data, Unset):
        return ListResult(outcome, scan.item, None, subject.captures, scan.message, False)
    return ListResult(outcome, scan.item, data, subject.captures, scan.message)
