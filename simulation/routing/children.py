"""Making addresses: from text, from a parent, and the parts that routers look at (manual 3.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_domain
from eximious.conditions.lists.subject import lower
from eximious.interpreter.text import Tainted, follow
from eximious.simulation.routing.address import RoutedAddress
from eximious.simulation.routing.results import DEFER, OK

if TYPE_CHECKING:
    from eximious.interpreter.context import Context


def make_address(text: str) -> RoutedAddress:
    """Make an address from its text, which is well formed and has a domain."""
    address = RoutedAddress()
    address.address = address.unique = text
    return address


def make_child(parent: RoutedAddress, text: str) -> RoutedAddress:
    """Make an address that came of another one; it has what is handed down."""
    child = make_address(text)
    child.parent = parent
    child.inherit(parent)
    return child


def split_address(ctx: Context, address: RoutedAddress) -> str:
    """Set domain and local part of an address as routers see them; gives OK, or DEFER with the message in it.

    The domain is in lower case, the local part without quotes. In domains of percent_hack_domains a percent sign
    stands for an at sign: the address then gets itself as a parent.
    """
    text = address.address
    local_part, _, domain = text.rpartition("@")
    tainted = type(text) is Tainted
    local_part, domain = _unquoted(str(local_part)), lower(str(domain))
    address.caseful = Tainted(local_part) if tainted else local_part
    address.domain = Tainted(domain) if tainted else domain
    hack = ctx.env.options.get("percent_hack_domains")
    if hack and _percent_hack(ctx, address, hack) == DEFER:
        address.message = "lookup defer for percent_hack_domains"
        return DEFER
    caseful = address.caseful
    lowered = lower(str(caseful))
    address.caseless = Tainted(lowered) if type(caseful) is Tainted else lowered
    address.local_part = address.caseless
    return OK


def _unquoted(local_part: str) -> str:
    """A local part without the quotes and backslashes that only its writing needs."""
    if '"' not in local_part and "\\" not in local_part:
        return local_part
    out = []
    at = 0
    while at < len(local_part):
        character = local_part[at]
        at += 1
        if character == '"':
            continue
        if character == "\\":
            out.append(local_part[at : at + 1])
            at += 1
        else:
            out.append(character)
    return "".join(out)


def _percent_hack(ctx: Context, address: RoutedAddress, hack: str) -> str:
    local_part, domain = address.caseful, address.domain
    shown = domain
    changed = False
    while True:
        result = match_domain(ctx, domain, hack, label="percent_hack_domains")
        if result.deferred:
            return DEFER
        if not result.matched or "%" not in local_part:
            break
        head, _, tail = local_part.rpartition("%")
        shown = follow(tail, local_part)
        local_part, domain = follow(head, local_part), follow(lower(str(tail)), local_part)
        changed = True
    if changed:
        parent = make_address(address.address)
        parent.parent, parent.child_count = address.parent, 1
        parent.domain = address.domain
        parent.inherit(address)
        address.parent = parent
        address.caseful, address.domain = local_part, domain
        address.address = address.unique = follow(f"{local_part}@{shown}", local_part)
    return OK
