"""The functions that expansions are made of: each takes a context and gives text, or raises.

They are put together by :mod:`eximious.interpreter.compiler` and by the items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError, Failure, Lacking
from eximious.interpreter.registry import FOLLOW
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from eximious.grammar.expansion_ast import Variable
    from eximious.interpreter.context import Context

    Run = Callable[[Context], str]

MISSING_CLOSE = "missing } at end of string"
HEADER_HINT = " - could be header name not terminated by colon"
CURLY = "missing or misplaced { or }"


def malformed(ctx: Context) -> str:
    ctx.malformed_header = True
    return ""


def braced(run: Run, node: Variable) -> Run:
    """The same function, with the message for ``${name}`` where there is no such variable."""

    def braced(ctx: Context) -> str:
        try:
            return run(ctx)
        except ExpansionError as failure:
            from eximious.interpreter.variables import unknown_variable_message

            failure.message = unknown_variable_message(node.name, True)
            raise

    return braced


def constant(value: str) -> Run:
    """A function that gives ``value``."""
    return lambda ctx: value


def raising(message: str, offset: int, curly: bool = False) -> Callable[[Context], NoReturn]:
    """A function that raises Exim's ``message``.

    ``curly``: Exim reports it as a problem with braces, and then says instead that a header name is
    not terminated, if one before it swallowed a brace.
    """

    def run(ctx: Context) -> NoReturn:
        text = message
        if curly and ctx.malformed_header:
            text = (message if message == MISSING_CLOSE else CURLY) + HEADER_HINT
        error = ExpansionError(text)
        error.offset = offset
        raise error

    return run


def failing_if_empty(first: Run, second: Run) -> Run:
    """4.96 has no place for the result then: that of a subroutine that gives nothing fails, without a word."""
    both = joined([first, second])

    def run(ctx: Context) -> str:
        value = both(ctx)
        if not value:
            raise ExpansionError("")
        return value

    return run


def sequence(runs: list[Run], problem: Run | None) -> Run | None:
    """One function for several effects; None if there are none."""
    effects = [*runs, problem] if problem is not None else runs
    if not effects:
        return None

    def run(ctx: Context) -> str:
        for effect in effects:
            effect(ctx)
        return ""

    return run


def then(first: Run | None, second: Run) -> Run:
    if first is None:
        return second

    def run(ctx: Context) -> str:
        first(ctx)
        return second(ctx)

    return run


def capture(number: int) -> Run:
    def run(ctx: Context) -> str:
        captures = ctx.captures
        return captures[number] if number < len(captures) else ""

    return run


def cut_at_nul(run: Run) -> Run:
    """Exim's strings end at a NUL, whatever is put behind it."""

    def cut(ctx: Context) -> str:
        value = run(ctx)
        whole = value.partition("\0")[0]
        return Tainted(whole) if type(value) is Tainted else whole

    return cut


def joined(runs: list[Run]) -> Run:
    """The function that puts the texts of several one after the other; tainted if one of them is."""
    if len(runs) == 1:
        return runs[0]
    if len(runs) == 2:
        first, second = runs

        def run2(ctx: Context) -> str:
            one = first(ctx)
            two = second(ctx)
            return Tainted(one + two) if type(one) is Tainted or type(two) is Tainted else one + two

        return run2
    if len(runs) == 3:
        first, second, third = runs

        def run3(ctx: Context) -> str:
            one = first(ctx)
            two = second(ctx)
            three = third(ctx)
            if type(one) is Tainted or type(two) is Tainted or type(three) is Tainted:
                return Tainted(one + two + three)
            return one + two + three

        return run3

    def run(ctx: Context) -> str:
        texts = [part(ctx) for part in runs]
        whole = "".join(texts)
        for text in texts:
            if type(text) is Tainted:
                return Tainted(whole)
        return whole

    return run


def operator_function(declaration: Any, body: Run, argument: str | None, name: str, start: int) -> Run:
    call, takes = declaration.call, declaration.takes
    follows = declaration.taint is FOLLOW or declaration.taint == FOLLOW

    if takes == "text":
        if follows:

            def run_text(ctx: Context) -> str:
                text = body(ctx)
                try:
                    result: str = call(text)
                except (Failure, Lacking) as failure:
                    if failure.offset < 0:
                        failure.offset = start
                    raise
                return Tainted(result) if type(text) is Tainted else result

            return run_text

        def run_clean(ctx: Context) -> str:
            text = body(ctx)
            try:
                return call(text)  # type: ignore[no-any-return]
            except (Failure, Lacking) as failure:
                if failure.offset < 0:
                    failure.offset = start
                raise

        return run_clean

    if takes == "ctx":

        def run_ctx(ctx: Context) -> str:
            text = body(ctx)
            try:
                result: str = call(ctx, text)
            except (Failure, Lacking) as failure:
                if failure.offset < 0:
                    failure.offset = start
                raise
            return Tainted(result) if follows and type(text) is Tainted else result

        return run_ctx

    def run_arg(ctx: Context) -> str:
        text = body(ctx)
        try:
            result: str = call(ctx, text, argument, name)
        except (Failure, Lacking) as failure:
            if failure.offset < 0:
                failure.offset = start
            raise
        return Tainted(result) if follows and type(text) is Tainted else result

    return run_arg


def skipped_call(name: str, call: Callable[..., str], texts: list[Run], most: int) -> Run:
    padding = [None] * (most - len(texts))

    def run(ctx: Context) -> str:
        values: list[Any] = [text(ctx) for text in texts]
        if name != "imapfolder":
            return call(ctx, values + padding)
        call(
            ctx, ["", *values[1:2], *[None] * (2 if len(values) < 2 else 1)]
        )  # only its separator is looked at
        return ""

    return run
