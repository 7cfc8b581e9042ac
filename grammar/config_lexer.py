"""From logical lines to the tokens of config.lark: one token per large piece, whatever the text.

It knows what a line can be in the section it stands in, as Exim's readers do, and turns a line that they
refuse as it stands into a BAD token with their words. Which options and drivers exist, and whether values
make sense, is decided later. A token is (terminal, value, start, end); its value begins with the line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar.config_ast import (
    ACL,
    AUTHENTICATORS,
    RETRY,
    REWRITE,
    ROUTERS,
    SECTION_WORDS,
    TRANSPORTS,
    UNKNOWN,
)
from eximious.grammar.config_rules import retry_parts, rewrite_parts
from eximious.grammar.config_values import ValueProblem
from eximious.grammar.listspans import SPACE
from eximious.grammar.reader import BEGIN, MACRO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.reader import LogicalLine

    Token = tuple[int, Any, int, int]

NAME_MAX = 64  #: Exim's buffer for names; a longer one is refused, or cut to one less
SECTION_MAX = 22  #: how much of a section's name Exim keeps

_S = f"[{SPACE}]*"
#: groups: the name; the equals sign with the blanks around it
OPTION = re.compile(rf"([A-Za-z][A-Za-z0-9_]*){_S}(={_S})?")
ANY_NAME = re.compile(rf"([A-Za-z0-9_]*){_S}(={_S})?")
_LIST = re.compile(rf"(domain|host|address|localpart)list(_cache)?([{SPACE}]+([A-Za-z0-9_]*){_S}(={_S})?)?")
_LIST_WORDS = ("domainlist", "hostlist", "addresslist", "localpartlist")
_MACRO = re.compile(rf"([A-Z][A-Za-z0-9_]*){_S}(==?){_S}")
#: groups: a name; the colon that makes it the start of a driver
_DRIVER = re.compile(rf"([A-Za-z][A-Za-z0-9_]*)?{_S}(:)?")
_ACL_START = re.compile(rf"{_S}(!?){_S}([A-Za-z][A-Za-z0-9_]*)?{_S}")
_ACL_NAME = re.compile(rf"([A-Za-z][A-Za-z0-9_]*)?{_S}(:)?")
_CONDITION = re.compile(rf"(!?){_S}([A-Za-z][A-Za-z0-9_]*)?{_S}")
_EQUALS = re.compile(rf"={_S}")
_VARIABLE = re.compile(rf"[^={SPACE}]*")
_WORD = re.compile("[A-Za-z0-9_]*")
_AWKWARD = re.compile(r'["\x00-\x1f\x7f-\xff]')
_LETTERS = {'"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}
_DKIM_VARIABLES = ("dkim_verify_status", "dkim_verify_reason")

_CLASS = {ROUTERS: "router", TRANSPORTS: "transport", AUTHENTICATORS: "authenticator"}


class Lexer:
    """Makes tokens of lines. ``lines`` collects the lines in order (diagnostics are sorted by it)."""

    def __init__(self, catalogue: Catalogue, terminals: Mapping[str, int]) -> None:
        self.catalogue = catalogue
        self.lines: list[LogicalLine] = []
        self.OPTION, self.VALUE = terminals["OPTION"], terminals["VALUE"]
        self.LIST, self.MACRO, self.BAD = terminals["LIST"], terminals["MACRO"], terminals["BAD"]
        self.terminals = terminals
        #: condition or modifier -> whether it is a modifier; None: unknown here
        self.conditions: dict[str, bool | None] = {}

    def tokens(self, lines: Iterable[LogicalLine]) -> Iterator[Token]:
        """Yield the tokens of a whole configuration, ``$END`` last."""
        terminals = self.terminals
        handle = self.main_line
        keep = self.lines.append
        for line in lines:
            keep(line)
            if line.kind == BEGIN:
                word = line.text[6:].lstrip(SPACE)[:SECTION_MAX]
                lower = word.lower()
                kind = SECTION_WORDS.get(lower if lower[-1:] == "s" else lower + "s", UNKNOWN)
                token, handle = self.section(kind)
                start = len(line.text) - len(line.text[6:].lstrip(SPACE))
                yield terminals[token], (line, word, kind), start, start + len(word)
            else:
                yield from handle(line)
        yield terminals["$END"], None, 0, 0

    def section(self, kind: str) -> tuple[str, Any]:
        """Give the token that opens a section and the function for its lines."""
        if kind == ACL:
            self.verbs = self.catalogue.acl("verb")
            self.verb: str | None = None
            self.in_acl = False
            return "ACL_SECTION", self.acl_line
        if kind in _CLASS:
            self.kind = _CLASS[kind]
            self.in_driver = False
            return "DRIVER_SECTION", self.driver_line
        if kind == REWRITE:
            return "REWRITE_SECTION", self.rewrite_line
        if kind == RETRY:
            return "RETRY_SECTION", self.retry_line
        return "OTHER_SECTION", self.ignored_line

    def bad(self, line: LogicalLine, code: str, message: str, offset: int = 0) -> Token:
        """Give the token of a line that Exim refuses."""
        return self.BAD, (line, line.text, code, message), offset, len(line.text)

    def ignored_line(self, line: LogicalLine) -> Iterator[Token]:
        """A line of a section that is refused as a whole."""
        yield self.bad(line, "ignored", "")

    # -- option lines ----------------------------------------------------------------------------------

    def macro(self, line: LogicalLine) -> Iterator[Token]:
        """A macro definition (the reader has carried it out)."""
        match = _MACRO.match(line.text)
        if match is None:
            yield self.bad(line, "macro-malformed", "")  # the reader has said what is to say
            return
        end = match.end()
        yield self.MACRO, (line, match[1], match[2]), 0, len(match[1])
        yield self.VALUE, (line, line.text[end:]), end, len(line.text)

    def main_line(self, line: LogicalLine) -> Iterator[Token]:
        """A line of the main section."""
        text = line.text
        if line.kind == MACRO:
            yield from self.macro(line)
            return
        if text.startswith(_LIST_WORDS):
            yield from self.named_list(line, 0)
        elif text.startswith("hide") and text[4:5] in SPACE and text.startswith(_LIST_WORDS, 5):
            yield from self.named_list(line, 5)
        elif line.line == 1 and text.startswith("\xef\xbb\xbf"):
            yield self.bad(line, "bom", "found unexpected BOM (Byte Order Mark)")
        else:
            yield from self.option(line)

    def named_list(self, line: LogicalLine, at: int) -> Iterator[Token]:
        """A named list; ``at``: 5 after ``hide``."""
        text = line.text
        match = _LIST.match(text, at)
        if match is None or match[3] is None:
            yield self.bad(line, "list-malformed", "unrecognized configuration line")
            return
        start = match.start(4)
        yield self.LIST, (line, match[1], match[4], match[2] is not None, at == 5), start, match.end(4)
        if match[5]:
            end = match.end()
            yield self.VALUE, (line, text[end:]), end, len(text)

    def option(self, line: LogicalLine) -> Iterator[Token]:
        """An option line, of the main section or of a driver."""
        text = line.text
        match = OPTION.match(text)
        if match is None:
            yield self.bad(line, "option-expected", f"option setting expected: {text}")
            return
        hide = False
        if match[1] == "hide":
            hide = True
            match = ANY_NAME.match(text, match.end(1) + len(text[4:]) - len(text[4:].lstrip(SPACE)))
            assert match is not None
        name = match[1]
        if len(name) >= NAME_MAX:
            name = name[: NAME_MAX - 1]
        end = match.end()
        if match[2]:
            yield self.OPTION, (line, name, hide, ""), match.start(1), match.end(1)
            yield self.VALUE, (line, text[end:]), end, len(text)
        else:
            yield self.OPTION, (line, name, hide, text[end:]), match.start(1), match.end(1)

    # -- drivers ---------------------------------------------------------------------------------------

    def driver_line(self, line: LogicalLine) -> Iterator[Token]:
        """A line of the routers, transports or authenticators section. A macro definition ends the driver."""
        if line.kind == MACRO:
            yield from self.macro(line)
            self.in_driver = False
            return
        text = line.text
        match = _DRIVER.match(text)
        assert match is not None
        name = match[1] or ""
        if len(name) >= NAME_MAX:
            yield self.too_long(line, name)
        elif match[2]:
            self.in_driver = True
            yield self.terminals["DRIVER"], (line, name), 0, len(name)
            end = match.end()
            if text[end:].strip(SPACE):
                yield self.bad(line, "extra-characters", f"extra characters follow driver name {name}", end)
        elif not self.in_driver:
            yield self.bad(line, "name-missing", f"{self.kind} name missing")
        else:
            yield from self.option(line)

    def too_long(self, line: LogicalLine, name: str, offset: int = 0) -> Token:
        """A name that does not fit Exim's buffer."""
        return self.bad(
            line,
            "name-too-long",
            f'exim item name too long (>{NAME_MAX}), unable to use "{name[: NAME_MAX - 1]}" (truncated)',
            offset,
        )

    # -- ACLs ------------------------------------------------------------------------------------------

    def acl_line(self, line: LogicalLine) -> Iterator[Token]:
        """A line of the acl section. A macro definition ends the ACL."""
        if line.kind == MACRO:
            yield from self.macro(line)
            self.in_acl = False
            self.verb = None
            return
        text = line.text
        if not self.in_acl:
            yield from self.acl_name(line)
            return
        match = _ACL_START.match(text)
        assert match is not None
        name = match[2] or ""
        end = match.end()
        if len(name) >= NAME_MAX:
            yield self.too_long(line, name, match.start(2))
            return
        if text[end : end + 1] == ":" or ("A" <= name[:1] <= "Z" and text[end : end + 1] == "="):
            yield from self.acl_name(line)
            return
        negation = match[1]
        start = match.start(1) if negation else match.start(2)
        if name in self.verbs:
            if negation:
                yield self.acl_error(line, f'malformed ACL line "{self.shown(text)}"', start)
                return
            self.verb = name
            yield self.terminals["VERB"], (line, name), start, match.end(2)
            if end >= len(text):
                return
            match = _CONDITION.match(text, end)
            assert match is not None
            start = match.start(1) if match[1] else match.start(2)
            negation, name, end = match[1], match[2] or "", match.end()
            if len(name) >= NAME_MAX:
                yield self.too_long(line, name, match.start(2))
                return
        elif self.verb is None:
            message = f'unknown ACL verb "{name}" in "{self.shown(text)}"'
            yield self.acl_error(line, message, max(start, 0))
            return
        yield from self.condition(line, negation, name, max(start, 0), match.end(2), end)

    def shown(self, text: str) -> str:
        """Give text as a message of this version quotes it: 4.99 escapes quotes, controls and 8-bit bytes."""
        if self.catalogue.version < (4, 99) or not _AWKWARD.search(text):
            return text
        return _AWKWARD.sub(lambda m: _LETTERS.get(m.group()) or f"\\{ord(m.group()):03o}", text)

    def acl_error(self, line: LogicalLine, message: str, offset: int) -> Token:
        """A line that is no part of an ACL."""
        return self.bad(line, "acl-syntax", f"error in ACL: {message}", offset)

    def acl_name(self, line: LogicalLine) -> Iterator[Token]:
        """The name of an ACL; the rest of the line after the colon is ignored."""
        text = line.text
        match = _ACL_NAME.match(text)
        assert match is not None
        name = match[1] or ""
        self.verb = None
        self.in_acl = False
        if len(name) >= NAME_MAX:
            yield self.too_long(line, name)
        elif not name or not match[2]:
            yield self.bad(line, "acl-name", "missing or malformed ACL name")
        else:
            self.in_acl = True
            yield self.terminals["ACL"], (line, name), 0, len(name)

    def condition(
        self, line: LogicalLine, negation: str, name: str, start: int, name_end: int, end: int
    ) -> Iterator[Token]:
        """A condition or modifier whose data begin at ``end``."""
        text = line.text
        if name not in self.conditions:
            catalogue = self.catalogue
            known = catalogue.acl_row("condition", name) or catalogue.acl_row("modifier", name)
            self.conditions[name] = None if known is None else bool(known.is_modifier)
        is_modifier = self.conditions[name]
        if is_modifier is None:
            message = f'unknown ACL condition/modifier in "{self.shown(text)}"'
            yield self.acl_error(line, message, start)
            return
        if is_modifier and negation:
            yield self.acl_error(line, f'ACL error: negation is not allowed with "{name}"', start)
            return
        variable = None
        if name == "endpass":
            if self.verb not in ("accept", "discard"):
                message = f'ACL error: "endpass" is not allowed with "{self.verb}"'
                yield self.acl_error(line, message, start)
                return
            yield self.terminals["CONDITION"], (line, name, False, None), start, name_end
            return
        if name == "set":
            stop = self.variable_end(text, end)
            if isinstance(stop, str):
                yield self.acl_error(line, stop, end)
                return
            variable = text[end:stop]
            name_end = stop
            while text[stop : stop + 1] and text[stop] in SPACE:
                stop += 1
            end = stop
        equals = _EQUALS.match(text, end)
        if equals is None:
            what = "modifier" if is_modifier else "condition"
            yield self.acl_error(line, f'"=" missing after ACL "{name}" {what}', end)
            return
        yield self.terminals["CONDITION"], (line, name, negation == "!", variable), start, name_end
        end = equals.end()
        yield self.VALUE, (line, text[end:]), end, len(text)

    def variable_end(self, text: str, at: int) -> int | str:
        """Give where the variable after ``set`` ends, or what Exim says of it."""
        rest = text[at:]
        if rest.startswith(_DKIM_VARIABLES):
            if rest[18:19].isalnum() and rest[18] < "\x80":
                return (
                    f'invalid variable name after "set" in ACL modifier "set {self.shown(rest)}" '
                    '(only "dkim_verify_status" or "dkim_verify_reason" permitted)'
                )
            return at + 18
        if not rest.startswith(("acl_c", "acl_m")):
            return (
                f'invalid variable name after "set" in ACL modifier "set {self.shown(rest)}" '
                '(must start "acl_c" or "acl_m")'
            )
        if not (rest[5:6] == "_" or "0" <= rest[5:6] <= "9"):
            return (
                f'invalid variable name after "set" in ACL modifier "set {self.shown(rest)}" '
                "(digit or underscore must follow acl_c or acl_m)"
            )
        match = _VARIABLE.match(text, at + 5)
        word = _WORD.match(text, at + 5)
        assert match is not None and word is not None
        if word.end() < match.end():
            char = text[word.end()]
            return f'invalid character "{char}" in variable name in ACL modifier "set {self.shown(rest)}"'
        return match.end()

    # -- rules -----------------------------------------------------------------------------------------

    def rewrite_line(self, line: LogicalLine) -> Iterator[Token]:
        """A rewriting rule."""
        text = line.text
        try:
            pattern, replacement, flags = rewrite_parts(text)
        except ValueProblem as problem:
            yield self.bad(line, problem.code, problem.message, problem.offset)
            return
        terminals = self.terminals
        yield self.piece(terminals["PATTERN"], line, *pattern)
        yield self.piece(terminals["REPLACEMENT"], line, *replacement)
        if flags is not None:
            yield self.piece(terminals["FLAGS"], line, *flags)

    def retry_line(self, line: LogicalLine) -> Iterator[Token]:
        """A retry rule."""
        try:
            parts = retry_parts(line.text)
        except ValueProblem as problem:
            yield self.bad(line, problem.code, problem.message, problem.offset)
            return
        terminals = self.terminals
        yield self.piece(terminals["PATTERN"], line, *parts.pattern)
        yield self.piece(terminals["ERROR"], line, *parts.error)
        if parts.senders is not None:
            yield self.piece(terminals["SENDERS"], line, *parts.senders)
        for at, arguments in parts.steps:
            yield self.piece(terminals["STEP"], line, at, at + 1)
            for start, end in arguments:
                yield self.piece(terminals["ARGUMENT"], line, start, end)

    def piece(self, terminal: int, line: LogicalLine, start: int, end: int) -> Token:
        """A token for a piece of a line."""
        return terminal, (line, line.text[start:end]), start, end
