"""Header lines that ACLs added and removed take effect (manual 44.23, 44.24)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.headers import Header
from eximious.interpreter.listsplit import split_list
from eximious.simulation.acl.state import AFTER_RECEIVED, AT_START, AT_START_RFC

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.simulation.acl.state import AclState

#: header lines that RFC 5322 names, before the first of which at_start_rfc puts one
_RFC = frozenset(
    [
        "date",
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "bcc",
        "message-id",
        "in-reply-to",
        "references",
        "subject",
        "comments",
        "keywords",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    ]
)


def apply_changes(ctx: Context, state: AclState) -> None:
    """Change the header lines of the message as ACLs have asked since the last time."""
    effects = state.message
    headers = ctx.message.headers
    if headers is None:
        return
    if effects.removed_headers:
        names = [str(name).strip() for name in split_list(str(effects.removed_headers))]
        effects.removed_headers = ""
        for header in headers:
            own = header.text.partition(":")[0].rstrip(" \t").lower()
            if not header.deleted and any(_fits(name.lower(), own, ctx) for name in names if name):
                header.deleted = True
    for added in effects.added_headers[effects.headers_in_place :]:
        line = added.text if added.text.endswith("\n") else added.text + "\n"
        header = Header(line)
        if added.position == AT_START:
            headers.insert(0, header)
        elif added.position == AFTER_RECEIVED:
            headers.insert(_behind_received(headers), header)
        elif added.position == AT_START_RFC:
            headers.insert(_before_rfc(headers), header)
        else:
            headers.append(header)
    effects.headers_in_place = len(effects.added_headers)


def _fits(name: str, own: str, ctx: Context) -> bool:
    if name == own:
        return True
    if not ctx.env.version >= (4, 96):
        return False
    if name.startswith("^"):
        return re.match(name[1:], own) is not None
    return name.endswith("*") and own.startswith(name[:-1])


def _behind_received(headers: list[Header]) -> int:
    """Behind the first block of Received: lines."""
    at = 0
    while at < len(headers) and headers[at].type != "P":
        at += 1
    while at < len(headers) and (headers[at].type == "P" or headers[at].deleted):
        at += 1
    return at


def _before_rfc(headers: list[Header]) -> int:
    for at, header in enumerate(headers):
        name = header.text.partition(":")[0].rstrip(" \t").lower().removeprefix("resent-")
        if not header.deleted and name in _RFC:
            return at
    return len(headers)
