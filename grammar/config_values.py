"""Values of options: from the text after the equals sign to what Exim stores (manual 6.9 to 6.18).

Each reader takes the text as the logical line has it (blanks after the equals sign skipped) and gives the
value, or raises :class:`ValueProblem` with Exim's words. Nothing here knows which options exist. Values:
bool, int (also mkint, kint in KiB, fixed in thousandths, times in seconds), str, tuples, None for unset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.listspans import SPACE, split_spans
from eximious.grammar.patterns import compiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Users(Protocol):
        """Answers for the user database. Names are latin-1 text."""

        def user(self, name: str) -> tuple[int, int] | None:
            """Give uid and primary gid of a login name, or None if there is none."""

        def group(self, name: str) -> int | None:
            """Give the gid of a group name, or None if there is none."""

        def user_name(self, uid: int) -> str | None:
            """Give the login name of a uid, or None."""

        def group_name(self, gid: int) -> str | None:
            """Give the name of a group, or None."""

        def primary_group(self, uid: int) -> int | None:
            """Give the primary gid of the user with this uid, or None if there is no such user."""


INT_MAX, INT_MIN = 2**31 - 1, -(2**31)
LONG_MAX, LONG_MIN = 2**63 - 1, -(2**63)
DELAY_WARNINGS = 10  #: most entries of delay_warning

_WORD = r"[A-Za-z][A-Za-z0-9_]*"
_INTEGER = r"[+-]?(?:0[xX]([0-9A-Fa-f]+)|0([0-7]*)|([1-9][0-9]*))"
_OCTAL = r"[+-]?([0-7]+)"
_DECIMAL = r"[+-]?([0-9]+)"
_FRACTION = r"\.([0-9]*)"
_TIME = r"([0-9]+)([wdhms])"
_NUMERIC = r"-[0-9]*|[0-9]+"
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_SHIFTS = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60}
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = r"([0-7]{1,3})|x([0-9A-Fa-f]{0,2})|(?s:(.))"
_PLAIN = r'[^"\\]*'


class ValueProblem(Exception):
    """A value that Exim refuses, in its words. ``offset``: where in the text. ``located``: whether Exim
    names file and line."""

    def __init__(self, code: str, message: str, offset: int = 0, located: bool = True) -> None:
        super().__init__(message)
        self.code, self.message, self.offset, self.located = code, message, offset, located


def extra_characters(offset: int, what: str) -> ValueProblem:
    """Give Exim's complaint about text that follows ``what``."""
    return ValueProblem("extra-characters", f"extra characters follow {what}", offset)


# -- text ----------------------------------------------------------------------------------------------


def dequote(text: str, at: int) -> tuple[str, int, list[tuple[int, int]]]:
    r"""Read the quoted string that begins with the double quote at ``at``.

    Gives its value (a NUL ends it, as Exim's strings end there), the offset after it (after its closing
    quote, or the end of the text), and marks for :class:`eximious.grammar.source.Pieces`.
    """
    at += 1
    marks = [(0, at)]
    parts: list[str] = []
    size = 0
    length = len(text)
    while True:
        match = compiled(_PLAIN).match(text, at)
        assert match is not None
        plain = match.group()
        parts.append(plain)
        size += len(plain)
        at = match.end()
        if at >= length:
            break
        if text[at] == '"':
            at += 1
            break
        found = compiled(_ESCAPE).match(text, at + 1)
        if found is None:  # a backslash as the last character stands for itself
            parts.append("\\")
            size += 1
            at += 1
            continue
        if found[1] is not None:
            char = chr(int(found[1], 8) & 255)
        elif found[2] is not None:
            char = chr(int(found[2] or "0", 16))
        else:
            char = _CONTROL.get(found[3], found[3])
        parts.append(char)
        size += 1
        at = found.end()
        marks.append((size, at))
    value = "".join(parts)
    if "\0" in value:
        value = value[: value.index("\0")]
    return value, at, marks


def word_or_quoted(text: str, at: int) -> tuple[str, int]:
    """Read one item of a rule, quoted or up to white space. Gives it and the offset after it."""
    if text[at : at + 1] == '"':
        value, end, _ = dequote(text, at)
        return value, end
    end = at
    while end < len(text) and text[end] not in SPACE:
        end += 1
    return text[at:end], end


def read_string(text: str, name: str) -> str:
    """Read a string option. Exim looks for the closing quote by the character before the place where it
    stopped, so ``"a\\"`` passes for closed. Raises ValueProblem."""
    if text[:1] != '"':
        return text
    value, end, _ = dequote(text, 0)
    if end < 2 or text[end - 1] != '"':
        raise ValueProblem("missing-quote", f"missing quote at end of string value for {name}")
    if end < len(text) and text[end:].strip(SPACE):
        raise extra_characters(end, f"string value for {name}")
    return value


def read_bool(text: str, name: str, shown: str) -> bool:
    """Read a boolean; ``shown`` is the name as written, for messages. Nothing at all means true."""
    if not text:
        return True
    match = compiled(_WORD).match(text)
    word = match.group() if match else ""
    value = _BOOLEANS.get(word.lower())
    if value is None:
        raise ValueProblem("bad-boolean", f'"{word}" is not a valid value for the "{name}" option')
    end = len(word)
    if text[end:].lstrip(SPACE):
        raise extra_characters(end, f'"{word}" for boolean option {shown}')
    return value


# -- numbers -------------------------------------------------------------------------------------------


def _overflow(text: str) -> ValueProblem:
    return ValueProblem("overflow", f'absolute value of integer "{text}" is too large (overflow)')


def wrap32(value: int) -> int:
    """Give ``value`` as a C int keeps it."""
    return (value + 2**31) % 2**32 - 2**31


def scan_integer(text: str, base: int = 0) -> tuple[int, int] | None:
    """Read a number as C's strtol does: (value, offset after it), None if there is none. Base 0 or 8.

    A value beyond 64 bits is given as one just beyond.
    """
    match = compiled(_OCTAL if base else _INTEGER).match(text)
    if match is None:
        return None
    if base:
        digits = match[1]
    else:
        digits, base = (match[1], 16) if match[1] else (match[3], 10) if match[3] else (match[2] or "0", 8)
    value = int(digits, base) if len(digits) < 40 else LONG_MAX + 1
    return min(LONG_MAX + 1, value) if text[0] != "-" else max(LONG_MIN - 1, -value), match.end()


def read_integer(text: str, name: str, kilobytes: bool = False, octal: bool = False) -> int:
    """Read an int or mkint: decimal, octal or hexadecimal, with K, M, G or T; 32 bits.

    With ``kilobytes`` read a kint: kept in KiB, which is its default unit, 64 bits, P and E are known, too.
    With ``octal`` read an octal number (file modes).
    """
    prefix = "octal " if octal else ""
    found = scan_integer(text, 8 if octal else 0)
    if found is None:
        raise ValueProblem("bad-integer", f"{prefix}integer expected for {name}")
    value, end = found
    low, high = (LONG_MIN, LONG_MAX) if kilobytes else (INT_MIN, INT_MAX)
    if not LONG_MIN <= value <= LONG_MAX:
        raise _overflow(text)
    suffix = text[end : end + 1].lower()
    if suffix and suffix in ("kmgtpe" if kilobytes else "kmgt"):
        value <<= _SHIFTS[suffix] - (10 if kilobytes else 0)
        end += 1
    if not low <= value <= high:
        raise _overflow(text)
    if text[end:].lstrip(SPACE):
        raise extra_characters(end, f"{prefix}integer value for {name}")
    return value


def read_fixed(text: str, name: str) -> int:
    """Read a number with up to three decimals, in thousandths. Exim keeps it in a C int that wraps."""
    match = compiled(_DECIMAL).match(text)
    if match is None:
        raise ValueProblem("bad-fixed", f"fixed-point number expected for {name}")
    number = int(match[1][:40]) if len(match[1]) < 40 else LONG_MAX + 1
    if text[0] == "-":
        number = -number
    value = wrap32(max(LONG_MIN, min(LONG_MAX, number)))
    if value < 0:
        raise ValueProblem("overflow", f'integer "{text}" is too large (overflow)')
    value = wrap32(value * 1000)
    end = match.end()
    fraction = compiled(_FRACTION).match(text, end)
    if fraction:
        value = wrap32(value + int((fraction[1] + "000")[:3]))
        end = fraction.end()
    if text[end:].lstrip(SPACE):
        raise extra_characters(end, f"fixed-point value for {name}")
    return value


def parse_time(text: str) -> int:
    """Give the seconds of an Exim time such as ``1h30m``, -1 if it is none (manual 6.15).

    Exim adds up C ints, so large values wrap; what wraps below zero counts as invalid.
    """
    if not text:
        return -1
    total = at = 0
    while at < len(text):
        match = compiled(_TIME).match(text, at)
        if match is None:
            return -1
        digits = match[1]
        number = int(digits) if len(digits) < 40 else LONG_MAX
        total = wrap32(total + wrap32(wrap32(min(number, LONG_MAX)) * _SECONDS[match[2]]))
        at = match.end()
    return total if total >= 0 else -1


def read_time(text: str, name: str) -> int:
    """Read a time in seconds."""
    value = parse_time(text.rstrip(SPACE))
    if value < 0:
        raise ValueProblem("bad-time", f"invalid time value for {name}")
    return value


def read_time_list(text: str, name: str) -> tuple[int, ...]:
    """Read delay_warning: rising times; a leading 0s switches it off."""
    if not text:
        return ()
    times: list[int] = []
    at = 0
    for part in text.split(":"):
        if len(times) >= DELAY_WARNINGS:
            raise ValueProblem("bad-time", f"too many time values for {name}", at)
        value = parse_time(part.strip(SPACE))
        if value < 0:
            raise ValueProblem("bad-time", f"invalid time value for {name}", at)
        if times and value <= times[-1]:
            raise ValueProblem("time-order", f"time value out of order for {name}", at)
        times.append(value)
        at += len(part) + 1
    return tuple(times) if times[0] else ()


# -- users ---------------------------------------------------------------------------------------------


def _number_of(name: str) -> int:
    """Give the number that a name of digits stands for; a lone minus sign is 0."""
    return int(name) % 2**32 if name != "-" else 0


def find_user(name: str, users: Users) -> tuple[int, int | None] | None:
    """Give uid and primary group of a name, or None: no such user. A number comes without a group."""
    return (_number_of(name), None) if compiled(_NUMERIC).fullmatch(name) else users.user(name)


def find_group(name: str, users: Users) -> int | None:
    """Give the gid of a name or number, or None."""
    return _number_of(name) if compiled(_NUMERIC).fullmatch(name) else users.group(name)


def read_id_list(
    text: str, name: str, group: bool, users: Users, expand: Callable[[str], str]
) -> tuple[int, ...]:
    """Read a list of users or groups; it is expanded first. ``text`` is the string, quotes taken off.

    Exim makes room for one more than there are colons and takes no more than that, so with another
    separator it may drop elements.
    """
    if "$" in text or "\\" in text:
        text = expanded(expand, text, f"failed to expand {name}: %s", True)
    found: list[int] = []
    if not text:
        return ()
    for item, _, _ in split_spans(text)[: text.count(":", 0, -1) + 1]:
        if group:
            gid = find_group(item, users)
            if gid is None:
                raise ValueProblem("no-group", f"group {item} was not found")
            found.append(gid)
        else:
            user = find_user(item, users)
            if user is None:
                raise ValueProblem("no-user", f"user {item} was not found")
            found.append(user[0])
    return tuple(found)


def expanded(expand: Callable[[str], str], text: str, message: str, located: bool) -> str:
    """Give the expansion of ``text`` where Exim expands while it reads; its failure fills ``message``.

    ``expand`` raises an exception with the attribute ``message``: Exim's words.
    """
    try:
        return expand(text)
    except Exception as error:
        why = getattr(error, "message", None)
        if not isinstance(why, str):
            raise
        before, _, after = message.rpartition("%s")  # the text may hold one, too
        raise ValueProblem("expansion", f"{before}{why}{after}", located=located) from error
