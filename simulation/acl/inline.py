"""ACLs given as text, in place of a name or in a file of their own (manual 44.4).

Lines are joined and comments left out as in a configuration, but macros and directives mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_ast import AclCondition, AclStatement, Value
from eximious.grammar.listspans import SPACE
from eximious.simulation.acl.program import AclTextError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.catalogue import Catalogue
    from eximious.grammar.logical import LogicalLine

_PREFIX = "error in ACL: "


def logical_lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield the logical lines of the text and the number of the physical line where each begins.

    Space is taken from the front only. A line is continued where its last visible character is a
    backslash; comment lines inside a continuation are left out, and so is the space that the next line
    begins with.
    """
    lines = text.partition("\0")[0].split("\n")
    at = 0
    while at < len(lines):
        first = at
        line = lines[at].lstrip(SPACE)
        at += 1
        if not line or line.startswith("#"):
            continue
        while at < len(lines) and line.rstrip(SPACE).endswith("\\"):
            line = line.rstrip(SPACE)[:-1]
            following = lines[at].lstrip(" \t")
            at += 1
            while following.startswith("#") and at < len(lines):
                following = lines[at].lstrip(" \t")
                at += 1
            line += "" if following.startswith("#") else following
        yield line, first + 1


def first_line(text: str) -> str:
    """Give the text up to the end of its first line that is neither blank nor a comment."""
    at = 0
    for line in text.split("\n"):
        at += len(line) + 1
        if line.strip(SPACE) and not line.lstrip(SPACE).startswith("#"):
            return text[: at - 1]
    return text


def parse_statements(text: str, catalogue: Catalogue, file: str = "") -> tuple[AclStatement, ...]:
    """Parse the statements of an ACL given as text. Raises AclTextError with Exim's message."""
    from eximious.grammar._config_lalr import TERMINALS
    from eximious.grammar.config_acl import AclLines
    from eximious.grammar.config_lexer import Lexer
    from eximious.grammar.logical import TEXT, LogicalLine

    names = {number: name for name, number in TERMINALS.items()}
    reader = AclLines(Lexer(catalogue, TERMINALS))
    statements: list[AclStatement] = []
    parts: list[AclCondition] = []
    head: tuple[LogicalLine, str, int, int] | None = None
    pending: tuple[LogicalLine, str, bool, str | None, int, int] | None = None

    def close() -> None:
        if head is not None:
            line, verb, start, end = head
            statements.append(AclStatement(verb, tuple(parts), line, start, end))
            parts.clear()

    def condition(value: Value | None) -> None:
        if pending is not None:
            line, name, negated, variable, start, end = pending
            parts.append(AclCondition(name, negated, variable, value, line, start, end))

    reader.in_acl = True
    for physical, number in logical_lines(text):
        logical = LogicalLine(physical, file or "inline ACL", number, TEXT, 0)
        for number_of_terminal, value, start, end in reader.line(logical):
            kind = names[number_of_terminal]
            if kind == "VALUE":
                condition(Value(value[1], logical, start, end))
                pending = None
                continue
            condition(None)
            pending = None
            if kind == "VERB":
                close()
                head = (logical, value[1], start, end)
            elif kind == "CONDITION":
                pending = (logical, value[1], value[2], value[3], start, end)
            elif kind == "ACL" or value[2] == "acl-name":
                close()
                return tuple(statements)
            else:
                raise AclTextError(value[3].removeprefix(_PREFIX))
    condition(None)
    close()
    return tuple(statements)
