"""Redis through the redis package's connections: the plain reply, no client-side meaning."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import redis
from eximious.backends.databases import CONNECT_TIMEOUT
from eximious.interpreter.databases import DEFER, FAIL, Answer
from redis._parsers import _RESP2Parser
from redis.connection import Connection, UnixDomainSocketConnection

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.databases import Request

REPLY_TIMEOUT = 30.0  #: seconds to wait for a reply


def ask(connections: dict[tuple[str, ...], Any], request: Request) -> Answer:
    """One command on a kept or new connection."""
    place = (request.server, str(request.port), request.socket, request.database)
    connection = connections.pop(place, None)
    try:
        if connection is None:
            connection = _open(request)
            connection.connect()
            # what the server answers to these does not matter (it refuses the command then)
            for words in (("AUTH", request.secret), ("SELECT", request.database)):
                if words[1]:
                    _say(connection, *words)
    except (redis.RedisError, OSError):
        return Answer(DEFER, message="REDIS connection failed")
    try:
        connection.send_command(*(word.encode("latin-1") for word in request.words))
        reply = connection.read_response()
    except redis.ResponseError as error:
        connections[place] = connection
        return Answer(FAIL, message=str(error))
    except (redis.RedisError, OSError) as error:
        close(connection)
        return Answer(DEFER, message=f"REDIS: query failed: {error}\n")
    connections[place] = connection
    return Answer(reply=_plain(reply))


def close(connection: Any) -> None:
    """Close a connection."""
    connection.disconnect()


def _open(request: Request) -> Any:
    timeouts = {
        "socket_connect_timeout": request.timeout or CONNECT_TIMEOUT,
        "socket_timeout": request.timeout or REPLY_TIMEOUT,
        "protocol": 2,
        "parser_class": _Parser,
    }
    if request.socket:
        return UnixDomainSocketConnection(path=request.socket, **timeouts)
    return Connection(host=request.server or "localhost", port=request.port or 6379, **timeouts)


def _say(connection: Any, *words: str) -> None:
    """Send a command and read its answer, whatever it is."""
    connection.send_command(*(word.encode("latin-1") for word in words))
    with contextlib.suppress(redis.ResponseError):
        connection.read_response()


class _Parser(_RESP2Parser):  # type: ignore[misc]
    """Errors as the server words them: the package would take the first word off."""

    @classmethod
    def parse_error(cls, response: str) -> Exception:
        error: Exception = redis.ResponseError(response)
        return error


def _plain(reply: Any) -> Any:
    if isinstance(reply, bytes):
        return reply.decode("latin-1")
    if isinstance(reply, list):
        return [_plain(entry) for entry in reply]
    if isinstance(reply, Exception):
        return None
    return reply if isinstance(reply, int) else None if reply is None else str(reply)
