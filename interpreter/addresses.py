"""RFC 2822 addresses as Exim reads them: from header lines, SMTP commands and the operators.

One function takes an address apart (:func:`parse_extract_address`), one finds where an address in a
list ends (:func:`parse_find_address_end`). Both know only text: what may stand in a domain is said by
a :class:`Syntax`, what group syntax was met is kept in a :class:`Groups` by the caller. Qualifying a bare
local part is the caller's business: ``domain`` is 0 for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: longest address that is accepted (between its start and end in the source text)
LONGEST = 256

_SPECIAL = r"\x00-\x20\x7f()<>@,;:\\\".\[\]"
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_CONTINUATION = r"[\x80-\xbf]"
#: what Exim takes for a UTF-8 character: overlong forms, surrogates and five or six bytes, too
_UTF8 = (
    rf"[\xc0-\xdf]{_CONTINUATION}|[\xe0-\xef]{_CONTINUATION}{{2}}|[\xf0-\xf7]{_CONTINUATION}{{3}}"
    rf"|[\xf8-\xfb]{_CONTINUATION}{{4}}|[\xfc-\xff]{_CONTINUATION}{{5}}"
)
_UTF8_LABEL = rf"(?:[A-Za-z0-9]|{_UTF8})(?:[A-Za-z0-9-]|{_UTF8})*"
#: as an atom, with quoted pairs; a backslash at the very end stands for itself
_LOCAL_ATOM = re.compile(rf"(?:[^{_SPECIAL}]|\\.?)*", re.S)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
_DOTS = re.compile(r"\.+")
_SPACES = re.compile(r"[ \t\n\r\v\f]*")
_LITERAL = re.compile(r"(?i:IPv6:|IPv4:)?[.:0-9A-Fa-f]*")
#: in an address without brackets the literal may hold any dtext of RFC 2822
_LOOSE_LITERAL = re.compile(r"[!-Z^-~]*")
#: the addresses that need no parser: atoms and dots, one @
_SIMPLE = re.compile(
    rf"[^{_SPECIAL}][^{_SPECIAL.replace('.', '')}]*@[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*)*"
)
#: the same in angle brackets, perhaps behind plain words, with space around it all
_USUAL = re.compile(rf"[ \t\n]*(?:(?:[A-Za-z0-9]+ +)*<({_SIMPLE.pattern})>|({_SIMPLE.pattern}))[ \t\n]*")
_LIST_END = re.compile(r'[^,\n\\"(<>:]+')
_SPACE_CHARACTERS = " \t\n\r\v\f"


class Syntax(NamedTuple):
    """What is allowed in an address, under the names of the main options (manual 14)."""

    allow_domain_literals: bool = False
    allow_utf8_domains: bool = False
    strip_trailing_dot: bool = False
    strip_excess_angle_brackets: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Syntax:
        """Take it from a configuration's main options (name -> value)."""
        get = options.get
        return cls(
            bool(get("allow_domain_literals")),
            bool(get("allow_utf8_domains")),
            bool(get("strip_trailing_dot")),
            bool(get("strip_excess_angle_brackets")),
        )


class Groups:
    """Group syntax (``name: a@b, c@d;``) met while reading a list of addresses, from one to the next.

    ``allow``: a group may begin here; ``found``: inside a group.
    """

    __slots__ = ("allow", "found")

    def __init__(self, allow: bool = True) -> None:
        self.allow = allow
        self.found = False


class Extracted(NamedTuple):
    """What :func:`parse_extract_address` found.

    ``address`` is None where there is an ``error`` (Exim's text). ``start`` and ``end`` are offsets in the
    source text, ``domain`` the offset of the domain in ``address``, 0 if it has none.
    """

    address: str | None
    error: str = ""
    start: int = 0
    end: int = 0
    domain: int = 0


PLAIN = Syntax()


class _Malformed(Exception):
    """Ends the parse: an error text and how far the reader got."""

    def __init__(self, error: str, position: int) -> None:
        self.error, self.position = error, position


def parse_extract_address(
    text: str, allow_null: bool = False, syntax: Syntax = PLAIN, groups: Groups | None = None
) -> Extracted:
    """Take the address out of a mailbox such as ``Some One <some@where> (comment)``.

    ``allow_null`` permits ``<>`` (and gives an empty address). Without ``groups`` no group syntax is
    known. No error is raised: see :class:`Extracted`. RFC 2822 3.4 with Exim's liberties: phrases with
    dots, runs of dots in local parts, source routes that are read and dropped, also without brackets.
    """
    if len(text) <= LONGEST and _SIMPLE.fullmatch(text):
        return Extracted(text, "", 0, len(text), text.index("@") + 1)
    if len(text) <= LONGEST and (usual := _USUAL.fullmatch(text)) is not None:
        at = usual.lastindex or 0
        address, start = str(usual[at]), usual.start(at)
        return Extracted(address, "", start, usual.end(at), address.index("@") + 1)
    if "\0" in text:
        text = text[: text.index("\0")]
    reader = _Reader(text, syntax, groups)
    try:
        return reader.mailbox(allow_null)
    except _Malformed as problem:
        if groups is not None and groups.found and text[problem.position : problem.position + 1] == ";":
            groups.found, groups.allow = False, True
        return Extracted(None, problem.error)


def parse_find_address_end(text: str, start: int = 0, newline_ends: bool = False) -> int:
    """Give the offset of the comma (or, if wanted, newline) that ends the address at ``start``.

    The length of the text if there is none. Quoted strings, comments, angle brackets and the commas of
    source routes are passed over; quoted pairs anywhere.
    """
    size = len(text)
    at = start
    source_routing = text.startswith("@", at)
    open_items = 1 if source_routing else 0
    while at < size:
        char = text[at]
        if char == "," and open_items <= 0:
            break
        if char == "\n" and newline_ends:
            break
        if char == "\\" and at + 1 < size:
            at += 2
        elif char == '"':
            at = _pass_quoted(text, at, newline_ends)
        elif char == "(":
            at = _pass_comment(text, at, newline_ends)
        elif char == "<":
            source_routing = text.startswith("@", at + 1)
            open_items = 2 if source_routing else 1
            at += 1
        elif char == ">" or (char == ":" and source_routing):
            open_items -= 1
            at += 1
        else:
            plain = _LIST_END.match(text, at)
            at = plain.end() if plain else at + 1
    return at


def parse_find_at(text: str) -> int:
    """Give the offset of the ``@`` before the domain, -1 where there is none.

    It is the last one that no backslash quotes, with no quote behind it. A backslash at the very start is not
    counted (observed).
    """
    at = text.rfind("@")
    if at < 0 or "\\" not in text:
        return at if at < 0 or '"' not in text[at:] else -1
    for at in range(len(text) - 1, -1, -1):
        if text[at] == '"':
            return -1
        if text[at] != "@":
            continue
        before = at - 1
        backslashes = 0
        while before > 0 and text[before] == "\\":
            backslashes += 1
            before -= 1
        if backslashes % 2 == 0:
            return at
    return -1


def _pass_quoted(text: str, at: int, newline_ends: bool) -> int:
    size = len(text)
    at += 1
    while at < size and not (newline_ends and text[at] == "\n"):
        if text[at] == "\\" and at + 1 < size:
            at += 1
        elif text[at] == '"':
            return at + 1
        at += 1
    return at


def _pass_comment(text: str, at: int, newline_ends: bool) -> int:
    size, level = len(text), 1
    at += 1
    while at < size and not (newline_ends and text[at] == "\n"):
        char = text[at]
        if char == "\\" and at + 1 < size:
            at += 1
        elif char == "(":
            level += 1
        elif char == ")":
            level -= 1
            if level <= 0:
                return at + 1
        at += 1
    return at


class _Reader:
    """One pass over one mailbox. Methods take a position and give the next one; ``parts`` is the address."""

    __slots__ = ("groups", "last_comment", "parts", "size", "syntax", "text")

    def __init__(self, text: str, syntax: Syntax, groups: Groups | None) -> None:
        self.text, self.syntax, self.groups = text, syntax, groups
        self.size = len(text)
        self.parts: list[str] = []
        self.last_comment = 0

    def peek(self, at: int) -> str:
        return self.text[at] if at < self.size else ""

    def mailbox(self, allow_null: bool) -> Extracted:
        text, groups = self.text, self.groups
        while True:
            start = at = self.skip(0 if not self.last_comment else self.last_comment)
            local, at = self.local_part(at, True)
            char = self.peek(at)
            if char == "@" or char == "<":
                break
            if not char or char == ";":
                if not local:
                    raise _Malformed("empty address", at)
                return self.finish(local, start, self.last_comment, 0, at)
            at = self.phrase(at)
            if text[at] == "<":
                break
            assert groups is not None
            groups.found, groups.allow = True, False
            self.last_comment = at + 1
        if text[at] == "<":
            return self.bracketed(at, allow_null)
        if not local:
            address, domain, at = self.routed(at, "")
            return self.finish(address, start, self.last_comment, domain, at)
        name, at = self.domain(at + 1, loose=True)
        return self.finish(f"{local}@{name}", start, self.last_comment, len(local) + 1, at)

    def phrase(self, at: int) -> int:
        """Pass the words up to the ``<`` or, where a group may begin, the colon."""
        groups = self.groups
        while self.peek(at) != "<" and not (groups is not None and groups.allow and self.peek(at) == ":"):
            try:
                _, at = self.local_part(at, False)
            except _Malformed as problem:
                raise _Malformed(f'{problem.error} (expected word or "<")', problem.position) from None
        return at

    def bracketed(self, at: int, allow_null: bool) -> Extracted:
        text = self.text
        at += 1
        brackets = 1
        if self.syntax.strip_excess_angle_brackets:
            while self.peek(at) == "<":
                if brackets > 5:
                    raise _Malformed("angle-brackets nested too deep", at)
                brackets += 1
                at += 1
        start = at
        at = self.skip(at)
        if allow_null and self.peek(at) == ">":
            address, domain = "", 0
        elif self.peek(at) == "@":
            address, domain, at = self.routed(at, ">")
        else:
            address, domain, at = self.addr_spec(at, ">")
        end = at
        for _ in range(brackets):
            if self.peek(at) != ">":
                if at >= self.size:
                    raise _Malformed("'>' missing at end of address", at)
                raise _Malformed(
                    f"malformed address: {text[at : at + 32]} may not follow {text[:at]}", at + 1
                )
            at += 1
        at = self.skip(at)
        return self.finish(address, start, end, domain, at)

    def finish(self, address: str, start: int, end: int, domain: int, at: int) -> Extracted:
        text, groups = self.text, self.groups
        if at < self.size:
            if groups is None or not groups.found or text[at] != ";":
                raise _Malformed(f"malformed address: {text[at : at + 32]} may not follow {text[:at]}", at)
            groups.found, groups.allow = False, True
        while end > 0 and text[end - 1] in _SPACE_CHARACTERS:
            end -= 1
        if end - start > LONGEST:
            return Extracted(None, f"address is ridiculously long: {address[:64]}...", start, end, domain)
        return Extracted(address, "", start, end, domain)

    def skip(self, at: int) -> int:
        """Pass comments and white space; remember where they began."""
        self.last_comment = at
        text = self.text
        while at < self.size:
            char = text[at]
            if char == "(":
                at = self.comment(at)
            elif char in _SPACE_CHARACTERS:
                at = _SPACES.match(text, at).end()  # type: ignore[union-attr]
            else:
                break
        return at

    def comment(self, at: int) -> int:
        level = 1
        at += 1
        while at < self.size and level > 0:
            char = self.text[at]
            if char == "(":
                level += 1
            elif char == ")":
                level -= 1
            elif char == "\\" and at + 1 < self.size:
                at += 1
            at += 1
        return at

    def local_part(self, at: int, may_be_empty: bool) -> tuple[str, int]:
        """Read words and dots, in which a word is an atom or a quoted string; dots may stand anywhere."""
        text = self.text
        parts: list[str] = []
        while True:
            at = self.skip(at)
            if self.peek(at) == '"':
                word = _QUOTED.match(text, at)
                if not word:
                    raise _Malformed("unmatched doublequote in local part", self.size)
            else:
                word = _LOCAL_ATOM.match(text, at)
            assert word is not None
            if word.group():
                parts.append(word.group())
            at = self.skip(word.end())
            dots = _DOTS.match(text, at)
            if dots is None:
                if not parts and not may_be_empty:
                    raise _Malformed("missing or malformed local part", at)
                return "".join(parts), at
            parts.append(dots.group())
            at = dots.end()

    def domain(self, at: int, loose: bool = False) -> tuple[str, int]:
        """Read a domain: labels of letters, digits and hyphens, or a literal in square brackets.

        ``loose``: the address has neither angle brackets nor a route. Then a literal needs no permission and
        may hold anything printable: ``a@[x]`` is read, ``<a@[x]>`` is not, whatever the options say.
        """
        syntax = self.syntax
        at = self.skip(at)
        if self.peek(at) == "[":
            return self.literal(at, loose)
        parts: list[str] = []
        label = re.compile(_UTF8_LABEL) if syntax.allow_utf8_domains else _LABEL
        while True:
            read = label.match(self.text, at)
            if read:
                at = read.end()
            if syntax.allow_utf8_domains and self.peek(at) >= "\xc0":
                raise _Malformed("invalid UTF-8 byte sequence", at)
            at = self.skip(at)
            if not read:
                if syntax.strip_trailing_dot and parts and self.peek(at) != ".":
                    return ".".join(parts), at
                raise _Malformed("domain missing or malformed", at)
            parts.append(read.group())
            if self.peek(at) != ".":
                return ".".join(parts), at
            at = self.skip(at + 1)

    def literal(self, at: int, loose: bool) -> tuple[str, int]:
        if not loose and not self.syntax.allow_domain_literals:
            raise _Malformed("domain literals not allowed", at)
        body = (_LOOSE_LITERAL if loose else _LITERAL).match(self.text, at + 1)
        assert body is not None
        end = body.end()
        if self.peek(end) != "]":
            raise _Malformed("malformed domain literal", end)
        return self.text[at : end + 1], self.skip(end + 1)

    def addr_spec(self, at: int, closing: str) -> tuple[str, int, int]:
        """Read ``local_part@domain`` or a bare local part: (address, offset of the domain, position)."""
        local, at = self.local_part(at, False)
        char = self.peek(at)
        if char == closing:
            return local, 0, at
        if char != "@":
            raise _Malformed(f'"@" or "." expected after "{local}"', at)
        name, at = self.domain(at + 1)
        return f"{local}@{name}", len(local) + 1, at

    def routed(self, at: int, closing: str) -> tuple[str, int, int]:
        """Read a source route, which is dropped, and the address behind it, which must have a domain."""
        commas = False
        while self.peek(at) == "@":
            _, at = self.domain(at + 1)
            if self.peek(at) != ",":
                break
            commas = True
            at = self.skip(at + 1)
        if self.peek(at) != ":":
            raise _Malformed("colon expected after route list" if commas else "no local part", at)
        at = self.skip(at + 1)
        address, domain, at = self.addr_spec(at, closing)
        if not domain:
            raise _Malformed("domain missing in source-routed address", at)
        return address, domain, at
