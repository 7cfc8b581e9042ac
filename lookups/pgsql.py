"""pgsql: PostgreSQL (manual 9.20, 9.21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.databases import DEFER, FAIL, Request, ask
from eximious.lookups.registry import QUERY, SearchDefer, lookup
from eximious.lookups.sql import NextServer, ServerLookup, format_rows, split_server

if TYPE_CHECKING:
    from eximious.lookups.registry import Question


@lookup("pgsql", style=QUERY, section="9.20", quoting=True)
class PostgreSQL(ServerLookup):
    """A query gives rows; a statement without rows the number of rows it changed."""

    label, option = "PostgreSQL", "pgsql_servers"

    def ask_server(self, server: str, query: str, question: Question) -> str | None:
        host, database, user, password = split_server(server, "pgSQL")
        port = socket = ""
        if host.startswith("("):
            # the path of a socket, in PostgreSQL's form: (folder/.s.PGSQL.port)
            socket = host[1:].partition(")")[0]
            folder, mark, port = socket.rpartition("/.s.PGSQL.")
            if not mark or not folder:
                raise SearchDefer(f"PGSQL invalid filename for socket: {socket}")
            host = folder
        else:
            host, _, port = host.partition(":")
            if "/" in host:
                raise SearchDefer(f"unexpected slash in pgSQL server hostname: {host}")
        request = Request(
            kind="pgsql",
            server="" if socket else host,
            socket=socket,
            database=database,
            user=user,
            secret=password,
            text=query,
            options={"port": port} if port and not socket else None,
        )
        answer = ask(question.ctx, request, self.name)
        if answer.outcome == DEFER:
            raise NextServer(f"PGSQL connection failed: {answer.message}")
        if answer.outcome == FAIL:
            raise SearchDefer(f"PGSQL: query failed: {answer.message} ({answer.status}) ({query})\n")
        if answer.affected >= 0:
            question.keep = 0
            return str(answer.affected)
        return format_rows(answer.columns, answer.rows, null_is_nothing=False)
