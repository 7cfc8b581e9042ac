"""ldap, ldapdn, ldapm, ldapauth: LDAP searches given as URLs (manual 9.14 to 9.19, RFC 4516)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.ldap_query import parse_ldap_query
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.outcomes import ExpansionError
from eximious.lookups.databases import DEFER, Request, ask
from eximious.lookups.registry import QUERY, Lookup, SearchDefer, lookup
from eximious.lookups.sql import NextServer, leading_int

if TYPE_CHECKING:
    from eximious.interpreter.databases import Answer
    from eximious.interpreter.ldap_query import LdapQuery
    from eximious.lookups.registry import Question

#: codes of OpenLDAP's URL parser
BAD_URL, BAD_SCOPE, BAD_FILTER, BAD_EXTENSIONS = 5, 8, 9, 10
#: result codes that mean "nothing found": no such object, invalid DN
_NOTHING = (32, 34)
#: result codes that leave what was found: success, size limit exceeded
_GOOD = (0, 4)
_SCOPES = {"base": "base", "": "base", "one": "one", "onelevel": "one", "sub": "sub", "subtree": "sub"}
_SCOPES |= {"children": "children", "subord": "children", "subordinate": "children"}
_BAD_HEX = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEX = re.compile(r"%([0-9A-Fa-f]{2})")


class BadUrl(Exception):
    """A URL that the library refuses; the argument is its code."""


def unescape(text: str) -> str:
    """Decode ``%xx``."""
    return _HEX.sub(lambda match: chr(int(match[1], 16)), text)


class LdapUrl:
    """The parts of an LDAP URL, decoded."""

    __slots__ = ("attributes", "base", "filter", "host", "port", "scheme", "scope")

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self.scheme = scheme.lower()
        place, _, rest = rest.partition("/")
        if "?" in place:  # no slash before the attributes
            place, _, rest = place.partition("?")
            rest = "?" + rest
        parts = rest.split("?")
        if len(parts) > 5:
            raise BadUrl(BAD_URL)
        if len(parts) == 5 and not parts[4]:
            raise BadUrl(BAD_EXTENSIONS)
        parts += [""] * (4 - len(parts))
        if _BAD_HEX.search(parts[3]):
            raise BadUrl(BAD_FILTER)
        base, attributes, scope, self.filter = (unescape(part) for part in parts[:4])
        self.base = base
        self.attributes = [name for name in attributes.split(",") if name] if attributes else []
        known = _SCOPES.get(scope.lower())
        if known is None:
            raise BadUrl(BAD_SCOPE)
        self.scope = known
        self.port = 0
        if self.scheme == "ldapi":
            self.host = unescape(place)
            return
        host, mark, port = place.rpartition("@")[2], "", ""
        if host.startswith("["):
            host, _, port = host[1:].partition("]")
            mark, port = port[:1], port[1:]
        else:
            host, mark, port = host.partition(":")
        if mark and not (port.isascii() and port.isdigit() and len(port) < 10):
            raise BadUrl(BAD_URL)
        self.host, self.port = unescape(host), int(port or "0")


class _Ldap(Lookup):
    """What the types share: what stands before the URL, the servers, the connection's settings."""

    def find(self, handle: None, question: Question) -> str | None:
        try:
            query = parse_ldap_query(question.key)
        except ExpansionError as error:
            raise SearchDefer(error.message) from None
        settings, url = query.settings, query.url
        scheme = url[:5].lower()
        after = url[5:] if scheme in ("ldaps", "ldapi") else url[4:]
        if not after.startswith("://"):
            raise SearchDefer(
                'LDAP URL does not start with "ldap://", "ldaps://", or "ldapi://" '
                f'(it starts with "{url[:16]}...")'
            )
        servers = settings.get("SERVERS")
        if servers is None:
            servers = question.ctx.env.options.get("ldap_default_servers")
        try:
            parsed = LdapUrl(url)
        except BadUrl as error:
            raise SearchDefer(f'ldap_url_parse: (error {error.args[0]}) parsing "{url}"\n') from None
        places = [(parsed.host, parsed.port)]
        if servers is not None and after.startswith("/", 3):
            named = (server.partition(":") for server in split_list(servers))
            places = [(host, leading_int(port) or parsed.port) for host, _, port in named]
        reason = ""
        for host, port in places:
            try:
                return self._search(parsed, host, port, query, question)
            except NextServer as failed:
                reason = failed.args[0]
        raise SearchDefer(reason)

    def _search(self, url: LdapUrl, host: str, port: int, query: LdapQuery, question: Question) -> str | None:
        settings = query.settings
        options = question.ctx.env.options
        shown = f"{host or 'NULL'}:{port or (636 if url.scheme == 'ldaps' else 389)}"
        if url.scheme == "ldapi":
            shown = host
            if host and not host.startswith("/"):
                raise SearchDefer(f'ldapi requires an absolute path ("{host}" given)')
        elif ":" in host or " " in host or host.startswith("["):
            # the library is given the address without brackets, and takes spaces for the end of a URL
            raise NextServer(f'ldap_initialize: (error -9) URL "{url.scheme}://{shown}/"\n')
        wanted = {
            "base": url.base,
            "scope": url.scope,
            "attributes": ",".join(url.attributes),
            "scheme": url.scheme,
            "dereference": settings.get("DEREFERENCE", "never").lower(),
            "referrals": settings.get("REFERRALS", "follow").lower(),
            "size": str(leading_int(settings.get("SIZE", ""))),
            "time": str(leading_int(settings.get("TIME", ""))),
            "auth": "only" if self.name == "ldapauth" else "",
            "start_tls": "yes" if options.get("ldap_start_tls") else "",
            "version": str(options.get("ldap_version") or ""),
            "ca_file": options.get("ldap_ca_cert_file") or "",
            "ca_dir": options.get("ldap_ca_cert_dir") or "",
            "cert_file": options.get("ldap_cert_file") or "",
            "key_file": options.get("ldap_cert_key") or "",
            "ciphers": options.get("ldap_cipher_suite") or "",
            "require_cert": options.get("ldap_require_cert") or "",
            "anonymous": "" if "USER" in settings or "PASS" in settings else "yes",
        }
        request = Request(
            kind="ldap",
            server="" if url.scheme == "ldapi" else host,
            port=0 if url.scheme == "ldapi" else port,
            socket=host if url.scheme == "ldapi" else "",
            user=query.user or "",
            secret=query.password or "",
            text=url.filter or "(objectClass=*)",
            options={name: value for name, value in wanted.items() if value and value != "0"},
            timeout=leading_int(settings.get("CONNECT", "")) or leading_int(settings.get("NETTIME", "")),
        )
        answer = ask(question.ctx, request, self.name)
        if answer.outcome == DEFER:
            if answer.status == "bind":
                raise NextServer(f"failed to bind the LDAP connection to server {shown} - {answer.message}")
            raise NextServer(answer.message)
        if answer.code in _NOTHING:
            return None
        if answer.code not in _GOOD:
            raise NextServer(f"LDAP search failed - error {answer.code}: {answer.message}")
        return self.result(answer, len(url.attributes))

    def result(self, answer: Answer, requested: int) -> str | None:
        """The entries as the type shows them."""
        raise NotImplementedError


def show_entry(attributes: list[tuple[str, list[str]]], requested: int) -> str:
    """One entry: the values of the only attribute asked for, else ``name="values"`` of each.

    Values of an attribute are joined by commas; a comma in a value is doubled (manual 9.19).
    """
    if requested == 1:
        return ",".join(value.replace(",", ",,") for _, values in attributes for value in values)
    shown = []
    for name, values in attributes:
        joined = ",".join(
            value.replace("\\", "\\\\").replace('"', '\\"').replace(",", ",,").replace("\n", "\\n")
            for value in values
        )
        shown.append(f'{name}="{joined}"')
    return " ".join(shown)


def _only_one(count: int) -> None:
    if count > 1:
        raise SearchDefer(
            f"LDAP search: more than one entry ({count}) was returned (filter not specific enough?)"
        )


@lookup("ldap", style=QUERY, section="9.14", quoting=True)
class Ldap(_Ldap):
    """One entry; more than one defers."""

    def result(self, answer: Answer, requested: int) -> str | None:
        _only_one(len(answer.entries))
        if not answer.entries or not answer.entries[0][1]:
            return None
        return show_entry(answer.entries[0][1], requested)


@lookup("ldapdn", style=QUERY, section="9.14", quoting=True)
class LdapDn(_Ldap):
    """The DN of one entry; more than one defers."""

    def result(self, answer: Answer, requested: int) -> str | None:
        _only_one(len(answer.entries))
        return answer.entries[0][0] if answer.entries else None


@lookup("ldapm", style=QUERY, section="9.14", quoting=True)
class LdapMany(_Ldap):
    """Any number of entries, a line each; those at the front with nothing to show leave no line."""

    def result(self, answer: Answer, requested: int) -> str | None:
        result: str | None = None
        for _, attributes in answer.entries:
            shown = show_entry(attributes, requested)
            if result is not None:
                result += "\n" + shown
            elif attributes:
                result = shown
        return result


@lookup("ldapauth", style=QUERY, section="11.8", quoting=True)
class LdapAuth(_Ldap):
    """Only binds; gives nothing to show either way (the condition of that name looks at the outcome)."""

    def result(self, answer: Answer, requested: int) -> str | None:
        return None
