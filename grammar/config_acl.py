"""The lines of the acl section as tokens: names, verbs, conditions and modifiers (manual 44.3 to 44.6).

As Exim's reader of ACLs does: a line begins a statement, goes on with one, or names the next ACL. What it
refuses becomes a BAD token with its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_lexer import NAME_MAX
from eximious.grammar.listspans import SPACE
from eximious.grammar.patterns import compiled
from eximious.grammar.reader import MACRO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.config_lexer import Lexer, Token
    from eximious.grammar.reader import LogicalLine

_S = f"[{SPACE}]*"
_ACL_START = rf"{_S}(!?){_S}([A-Za-z][A-Za-z0-9_]*)?{_S}"
_ACL_NAME = rf"([A-Za-z][A-Za-z0-9_]*)?{_S}(:)?"
_CONDITION = rf"(!?){_S}([A-Za-z][A-Za-z0-9_]*)?{_S}"
_EQUALS = rf"={_S}"
_VARIABLE = rf"[^={SPACE}]*"
_WORD = "[A-Za-z0-9_]*"
_AWKWARD = r'["\x00-\x1f\x7f-\xff]'
_LETTERS = {'"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}
_DKIM_VARIABLES = ("dkim_verify_status", "dkim_verify_reason")


class AclLines:
    """The state between the lines of one acl section."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.version = lexer.catalogue.version
        self.verbs = lexer.catalogue.acl("verb")
        self.verb: str | None = None
        self.in_acl = False
        #: condition or modifier -> whether it is a modifier; None: unknown here
        self.conditions: dict[str, bool | None] = {}

    def line(self, line: LogicalLine) -> Iterator[Token]:
        """A line of the acl section. A macro definition ends the ACL."""
        if line.kind == MACRO:
            yield from self.lexer.macro(line)
            self.in_acl = False
            self.verb = None
            return
        text = line.text
        if not self.in_acl:
            yield from self.name(line)
            return
        match = compiled(_ACL_START).match(text)
        assert match is not None
        name = match[2] or ""
        end = match.end()
        if len(name) >= NAME_MAX:
            yield self.lexer.too_long(line, name, match.start(2))
            return
        if text[end : end + 1] == ":" or ("A" <= name[:1] <= "Z" and text[end : end + 1] == "="):
            yield from self.name(line)
            return
        negation = match[1]
        start = match.start(1) if negation else match.start(2)
        if name in self.verbs:
            if negation:
                yield self.error(line, f'malformed ACL line "{shown(text, self.version)}"', start)
                return
            self.verb = name
            yield self.lexer.terminals["VERB"], (line, name), start, match.end(2)
            if end >= len(text):
                return
            match = compiled(_CONDITION).match(text, end)
            assert match is not None
            start = match.start(1) if match[1] else match.start(2)
            negation, name, end = match[1], match[2] or "", match.end()
            if len(name) >= NAME_MAX:
                yield self.lexer.too_long(line, name, match.start(2))
                return
        elif self.verb is None:
            message = f'unknown ACL verb "{name}" in "{shown(text, self.version)}"'
            yield self.error(line, message, max(start, 0))
            return
        yield from self.condition(line, negation, name, max(start, 0), match.end(2), end)

    def error(self, line: LogicalLine, message: str, offset: int) -> Token:
        """A line that is no part of an ACL."""
        return self.lexer.bad(line, "acl-syntax", f"error in ACL: {message}", offset)

    def name(self, line: LogicalLine) -> Iterator[Token]:
        """The name of an ACL; the rest of the line after the colon is ignored."""
        text = line.text
        match = compiled(_ACL_NAME).match(text)
        assert match is not None
        name = match[1] or ""
        self.verb = None
        self.in_acl = False
        if len(name) >= NAME_MAX:
            yield self.lexer.too_long(line, name)
        elif not name or not match[2]:
            yield self.lexer.bad(line, "acl-name", "missing or malformed ACL name")
        else:
            self.in_acl = True
            yield self.lexer.terminals["ACL"], (line, name), 0, len(name)

    def condition(
        self, line: LogicalLine, negation: str, name: str, start: int, name_end: int, end: int
    ) -> Iterator[Token]:
        """A condition or modifier whose data begin at ``end``."""
        text = line.text
        if name not in self.conditions:
            catalogue = self.lexer.catalogue
            known = catalogue.acl_row("condition", name) or catalogue.acl_row("modifier", name)
            self.conditions[name] = None if known is None else bool(known.is_modifier)
        is_modifier = self.conditions[name]
        if is_modifier is None:
            message = f'unknown ACL condition/modifier in "{shown(text, self.version)}"'
            yield self.error(line, message, start)
            return
        if is_modifier and negation:
            yield self.error(line, f'ACL error: negation is not allowed with "{name}"', start)
            return
        variable = None
        if name == "endpass":
            if self.verb not in ("accept", "discard"):
                message = f'ACL error: "endpass" is not allowed with "{self.verb}"'
                yield self.error(line, message, start)
                return
            yield self.lexer.terminals["CONDITION"], (line, name, False, None), start, name_end
            return
        if name == "set":
            stop = variable_end(text, end, self.version)
            if isinstance(stop, str):
                yield self.error(line, stop, end)
                return
            variable = text[end:stop]
            name_end = stop
            while text[stop : stop + 1] and text[stop] in SPACE:
                stop += 1
            end = stop
        equals = compiled(_EQUALS).match(text, end)
        if equals is None:
            what = "modifier" if is_modifier else "condition"
            yield self.error(line, f'"=" missing after ACL "{name}" {what}', end)
            return
        yield self.lexer.terminals["CONDITION"], (line, name, negation == "!", variable), start, name_end
        end = equals.end()
        yield self.lexer.VALUE, (line, text[end:]), end, len(text)


def variable_end(text: str, at: int, version: tuple[int, int]) -> int | str:
    """Give where the variable after ``set`` ends, or what Exim says of it."""
    rest = text[at:]
    if rest.startswith(_DKIM_VARIABLES):
        if rest[18:19].isalnum() and rest[18] < "\x80":
            return (
                f'invalid variable name after "set" in ACL modifier "set {shown(rest, version)}" '
                '(only "dkim_verify_status" or "dkim_verify_reason" permitted)'
            )
        return at + 18
    if not rest.startswith(("acl_c", "acl_m")):
        return (
            f'invalid variable name after "set" in ACL modifier "set {shown(rest, version)}" '
            '(must start "acl_c" or "acl_m")'
        )
    if not (rest[5:6] == "_" or "0" <= rest[5:6] <= "9"):
        return (
            f'invalid variable name after "set" in ACL modifier "set {shown(rest, version)}" '
            "(digit or underscore must follow acl_c or acl_m)"
        )
    match = compiled(_VARIABLE).match(text, at + 5)
    word = compiled(_WORD).match(text, at + 5)
    assert match is not None and word is not None
    if word.end() < match.end():
        char = text[word.end()]
        return f'invalid character "{char}" in variable name in ACL modifier "set {shown(rest, version)}"'
    return match.end()


def shown(text: str, version: tuple[int, int]) -> str:
    """Give text as a message quotes it: 4.99 escapes double quotes, controls and 8-bit bytes."""
    awkward = compiled(_AWKWARD)
    if version < (4, 99) or not awkward.search(text):
        return text
    return awkward.sub(lambda found: _LETTERS.get(found.group()) or f"\\{ord(found.group()):03o}", text)
