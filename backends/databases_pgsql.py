"""PostgreSQL through the C library that psycopg brings, so that its messages are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.backends.databases import RESULT_LIMIT
from eximious.interpreter.databases import DEFER, FAIL, Answer
from psycopg import pq

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.databases import Request


def ask(connections: dict[tuple[str, ...], Any], request: Request) -> Answer:
    """One query string (it may hold several statements: the last one's result counts)."""
    port = request.options.get("port", "")
    place = (request.server, port, request.socket, request.database, request.user)
    connection = connections.pop(place, None)
    if connection is None:
        connection = pq.PGconn.connect(_conninfo(request, port))
        if connection.status != pq.ConnStatus.OK:
            answer = Answer(DEFER, message=_raw(connection, "error_message").decode("latin-1"))
            connection.finish()
            return answer
        connection.exec_(b"SET client_encoding TO 'SQL_ASCII'").clear()
        connection.notice_handler = None
    connections[place] = connection
    result = connection.exec_(request.text.encode("latin-1").replace(b"\0", b""))
    try:
        return _answer(result)
    finally:
        result.clear()
        if connection.status != pq.ConnStatus.OK:
            close(connections.pop(place))


def close(connection: Any) -> None:
    """Close a connection."""
    connection.finish()


def _answer(result: Any) -> Answer:
    status = pq.ExecStatus(result.status)
    if status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY):
        changed = result.command_tuples
        # a command that changes no rows (CREATE …) says nothing
        return Answer() if changed is None else Answer(affected=changed)
    if status != pq.ExecStatus.TUPLES_OK:
        return Answer(
            FAIL, message=_raw(result, "error_message").decode("latin-1"), status=f"PGRES_{status.name}"
        )
    columns = [result.fname(at).decode("latin-1") for at in range(result.nfields)]
    rows: list[list[str | None]] = []
    left = RESULT_LIMIT
    for number in range(result.ntuples):
        values = [result.get_value(number, at) for at in range(result.nfields)]
        rows.append([None if value is None else value.decode("latin-1") for value in values])
        left -= sum(len(value or b"") for value in values)
        if left < 0:
            return Answer(FAIL, message=f"result of more than {RESULT_LIMIT} bytes", status="PGRES_TUPLES_OK")
    return Answer(columns=columns, rows=rows)


def _raw(source: Any, name: str) -> bytes:
    value: bytes = getattr(source, name) or b""
    return value


def _conninfo(request: Request, port: str) -> bytes:
    """The connection string; what is empty is left to the library's defaults."""
    host = request.server
    if request.socket:
        host, _, port = request.socket.rpartition("/.s.PGSQL.")
    settings = {
        "host": host,
        "port": port,
        "dbname": request.database,
        "user": request.user,
        "password": request.secret,
        "connect_timeout": str(int(request.timeout)) if request.timeout else "",
    }
    words = []
    for name, value in settings.items():
        if value:
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            words.append(f"{name}='{quoted}'")
    return " ".join(words).encode("latin-1")
