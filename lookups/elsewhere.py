"""ibase, oracle, nisplus, whoson: databases whose clients are not to be had here.

Their questions go through the databases door like all others, so that a described world can answer them;
the real door says that there is no client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.databases import DEFER, FAIL, Request, ask
from eximious.lookups.registry import QUERY, Lookup, SearchDefer, lookup
from eximious.lookups.sql import NextServer, ServerLookup, format_rows, leading_int, split_server

if TYPE_CHECKING:
    from eximious.lookups.registry import Question


class _SqlElsewhere(ServerLookup):
    """A kind of SQL server: ``host:port/database/user/password``."""

    def ask_server(self, server: str, query: str, question: Question) -> str | None:
        host, database, user, password = split_server(server, self.label)
        host, _, port = host.partition(":")
        request = Request(
            kind=self.name,
            server=host,
            port=leading_int(port),
            database=database,
            user=user,
            secret=password,
            text=query,
        )
        answer = ask(question.ctx, request, self.name)
        if answer.outcome == DEFER:
            raise NextServer(answer.message)
        if answer.outcome == FAIL:
            raise SearchDefer(answer.message)
        if answer.affected >= 0:
            question.keep = 0
            return str(answer.affected)
        return format_rows(answer.columns, answer.rows, null_is_nothing=True)


@lookup("oracle", style=QUERY, section="9.20", quoting=True)
class Oracle(_SqlElsewhere):
    """Oracle."""

    label, option = "ORACLE", "oracle_servers"


@lookup("ibase", style=QUERY, section="9.20", quoting=True)
class InterBase(_SqlElsewhere):
    """InterBase and Firebird."""

    label, option = "Interbase", "ibase_servers"


class _Service(Lookup):
    """A service with one place to ask."""

    def find(self, handle: None, question: Question) -> str | None:
        answer = ask(question.ctx, Request(kind=self.name, text=question.key), self.name)
        if answer.outcome != "ok":
            raise SearchDefer(answer.message)
        return format_rows(answer.columns, answer.rows, null_is_nothing=True)


@lookup("nisplus", style=QUERY, section="9.22", quoting=True)
class NisPlus(_Service):
    """NIS+: a field of the one entry that an indexed name finds."""


@lookup("whoson", style=QUERY, section="9.4")
class Whoson(_Service):
    """Whoson: who is logged in at an address."""
