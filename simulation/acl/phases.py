"""The phases in which ACLs run: Exim's words for them, and what may be used where.

Phases have the names of the language facts (``rcpt``, ``notsmtp_start``…), with two more: ``delivery``, and
``unknown``, in which ``-be`` and everything else that expands ``${acl`` outside a hook runs ACLs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.grammar.catalogue import AclRow

UNKNOWN, DELIVERY = "unknown", "delivery"

#: phase -> how Exim's messages call it
NAMES = {
    "rcpt": "RCPT",
    "mail": "MAIL",
    "predata": "PREDATA",
    "mime": "MIME",
    "dkim": "DKIM",
    "data": "DATA",
    "prdr": "PRDR",
    "notsmtp": "non-SMTP",
    "auth": "AUTH",
    "connect": "connection",
    "etrn": "ETRN",
    "expn": "EXPN",
    "helo": "EHLO or HELO",
    "mailauth": "MAILAUTH",
    "notsmtp_start": "non-SMTP-start",
    "notquit": "NOTQUIT",
    "quit": "QUIT",
    "starttls": "STARTTLS",
    "vrfy": "VRFY",
    "atrn": "ATRN",
    "wellknown": "WELLKNOWN",
    "delivery": "delivery",
    "unknown": "unknown",
}

#: phases in which there is a message, so that ``warn message =`` adds a header line
MESSAGE_PHASES = frozenset(("rcpt", "mail", "predata", "mime", "dkim", "data", "prdr", "notsmtp"))
#: phases whose ACL may not fail (manual 44.2)
QUIT_PHASES = frozenset(("quit", "notquit"))


def allows(row: AclRow, phase: str) -> bool:
    """Say whether a condition, modifier, control or verify item may be used in a phase.

    Where Exim lists the phases in which something is forbidden, the ones outside hooks are not among
    them; where it lists those in which it is permitted, neither. The first are the long lists, which have
    one of starttls and notquit. Of the verify items only those allowed everywhere are allowed there.
    """
    allowed = row.allowed_in
    if allowed == "all" or allowed is None:
        return True
    if phase in (UNKNOWN, DELIVERY):
        return row.kind != "verify" and ("starttls" in allowed or "notquit" in allowed)
    return phase in allowed
