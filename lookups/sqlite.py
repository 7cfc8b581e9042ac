"""sqlite: a database in a file (manual 9.22), read only unless the files door allows writing."""

from __future__ import annotations

import posixpath
import re
import sqlite3
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Refused
from eximious.lookups.registry import ABSFILE_QUERY, Lookup, OpenFailed, SearchDefer, lookup
from eximious.lookups.values import named_value

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question

LOCK_TIMEOUT = 5  #: seconds, the default of sqlite_lock_timeout
STEPS = 200_000_000  #: virtual-machine steps of one query; a bound of ours
RESULT_LIMIT = 64 * 1024 * 1024  #: characters of one result; a bound of ours
_STEP = 1_000_000

#: literals, and what only looks as if there were one in it
_LITERAL = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^]]*\]|--[^\n]*|/\*.*?(?:\*/|$)""", re.DOTALL
)

_MADE = re.compile(r"\(CAST\(x'([0-9a-f]*)' AS TEXT\) \|\| ''\)")

#: what the library's authorizer calls the actions that change something
_WRITES = ["DELETE", "INSERT", "UPDATE", "ALTER_TABLE", "REINDEX", "ANALYZE", "ATTACH", "DETACH"]


class _Database:
    """An open file. ``refusal`` is set by a statement that would have written."""

    __slots__ = ("connection", "refusal", "steps", "writable")

    def __init__(self, connection: sqlite3.Connection, writable: bool, refusal: Refused) -> None:
        self.connection, self.writable = connection, writable
        self.refusal: Refused | None = None
        self.steps = 0
        connection.set_progress_handler(self._progress, _STEP)
        if not writable:
            writes = {getattr(sqlite3, f"SQLITE_{name}") for name in _WRITES}
            writes |= {
                getattr(sqlite3, name)
                for name in dir(sqlite3)
                if name.startswith(("SQLITE_CREATE_", "SQLITE_DROP_")) and "_TEMP_" not in name
            }

            def allowed(action: int, what: str | None, *_: Any) -> int:
                if action not in writes:
                    return sqlite3.SQLITE_OK
                self.refusal = refusal
                return sqlite3.SQLITE_DENY

            connection.set_authorizer(allowed)

    def _progress(self) -> int:
        self.steps += _STEP
        return self.steps > STEPS


@lookup("sqlite", style=ABSFILE_QUERY, section="9.22", quoting=True)
class Sqlite(Lookup):
    """Rows of all statements of the query. An error of the library is an answer: nothing is found."""

    def open(self, ctx: Context, file: str) -> _Database:
        from urllib.parse import quote

        files = ctx.env.doors.files
        timeout = ctx.env.options.get("sqlite_lock_timeout")
        refusal = Refused("lookup sqlite", f"writing to {file}", "--allow write=DIR")
        path, mode = "", "rwc"
        try:
            path = files.local_path(file, write=True)
        except Refused as refused:
            refusal = Refused("lookup sqlite", refused.wanted, refused.switch)
        except OSError:
            pass
        try:
            if not path:
                path, mode = self._readable(ctx, file)
            connection = sqlite3.connect(
                f"file:{quote(path.encode('latin-1'))}?mode={mode}" if path else ":memory:",
                timeout=LOCK_TIMEOUT if timeout is None else float(timeout),
                isolation_level=None,
                check_same_thread=False,
                uri=bool(path),
            )
        except (sqlite3.Error, OSError, ValueError):
            raise OpenFailed("unable to open database file") from None
        connection.text_factory = bytes
        return _Database(connection, mode == "rwc" and bool(path), refusal)

    @staticmethod
    def _readable(ctx: Context, file: str) -> tuple[str, str]:
        """The path of a file to read; "" where Exim would make one, which reads as an empty database."""
        files = ctx.env.doors.files
        try:
            mode = files.stat(file).st_mode
        except FileNotFoundError:
            if not stat.S_ISDIR(files.stat(posixpath.dirname(file)).st_mode):
                raise
            return "", "ro"
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        files.open(file).close()  # whether it may be read at all
        return files.local_path(file), "ro"

    def close(self, handle: _Database) -> None:
        handle.connection.close()

    def find(self, handle: _Database, question: Question) -> str | None:
        handle.refusal, handle.steps = None, 0
        rows: list[str] = []
        size = 0
        try:
            for statement in _statements(question.key):
                cursor = _execute(handle.connection, statement)
                names: list[str] = []
                for row in cursor:
                    if len(row) == 1:
                        shown = "<NULL>" if row[0] is None else _text(row[0])
                    else:
                        names = names or _names(cursor)
                        shown = _show(names, row)
                    rows.append(shown)
                    size += len(shown)
                    if size > RESULT_LIMIT:
                        raise SearchDefer(f"sqlite: result of more than {RESULT_LIMIT} bytes")
        except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError, UnicodeError):
            if handle.refusal is not None:
                raise handle.refusal from None
            if handle.steps > STEPS:
                raise SearchDefer(f"sqlite: query takes more than {STEPS} steps") from None
            return None
        if not rows:
            question.keep = 0
            return None
        return "\n".join(rows)


def _statements(text: str) -> list[str]:
    """Split text at the semicolons that end statements."""
    if ";" not in text:
        return [text] if text.strip() else []
    found = []
    start = at = 0
    while (at := text.find(";", at) + 1) > 0:
        if sqlite3.complete_statement(text[start:at]):
            found.append(text[start:at])
            start = at
    found.append(text[start:])
    return [statement for statement in found if statement.strip(" \t\n\v\f\r;")]


def _execute(connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
    """Run one statement; parameters in it are NULL."""
    text = statement if statement.isascii() else _encodable(statement)
    try:
        return connection.execute(text)
    except sqlite3.ProgrammingError as error:
        wanted = re.search(r"uses (\d+)|binding parameter", str(error))
        if wanted is None:
            raise
    try:
        return connection.execute(text, _Nulls())
    except sqlite3.ProgrammingError:
        return connection.execute(text, (None,) * int(wanted[1] or 0))


def _encodable(statement: str) -> str:
    """Bytes that are UTF-8 as their text; a literal of other bytes as an expression for them.

    Python's module takes no other text. Elsewhere than in literals other bytes become characters of their own.
    """
    try:
        return statement.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        pass
    statement = _LITERAL.sub(_literal, statement)
    try:
        return statement.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return statement


def _literal(match: re.Match[str]) -> str:
    text = match[0]
    data = text.encode("latin-1")
    if text.startswith("'"):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            data = data[1:-1].replace(b"''", b"'")
            return f"(CAST(x'{data.hex()}' AS TEXT) || '')"  # as _MADE, and without the affinity of a cast
    return text


class _Nulls(dict[str, None]):
    """NULL for every named parameter."""

    def __missing__(self, name: str) -> None:
        return None


def _names(cursor: sqlite3.Cursor) -> list[str]:
    names = [str(column[0]).encode("utf-8", "replace").decode("latin-1") for column in cursor.description]
    return [_MADE.sub(_as_written, name) for name in names]


def _as_written(made: re.Match[str]) -> str:
    return "'" + bytes.fromhex(made[1]).decode("latin-1").replace("'", "''") + "'"


def _show(names: list[str], row: tuple[Any, ...]) -> str:
    return "".join(
        named_value(name, "<NULL>" if value is None else _text(value)) for name, value in zip(names, row)
    )


def _text(value: Any) -> str:
    """A value as the library's sqlite3_column_text gives it: up to a NUL, numbers in its own form."""
    if isinstance(value, bytes):
        return value.partition(b"\0")[0].decode("latin-1")
    if isinstance(value, float):
        if value == 0:
            return "0.0"
        if value - value != 0:
            return "Inf" if value > 0 else "-Inf"
        digits = f"{value:.15g}"
        if "e" in digits:
            mantissa, _, exponent = digits.partition("e")
            return f"{mantissa}{'' if '.' in mantissa else '.0'}e{exponent}"
        return digits if "." in digits else digits + ".0"
    return str(value)
