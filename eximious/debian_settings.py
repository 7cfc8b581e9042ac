"""The settings of Debian's update-exim4.conf, and what the shell does to their values.

``update-exim4.conf.conf`` is a piece of a shell script. It is read and never run; what is more than assignments is
noted. The functions do to a value what the script's ``echo``, ``tr``, ``sed`` and unquoted words do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
#: what the script replaces by an underscore: a sign it does not know, if a bracket follows (its pattern
#: closes the set of known signs one bracket too early)
_UNKNOWN_SIGN = re.compile(r"[^-0-9A-Za-z\\/.!*@_~:;< \[]\]")
_ECHO = re.compile(r"\\(?:0([0-7]{0,3})|(.))", re.DOTALL)
_ECHO_SIGNS = {"\\": "\\", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Settings:
    """What update-exim4.conf.conf sets: ``values`` by name, ``lines`` where each is set."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        #: what is not carried out: file, line, message
        self.warnings: list[tuple[str, int, str]] = []

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def words(text: str) -> str:
    """What an unquoted variable becomes: its words, one blank between them."""
    return " ".join(re.split(r"[ \t\n]+", text.strip(" \t\n")))


def echo(text: str) -> str:
    r"""What dash's ``echo`` writes: ``\n`` and its like are read, and ``\c`` ends it."""
    if "\\" not in text:
        return text
    out: list[str] = []
    at = 0
    for found in _ECHO.finditer(text):
        out.append(text[at : found.start()])
        at = found.end()
        if found[1] is not None:
            out.append(chr(int(found[1] or "0", 8) & 255))
        elif found[2] == "c":
            return "".join(out)
        else:
            out.append(_ECHO_SIGNS.get(found[2], found.group()))
    return "".join(out) + text[at:]


def lowercase(text: str) -> str:
    """Words in lower case (ASCII only), after echo."""
    return echo(words(text)).translate(LOWER).rstrip("\n")


def check_ascii(text: str) -> str:
    """Words with the signs that the script does not like replaced."""
    lines = echo(words(text.rstrip("\n"))).split("\n")
    return echo(words("\n".join(_UNKNOWN_SIGN.sub("_", line) for line in lines)))


def read_settings(text: str, path: str) -> Settings:
    """Read update-exim4.conf.conf, which is a piece of a shell script: assignments, one or more a line.

    What is something else is not carried out, and noted.
    """
    found = Settings(path)
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        start = number
        at = 0
        line = lines[number]
        number += 1
        while True:
            while line[at : at + 1] in (" ", "\t", ";"):
                at += 1
            if at >= len(line) or line[at] == "#":
                break
            match = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=").match(line, at)
            value = None
            if match is not None:
                value = _shell_word(line, match.end(), found.values)
                while value is UNFINISHED and number < len(lines):
                    line += "\n" + lines[number]  # a quoted text goes on
                    number += 1
                    value = _shell_word(line, match.end(), found.values)
            if match is None or value is None or value is UNFINISHED:
                found.warnings.append((path, start + 1, "this is no plain assignment: it is not carried out"))
                break
            found.values[match[1]], at = value
            found.lines[match[1]] = start + 1
    return found


#: a word whose quotes are not closed in the text at hand
UNFINISHED = ("", -1)
_PLAIN_WORD = re.compile(r"[^\s'\"\\$`;&|<>()#]+")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")


def _shell_word(text: str, at: int, values: Mapping[str, str]) -> tuple[str, int] | None:
    """Read the word at an offset as the shell does.

    Gives it and where it ends; None if it is not plain, UNFINISHED if its quotes are not closed.
    """
    out: list[str] = []
    while at < len(text) and text[at] not in " \t\n;":
        sign = text[at]
        if sign == "'":
            end = text.find("'", at + 1)
            if end < 0:
                return UNFINISHED
            out.append(text[at + 1 : end])
            at = end + 1
        elif sign == '"':
            quoted = _double_quoted(text, at + 1, values)
            if quoted is None or quoted is UNFINISHED:
                return quoted
            out.append(quoted[0])
            at = quoted[1]
        elif sign == "\\":
            out.append(text[at + 1 : at + 2].replace("\n", ""))
            at += 2
        elif sign == "$":
            variable = _VARIABLE.match(text, at)
            if variable is None:
                return None
            out.append(values.get(variable[1] or variable[2], ""))
            at = variable.end()
        else:
            plain = _PLAIN_WORD.match(text, at)
            if plain is None:
                if sign != "#" or not out:
                    return None
                out.append(sign)
                at += 1
                continue
            out.append(plain.group())
            at = plain.end()
    return "".join(out), at


def _double_quoted(text: str, at: int, values: Mapping[str, str]) -> tuple[str, int] | None:
    out: list[str] = []
    while at < len(text):
        sign = text[at]
        if sign == '"':
            return "".join(out), at + 1
        if sign == "\\" and text[at + 1 : at + 2] in ("$", "`", '"', "\\", "\n"):
            out.append(text[at + 1].replace("\n", ""))
            at += 2
        elif sign == "`":
            return None
        elif sign == "$" and (variable := _VARIABLE.match(text, at)) is not None:
            out.append(values.get(variable[1] or variable[2], ""))
            at = variable.end()
        elif sign == "$" and text[at + 1 : at + 2] == "(":
            return None
        else:
            out.append(sign)
            at += 1
    return UNFINISHED
