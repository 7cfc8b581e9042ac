"""From logical lines to the tokens of config.lark: one token per large piece, whatever the text.

It knows what a line can be in the section it stands in, as Exim's readers do, and turns a line that they
refuse as it stands into a BAD token with their words. Which options and drivers exist, and whether values
make sense, is decided later. A token is (terminal, value, start, end); its value begins with the line.
"""

from __future__ import annotations

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
from eximious.grammar.config_values import ValueProblem
from eximious.grammar.listspans import SPACE
from eximious.grammar.patterns import compiled
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
OPTION = rf"([A-Za-z][A-Za-z0-9_]*){_S}(={_S})?"
ANY_NAME = rf"([A-Za-z0-9_]*){_S}(={_S})?"
_LIST = rf"(domain|host|address|localpart)list(_cache)?([{SPACE}]+([A-Za-z0-9_]*){_S}(={_S})?)?"
LIST_WORDS = ("domainlist", "hostlist", "addresslist", "localpartlist")
_MACRO = rf"([A-Z][A-Za-z0-9_]*){_S}(==?){_S}"
#: groups: a name; the colon that makes it the start of a driver
_DRIVER = rf"([A-Za-z][A-Za-z0-9_]*)?{_S}(:)?"

_CLASS = {ROUTERS: "router", TRANSPORTS: "transport", AUTHENTICATORS: "authenticator"}


class Lexer:
    """Makes tokens of lines. ``lines`` collects the lines in order (diagnostics are sorted by it)."""

    def __init__(self, catalogue: Catalogue, terminals: Mapping[str, int]) -> None:
        self.catalogue = catalogue
        self.lines: list[LogicalLine] = []
        self.OPTION, self.VALUE = terminals["OPTION"], terminals["VALUE"]
        self.LIST, self.MACRO, self.BAD = terminals["LIST"], terminals["MACRO"], terminals["BAD"]
        self.terminals = terminals

    def tokens(self, lines: Iterable[LogicalLine]) -> Iterator[Token]:
        """Yield the tokens of a whole configuration, ``$END`` last."""
        terminals = self.terminals
        handle = self.main_line
        keep = self.lines.append
        for line in lines:
            keep(line)
            if line.kind == BEGIN:
                word = line.text[6:].lstrip(SPACE)
                lower = word[:SECTION_MAX].lower()
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
            from eximious.grammar.config_acl import AclLines

            return "ACL_SECTION", AclLines(self).line
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
        match = compiled(_MACRO).match(line.text)
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
        if text.startswith(LIST_WORDS):
            yield from self.named_list(line, 0)
        elif text.startswith("hide") and text[4:5] in SPACE and text.startswith(LIST_WORDS, 5):
            yield from self.named_list(line, 5)
        elif line.line == 1 and text.startswith("\xef\xbb\xbf"):
            yield self.bad(line, "bom", "found unexpected BOM (Byte Order Mark)")
        else:
            yield from self.option(line)

    def named_list(self, line: LogicalLine, at: int) -> Iterator[Token]:
        """A named list; ``at``: 5 after ``hide``."""
        text = line.text
        match = compiled(_LIST).match(text, at)
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
        match = compiled(OPTION).match(text)
        if match is None:
            yield self.bad(line, "option-expected", f"option setting expected: {text}")
            return
        hide = False
        if match[1] == "hide":
            hide = True
            match = compiled(ANY_NAME).match(text, match.end(1) + len(text[4:]) - len(text[4:].lstrip(SPACE)))
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
        match = compiled(_DRIVER).match(text)
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

    # -- rules -----------------------------------------------------------------------------------------

    def rewrite_line(self, line: LogicalLine) -> Iterator[Token]:
        """A rewriting rule."""
        from eximious.grammar.config_rules import rewrite_parts

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
        from eximious.grammar.config_rules import retry_parts

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
