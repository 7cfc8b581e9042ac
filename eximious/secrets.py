"""Keeping secrets out of what is shown: values after ``hide``, and credentials that are written out.

What is hidden: the values of options and named lists with ``hide``; passwords in options that are known
to hold them, even without it; macros that such values are made of (paths excepted); and ``pass=…`` in
LDAP queries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar import config_ast as ast
from eximious.grammar.listspans import split_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eximious.grammar.config_model import Configuration
    from eximious.grammar.source import Position, Sources
    from eximious.interpreter.state import Environment

HIDDEN = "<value not displayable>"
#: shorter texts are no secrets, and replacing them would garble everything
SHORTEST = 4
#: longer messages are not searched for pieces of a hidden value, but hidden whole
LONGEST = 2_000

#: options that hold a credential as it stands
CREDENTIALS = frozenset(
    (
        *("client_password", "client_secret", "client_send", "client_spassword", "server_key"),
        *("server_password", "server_secret", "server_skey", "srs_secrets"),
    )
)
#: options whose items are host/database/user/password (redis: host/database/password)
SERVERS = frozenset(("ibase_servers", "mysql_servers", "oracle_servers", "pgsql_servers", "redis_servers"))

_BETWEEN = r"[\s:;/^,|]+"
_IN_QUERY = re.compile(r'(?i)\b(pass=|servers=[^/\s]+/[^/\s]+/[^/\s]+/)("[^"$]*"|[^\s"${};]+)')


class Secrets:
    """The secrets of one configuration. ``place``, if given, leads from a position to the shown one."""

    def __init__(
        self, configuration: Configuration | None, place: Callable[[Position], Position] | None = None
    ) -> None:
        self._place = place
        self._texts: list[str] = []
        #: (file, line) -> column from which on the line is hidden; and the values that are hidden there
        self._lines: dict[tuple[str, int], int] = {}
        self._values: dict[tuple[str, int], str] = {}
        if getattr(configuration, "tree", None) is not None:
            self._collect(configuration)  # type: ignore[arg-type]

    def _collect(self, configuration: Configuration) -> None:
        found: set[str] = set()
        hidden: list[str] = []
        for node in _hidden_nodes(configuration):
            value = node if isinstance(node, ast.BadLine) else node.value
            if value is None:
                continue
            text = value.text if isinstance(value, ast.BadLine) else value.string()[0]
            found.update(_secret_texts(node, text))
            hidden.append(text)
            self._cover(value, text)
        for macro in configuration.macros.user.values():
            if not macro.value.startswith("/") and any(macro.value in text for text in hidden):
                found.add(macro.value)
        self._texts = sorted((text for text in found if len(text) >= SHORTEST), key=len, reverse=True)

    def _cover(self, node: ast.Value | ast.BadLine, text: str) -> None:
        """Note on which lines of the files a hidden value stands."""
        work = [(node.start, max(node.end - 1, node.start))]
        while work:
            start, end = work.pop()
            first, last = self._mark(node, start, text), self._mark(node, end, text)
            middle = (start + end) // 2
            if first != last and start < middle:
                work += [(start, middle), (middle, end)]

    def _mark(self, node: ast.Value | ast.BadLine, offset: int, text: str) -> tuple[str, int]:
        """Note the line on which a character of a hidden value stands; give file and line."""
        position = node.source.position(offset)
        if self._place is not None:
            position = self._place(position)
        key = (position.file, position.line)
        if key not in self._lines:
            self._lines[key] = position.column if offset == node.start else 1
            self._values[key] = text
        return key

    @property
    def texts(self) -> list[str]:
        """The texts that must not be shown anywhere, the longest first."""
        return self._texts

    def hide(self, text: str) -> str:
        """Give a text without secrets."""
        for secret in self._texts:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return _IN_QUERY.sub(rf"\1{HIDDEN}", text) if "=" in text else text

    def hide_at(self, file: str, line: int, text: str) -> str:
        """Give a message about a place in a file without secrets: if a hidden value stands there, without any
        piece of it."""
        value = self._values.get((file, line))
        return self.hide(text if value is None else _without_pieces(text, value))

    def hide_line(self, file: str, number: int, line: str) -> str:
        """Give a line of a file with its secrets overwritten; it keeps its length."""
        column = self._lines.get((file, number))
        if column is not None:
            line = line[: column - 1] + "*" * (len(line) - column + 1)
        for secret in self._texts:
            if secret in line:
                line = line.replace(secret, "*" * len(secret))
        return _IN_QUERY.sub(lambda found: found[1] + "*" * len(found[2]), line) if "=" in line else line


class HiddenLines:
    """The lines of the files that were read, without secrets: stands in for the sources."""

    def __init__(self, sources: Sources, secrets: Secrets) -> None:
        self._sources, self._secrets = sources, secrets

    def line(self, file: str, number: int) -> str | None:
        """Give line ``number`` (from 1) of ``file``, or None if there is none."""
        line = self._sources.line(file, number)
        return None if line is None else self._secrets.hide_line(file, number, line)


def _hidden_nodes(configuration: Configuration) -> Iterator[ast.Option | ast.NamedList | ast.BadLine]:
    """The lines that hold secrets."""
    for line in _lines(configuration.tree):
        kind = type(line)
        if kind is ast.NamedList:
            if line.hide:  # type: ignore[union-attr]
                yield line  # type: ignore[misc]
        elif kind is ast.Option:
            if line.hide or line.name in SERVERS or _is_credential(line):  # type: ignore[union-attr, arg-type]
                yield line  # type: ignore[misc]
        elif kind is ast.BadLine and line.text.startswith("hide"):  # type: ignore[union-attr]
            yield line  # type: ignore[misc]


def _lines(tree: ast.ConfigurationTree) -> Iterator[ast.Line]:
    yield from tree.main
    for section in tree.sections:
        yield from section.leading
        for item in section.items:
            if type(item) is ast.Driver:
                yield from item.lines


def _is_credential(option: ast.Option) -> bool:
    return option.name in CREDENTIALS and option.value is not None and "$" not in option.value.raw


def _secret_texts(node: ast.Option | ast.NamedList | ast.BadLine, text: str) -> Iterator[str]:
    """The texts in a hidden value that are secrets wherever they stand."""
    yield text
    if isinstance(node, ast.Option) and node.name in SERVERS:
        for item, _, _ in split_spans(text):
            yield item
            fields = item.split("/")
            yield fields[-1] if len(fields) >= (3 if node.name == "redis_servers" else 4) else ""
    elif "$" not in text:
        yield from re.split(_BETWEEN, text)


def _without_pieces(text: str, value: str) -> str:
    """Take out of a text whatever pieces of a value are in it."""
    if len(text) > LONGEST or len(value) > 10 * LONGEST:
        return HIDDEN
    out: list[str] = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and text[at : end + 1] in value:
            end += 1
        if end - at >= SHORTEST:
            out.append(HIDDEN)
            at = end
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def secrets_of(env: Environment) -> list[str]:
    """Give the texts that must not be shown, the longest first."""
    return Secrets(env.configuration).texts


def hider(env: Environment) -> Callable[[str], str]:
    """Give a function that takes every secret out of a text."""
    return Secrets(env.configuration).hide
