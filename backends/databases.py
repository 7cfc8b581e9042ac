"""Databases for real and denied: the door through which lookups ask servers.

The real one keeps connections open, as Exim does: one per server, database and user, however often the
password changes. Clients (PyMySQL, psycopg, redis, ldap3) are imported when the first question of their
kind is asked, and only then is a socket opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.databases import DEFER, Answer
from eximious.interpreter.outcomes import Refused

if TYPE_CHECKING:
    from typing import Any, Protocol

    from eximious.interpreter.databases import Request

    class Client(Protocol):
        """What the module of a kind of database offers."""

        def ask(self, connections: dict[tuple[str, ...], Any], request: Request) -> Answer: ...

        def close(self, connection: Any) -> None: ...


#: kind of request -> module beside this one
CLIENTS = {
    "ldap": "eximious.backends.databases_ldap",
    "mysql": "eximious.backends.databases_mysql",
    "nis": "eximious.backends.databases_nis",
    "pgsql": "eximious.backends.databases_pgsql",
    "redis": "eximious.backends.databases_redis",
}

#: the extra that brings the client of a kind
EXTRAS = {"ldap": "ldap", "mysql": "mysql", "pgsql": "pgsql", "redis": "redis"}

CONNECT_TIMEOUT = 30.0  #: seconds, where neither the client library nor the query has a limit of its own
RESULT_LIMIT = 64 * 1024 * 1024  #: bytes of one result
CONNECTIONS_KEPT = 64


class DenyingDatabases:
    """Refuses every question."""

    def query(self, request: Request) -> Answer:
        """Raises Refused with the kind and the server, never with the password."""
        where = request.socket or request.server or "its default server"
        raise Refused(f"lookup {request.kind}", f"asking {request.kind} at {where}", "--allow sql")

    def close(self) -> None:
        """There is nothing to close."""


class RealDatabases:
    """Asks real servers."""

    def __init__(self) -> None:
        #: (kind, server, …) -> connection, the one used last at the end
        self._connections: dict[str, dict[tuple[str, ...], Any]] = {}

    def query(self, request: Request) -> Answer:
        """Put one question; what the client library raises becomes an answer that defers."""
        from importlib import import_module

        name = CLIENTS.get(request.kind)
        if name is None:
            return Answer(DEFER, message=f"no client for {request.kind} is available here")
        try:
            client: Client = import_module(name)
        except ImportError as error:
            extra = EXTRAS.get(request.kind)
            hint = f" (install eximious[{extra}])" if extra else ""
            return Answer(DEFER, message=f"{request.kind} needs the Python module {error.name}{hint}")
        connections = self._connections.setdefault(request.kind, {})
        answer = client.ask(connections, request)
        while len(connections) > CONNECTIONS_KEPT:
            client.close(connections.pop(next(iter(connections))))
        return answer

    def close(self) -> None:
        """Close all connections."""
        from importlib import import_module

        for kind, connections in self._connections.items():
            client: Client = import_module(CLIENTS[kind])
            for connection in connections.values():
                client.close(connection)
        self._connections.clear()
