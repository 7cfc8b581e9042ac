"""Which PCRE2 patterns mean exactly the same to Python's ``re``, and how much work they can make.

Only a small, plain part of the language is taken: literals, dots, classes, anchors, groups, alternatives,
quantifiers whose repetition can neither nest nor be empty. Whatever is not known to be the same for certain
(captures that may stay unset, back references, look-around, options, possessive quantifiers, POSIX
oddities…) is not translated, and PCRE2 decides.
"""

from __future__ import annotations

import re

#: steps that matching may take in the worst case; PCRE2 gives up at ten million of its own
STEPS = 4_000_000
_LONGEST_PATTERN = 1000
_MOST_REPEATS = 1000

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "a": "\a", "e": "\x1b"}
_POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9A-Fa-f",
    "space": r"\s",
    "word": r"\w",
    "blank": r"\x20\t",
}
_QUANTIFIER = re.compile(r"[*+?]|\{([0-9]{1,5})(?:(,)([0-9]{0,5}))?\}")
_POSIX_CLASS = re.compile(r"\[:([a-z]+):\]")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})")


class _Different(Exception):
    """The pattern has something that is not known to mean the same."""


class Plain:
    """A pattern for ``re``: ``pattern``, ``flags``, ``groups`` (captures; all are set in every match),
    ``longest``, the length of subject up to which the work is bounded by STEPS, and ``nullable``, whether
    it may match nothing."""

    __slots__ = ("flags", "groups", "longest", "nullable", "pattern")

    def __init__(self, pattern: str, flags: int, groups: int, longest: int, nullable: bool) -> None:
        self.pattern, self.flags, self.groups = pattern, flags, groups
        self.longest, self.nullable = longest, nullable


class _Part:
    """What a piece of the pattern can do: match nothing, vary; its work is ``factor * size ** power``."""

    __slots__ = ("branches", "captures", "factor", "nullable", "power")

    def __init__(self) -> None:
        self.nullable = True
        self.power = 0
        self.factor = 1
        self.branches = 1
        self.captures = False

    def then(self, other: _Part) -> None:
        self.nullable = self.nullable and other.nullable
        self.power += other.power
        self.factor *= other.factor
        self.captures = self.captures or other.captures


class _Translator:
    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0
        self.out: list[str] = []
        self.groups = 0

    def alternatives(self, depth: int) -> _Part:
        if depth > 20:
            raise _Different
        whole = self.sequence(depth)
        branches = 1
        while self.text.startswith("|", self.at):
            self.at += 1
            self.out.append("|")
            branch = self.sequence(depth)
            branches += 1
            whole.nullable = whole.nullable or branch.nullable
            whole.power = max(whole.power, branch.power)
            whole.factor += branch.factor
            whole.captures = whole.captures or branch.captures
        if branches > 1 and whole.captures:
            raise _Different  # a capture of a branch that is left again
        whole.branches = branches
        return whole

    def sequence(self, depth: int) -> _Part:
        whole = _Part()
        text = self.text
        while self.at < len(text) and text[self.at] not in "|)":
            whole.then(self.item(depth))
        return whole

    def item(self, depth: int) -> _Part:
        """One item with its quantifier."""
        part = _Part()
        char = self.text[self.at]
        if char in "^$":
            self.at += 1
            self.out.append(char)
            return self.unquantified(part)
        if char == "\\" and self.text[self.at + 1 : self.at + 2] in tuple("AzZb"):
            letter = self.text[self.at + 1]
            self.at += 2
            self.out.append({"A": r"\A", "z": r"\Z", "Z": "$", "b": r"\b"}[letter])
            return self.unquantified(part)
        start = len(self.out)
        if char == "(":
            part = self.group(depth)
        else:
            part.nullable = False
            self.atom(char)
        return self.quantified(part, start)

    def unquantified(self, part: _Part) -> _Part:
        if _QUANTIFIER.match(self.text, self.at):
            raise _Different
        return part

    def group(self, depth: int) -> _Part:
        if self.text.startswith("(?:", self.at):
            self.at += 3
            self.out.append("(?:")
            captures = False
        elif self.text[self.at + 1 : self.at + 2] in ("?", "*", ""):
            raise _Different
        else:
            self.at += 1
            self.out.append("(")
            self.groups += 1
            captures = True
        part = self.alternatives(depth + 1)
        if not self.text.startswith(")", self.at):
            raise _Different
        self.at += 1
        self.out.append(")")
        part.captures = part.captures or captures
        return part

    def quantified(self, part: _Part, start: int) -> _Part:
        match = _QUANTIFIER.match(self.text, self.at)
        if match is None:
            return part
        if part.captures or part.nullable:
            raise _Different
        self.at = match.end()
        quantifier = match.group()
        least, comma, most = match.groups()
        if quantifier == "?":
            part.factor += 1
            part.nullable = True
        else:
            if part.power or part.branches > 1 or part.factor > 1:
                raise _Different  # it could try exponentially many ways
            if quantifier in ("*", "+"):
                part.nullable = quantifier == "*"
                part.power = 1
            else:
                low = int(least)
                high = int(most) if most else low
                if low > _MOST_REPEATS or high > _MOST_REPEATS or high < low or (not comma and low == 0):
                    raise _Different
                if comma and most == "0":
                    raise _Different
                part.nullable = low == 0
                if comma and not most:
                    part.power = 1
                else:
                    part.factor = high - low + 1
        self.out.append(quantifier)
        follower = self.text[self.at : self.at + 1]
        if follower == "?":
            self.at += 1
            self.out.append("?")
            follower = self.text[self.at : self.at + 1]
        if follower == "+" or _QUANTIFIER.match(self.text, self.at):
            raise _Different
        return part

    def atom(self, char: str) -> None:
        if char == ".":
            self.at += 1
            self.out.append(".")
        elif char == "[":
            self.at += 1
            self.out.append(self.members())
        elif char == "\\":
            self.at += 1
            self.out.append(self.escape(False))
        elif char in "*+?" or (char == "{" and _QUANTIFIER.match(self.text, self.at)):
            raise _Different
        else:
            self.at += 1
            self.out.append(_literal(char))

    def escape(self, in_class: bool) -> str:
        """What follows a backslash."""
        char = self.text[self.at : self.at + 1]
        if char in ("d", "D", "w", "W", "s", "S"):
            self.at += 1
            return "\\" + char
        match = _HEX.match(self.text, self.at)
        if match:
            self.at = match.end()
            return _literal(chr(int(match[1], 16)))
        if in_class and char == "b":
            self.at += 1
            return r"\x08"
        if char in _ESCAPES:
            self.at += 1
            return _literal(_ESCAPES[char])
        if not char or char.isalnum() or ord(char) > 126 or char < " ":
            raise _Different
        self.at += 1
        return _literal(char)

    def members(self) -> str:
        """A class, from after its opening bracket."""
        text = self.text
        out = "["
        if text.startswith("^", self.at):
            self.at += 1
            out += "^"
        first = True
        while True:
            char = text[self.at : self.at + 1]
            if not char:
                raise _Different
            if char == "]" and not first:
                self.at += 1
                return out + "]"
            low = self.member(first)
            first = False
            if text.startswith("-", self.at) and not text.startswith("-]", self.at):
                self.at += 1
                high = self.member(True)
                if len(low) != 4 or len(high) != 4 or low > high:
                    raise _Different  # a range that ends in no single character, or is out of order
                out += f"{low}-{high}"
                if text.startswith("-", self.at) and not text.startswith("-]", self.at):
                    raise _Different
            else:
                out += low

    def member(self, bracket_is_data: bool) -> str:
        """One member of a class: a single character is written as ``\\xHH``."""
        text = self.text
        char = text[self.at : self.at + 1]
        if char == "[" and text[self.at + 1 : self.at + 2] in (":", ".", "="):
            match = _POSIX_CLASS.match(text, self.at)
            members = _POSIX.get(match[1]) if match else None
            if match is None or members is None:
                raise _Different
            self.at = match.end()
            if text.startswith("-", self.at):
                raise _Different
            return members
        if char == "\\":
            self.at += 1
            known = self.escape(True)
            if known[0] == "\\" and known[1] in "dDwWsS":
                return known
            return known if len(known) == 4 else f"\\x{ord(known[-1]):02x}"
        if not char or (char == "]" and not bracket_is_data):
            raise _Different
        self.at += 1
        return f"\\x{ord(char):02x}"


def _literal(char: str) -> str:
    """A character as a pattern: word characters as they are, others escaped."""
    if char.isalnum() or char == "_" or char > "\x7f":
        return char
    if " " <= char < "\x7f":
        return "\\" + char
    return f"\\x{ord(char):02x}"


def translate(pattern: str, caseless: bool = False) -> Plain | None:
    """Give a pattern for ``re`` that matches, and captures, exactly what PCRE2 does with ``pattern``.

    Text is one character per byte on both sides. None where that is not certain. ``(?i)`` is known at the
    very beginning and after a ``^`` there.
    """
    if len(pattern) > _LONGEST_PATTERN:
        return None
    flags = re.ASCII | (re.IGNORECASE if caseless else 0)
    for start, bare in (("(?i)", ""), ("^(?i)", "^")):
        if pattern.startswith(start):
            pattern = bare + pattern[len(start) :]
            flags |= re.IGNORECASE
            break
    translator = _Translator(pattern)
    try:
        whole = translator.alternatives(0)
    except (_Different, IndexError):
        return None
    if translator.at != len(pattern) or translator.groups > 20:
        return None
    anchored = whole.branches == 1 and pattern.startswith(("^", r"\A"))
    power = whole.power + (not anchored)
    longest = int((STEPS / whole.factor) ** (1 / power)) - 2 if power else STEPS
    if longest < 16:
        return None
    return Plain("".join(translator.out), int(flags), translator.groups, longest, whole.nullable)
