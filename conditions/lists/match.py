"""The list matchers as the rest of the package calls them (manual chapter 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.addresses import ADDRESS, AddressSubject
from eximious.conditions.lists.hosts import HOST, HostSubject
from eximious.conditions.lists.program import Scan
from eximious.conditions.lists.result import FAIL, ListResult
from eximious.conditions.lists.strings import DOMAIN, LOCAL_PART
from eximious.conditions.lists.subject import Subject, Unset, lower
from eximious.interpreter.text import follow

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
    subject = Subject(ctx, text, follow(lower(text), text) if caseless else text, caseless, 0, trace)
    subject.data = None
    return _result(Scan(kind, subject, kept), subject, list_text, expand, label, single)


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
    if list_text == "" and trace is None and setup != 0 and ctx.listener is None:
        return ListResult(FAIL, touched=False)
    subject = AddressSubject.of(ctx, address, caseless, setup, trace)
    if setup == 0:
        subject.captures, subject.setup = [address], 1
    return _result(Scan(ADDRESS, subject, kept), subject, list_text, expand, label)


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
    if list_text == "" and trace is None and ctx.listener is None:
        return ListResult(FAIL, touched=False)
    if address is None:
        address = ctx.session.sender_host_address
    subject = HostSubject(ctx, name, address, trace)
    return _result(Scan(HOST, subject, kept), subject, list_text, expand, label)


def _result(
    scan: Scan,
    subject: Subject | HostSubject,
    text: str | None,
    expand: bool,
    label: str | None,
    single: bool = False,
) -> ListResult:
    return result_of(scan, subject, scan.run(text, expand, single, label))


def result_of(scan: Scan, subject: Subject | HostSubject, outcome: int) -> ListResult:
    """What a scan that was run has given."""
    data = subject.data
    if isinstance(data, Unset):
        return ListResult(outcome, scan.item, None, subject.captures, scan.message, False)
    return ListResult(outcome, scan.item, data, subject.captures, scan.message)
