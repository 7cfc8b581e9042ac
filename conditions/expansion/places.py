"""Is this an address, a file, a member of a list? ``isip``, ``exists``, ``inlist`` (manual 11.8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.comparing import fold
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.registry import condition

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

_SCOPE = re.compile(r"[!-~]*\Z")


def ip_version(text: str) -> int:
    """Give 4 or 6 for an IP address, 0 for anything else.

    Components of an IPv4 address have no leading zeros; an IPv6 address may have a scope (``%eth0``, even an
    empty one) of visible ASCII characters; a mask or white space is wrong.
    """
    if "/" in text:
        return 0
    address, percent, scope = text.partition("%")
    if percent and (":" not in address or _SCOPE.match(scope) is None):
        return 0
    from eximious.interpreter.ipaddress import parse_ip

    found = parse_ip(address)
    if found is None:
        return 0
    return 4 if found[0] == 32 else 6


@condition("isip", section="11.8", args=1, takes="text")
def isip(text: str) -> bool:
    """The text is an IPv4 or IPv6 address."""
    return ip_version(text) != 0


@condition("isip4", section="11.8", args=1, takes="text")
def isip4(text: str) -> bool:
    """The text is an IPv4 address."""
    return ip_version(text) == 4


@condition("isip6", section="11.8", args=1, takes="text")
def isip6(text: str) -> bool:
    """The text is an IPv6 address."""
    return ip_version(text) == 6


@condition("exists", section="11.8", args=1)
def exists(ctx: Context, path: str) -> bool:
    """The file, folder or whatever is there, links followed; what cannot be seen is not there.

    Text from outside is not refused here, though whoever opens the file will refuse it.
    """
    if not path:
        return False
    return ctx.env.doors.files.exists(path)


@condition("inlist", section="11.8", args=2)
def inlist(ctx: Context, text: str, members: str) -> bool:
    """The text is an item of the list, which has no other meaning than its items; sets ``$value`` to it."""
    for item in split_list(members):
        if item == text:
            ctx.value = item
            return True
    return False


@condition("inlisti", section="11.8", args=2)
def inlisti(ctx: Context, text: str, members: str) -> bool:
    """As ``inlist``, but for case; ``$value`` has the case of the list."""
    wanted = fold(text)
    for item in split_list(members):
        if len(item) == len(wanted) and fold(item) == wanted:
            ctx.value = item
            return True
    return False


@condition("inbound_srs", section="58.5", args=2)
def inbound_srs(ctx: Context, local_part: str, secret: str) -> bool:
    """The local part is one that ``${srs_encode}`` made with the secret, lately; sets ``$srs_recipient``.

    An empty secret asks for the form only. ``$srs_recipient`` is set whenever the form is right.
    """
    from eximious.interpreter.srs import srs_decode

    recipient, valid = srs_decode(local_part, secret, ctx.env.doors.clock.now())
    if recipient is not None:
        ctx.scratch["srs_recipient"] = recipient
    return valid
