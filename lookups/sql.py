"""What mysql, pgsql, redis and the other server databases share: the list of servers, the form of rows.

A query may name its servers in front (``servers=a:b; select …``, manual 9.20) or in the option
``servers=`` of the type; else the main option says them. They are asked in turn until one answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import split_list
from eximious.interpreter.text import Tainted
from eximious.lookups.registry import Lookup, SearchDefer
from eximious.lookups.values import named_value

if TYPE_CHECKING:
    from eximious.lookups.registry import Question

SPACE = " \t\n\v\f\r"
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")


class NextServer(Exception):
    """One server gave no answer; the next may. The argument is the reason."""


class ServerLookup(Lookup):
    """A query type with a list of servers. ``label`` is how messages name the kind."""

    label = ""
    option = ""  #: the main option with the servers

    def find(self, handle: None, question: Question) -> str | None:
        query = question.key
        named: list[str] | None = None
        for option in question.options:
            if option.startswith("servers="):
                named = split_list(option[8:])
                break
        else:
            named, query = self._in_query(query)
        known = question.ctx.env.options.get(self.option) or ""
        reason = ""
        if named is None:
            if not known:
                raise SearchDefer(f"no {self.label} servers defined ({self.option} option)")
            servers = split_list(known)
        else:
            servers = named
        for name in servers:
            try:
                return self.ask_server(
                    self._full(name, known) if named is not None else name, query, question
                )
            except NextServer as failed:
                reason = failed.args[0]
        raise SearchDefer(reason)

    def _in_query(self, query: str) -> tuple[list[str] | None, str]:
        """Take ``servers=…;`` off the front of a query: its items and the rest, None if there is none."""
        text = query.lstrip(SPACE)
        if not text.startswith("servers"):
            return None, query
        text = text[7:].lstrip(SPACE)
        if not text.startswith("="):
            raise SearchDefer(f'missing = after "servers" in {self.label} lookup')
        text = text[1:].lstrip(SPACE)
        end = text.find(";")
        if end < 0:
            raise SearchDefer(f'missing ; after "servers=" in {self.label} lookup')
        if end == 0:
            raise SearchDefer(f'"servers=" defines no servers in "{query}"')
        servers, rest = text[:end], text[end + 1 :]
        if type(query) is Tainted:
            return split_list(Tainted(servers)), Tainted(rest)
        return split_list(servers), rest

    def _full(self, name: str, known: str) -> str:
        """The whole data of a server that may be named by its host only."""
        if "/" in name:
            if type(name) is Tainted:
                raise SearchDefer(f'{self.label} server "{name}" is tainted')
            return name
        for server in split_list(known):
            if server.startswith(name + "/"):
                return server
        raise SearchDefer(f'{self.label} server "{name}" not found in {self.option}')

    def ask_server(self, server: str, query: str, question: Question) -> str | None:
        """Put the query to one server; raises NextServer or SearchDefer (no further server is asked)."""
        raise NotImplementedError


def split_server(server: str, label: str) -> tuple[str, str, str, str]:
    """Take ``host/database/user/password`` apart, from the end; raises SearchDefer if parts are missing."""
    parts = server.rsplit("/", 3)
    if len(parts) < 4:
        # what is after the last slash may be a password
        shown = server if "/" not in server else server.rsplit("/", 1)[0]
        raise SearchDefer(f"incomplete {label} server data: {shown}")
    return parts[0], parts[1], parts[2], parts[3]


def leading_int(text: str) -> int:
    """The number at the front of a text as C's strtol reads it, 0 where there is none."""
    match = _NUMBER.match(text)
    return int(match[1]) if match and len(match[1]) < 19 else 0


def format_rows(columns: list[str], rows: list[list[str | None]], null_is_nothing: bool) -> str | None:
    """Join rows: values of one column as they are, of several as ``name=value ``; rows by newlines.

    ``null_is_nothing``: rows of one NULL column leave no trace at the front (MySQL), else they are empty.
    """
    if not rows:
        return None
    single = len(columns) == 1
    result: list[str] = []
    for row in rows:
        if result:
            result.append("\n")
        if single:
            value = row[0]
            if value is None:
                if not null_is_nothing:
                    result.append("")
            else:
                result.append(value)
        else:
            result.extend(named_value(name, value or "") for name, value in zip(columns, row))
    return "".join(result) if result else None
