"""Macros: the table, their definition and their replacement in a physical line (manual 6.4 to 6.6).

Exim keeps macros in one list: the predefined ones first, then those of the command line, then those of
the file in the order of their definition. For each physical line it walks that list once and replaces
every occurrence of each name, anywhere, even inside words; text put in is searched for the names that
come later in the list only. The substring rule for definitions exists because of that order.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SPACE = " \t\n\v\f\r"  #: what the C library's isspace takes, in the C locale
NAME_LIMIT = 63  #: longest name in a definition of the file
COMMAND_LINE_NAME = 23  #: longest name that -D can give; the rest is dropped
GROWTH_LIMIT = 4_000_000  #: bytes of a line after replacement; ours, Exim has no bound
EDIT_LIMIT = 200_000  #: replacements in a line; ours
_WORD = "[A-Za-z0-9_]*"
#: the start of a line that is a definition: nothing is replaced up to the equals sign
DEFINITION = re.compile(rf"[A-Z]{_WORD}[{SPACE}]*(?==)")
NAME = re.compile(_WORD)
#: a place where a name can begin; Exim looks at the first such place to decide which list to walk
CANDIDATE = re.compile("_?[A-Z]")
#: every predefined name has one of these in it
PREDEFINED_HINT = "_(?:HAVE|DRIVER|OPT|LOG|ACL|CRYPTO|RESUME|DKIM|EXP|OPENSSL|TLS)_"


class DefineError(Exception):
    """A ``-D`` argument that Exim refuses. ``message`` is what it prints (exit code 1)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MacroError(Exception):
    """A definition that Exim refuses. ``located``: Exim names file and line in this message."""

    def __init__(self, code: str, message: str, located: bool, other: Macro | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.located, self.other = code, message, located, other


class Macro:
    """One macro. ``origin``: file, command line or predefined; ``uses``: how many times it was replaced."""

    __slots__ = ("file", "line", "name", "origin", "redefined", "uses", "value")

    def __init__(self, name: str, value: str, origin: str, file: str = "", line: int = 0) -> None:
        self.name, self.value, self.origin, self.file, self.line = name, value, origin, file, line
        self.uses = 0
        #: (file, line, value) of each later definition with ``==``
        self.redefined: list[tuple[str, int, str]] = []

    def __repr__(self) -> str:
        return f"Macro({self.name!r}, {self.value!r}, {self.origin!r})"


#: one replacement in a line: where, length of the name, length of the value then, the macro
Edit = tuple[int, int, int, "Macro"]


class MacroTable:
    """The macros in Exim's order. ``predefined`` gives the built-in ones when a line needs them."""

    def __init__(
        self,
        defines: Iterable[tuple[str, str]] = (),
        predefined: Callable[[], Iterable[tuple[str, str]]] = tuple,
    ) -> None:
        self.user: dict[str, Macro] = {}
        self._predefined_source = predefined
        self._predefined: dict[str, Macro] | None = None
        for name, value in defines:
            self.user[name] = Macro(name, value, "command line", "<command line>")
        #: found in every line that holds a predefined name or one of those defined when it was made
        self._pattern: re.Pattern[str] | None = None
        self._fresh: list[str] = []  #: names defined since

    @property
    def predefined(self) -> dict[str, Macro]:
        """The built-in macros of this version and build, in Exim's order."""
        if self._predefined is None:
            self._predefined = {
                name: Macro(name, value, "predefined") for name, value in self._predefined_source()
            }
        return self._predefined

    def may_replace(self, line: str) -> bool:
        """Say whether something may be replaced in a line: quick, and never wrongly no."""
        pattern = self._pattern
        if pattern is None:
            pattern = self._pattern = _any_of(self.user)
            self._fresh.clear()
        if pattern.search(line):
            return True
        return any(name in line for name in self._fresh) if self._fresh else False

    def get(self, name: str) -> Macro | None:
        """Give the macro of that name, predefined or not."""
        found = self.user.get(name)
        if found is None and re.search(PREDEFINED_HINT, name):
            found = self.predefined.get(name)
        return found

    def all(self) -> Iterable[Macro]:
        """Give all macros in Exim's order (``-bP macros`` prints them so)."""
        yield from self.predefined.values()
        yield from self.user.values()

    def replace(self, line: str, at_start: bool) -> tuple[str, list[Edit]]:
        """Replace macros in a physical line.

        ``at_start``: the line begins a logical line, so it may be a definition (whose name is left
        alone). Gives the new line and the edits in the order they were made. Raises MacroError when the
        line grows beyond our bounds; Exim has none.
        """
        start = 0
        if at_start:
            start = len(line) - len(line.lstrip(SPACE))
            definition = DEFINITION.match(line, start)
            if definition:
                start = definition.end()
        candidate = CANDIDATE.search(line, start)
        edits: list[Edit] = []
        if candidate is None:
            return line, edits
        start = candidate.start()
        lists = [self.predefined, self.user] if line[start] == "_" else [self.user]
        for table in lists:
            for macro in table.values():
                name = macro.name
                at = line.find(name, start)
                if at < 0:
                    continue
                size, grow = len(name), len(macro.value)
                count = line.count(name, start)
                if len(line) + count * (grow - size) > GROWTH_LIMIT or len(edits) + count > EDIT_LIMIT:
                    raise MacroError("macro-growth", f"macro {name} makes the line too long", True)
                shift = 0
                while at >= 0:
                    edits.append((at + shift, size, grow, macro))
                    shift += grow - size
                    at = line.find(name, at + size)
                line = line[:start] + line[start:].replace(name, macro.value)
        return line, edits

    def define(self, text: str, file: str, line: int) -> Macro:
        """Take over the definition in ``text`` (a logical line that begins with an upper case letter).

        Gives the macro. Raises MacroError with Exim's words where Exim refuses it.
        """
        match = NAME.match(text)
        name = match.group() if match else ""
        if len(name) > NAME_LIMIT:
            raise MacroError("macro-name", f"macro name too long (maximum is {NAME_LIMIT} characters)", True)
        rest = text[len(name) :].lstrip(SPACE)
        if not rest.startswith("="):
            raise MacroError("macro-malformed", "malformed macro definition", True)
        again = rest.startswith("==")
        value = rest[2 if again else 1 :].lstrip(SPACE)
        known = self._check(name, again)
        if known is not None:
            if known.origin != "command line":
                known.value = value
                known.redefined.append((file, line, value))
            return known
        if again:
            raise MacroError("macro-undefined", f'can\'t redefine an undefined macro "{name}"', False)
        macro = self.user[name] = Macro(name, value, "file", file, line)
        self._fresh.append(name)
        if len(self._fresh) > 8 + len(self.user) // 8:
            self._pattern = None
        return macro

    def _check(self, name: str, again: bool) -> Macro | None:
        """Walk the list as Exim does: stop at the same name, refuse a name that holds an earlier one."""
        tables = [self.user]
        if re.search(PREDEFINED_HINT, name):
            tables.insert(0, self.predefined)
        for table in tables:
            for other in table.values():
                if other.name == name:
                    if other.origin != "command line" and not again:
                        raise MacroError(
                            "macro-redefined",
                            f'macro "{name}" is already defined (use "==" if you want to redefine it)',
                            False,
                            other,
                        )
                    return other
                if len(other.name) < len(name) and other.name in name:
                    raise MacroError(
                        "macro-substring",
                        f'"{name}" cannot be defined as a macro because previously defined macro '
                        f'"{other.name}" is a substring',
                        False,
                        other,
                    )
        return None


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Give a pattern that finds any of the names, and what may begin a predefined one."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name[:2], []).append(name[2:])
    # by first letters: a plain alternation would try every name at every capital letter
    parts = [f"{start}(?:{'|'.join(rests)})" for start, rests in groups.items()]
    return re.compile("|".join([*parts, PREDEFINED_HINT]))


def parse_define(argument: str) -> tuple[str, str]:
    """Give name and value of a ``-D`` argument (without the ``-D``): ``NAME``, ``NAME=`` or ``NAME=value``.

    Names are cut to 23 characters, as Exim does. Raises DefineError with Exim's words.
    """
    if not "A" <= argument[:1] <= "Z":
        raise DefineError("exim: macro name set by -D must start with an upper case letter")
    match = NAME.match(argument)
    name = match.group() if match else ""
    rest = argument[len(name) :].lstrip(SPACE)
    if rest and rest[0] != "=":
        raise DefineError(f"exim abandoned: unknown, malformed, or incomplete option -D{argument}")
    return name[:COMMAND_LINE_NAME], rest[1:].lstrip(SPACE)


def parse_defines(arguments: Iterable[str]) -> dict[str, str]:
    """Give what all ``-D`` arguments together define, in order. Raises DefineError, also for a name twice."""
    found: dict[str, str] = {}
    for argument in arguments:
        name, value = parse_define(argument)
        if name in found:
            raise DefineError("exim: duplicated -D in command line")
        found[name] = value
    return found
