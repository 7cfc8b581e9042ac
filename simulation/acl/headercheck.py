"""Checks of a message's header lines: names, addresses, recipients (manual 44.22, verify)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.addresses import (
    Groups,
    Syntax,
    parse_extract_address,
    parse_find_address_end,
)
from eximious.interpreter.headers import SPACE
from eximious.simulation.acl.state import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.interpreter.addresses import Extracted
    from eximious.interpreter.context import Context
    from eximious.interpreter.headers import Header

#: types of lines whose addresses are checked (see eximious.interpreter.headers.TYPES)
_CHECKED = frozenset("FSTCBR")
_SENDERS = frozenset("FS")
#: how much of a bad address a message shows
_SHOWN = 1024


def bad_name(ctx: Context) -> str | None:
    """Give the first header name with a character that is not visible ASCII."""
    for header in ctx.message.headers or ():
        name = header.text.partition(":")[0]
        if any(not "!" <= char <= "~" for char in name):
            return name
    return None


def _addresses(ctx: Context, header: Header) -> Iterator[tuple[str, Extracted]]:
    """Yield the addresses of a line: as written, and what is in each."""
    syntax = Syntax.of(ctx.env.options)
    text = header.text.partition(":")[2]
    groups = Groups()
    at = 0
    while True:
        while at < len(text) and text[at] in SPACE:
            at += 1
        if at >= len(text):
            return
        end = parse_find_address_end(text, at)
        yield text[at:end], parse_extract_address(text[at:end], syntax=syntax, groups=groups)
        at = end + 1


def bad_address(ctx: Context) -> str | None:
    """Give Exim's words for the first address that is malformed, or unqualified where it may not be."""
    connection = state_of(ctx).connection
    local = not ctx.session.sender_host_address
    for header in ctx.message.headers or ():
        if header.type not in _CHECKED or header.deleted:
            continue
        sender = header.type in _SENDERS
        unqualified = local or (connection.unqualified_sender if sender else connection.unqualified_recipient)
        for written, found in _addresses(ctx, header):
            error = found.error
            if found.address is not None and not found.domain and not unqualified:
                error = "unqualified address not permitted"
            if not error or error == "empty address":
                continue
            shown = written.rstrip(SPACE)
            verb = "is"
            if len(shown) > _SHOWN:
                shown, verb = shown[:_SHOWN], "begins"
            name = header.text.partition(":")[0].rstrip(SPACE)
            return f'{error}: failing address in "{name}:" header {verb}: {shown}'
    return None


def is_blind(ctx: Context, caseless: bool) -> bool:
    """Say whether a recipient stands in no To: or Cc: line. ``caseless``: local parts, too."""
    listed = set()
    for header in ctx.message.headers or ():
        if header.type not in ("T", "C") or header.deleted:
            continue
        for _, found in _addresses(ctx, header):
            if found.address is not None:
                listed.add(_comparable(found.address, caseless))
    return any(_comparable(recipient, caseless) not in listed for recipient in ctx.message.recipients)


def _comparable(address: str, caseless: bool) -> str:
    local_part, at, domain = address.rpartition("@")
    return (local_part.lower() if caseless else local_part) + at + domain.lower()
