"""Prints the tree of a configuration: the text, read again, gives an equal tree.

The text is what Exim would read after macros and conditionals: definitions are printed, but what they made
of other lines stays made. Where such a line happens to hold a macro's name, it is broken inside the name,
since Exim replaces macros in physical lines. With the reader at hand comments and blank lines are kept.
One thing cannot be printed: what Exim takes in from an old buffer where a file ends in a continuation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar import config_ast as ast
from eximious.grammar.config_lexer import LIST_WORDS
from eximious.grammar.listspans import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eximious.grammar.reader import LogicalLine, Reader


def print_tree(tree: ast.ConfigurationTree, reader: Reader | None = None, names: Iterable[str] = ()) -> str:
    """Give the text of a tree. ``reader``: the one that read it, to keep its comments; ``names``: macros
    that will be defined when the text is read (those of the command line)."""
    printer = _Printer(reader, names)
    printer.lines(tree.main, "")
    for section in tree.sections:
        printer.section(section)
    return printer.text()


class _Printer:
    """The text so far, and what it depends on."""

    def __init__(self, reader: Reader | None, names: Iterable[str]) -> None:
        self.out: list[str] = []
        self.names = list(names)
        self.notes: list[tuple[str, int, str]] = []
        if reader is not None:
            for trivia in reader.trivia:
                if trivia.kind in ("comment", "blank"):
                    text = reader.sources.line(trivia.file, trivia.line) or ""
                    self.notes.append((trivia.file, trivia.line, text.strip(SPACE)))
        self.at = 0

    def text(self) -> str:
        """Give the text. Only at the end of a file, after a backslash, can a line end in blanks or in one."""
        if self.out and (self.out[-1][-2:-1] == "\\" or self.out[-1][-2:-1].isspace()):
            self.out[-1] = self.out[-1][:-1] + "\\"
        else:
            self.comments(None)
        return "".join(self.out)

    def comments(self, node: ast.ConfigNode | None) -> None:
        """Print the comments that stand before a node (None: all that are left)."""
        if self.at >= len(self.notes):
            return
        file, line = ("", 0) if node is None else _first(node)
        while self.at < len(self.notes):
            note = self.notes[self.at]
            if node is not None and (note[0] != file or note[1] > line):
                return
            self.out.append(f"{note[2]}\n")
            self.at += 1

    def put(self, indent: str, text: str) -> None:
        """Print a logical line."""
        if self.names:
            text = self.broken(text)
        if (
            text[:1] == "." and text[1:2].isalpha()
        ):  # it is no directive because it was put together from two lines
            text = f".\\\n{text[1:]}"
        self.out.append(f"{indent}{text}\n")

    def broken(self, text: str) -> str:
        """Give the line with a continuation inside each macro's name in it."""
        at = 0
        while True:
            hits = [(found, len(name)) for name in self.names if (found := text.find(name, at)) >= 0]
            if not hits:
                return text
            start, size = min(hits)
            cut = start + (1 if size > 1 else 0)
            if size == 1:
                return text  # cannot be broken; a name of one letter is replaced wherever it stands
            text = f"{text[:cut]}\\\n{text[cut:]}"
            at = cut + 2

    # -- lines -----------------------------------------------------------------------------------------

    def lines(self, nodes: Iterable[ast.Line], indent: str) -> None:
        """Print option lines, lists, definitions and refused lines."""
        for node in nodes:
            self.line(node, indent)

    def line(self, node: ast.Line, indent: str) -> None:
        """Print one of them."""
        self.comments(node)
        if isinstance(node, ast.Option):
            self.put(indent, _option(node))
        elif isinstance(node, ast.NamedList):
            hide, cache = "hide " if node.hide else "", "_cache" if node.cache else ""
            value = "" if node.value is None else f" = {node.value.raw}"
            self.put(
                indent, f"{hide}{node.kind}list{cache} {node.name or ':' if not value else node.name}{value}"
            )
        elif isinstance(node, ast.Macro):
            self.macro(node, indent)
        else:
            self.put(indent, node.text)

    def macro(self, node: ast.Macro, indent: str) -> None:
        """Print a definition: its name is not replaced, its value is."""
        value = self.broken(f" {node.value.raw}") if self.names else f" {node.value.raw}"
        self.out.append(
            f"{indent}{node.name} {node.operator}{value.rstrip(' ') if value == ' ' else value}\n"
        )
        if node.name not in self.names:
            self.names.append(node.name)

    # -- sections --------------------------------------------------------------------------------------

    def section(self, section: ast.Section) -> None:
        """Print a section."""
        self.comments(section)
        self.put("", f"begin {section.word}")
        self.lines(section.leading, "  ")
        for item in section.items:
            self.comments(item)
            if isinstance(item, ast.Acl):
                self.acl(item)
            elif isinstance(item, ast.Driver):
                self.driver(item)
            elif isinstance(item, ast.RewriteRule):
                flags = "" if item.flags is None else f" {item.flags.raw}"
                self.put("", f"{item.pattern.raw} {item.replacement.raw}{flags}")
            elif isinstance(item, ast.RetryRule):
                self.put("", _retry(item))
            elif isinstance(item, ast.BadLine):
                self.put("", item.text)

    def acl(self, acl: ast.Acl) -> None:
        """Print an ACL."""
        self.put("", f"{acl.name}:")
        self.lines(acl.leading, "  ")
        for statement in acl.statements:
            self.comments(statement)
            body = statement.body
            rest: Iterator[ast.AclCondition | ast.Macro | ast.BadLine] = iter(body)
            first = body[0] if body else None
            if isinstance(first, ast.AclCondition):
                next(rest)
                self.put("  ", f"{statement.verb} {_condition(first)}")
            elif first is None or first.source is not statement.source:
                self.put("  ", statement.verb)
            for part in rest:
                if isinstance(part, ast.AclCondition):
                    self.comments(part)
                    self.put("         ", _condition(part))
                else:
                    self.line(part, "  ")

    def driver(self, driver: ast.Driver) -> None:
        """Print a router, transport or authenticator."""
        first = driver.lines[0] if driver.lines else None
        if first is None or first.source is not driver.source:
            self.put("", f"{driver.name}:")
        self.lines(driver.lines, "  ")


def _first(node: ast.ConfigNode) -> tuple[str, int]:
    """Give file and line where the line of a node begins."""
    line: LogicalLine = node.source  # type: ignore[assignment]
    return line.first


def _option(node: ast.Option) -> str:
    """Give the text of an option line. Blanks matter where it could be taken for a list or a section."""
    hide = ("hide  " if node.name.startswith(LIST_WORDS) else "hide ") if node.hide else ""
    begin = not hide and node.name.lower() == "begin"
    if node.value is not None:
        return f"{hide}{node.name}{'' if begin else ' '}= {node.value.raw}"
    if not node.rest:
        return f"{hide}{node.name}"
    return f"{hide}{node.name}{chr(9) if begin else ' '}{node.rest}"


def _condition(node: ast.AclCondition) -> str:
    """Give the text of a condition or modifier."""
    variable = "" if node.variable is None else f" {node.variable}"
    value = "" if node.value is None else f" = {node.value.raw}"
    return f"{'!' if node.negated else ''}{node.name}{variable}{value}"


def _retry(rule: ast.RetryRule) -> str:
    """Give the text of a retry rule."""
    senders = "" if rule.senders is None else f" senders={rule.senders.raw}"
    steps = "; ".join(
        ",".join([step.algorithm, *(argument.raw for argument in step.arguments)]) for step in rule.steps
    )
    return f"{rule.pattern.raw} {rule.error.raw}{senders}{f' {steps}' if steps else ''}"
