"""Expanding text: parse and compile each distinct text once, then run it.

The whole of the evaluator behind two functions: :func:`expand` and :func:`compiled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.expansion_parser import parse_expansion
from eximious.interpreter.compiler import Compiler
from eximious.interpreter.outcomes import ExpansionError, OverBudget
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context
    from eximious.interpreter.language import Language

    Run = Callable[[Context], str]

#: how many compiled texts are kept; more than any configuration has
KEPT = 20_000
#: how deep an expansion may expand other text (${expand:}, ACLs that expand, lookups that expand…)
DEPTH = 60


def compiled(text: str, language: Language) -> Run:
    """Give the function for ``text``: it takes a context and gives text or raises."""
    programs = language.programs
    run = programs.get(text)
    if run is None:
        if len(programs) >= KEPT:
            programs.clear()
        tree = parse_expansion(text, language.item_shapes, language.condition_shapes)
        run = programs[text] = Compiler(language, text).expansion(tree)
    return run


def refuse_tainted(text: str, ctx: Context) -> None:
    """Raise what Exim says of tainted text that is to be expanded, from 4.93 on."""
    if type(text) is Tainted and ctx.env.version >= (4, 93):
        raise ExpansionError(f"attempt to expand tainted string '{text}'")


def prepared(text: str, language: Language) -> Run:
    """Give the function that does what :func:`expand` does with an untainted ``text`` in which there is something."""
    run = compiled(text, language)

    def expansion(ctx: Context) -> str:
        if ctx.depth >= DEPTH:
            raise OverBudget("expansions inside each other", DEPTH)
        saved = ctx.malformed_header
        ctx.malformed_header = False
        ctx.depth += 1
        try:
            return run(ctx)
        finally:
            ctx.depth -= 1
            ctx.malformed_header = saved

    return expansion


def expand(text: str, ctx: Context) -> str:
    """Expand ``text`` as Exim's expand_string does (manual chapter 11).

    Raises a Failure with Exim's message, Refused, Unanswered or OverBudget. Tainted text is refused from 4.93 on,
    unless there is nothing in it to expand.
    """
    if "$" not in text and "\\" not in text:
        return text
    if type(text) is Tainted:
        refuse_tainted(text, ctx)
    if ctx.depth >= DEPTH:
        raise OverBudget("expansions inside each other", DEPTH)
    saved = ctx.malformed_header
    ctx.malformed_header = False
    ctx.depth += 1
    try:
        language = ctx.env.language
        run = language.programs.get(text)
        return (compiled(text, language) if run is None else run)(ctx)
    finally:
        ctx.depth -= 1
        ctx.malformed_header = saved
