"""Double-quoted text inside data: backslash escapes and where a quoted word ends (manual 6.16).

The same rules hold for quoted option values, ``${extract}``'s named fields, and LDAP parameters.
"""

from __future__ import annotations

import re

from eximious.interpreter.listsplit import SPACE

_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{0,2})|(.)|\Z)", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_INSIDE = re.compile(r'(?:[^"\\]|\\.?)*', re.DOTALL)
_WORD = re.compile(f"[^{SPACE}]*")


def _escape(match: re.Match[str]) -> str:
    octal, hexadecimal, char = match.groups()
    if octal is not None:
        return chr(int(octal, 8) & 0xFF)
    if hexadecimal is not None:
        return chr(int(hexadecimal or "0", 16))
    if char is not None:
        return _LETTERS.get(char, char)
    return "\\"


def interpret_escapes(text: str) -> str:
    """Replace backslash escapes: ``\\n`` and its like, ``\\101``, ``\\x41``.

    Before other characters the backslash goes, and at the end of the text it stays. ``\\x`` without a
    digit and ``\\0`` give a NUL.
    """
    return _ESCAPE.sub(_escape, text) if "\\" in text else text


def dequote(text: str, at: int) -> tuple[str, int]:
    """Read one value at offset ``at``: quoted, or up to white space. Gives (value, offset after it).

    A missing closing quote is taken to be at the end. A NUL made by an escape ends the value, as it ends
    Exim's strings.
    """
    if not text.startswith('"', at):
        match = _WORD.match(text, at)
        assert match is not None
        return match.group(), match.end()
    match = _INSIDE.match(text, at + 1)
    assert match is not None
    end = match.end()
    value = interpret_escapes(match.group()).partition("\0")[0]
    return value, end + 1 if end < len(text) else end
