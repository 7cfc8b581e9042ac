"""The native Sender Rewriting Scheme: ``SRS0=hash=day=domain=local`` (manual 58.5). SRS1 is not supported.

Taking an address apart and the clock are the callers' business.
"""

from __future__ import annotations

import re

from eximious.interpreter.text import follow

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_CODED = re.compile(r"^SRS0=([^=]+)=([A-Z2-7]{2})=([^=]*)=(.*)$", re.IGNORECASE | re.ASCII)
_NEEDS_QUOTING = re.compile(r"[^A-Za-z0-9.!#$%&'*+\-/=?^_`{|}~]")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

#: days that a coded address is taken
LIFETIME = 10


def _checksum(secret: str, address: str) -> str:
    import hmac

    data = address.translate(_LOWER).encode("latin-1")
    return hmac.new(secret.encode("latin-1"), data, "md5").hexdigest()[:4]


def _day(now: float) -> int:
    return int(now) // 86400 & 0x3FF


def srs_encode(secret: str, return_path: str, parsed: str, domain_at: int, domain: str, now: float) -> str:
    """Code a return path (``${srs_encode{secret}{return_path}{domain}}``).

    ``return_path`` is the argument as given: its lower-case form is what the hash covers. ``parsed`` is the
    bare address found in it and ``domain_at`` the offset of its domain (0: it has none), as the address
    parser gives them; an empty ``return_path`` gives the empty text before that. ``domain`` becomes the new
    domain, unchecked. ``now``: seconds since the epoch. Double quotes of the local part are dropped and put
    around the whole new one.
    """
    old_domain = parsed[domain_at:] if domain_at else ""
    local_part = parsed[: domain_at - 1] if domain_at else parsed
    quote = '"' if '"' in local_part else ""
    local_part = local_part.replace('"', "")
    day = _day(now)
    stamp = _DIGITS[day >> 5] + _DIGITS[day & 31]
    checksum = _checksum(secret, return_path)
    result = f"{quote}SRS0={checksum}={stamp}={old_domain}={local_part}{quote}@{domain}"
    return follow(result, parsed, return_path, domain)


def srs_decode(local_part: str, secret: str, now: float) -> tuple[str | None, bool]:
    """Decode a local part (``inbound_srs {local_part}{secret}``).

    Gives (recipient, valid): the recipient is None where the text has not the form ``SRS0=…``, and is
    given even if the rest does not hold. It is all in lower case, its local part quoted if any character of
    the whole argument would need it. An empty secret checks the form only; else the day must be one of
    the last ten and the hash right (case counts in both).
    """
    match = _CODED.search(local_part)
    if match is None:
        return None, False
    checksum, stamp, domain, user = match.groups()
    quote = '"' if _NEEDS_QUOTING.search(local_part) else ""
    recipient = f"{quote}{user.translate(_LOWER)}{quote}@{domain.translate(_LOWER)}"
    recipient = follow(recipient, local_part)
    if not secret:
        return recipient, True
    # An upper-case day has no defined value in Exim (it subtracts a null pointer); here it is never good.
    if stamp[0] not in _DIGITS or stamp[1] not in _DIGITS:
        return recipient, False
    age = _day(now) - (_DIGITS.index(stamp[0]) * 32 + _DIGITS.index(stamp[1])) & 0x3FF
    return recipient, age <= LIFETIME and checksum == _checksum(secret, recipient)
