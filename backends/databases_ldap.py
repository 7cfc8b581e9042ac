"""LDAP through ldap3, with the messages of OpenLDAP's library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import ldap3
from eximious.backends.databases import CONNECT_TIMEOUT, RESULT_LIMIT
from eximious.interpreter.databases import DEFER, Answer
from ldap3.core.exceptions import (
    LDAPCommunicationError,
    LDAPException,
    LDAPInvalidFilterError,
    LDAPSocketReceiveError,
    LDAPSocketSendError,
)
from ldap3.protocol.rfc4511 import LDAPDN, AuthenticationChoice, BindRequest, Simple, Version
from pyasn1.error import PyAsn1Error

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.databases import Request

_SCOPES = {"base": ldap3.BASE, "one": ldap3.LEVEL, "sub": ldap3.SUBTREE, "children": ldap3.SUBTREE}
_DEREFERENCE = {
    "searching": ldap3.DEREF_SEARCH,
    "finding": ldap3.DEREF_BASE,
    "always": ldap3.DEREF_ALWAYS,
}
#: result codes in the words of OpenLDAP's ldap_err2string()
WORDS = {
    1: "Operations error",
    2: "Protocol error",
    3: "Time limit exceeded",
    4: "Size limit exceeded",
    7: "Authentication method not supported",
    8: "Strong(er) authentication required",
    11: "Administrative limit exceeded",
    12: "Critical extension is unavailable",
    13: "Confidentiality required",
    16: "No such attribute",
    17: "Undefined attribute type",
    18: "Inappropriate matching",
    32: "No such object",
    34: "Invalid DN syntax",
    48: "Inappropriate authentication",
    49: "Invalid credentials",
    50: "Insufficient access",
    51: "Server is busy",
    52: "Server is unavailable",
    53: "Server is unwilling to perform",
    54: "Loop detected",
    80: "Internal (implementation specific) error",
}
#: a backslash that OpenLDAP takes for none of its escapes
_BAD_ESCAPE = re.compile(r"\\(?![0-9A-Fa-f]{2}|[*()\\])")
NO_ANSWER = "ldap_bind() returned -1"
#: what is said of a connection that breaks while the answer to a bind is awaited; later it gives NO_ANSWER
BROKEN = "LDAP error: result retrieval failed"
GONE = "-1, Can't contact LDAP server"


class _Bound:
    """A connection and whom it was last bound as (kept when a later bind fails, as Exim keeps it)."""

    __slots__ = ("broken", "connection", "who")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.who: tuple[str, str, bool] | None = None
        #: the server went away: the connection is kept, and never opened again (OpenLDAP's library works so)
        self.broken = False


def ask(connections: dict[tuple[str, ...], Any], request: Request) -> Answer:
    """One bind, if the last one was another's, and one search."""
    options = request.options
    place = (request.socket or request.server, str(request.port))
    bound: _Bound | None = connections.pop(place, None)
    try:
        if bound is None:
            bound = _Bound(_open(request))
        connections[place] = bound
        if bound.broken:
            if bound.who != _who(request):
                return Answer(DEFER, status="bind", message=NO_ANSWER)
            if options.get("auth"):
                return Answer()
            return Answer(DEFER, status="search", message=f"ldap_search failed: {GONE}")
        problem = _bind(bound, request)
        if problem is not None:
            return problem
    except (
        LDAPException,
        PyAsn1Error,
        OSError,
        KeyError,
        ValueError,
    ) as error:  # ldap3 trips over odd host names
        if bound is not None and _broke(error):
            close(bound)
            bound.broken = True
            return Answer(DEFER, status="bind", message=BROKEN)
        _drop(connections, place)
        return Answer(DEFER, status="bind", message=_bind_message(error))
    if options.get("auth"):
        return Answer()
    try:
        return _search(bound.connection, request)
    except LDAPInvalidFilterError:
        return Answer(DEFER, status="search", message="ldap_search failed: -7, Bad search filter")
    except (LDAPException, PyAsn1Error, OSError, ValueError) as error:
        if _broke(error):
            close(bound)
            bound.broken = True
            return Answer(DEFER, status="search", message=f"ldap_result failed: {GONE}")
        _drop(connections, place)
        return Answer(DEFER, status="search", message=f"LDAP search failed: {error}")


def close(connection: Any) -> None:
    """Close a connection, whatever state it is in."""
    try:
        connection.connection.unbind()
    except (LDAPException, PyAsn1Error, OSError):
        return


def _drop(connections: dict[tuple[str, ...], Any], place: tuple[str, ...]) -> None:
    bound = connections.pop(place, None)
    if bound is not None:
        close(bound)


def _open(request: Request) -> Any:
    options = request.options
    secure = options.get("scheme") == "ldaps"
    timeout = request.timeout or CONNECT_TIMEOUT
    tls = None
    if secure or options.get("start_tls"):
        import ssl

        checks = {"hard": ssl.CERT_REQUIRED, "demand": ssl.CERT_REQUIRED, "try": ssl.CERT_OPTIONAL}
        tls = ldap3.Tls(
            validate=checks.get(options.get("require_cert", "hard"), ssl.CERT_NONE),
            ca_certs_file=options.get("ca_file") or None,
            ca_certs_path=options.get("ca_dir") or None,
            local_certificate_file=options.get("cert_file") or None,
            local_private_key_file=options.get("key_file") or None,
            ciphers=options.get("ciphers") or None,
        )
    if request.socket:
        from urllib.parse import quote

        where = "ldapi://" + quote(request.socket, safe="")
        server = ldap3.Server(where, get_info=ldap3.NONE, connect_timeout=timeout)
    else:
        server = ldap3.Server(
            request.server or "localhost",
            port=request.port or (636 if secure else 389),
            use_ssl=secure,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=timeout,
        )
    version = int(options.get("version") or 0)
    connection = ldap3.Connection(
        server,
        version=version if version > 0 else 3,  # the option's default is -1
        check_names=False,
        auto_range=False,
        auto_referrals=options.get("referrals") != "nofollow",
        receive_timeout=int(options.get("time") or timeout),
        return_empty_attributes=False,
    )
    connection.open(read_server_info=False)
    if options.get("start_tls"):
        connection.start_tls(read_server_info=False)
    return connection


def _who(request: Request) -> tuple[str, str, bool]:
    """Whom a request is bound as."""
    return request.user, request.secret, bool(request.options.get("anonymous"))


def _bind(bound: _Bound, request: Request) -> Answer | None:
    """Bind unless the connection is bound so already; the answer to give where that fails."""
    who = _who(request)
    if bound.who == who:
        return None
    connection = bound.connection
    # made here and not by ldap3's bind(), which takes no password without a name and no bytes
    operation = BindRequest()
    operation["version"] = Version(connection.version)
    operation["name"] = LDAPDN(request.user.encode("latin-1"))
    operation["authentication"] = AuthenticationChoice().setComponentByName(
        "simple", Simple(request.secret.encode("latin-1"))
    )
    connection.post_send_single_response(connection.send("bindRequest", operation))
    result = connection.result["result"]
    if result:
        return Answer(
            DEFER,
            status="bind",
            code=result,
            message=f"LDAP error {result}: {WORDS.get(result, 'Unknown error')}",
        )
    connection.bound = True
    bound.who = who
    return None


def _search(connection: Any, request: Request) -> Answer:
    options = request.options
    wanted = request.text.encode("latin-1").decode("utf-8", "surrogateescape")
    if not wanted.startswith("("):
        wanted = f"({wanted})"
    if _BAD_ESCAPE.search(wanted):
        raise LDAPInvalidFilterError
    attributes = [name for name in options.get("attributes", "").split(",") if name] or [ldap3.ALL_ATTRIBUTES]
    connection.search(
        options.get("base", "").encode("latin-1").decode("utf-8", "surrogateescape"),
        wanted,
        search_scope=_SCOPES[options.get("scope", "base")],
        dereference_aliases=_DEREFERENCE.get(options.get("dereference", ""), ldap3.DEREF_NEVER),
        attributes=attributes,
        size_limit=int(options.get("size", "0")),
        time_limit=int(options.get("time", "0")),
    )
    entries: list[tuple[str, list[tuple[str, list[str]]]]] = []
    size = 0
    for entry in connection.response or ():
        if entry["type"] != "searchResEntry":
            continue
        shown = [
            (name, [bytes(value).decode("latin-1") for value in values])
            for name, values in entry["raw_attributes"].items()
        ]
        dn = bytes(entry["raw_dn"]).decode("latin-1")
        entries.append((dn, shown))
        size += sum(len(value) for _, values in shown for value in values)
        if size > RESULT_LIMIT:
            return Answer(DEFER, status="search", message=f"LDAP result of more than {RESULT_LIMIT} bytes")
    code = connection.result["result"]
    return Answer(entries=entries, code=code, message=WORDS.get(code, "Unknown error") if code else "")


def _broke(error: Exception) -> bool:
    """Whether a connection that was open went away, or said what is no LDAP, while a bind was to be answered."""
    if isinstance(error, LDAPSocketSendError):
        return False
    if isinstance(error, LDAPSocketReceiveError):
        return "timed out" not in str(error)
    return isinstance(error, (LDAPCommunicationError, PyAsn1Error, OSError, ValueError))


def _bind_message(error: Exception) -> str:
    if "time" in type(error).__name__.lower() and "receive" in str(error).lower():
        return "LDAP error: timeout"
    return NO_ANSWER
