"""The settings that may stand before the URL of an LDAP query (manual 9.18): ``user=x pass=y ldap://...``.

It does not look into the URL.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.quoting import dequote

_SETTINGS = frozenset(
    ["USER", "PASS", "SIZE", "TIME", "CONNECT", "NETTIME", "SERVERS", "DEREFERENCE", "REFERRALS"]
)
_HEX = re.compile("%([0-9A-Fa-f]{2})")
_SPACES = re.compile(f"[{SPACE}]*")


class LdapQuery(NamedTuple):
    """``settings``: by upper-case name, the last one given wins; ``url``: the rest, from ``ldap`` on."""

    settings: dict[str, str]
    url: str

    @property
    def user(self) -> str | None:
        """The name to bind with, its ``%xx`` decoded."""
        user = self.settings.get("USER")
        return None if user is None else _HEX.sub(lambda match: chr(int(match[1], 16)), user)

    @property
    def password(self) -> str | None:
        """The password to bind with."""
        return self.settings.get("PASS")


def parse_ldap_query(text: str) -> LdapQuery:
    """Take a query apart.

    Raises ExpansionError with Exim's message for settings that are wrong or unknown.
    """
    settings: dict[str, str] = {}
    at = _SPACES.match(text).end()  # type: ignore[union-attr]
    while text[at : at + 4].lower() != "ldap":
        equals = text.find("=", at)
        if equals < 0:
            raise ExpansionError("malformed parameter setting precedes LDAP URL")
        name = text[at:equals]
        value, at = dequote(text, equals + 1)
        if text[at : at + 1] not in SPACE or at >= len(text):
            raise ExpansionError("malformed parameter setting precedes LDAP URL")
        known = name.upper()
        if known not in _SETTINGS:
            raise ExpansionError(f'unknown parameter "{name}=" precedes LDAP URL')
        if known == "REFERRALS" and value.lower() not in ("follow", "nofollow"):
            raise ExpansionError('LDAP option REFERRALS is not "follow" or "nofollow"')
        settings[known] = value
        at = _SPACES.match(text, at).end()  # type: ignore[union-attr]
    return LdapQuery(settings, text[at:])
