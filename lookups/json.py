"""json: a member of a JSON document in a file (manual 9.3), read as the Jansson library reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import split_list
from eximious.lookups.files import check_regular, not_regular, open_failed
from eximious.lookups.registry import SINGLE_KEY, Lookup, SearchDefer, lookup

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question

FILE_LIMIT = 64 * 1024 * 1024  #: bytes; a document is read whole (a bound of ours)
DEPTH_LIMIT = 2048  #: Jansson's
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@lookup("json", style=SINGLE_KEY, section="9.3")
class Json(Lookup):
    """The key is a list: names of members, numbers (from 0) of elements. What is no JSON has no members."""

    def open(self, ctx: Context, file: str) -> BinaryIO:
        try:
            opened = ctx.env.doors.files.open(file)
        except IsADirectoryError:
            raise not_regular(file, "json") from None
        except OSError as error:
            raise open_failed(ctx, file, "for json search", error) from None
        check_regular(ctx, opened, file, "json")
        return opened

    def close(self, handle: BinaryIO) -> None:
        handle.close()

    def find(self, handle: BinaryIO, question: Question) -> str | None:
        handle.seek(0)
        data = handle.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise SearchDefer(f"json: {question.file} has more than {FILE_LIMIT} bytes")
        try:
            place = load(data)
        except (ValueError, RecursionError):
            return None
        for key in split_list(question.key):
            if key.isascii() and (key.isdigit() or not key):
                number = int(key[-18:] or "0")
                if not isinstance(place, list) or number >= len(place):
                    return None
                place = place[number]
            else:
                name = key.encode("latin-1").decode("utf-8", "surrogateescape")
                if not isinstance(place, dict) or name not in place:
                    return None
                place = place[name]
        return shown(place)


def load(data: bytes) -> Any:
    """Read a document; raises ValueError where Jansson refuses it: no object or array, numbers too big, …"""
    import json
    import re

    def integer(digits: str) -> int:
        value = int(digits) if len(digits) < 25 else 1 << 64
        if not -(1 << 63) <= value < 1 << 63:
            raise ValueError("too big integer")
        return value

    def real(digits: str) -> float:
        value = float(digits)
        if value - value != 0:
            raise ValueError("real number overflow")
        return value

    def constant(name: str) -> Any:
        raise ValueError(f"invalid token near {name}")

    text = data.decode("utf-8")
    if re.search(r"[\ud800-\udfff]", text) or re.search(r"\\u0000", text):
        raise ValueError("\\u0000 is not allowed")
    document = json.loads(text, parse_int=integer, parse_float=real, parse_constant=constant)
    if not isinstance(document, dict | list):
        raise ValueError("'[' or '{' expected")
    return document


def shown(value: Any) -> str | None:
    """A value as the lookup gives it: strings bare, objects and arrays as JSON, null as nothing."""
    if isinstance(value, str):
        return _bytes(value)
    if value is None:
        return None
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:f}"
    return _bytes(dumped(value))


def dumped(value: Any) -> str:
    """Write a value as Jansson does: spaces after ``:`` and ``,``, text in UTF-8, numbers with 17 digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(name)}: {dumped(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumped, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    mantissa, mark, exponent = f"{value:.17g}".partition("e")
    if not mark:
        return mantissa if "." in mantissa else mantissa + ".0"
    sign = "-" if exponent.startswith("-") else ""
    return f"{mantissa}e{sign}{exponent.lstrip('+-0') or '0'}"


def _quoted(text: str) -> str:
    parts = [_ESCAPES.get(char) or (f"\\u{ord(char):04X}" if char < " " else char) for char in text]
    return '"' + "".join(parts) + '"'


def _bytes(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
