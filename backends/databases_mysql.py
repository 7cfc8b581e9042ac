"""MySQL and MariaDB through PyMySQL, with the messages of the C client library."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import pymysql
import pymysql.constants.CR
import pymysql.cursors
from eximious.backends.databases import CONNECT_TIMEOUT, RESULT_LIMIT
from eximious.interpreter.databases import DEFER, FAIL, Answer

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.databases import Request

SOCKET = "/run/mysqld/mysqld.sock"  #: where Debian's client library looks for a local server
_GONE = {
    pymysql.constants.CR.CR_SERVER_GONE_ERROR: "Server has gone away",
    pymysql.constants.CR.CR_SERVER_LOST: "Lost connection to server during query",
}


def ask(connections: dict[tuple[str, ...], Any], request: Request) -> Answer:
    """One statement on a kept or new connection."""
    local = request.socket or (SOCKET if request.server in ("", "localhost") else "")
    place = (request.server, str(request.port), request.socket, request.database, request.user)
    connection = connections.pop(place, None)
    if connection is None:
        try:
            connection = pymysql.connect(
                host=request.server or "localhost",
                port=request.port or 3306,
                unix_socket=local or None,
                user=request.user or None,
                password=request.secret,
                database=request.database or None,
                charset="utf8mb4",
                use_unicode=False,
                conv={},
                autocommit=True,
                connect_timeout=request.timeout or CONNECT_TIMEOUT,
                cursorclass=pymysql.cursors.SSCursor,
            )
        except pymysql.err.MySQLError as error:
            return Answer(DEFER, message=_connect_message(error, request.server, local))
        except (ValueError, OSError, RuntimeError, UnicodeError) as error:
            return Answer(DEFER, message=str(error))
    try:
        answer = _run(connection, request.text)
    except pymysql.err.MySQLError as error:
        number = error.args[0] if error.args else 0
        if number in _GONE or not connection.open:
            close(connection)
        else:
            connections[place] = connection
        return Answer(FAIL, message=_GONE.get(number) or _text(error.args[-1] if error.args else ""))
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        close(connection)
        return Answer(FAIL, message=str(error))
    connections[place] = connection
    return answer


def close(connection: Any) -> None:
    """Close a connection, whatever state it is in."""
    connection._force_close()


def _run(connection: Any, statement: str) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(statement.encode("latin-1"))
        if cursor.description is None:
            return Answer(affected=max(0, cursor.rowcount))
        columns = [_text(column[0]) for column in cursor.description]
        rows: list[list[str | None]] = []
        left = RESULT_LIMIT
        while row := cursor.fetchone():
            rows.append([None if value is None else _text(value) for value in row])
            left -= sum(len(value or "") for value in rows[-1])
            if left < 0:
                raise RuntimeError(f"result of more than {RESULT_LIMIT} bytes")
        return Answer(columns=columns, rows=rows)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    # what PyMySQL decoded (names, messages) goes back to the bytes the server sent
    return str(value).encode("utf-8", "replace").decode("latin-1")


def _connect_message(error: Exception, host: str, local: str) -> str:
    """A failed connection in the words of the C client library."""
    number = error.args[0] if error.args else 0
    if number not in (pymysql.constants.CR.CR_CONN_HOST_ERROR, pymysql.constants.CR.CR_CONNECTION_ERROR):
        return _text(error.args[-1] if error.args else "")
    cause = getattr(error, "original_exception", None)
    if local:
        return (
            f"Can't connect to local server through socket '{local}' ({getattr(cause, 'errno', None) or 2})"
        )
    if isinstance(cause, socket.gaierror):
        return f"Unknown server host '{host}' ({cause.errno})"
    if isinstance(cause, TimeoutError):
        return f"Can't connect to server on '{host}' ({errno.ETIMEDOUT})"
    # the library connects without blocking and shows that it is still in progress
    return f"Can't connect to server on '{host}' ({errno.EINPROGRESS})"
