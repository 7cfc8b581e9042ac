"""The conditions of ``${if`` that match lists (manual 11.8).

Their second argument is the list's text with its backslash escapes undone and each ``$`` as it is, unless
the build has EXPAND_LISTMATCH_RHS, where it is expanded. Named lists that it refers to are expanded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_address as in_addresses
from eximious.conditions.lists.match import match_domain as in_domains
from eximious.conditions.lists.match import match_host as in_hosts
from eximious.conditions.lists.match import match_local_part as in_local_parts
from eximious.conditions.lists.match import result_of
from eximious.conditions.lists.program import Scan
from eximious.conditions.lists.result import DEFER, OK, ListPanic
from eximious.conditions.lists.strings import DOMAIN
from eximious.conditions.lists.subject import Subject, Unset, lower
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.conditions.lists.result import ListResult
    from eximious.interpreter.context import Context


def _conclude(ctx: Context, match: Callable[[], ListResult], list_text: str) -> bool:
    try:
        result = match()
    except ListPanic:
        # the real Exim ends here: what comes after it is a new process, which knows of no search
        if ctx.env.searches is not None:
            ctx.env.searches.error = None
        raise
    if result.captures is not None:
        ctx.captures = result.captures
    if result.touched:
        ctx.value = result.data
    if result.deferred:
        why = result.message
        if why is None:  # Exim shows its last search error: none yet, or what the last search left
            searches = ctx.env.searches
            why = None if searches is None else searches.error
        listed = shown(list_text, ctx.env.version)
        why = "NULL" if why is None else why
        raise ExpansionError(f'unable to complete match against "{listed}": {why}')
    return result.matched


def _tried(ctx: Context, text: str) -> Subject:
    """A subject that was tried already: an empty list leaves no value."""
    subject = Subject(ctx, text, lower(text), True)
    subject.data = None
    return subject


@condition("match_domain", section="11.8", args=2)
def match_domain(ctx: Context, domain: str, list_text: str) -> bool:
    """Whether a domain is in a domain list; ``$value`` is the value of the match."""
    if type(domain) is str:
        subject = _tried(ctx, domain)
        scan = Scan(DOMAIN, subject)
        try:
            outcome = scan.run(list_text, False)
        except ListPanic:
            if ctx.env.searches is not None:
                ctx.env.searches.error = None  # as in _conclude
            raise
        value = subject.data
        if outcome != DEFER and not isinstance(value, Unset):
            # the usual way: nothing is left but the value and the captures
            if subject.captures is not None:
                ctx.captures = subject.captures
            ctx.value = value
            return outcome == OK
        return _conclude(ctx, lambda: result_of(scan, subject, outcome), list_text)
    return _conclude(ctx, lambda: in_domains(ctx, domain, list_text, expand=False), list_text)


@condition("match_local_part", section="11.8", args=2)
def match_local_part(ctx: Context, local_part: str, list_text: str) -> bool:
    """Whether a local part is in a local part list, caselessly; ``$value`` is the value of the match."""
    return _conclude(ctx, lambda: in_local_parts(ctx, local_part, list_text, expand=False), list_text)


@condition("match_address", section="11.8", args=2)
def match_address(ctx: Context, address: str, list_text: str) -> bool:
    """Whether an address is in an address list, caselessly; ``$value`` is the value of the match."""
    return _conclude(ctx, lambda: in_addresses(ctx, address, list_text, expand=False), list_text)


@condition("match_ip", section="11.8", args=2)
def match_ip(ctx: Context, address: str, list_text: str) -> bool:
    """Whether an IP address (or the empty text) is in a host list; names match nothing there.

    Unlike those of the other three, this list is expanded, whatever the manual says.
    """
    if address and parse_ip(address) is None:
        raise ExpansionError(f'"{shown(address, ctx.env.version)}" is not an IP address')
    return _conclude(ctx, lambda: in_hosts(ctx, list_text, name="", address=address), list_text)
