"""mysql: MySQL and MariaDB (manual 9.20, 9.21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.databases import DEFER, FAIL, Request, ask
from eximious.lookups.registry import QUERY, SearchDefer, lookup
from eximious.lookups.sql import NextServer, ServerLookup, format_rows, leading_int, split_server

if TYPE_CHECKING:
    from eximious.lookups.registry import Question


@lookup("mysql", style=QUERY, section="9.20", quoting=True)
class MySQL(ServerLookup):
    """A query gives rows; a statement without rows the number of rows it changed."""

    label, option = "MySQL", "mysql_servers"

    def ask_server(self, server: str, query: str, question: Question) -> str | None:
        host, database, user, password = split_server(server, "MySQL")
        # host:port[group](socket), all but the host optional
        host, _, group = host.partition("[")
        host, _, socket = host.partition("(")
        host, _, port = host.partition(":")
        request = Request(
            kind="mysql",
            server=host,
            port=leading_int(port),
            socket=socket.partition(")")[0],
            database=database,
            user=user,
            secret=password,
            text=query,
            options={"group": group.partition("]")[0]} if group else None,
        )
        answer = ask(question.ctx, request, self.name)
        if answer.outcome == DEFER:
            raise NextServer(f"MYSQL connection failed: {answer.message}")
        if answer.outcome == FAIL:
            raise SearchDefer(f"MYSQL: query failed: {answer.message}\n")
        if answer.affected >= 0:
            question.keep = 0
            return str(answer.affected)
        return format_rows(answer.columns, answer.rows, null_is_nothing=True)
