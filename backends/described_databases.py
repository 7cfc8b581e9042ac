"""Databases of a described world: answers by query or pattern, or a SQLite file that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.backends.described import entry_text, lines, pattern
from eximious.interpreter.databases import FAIL, OK, Answer
from eximious.interpreter.outcomes import Unanswered

if TYPE_CHECKING:
    from typing import Any

    from eximious.backends.described import World
    from eximious.backends.described_yaml import Node
    from eximious.interpreter.databases import Request

STEPS = 200_000_000  #: virtual-machine steps of one query; a bound of ours
_STEP = 1_000_000


class DescribedDatabases:
    """Answers from a description. The server counts where an item names one; passwords never do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known = world.items("databases")
        self._files: dict[str, Any] = {}

    def query(self, request: Request) -> Answer:
        """Put one question. Raises Unanswered."""
        known = [node for node in self._known if _server(node, request)]
        asked = texts(request)
        exact = [
            node
            for node in known
            if node.get("query") is not None and _is(entry_text(node, "query"), request, asked)
        ]
        found = exact or next(([node] for node in known if _matches(node, asked)), [])
        if not found:
            raise Unanswered(
                f"lookup {request.kind}", f"the answer to {asked[-1]}", _example(request, asked[-1])
            )
        node = self._world.take_turn(_closest(found, request))
        sqlite = node.get("sqlite")
        if sqlite is not None:
            return self._ask_file(self._world.path(sqlite.text), request.text)
        return _answer(node)

    def _ask_file(self, path: str, text: str) -> Answer:
        """Ask a SQLite file, which is only read."""
        import sqlite3

        try:
            connection = self._files.get(path)
            if connection is None:
                from urllib.parse import quote

                place = f"file:{quote(path.encode('utf-8', 'surrogateescape'))}?mode=ro"
                connection = self._files[path] = sqlite3.connect(place, uri=True, check_same_thread=False)
                connection.text_factory = lambda data: data.decode("latin-1")
            steps = [0]

            def progress() -> bool:
                steps[0] += _STEP
                return steps[0] > STEPS

            connection.set_progress_handler(progress, _STEP)
            query = text.encode("latin-1").decode("utf-8", "replace")
            cursor = connection.execute(query)
            if cursor.description is None:
                return Answer(affected=max(cursor.rowcount, 0))
            columns = [column[0].encode().decode("latin-1") for column in cursor.description]
            return Answer(columns=columns, rows=[[_cell(value) for value in row] for row in cursor])
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as problem:
            return Answer(FAIL, message=str(problem).encode().decode("latin-1"))

    def close(self) -> None:
        """Close the files."""
        for connection in self._files.values():
            connection.close()
        self._files.clear()


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def texts(request: Request) -> list[str]:
    """The forms in which a question may be described: its text and, for LDAP, the URL without a server."""
    if request.kind != "ldap":
        return [request.text]
    options = request.options
    url = "ldap:///{}?{}?{}?{}".format(
        options.get("base", ""), options.get("attributes", ""), options.get("scope", "base"), request.text
    )
    return [request.text, url]


def ldap_parts(url: str) -> tuple[str, str, str, str, str]:
    """Server, base, attributes, scope and filter of an LDAP URL, decoded, with what is left out put in."""
    from urllib.parse import unquote

    place, _, rest = url.partition("://")[2].partition("/")
    base, attributes, scope, search = (unquote(part, "latin-1") for part in (rest + "???").split("?")[:4])
    scope = {"": "base", "subtree": "sub", "onelevel": "one", "subord": "children"}.get(
        scope.lower(), scope.lower()
    )
    return unquote(place), base, attributes, scope, search or "(objectClass=*)"


def _is(query: str, request: Request, asked: list[str]) -> bool:
    """Whether a described query is the one that is asked."""
    if query in asked:
        return True
    if request.kind != "ldap" or not query.lower().startswith(("ldap://", "ldaps://", "ldapi://")):
        return False
    place, *rest = ldap_parts(query)
    here = {request.server, request.socket, f"{request.server}:{request.port}", ""}
    return place in here and rest == list(ldap_parts(asked[-1])[1:])


def _server(node: Node, request: Request) -> bool:
    """Whether an item is for the kind of a request and, as far as it says so, for its server."""
    if node.value["kind"].value != request.kind:
        return False
    for key in ("server", "socket", "database", "user", "port"):
        given = node.get(key)
        if given is not None and given.text != str(getattr(request, key)):
            return False
    options = node.get("options")
    wanted = options.value if options is not None else {}
    return all(request.options.get(name) == value.text for name, value in wanted.items())


def _closest(found: list[Node], request: Request) -> list[Node]:
    """Of several items those that say most of the server (recorded ones say all of it)."""
    if len(found) < 2:
        return found
    keys = ("server", "socket", "database", "user", "port", "options")
    said = [sum(node.get(key) is not None for key in keys) for node in found]
    return [node for node, count in zip(found, said) if count == max(said)]


def _matches(node: Node, asked: list[str]) -> bool:
    match = node.get("match")
    if match is not None:
        return any(pattern(match.value).fullmatch(text) for text in asked)
    return node.get("sqlite") is not None and node.get("query") is None


def _answer(node: Node) -> Answer:
    rows: list[list[str | None]] = []
    columns = [one.text for one in node.value["columns"].value] if node.get("columns") is not None else []
    given = node.get("rows")
    for row in given.value if given is not None else ():
        if isinstance(row.value, dict):
            columns = columns or list(row.value)
            rows.append([_text(row.get(name)) for name in columns])
        else:
            rows.append([_text(one) for one in row.value])
    if rows and not columns:
        columns = ["value"]
    entries = []
    described = node.get("entries")
    for entry in described.value if described is not None else ():
        attributes = entry.get("attributes")
        pairs: list[tuple[str, list[str]]] = []
        if attributes is not None and isinstance(attributes.value, dict):
            pairs = [(name, [one.text for one in values.value]) for name, values in attributes.value.items()]
        elif attributes is not None:
            pairs = [
                (pair.value[0].text, [one.text for one in pair.value[1].value]) for pair in attributes.value
            ]
        entries.append((entry.value["dn"].text, pairs))
    reply = node.get("reply")
    affected, code = node.get("affected"), node.get("code")
    return Answer(
        entry_text(node, "outcome", OK),
        columns=columns,
        rows=rows,
        affected=affected.value if affected is not None else -1,
        entries=entries,
        reply=reply.plain() if reply is not None else None,
        message=entry_text(node, "message"),
        code=code.value if code is not None else 0,
        status=entry_text(node, "status"),
    )


def _text(node: Node | None) -> str | None:
    return None if node is None or node.value is None else node.text


def _example(request: Request, text: str) -> str:
    example: dict[str, Any] = {"kind": request.kind, "query": text}
    if request.kind == "redis":
        example["reply"] = "..."
    elif request.kind == "ldap":
        example["entries"] = [{"dn": "...", "attributes": {"...": ["..."]}}]
    else:
        example["rows"] = [{"...": "..."}]
    return lines({"databases": [example]})
