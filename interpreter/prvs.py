"""BATV's private signature of an address, ``prvs=KDDDHHHHHH=local@domain`` (manual 11.6, 45).

The tag is a key digit, the day it expires (three digits) and six hex digits of an HMAC-SHA1. The clock
is an argument: nothing here asks for the time.
"""

from __future__ import annotations

import re

from eximious.interpreter.outcomes import ExpansionError

_TAGGED = re.compile(r"^prvs=([0-9])([0-9]{3})([A-F0-9]{6})=(.+)@(.+)$", re.IGNORECASE | re.ASCII)

#: longer secrets are refused, not hashed first as HMAC would
SECRET_LIMIT = 64

#: days that a signature stays good
LIFETIME = 7


def prvs_hash(secret: str, key: str, address: str) -> str | None:
    """Give the six hex digits for an address; None where Exim cannot compute them (secret over 64 bytes).

    ``key``: key digit and day stamp together, such as ``"3787"``. Upper and lower case count in the address.
    """
    if len(secret) > SECRET_LIMIT:
        return None
    import hmac

    data = (key + address).encode("latin-1")
    return hmac.new(secret.encode("latin-1"), data, "sha1").hexdigest()[:6]


def day_stamp(now: float) -> str:
    """The three digits for a signature made at ``now`` (seconds since the epoch)."""
    return f"{(int(now) // 86400 + LIFETIME) % 1000:03d}"


def prvs_sign(address: str, secret: str, keynum: str | None, now: float) -> str:
    """Give the signed form of ``address`` (``${prvs{address}{secret}{keynum}}``).

    ``keynum`` is None where the argument is absent. Raises ExpansionError with Exim's message.
    """
    at = address.rfind("@")
    if at <= 0 or at == len(address) - 1:
        raise ExpansionError("prvs first argument must be a qualified email address")
    if keynum is None:
        keynum = "0"
    elif not (len(keynum) == 1 and keynum in "0123456789"):
        raise ExpansionError("prvs third argument must be a single digit")
    stamp = day_stamp(now)
    digest = prvs_hash(secret, keynum + stamp, address)
    if digest is None:
        raise ExpansionError("prvs hmac-sha1 conversion failed")
    return f"prvs={keynum}{stamp}{digest}={address}"


class Signed:
    """A signed address taken apart: ``address`` (decoded), ``keynum``, ``day``, ``digest``, ``captures``.

    ``captures`` are ``$0`` to ``$5`` as ``${prvscheck}`` leaves them: whole, key number, day, hash, local
    part, domain.
    """

    __slots__ = ("address", "captures", "day", "digest", "keynum")

    def __init__(self, match: re.Match[str]) -> None:
        self.captures = [match.group(), *match.groups()]
        self.keynum, self.day, self.digest = self.captures[1:4]
        self.address = f"{self.captures[4]}@{self.captures[5]}"


def prvs_split(text: str) -> Signed | None:
    """Take a signed address apart; None where ``text`` has not the form of one (``${prvscheck}``: empty)."""
    match = _TAGGED.search(text)
    return Signed(match) if match else None


def prvs_check(signed: Signed, secret: str, now: float) -> bool:
    """Say whether a signed address has the right hash and is still good (``$prvscheck_result``).

    The hash must be in lower case. The day wraps at 1000, which Exim bridges for stamps below 7 only.
    Raises ExpansionError for a secret that is too long.
    """
    digest = prvs_hash(secret, signed.keynum + signed.day, signed.address)
    if digest is None:
        raise ExpansionError("hmac-sha1 conversion failed")
    if digest != signed.digest:
        return False
    expires = int(signed.day)
    today = int(now) // 86400 % 1000
    if expires < LIFETIME and today >= 1000 - LIFETIME:
        today = 0
    return expires >= today
