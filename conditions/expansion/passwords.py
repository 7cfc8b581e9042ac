"""Conditions that check passwords: ``crypteq`` here and now, the others by asking who knows (manual 11.8).

PAM, RADIUS, saslauthd, pwcheck and LDAP servers are asked through the verdicts door. A verdict is true,
false, or text: then the check could not be made and the text is Exim's message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import split_list
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import condition

if TYPE_CHECKING:
    from eximious.interpreter.context import Context


def _ask(ctx: Context, kind: str, *question: str) -> bool:
    verdict = ctx.env.doors.verdicts.ask(kind, *question)
    if isinstance(verdict, str):
        raise ExpansionError(verdict)
    return bool(verdict)


def _compiled(ctx: Context, name: str, setting: str) -> None:
    """Refuse the condition ``name`` where the build has not the ``setting`` it needs."""
    catalogue = ctx.env.catalogue
    if catalogue is not None and not catalogue.build.defined(setting):
        raise ExpansionError(f'support for "{name}" not compiled')


@condition("crypteq", section="11.8", args=2)
def crypteq(ctx: Context, plain: str, stored: str) -> bool:
    """The first text is the password whose encrypted form is the second."""
    from eximious.interpreter.crypto_password import password_equals

    _compiled(ctx, "crypteq", "SUPPORT_CRYPTEQ")
    return password_equals(plain, stored)


@condition("pam", section="11.8", args=1)
def pam(ctx: Context, answers: str) -> bool:
    """PAM accepts the user, the first item of the list, with the rest as the answers to its questions.

    Without a user it is false, and nobody is asked.
    """
    _compiled(ctx, "pam", "SUPPORT_PAM")
    items = split_list(answers)
    return bool(items and items[0]) and _ask(ctx, "pam", *items)


@condition("radius", section="11.8", args=1)
def radius(ctx: Context, login: str) -> bool:
    """A RADIUS server accepts ``user:password``."""
    _compiled(ctx, "radius", "RADIUS_CONFIG_FILE")
    user, password = (*split_list(login), "", "")[:2]
    return _ask(ctx, "radius", user, password)


@condition("pwcheck", section="11.8", args=1)
def pwcheck(ctx: Context, login: str) -> bool:
    """The pwcheck daemon accepts ``user:password``, parted at the last colon."""
    _compiled(ctx, "pwcheck", "CYRUS_PWCHECK_SOCKET")
    user, colon, password = login.rpartition(":")
    if not colon:
        raise ExpansionError("pwcheck: malformed input - missing colon")
    return _ask(ctx, "pwcheck", user, password)


@condition("saslauthd", section="11.8", args=4)
def saslauthd(ctx: Context, user: str, password: str, service: str = "", realm: str = "") -> bool:
    """The saslauthd daemon accepts user and password, for a service and a realm if given."""
    _compiled(ctx, "saslauthd", "CYRUS_SASLAUTHD_SOCKET")
    return _ask(ctx, "saslauthd", user, password, service, realm)


@condition("ldapauth", section="11.8", args=1)
def ldapauth(ctx: Context, query: str) -> bool:
    """An LDAP server accepts the user and the password that stand before the URL; an empty one never fits."""
    from eximious.interpreter.ldap_query import parse_ldap_query

    _compiled(ctx, "ldapauth", "LOOKUP_LDAP")
    parsed = parse_ldap_query(query)
    if parsed.user is None or parsed.password is None:
        raise ExpansionError("ldapauth lookups must specify the username and password")
    from eximious.interpreter.lookups_door import ask_ldap

    if not parsed.password and "://" in parsed.url[4:8]:
        return False
    return ask_ldap(ctx, query)
