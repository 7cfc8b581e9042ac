"""Reads what stands behind the name of an item: its arguments, and the yes and no strings behind a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import Argument, If, Item, Node, Word
from eximious.interpreter.functions import sequence
from eximious.interpreter.outcomes import ForcedFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.compiler import Compiler
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run


class Arguments:
    """Reads the parts of an item in order, as Exim reads its text.

    With ``skipping`` the functions it gives only do what skipping does (and those that do nothing are
    left out, unless ``keep_text``).
    """

    def __init__(
        self, compiler: Compiler, node: Item | If, skipping: bool = False, keep_text: bool = False
    ) -> None:
        self.compiler, self.node = compiler, node
        self.parts = node.parts
        self.index = 0
        self.skipping, self.keep_text = skipping, keep_text

    def peek(self) -> Node | None:
        """The next part, None at the end of the item (closed or not)."""
        return self.parts[self.index] if self.index < len(self.parts) else None

    def take_word(self) -> Word | None:
        """The next part if it is a word."""
        part = self.peek()
        if type(part) is Word:
            self.index += 1
            return part
        return None

    def text(self) -> Run | None:
        """The function for the next argument, None if what follows is no ``{text}``."""
        part = self.take()
        if part is None:
            return None
        if not self.skipping:
            return self.compiler.expansion(part.text)
        return self.compiler.skip_text(part.text)

    def take(self) -> Argument | None:
        """The next part if it is an argument."""
        part = self.peek()
        if type(part) is Argument:
            self.index += 1
            return part
        return None

    @property
    def place(self) -> int:
        """The offset of what comes next."""
        part = self.peek()
        if part is not None:
            return part.start
        return self.node.end - 1 if self.node.closed else self.node.end

    @property
    def at_close(self) -> bool:
        """Whether the closing brace comes next."""
        return self.index >= len(self.parts) and self.node.closed

    def texts(self, least: int, most: int, name: str) -> tuple[list[Run], Run | None]:
        """The functions for ``least`` to ``most`` arguments up to the closing brace, and the problem if any.

        The problem is to be raised when the functions before it have run.
        """
        runs: list[Run] = []
        for count in range(most):
            argument = self.take()
            if argument is None:
                if count < least:
                    return runs, self.problem(f"Not enough arguments for '{name}' (min is {least})")
                break
            if not self.skipping:
                runs.append(self.compiler.expansion(argument.text))
            elif self.keep_text:
                runs.append(self.compiler.skip_text(argument.text))
            else:
                effect = self.compiler.skip(argument.text)
                if effect is not None:
                    runs.append(effect)
        return runs, self.closing(name, most)

    def closing(self, name: str, most: int) -> Run | None:
        """The problem if the closing brace does not come next."""
        if self.at_close:
            return None
        if type(self.peek()) is Argument:
            return self.problem(f"Too many arguments for '{name}' (max is {most})")
        return self.problem(f"missing '}}' after '{name}'")

    def problem(self, message: str, curly: bool = True) -> Run:
        """A function that raises ``message`` at the place that comes next."""
        return self.compiler.raising(message, self.place, curly)


def branches(reader: Arguments, kind: str) -> tuple[Callable[..., str], Callable[..., str]]:
    """The functions for what follows a test: ``{yes}{no}``, ``{yes}fail``, ``{yes}`` or nothing.

    They are ``yes(ctx, save)`` and ``no(ctx, save)``; ``save`` is what ``$value`` is set back to behind
    the first string. ``kind`` names the item in messages (manual 11.6). Without strings ``yes`` gives
    ``$value``, or the word ``true`` for ``if``.
    """
    compiler = reader.compiler
    if reader.at_close:
        if kind == "if":
            return (lambda ctx, save: "true"), (lambda ctx, save: "")
        return _give_value, _give_nothing
    first = reader.take()
    if first is None:
        problem = _brackets(reader, "'yes' part did not start with '{'")
        return _always(problem), _always(problem)
    yes_text = compiler.expansion(first.text)
    skip_first = compiler.skip(first.text)
    part = reader.peek()
    no_text: Run | None = None
    skip_second: Run | None = None
    after_yes: Run | None = None
    after_no: Run | None = None
    if type(part) is Argument:
        reader.index += 1
        no_text = compiler.expansion(part.text)
        skip_second = compiler.skip(part.text)
        if not reader.at_close:
            after_yes = after_no = _brackets(reader, "did not close with '}'")
    elif not reader.at_close:
        word, behind, place = _fail_word(reader)
        if word != "fail":
            after_yes = after_no = compiler.raising(f'syntax error in "{kind}" item - "fail" expected', place)
        elif behind == "}":
            after_no = _forced(kind, place)
        else:
            after_yes = _brackets_at(reader, "did not close with '}'", place)
            after_no = _brackets_at(reader, "did not close with '}' after forcedfail", place)

    yes: Callable[..., str]
    if skip_second is None and after_yes is None:

        def yes(ctx: Context, save: str | None) -> str:
            result = yes_text(ctx)
            ctx.value = save
            return result

    else:

        def yes(ctx: Context, save: str | None) -> str:
            result = yes_text(ctx)
            ctx.value = save
            if skip_second is not None:
                skip_second(ctx)
            if after_yes is not None:
                after_yes(ctx)
            return result

    def no(ctx: Context, save: str | None) -> str:
        if skip_first is not None:
            skip_first(ctx)
        ctx.value = save
        result = no_text(ctx) if no_text is not None else ""
        if after_no is not None:
            after_no(ctx)
        return result

    return yes, no


def skip_branches(reader: Arguments, kind: str) -> Run | None:
    """What is found out about yes and no strings that are not wanted."""
    if reader.at_close:
        return None
    compiler = reader.compiler
    first = reader.take()
    if first is None:
        return _brackets(reader, "'yes' part did not start with '{'")
    effects = [compiler.skip(first.text)]
    part = reader.peek()
    problem: Run | None = None
    if type(part) is Argument:
        reader.index += 1
        effects.append(compiler.skip(part.text))
        if not reader.at_close:
            problem = _brackets(reader, "did not close with '}'")
    elif not reader.at_close:
        word, behind, place = _fail_word(reader)
        if word != "fail":
            problem = compiler.raising(f'syntax error in "{kind}" item - "fail" expected', place)
        elif behind != "}":
            problem = _brackets_at(reader, "did not close with '}'", place)
    return sequence([effect for effect in effects if effect is not None], problem)


def _fail_word(reader: Arguments) -> tuple[str, str, int]:
    """The name that is read where ``fail`` may be, the character behind it, and that one's offset."""
    text, place = reader.compiler.text, reader.place
    end = place
    while end < len(text) and (text[end] == "_" or (text[end].isascii() and text[end].isalnum())):
        end += 1
    behind = end
    while behind < len(text) and text[behind] in " \t\n\v\f\r":
        behind += 1
    return text[place:end], text[behind : behind + 1], behind


def _brackets(reader: Arguments, where: str) -> Run:
    return _brackets_at(reader, where, reader.place)


def _brackets_at(reader: Arguments, where: str, place: int) -> Run:
    rest = reader.compiler.text[place:]
    message = f"curly-bracket problem in conditional yes/no parsing: {where}\n remaining string is '{rest}'"
    return reader.compiler.raising(message, place, curly=True)


def _forced(kind: str, place: int) -> Run:
    message = f'"{kind}" failed and "fail" requested'

    def run(ctx: Context) -> str:
        failure = ForcedFailure(message)
        failure.offset = place
        raise failure

    return run


def _always(problem: Run) -> Callable[..., str]:
    return lambda ctx, save: problem(ctx)


def _give_value(ctx: Context, save: str | None) -> str:
    value = ctx.value
    ctx.value = save
    return value if value is not None else ""


def _give_nothing(ctx: Context, save: str | None) -> str:
    ctx.value = save
    return ""
