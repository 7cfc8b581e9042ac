"""Questions to databases outside and their answers, as plain data.

Every question to a server (SQL, LDAP, Redis, NIS and the rest) is a :class:`Request` put to the databases
door; what comes back is an :class:`Answer`. Both turn into dicts of plain values, so that answers can be
described and recorded. A password is part of a request but of nothing that is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import Any

#: what Answer.outcome can be
OK, DEFER, FAIL = "ok", "defer", "fail"


class Request:
    """One question to one server.

    ``kind``: ``mysql``, ``pgsql``, ``redis``, ``ldap``, ``nis``, ``oracle``… ``server`` is a host name or
    address (LDAP: also ``ldaps://…`` or ``ldapi://…``), ``port`` 0 for the usual one, ``socket`` a local
    socket's path instead of both. ``text`` is the query, command or search; ``options`` what the kind
    needs besides (all text: LDAP's base, scope, attributes, limits; MySQL's option group); ``words``: a
    Redis command's words.
    """

    __slots__ = (
        "database",
        "kind",
        "options",
        "port",
        "secret",
        "server",
        "socket",
        "text",
        "timeout",
        "user",
        "words",
    )

    def __init__(
        self,
        *,
        kind: str,
        text: str,
        server: str = "",
        port: int = 0,
        socket: str = "",
        database: str = "",
        user: str = "",
        secret: str = "",
        options: dict[str, str] | None = None,
        timeout: float = 0,
        words: list[str] | None = None,
    ) -> None:
        self.kind, self.text, self.server, self.port, self.socket = kind, text, server, port, socket
        self.database, self.user, self.secret = database, user, secret
        self.options = options or {}
        self.timeout, self.words = timeout, words or []

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values, without the password and what is empty."""
        plain = {
            name: getattr(self, name)
            for name in ("kind", "server", "port", "socket", "database", "user", "text", "options")
        }
        return {name: value for name, value in plain.items() if value}

    def __repr__(self) -> str:
        return f"Request({self.as_dict()!r})"


class Answer:
    """What a server said.

    ``outcome``: ``ok``; ``defer``: no answer now, with the server's or client's own words in ``message``;
    ``fail``: it refused the question (``message`` too). For SQL ``columns`` and ``rows`` (None is NULL), or
    ``affected`` where the statement gives no rows (else -1). For LDAP ``entries``: (DN, [(attribute,
    [values])]). For Redis ``reply``: text, int, None or a list of these. ``status`` and ``code`` are the
    name and the number of an error, where the kind has them (PostgreSQL, LDAP).
    """

    __slots__ = ("affected", "code", "columns", "entries", "message", "outcome", "reply", "rows", "status")

    def __init__(
        self,
        outcome: str = OK,
        *,
        columns: list[str] | None = None,
        rows: list[list[str | None]] | None = None,
        affected: int = -1,
        entries: list[tuple[str, list[tuple[str, list[str]]]]] | None = None,
        reply: Any = None,
        message: str = "",
        code: int = 0,
        status: str = "",
    ) -> None:
        self.outcome, self.message, self.code, self.status = outcome, message, code, status
        self.columns, self.rows, self.affected = columns or [], rows or [], affected
        self.entries = entries or []
        self.reply = reply

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values; :meth:`from_dict` makes it again."""
        plain: dict[str, Any] = {"outcome": self.outcome}
        for name in ("columns", "rows", "message", "code", "status"):
            if getattr(self, name):
                plain[name] = getattr(self, name)
        if self.affected >= 0:
            plain["affected"] = self.affected
        if self.reply is not None:
            plain["reply"] = self.reply
        if self.entries:
            plain["entries"] = [
                {"dn": dn, "attributes": [[name, list(values)] for name, values in attributes]}
                for dn, attributes in self.entries
            ]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Answer:
        """Make an answer of what :meth:`as_dict` gives."""
        entries = [
            (entry["dn"], [(name, list(values)) for name, values in entry.get("attributes", [])])
            for entry in plain.get("entries", [])
        ]
        names = ("columns", "rows", "affected", "reply", "message", "code", "status")
        rest = {name: plain[name] for name in names if name in plain}
        return cls(plain.get("outcome", OK), entries=entries, **rest)

    def __repr__(self) -> str:
        return f"Answer({self.as_dict()!r})"


class Databases(Protocol):
    """The door: real, denying, described and recording ones are in eximious.backends."""

    def query(self, request: Request) -> Answer:
        """Put one question. Raises Refused (not allowed) or Unanswered (not described), nothing else."""

    def close(self) -> None:
        """Close the connections that are kept open."""
