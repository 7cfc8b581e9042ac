"""JSON as ``${extract json}`` and ``forany_json`` read it (manual 11.5, 11.8): by brackets, not by grammar.

Nothing is decoded or checked; elements are cut out of the text. What is no JSON gives whatever the cutting
gives, and only a missing wrapping is an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Iterator

#: commas inside strings part elements up to 4.96, not later
_STRINGS_KNOWN = (4, 97)

_MARKS = re.compile(r'[][{}",\\]')
_UNQUOTED = re.compile(r"[][{},]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def dewrap(text: str, wrap: str) -> tuple[str, str]:
    """Give what is between a pair of wrapping characters, and the text after them.

    ``wrap``: ``[]``, ``{}`` or ``""``. White space before is skipped, a backslash protects the character
    after it (and stays). Brackets nest, without regard to strings. Raises ExpansionError with the first
    words of a message to which the caller adds what is wrapped.
    """
    opening, closing = wrap[0], wrap[1]
    start = len(text) - len(text.lstrip(SPACE))
    if not text.startswith(opening, start):
        raise ExpansionError(f"missing '{opening}'")
    start += 1
    depth = 0
    at = start
    size = len(text)
    pattern = _WRAPS[wrap]
    while True:
        match = pattern.search(text, at)
        if match is None:
            raise ExpansionError(f"missing '{closing}'")
        at = match.end()
        char = match.group()
        if char == closing:
            if not depth:
                return text[start : at - 1], text[at:size]
            depth -= 1
        elif char == opening:
            depth += 1


_WRAPS = {wrap: re.compile(rf"\\.?|[{re.escape(wrap)}]", re.DOTALL) for wrap in ("[]", "{}", '""')}


def _elements(body: str, version: tuple[int, int]) -> Iterator[str]:
    """Cut the inside of an array or object at its commas; an empty element ends it."""
    at = 0
    size = len(body)
    strings = version >= _STRINGS_KNOWN
    marks = _MARKS if strings else _UNQUOTED
    while True:
        while at < size and body[at] in SPACE:
            at += 1
        start = at
        # Brackets that were never opened bring the count below zero, and then no comma parts elements.
        arrays = objects = 0
        while True:
            match = marks.search(body, at)
            if match is None:
                end = at = size
                break
            char = match.group()
            at = match.end()
            if char == ",":
                if not arrays and not objects:
                    end = at - 1
                    break
            elif char == '"':
                string = _STRING.match(body, at - 1)
                assert string is not None
                at = string.end()
            elif char == "[":
                arrays += 1
            elif char == "]":
                arrays -= 1
            elif char == "{":
                objects += 1
            elif char == "}":
                objects -= 1
        if end == start:
            return
        yield body[start:end]


def _unwrapped(text: str, wrap: str, what: str) -> tuple[str, str]:
    try:
        return dewrap(text, wrap)
    except ExpansionError as error:
        raise ExpansionError(f"{error.message} wrapping {what}") from None


def extract_json(key: str | int, text: str, strings: bool, version: tuple[int, int]) -> str | None:
    """Give the element that ``${extract json{key}{text}}`` finds in a JSON object or array; None if none.

    ``key``: text, a member's name, compared byte for byte with what is between the quotes; or a number from
    1, an array's place. ``strings`` (``extract jsons``): the element must be a string, and its quotes are
    taken off; its escapes stay. The element of an array is cut off its trailing white space, a member's
    value is not.

    Raises ExpansionError with Exim's message. A value of tainted text is tainted.
    """
    number = isinstance(key, int)
    wrap, what = ("[]", "array") if number else ("{}", "object")
    body, _ = _unwrapped(text, wrap, f"{what} for extract json")
    value: str | None = None
    if isinstance(key, int):
        if key <= 0:
            raise ExpansionError('first argument of "extract" must be greater than zero')
        for element in _elements(body, version):
            key -= 1
            if not key:
                value = element.rstrip(SPACE)
                break
    else:
        for element in _elements(body, version):
            name, rest = _unwrapped(element, '""', "string key for extract json")
            if name == key:
                rest = rest.lstrip(SPACE)
                if not rest.startswith(":"):
                    raise ExpansionError("missing object value-separator for extract json")
                value = rest[1:].lstrip(SPACE)
                break
    if value is None:
        return None
    if strings:
        value, _ = _unwrapped(value, '""', "string result for extract jsons")
    return Tainted(value) if type(text) is Tainted else value


def json_elements(text: str, strings: bool, version: tuple[int, int]) -> Iterator[str]:
    """Walk the elements of a JSON array, as ``forany_json``, and with ``strings`` ``forany_jsons``, do.

    With ``strings`` every element must be a string, and its quotes are taken off. Raises ExpansionError with
    Exim's message, when the element in question is reached.
    """
    body, _ = _unwrapped(text, "[]", "array for extract jsons")
    tainted = type(text) is Tainted
    for element in _elements(body, version):
        if strings:
            element, _ = _unwrapped(element, '""', "string result for extract jsons")
        yield Tainted(element) if tainted else element
