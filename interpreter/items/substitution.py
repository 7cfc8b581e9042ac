"""The item that replaces what a regular expression matches: sg (manual 11.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.arguments import Arguments
from eximious.interpreter.engine import expand
from eximious.interpreter.functions import sequence
from eximious.interpreter.outcomes import Failure, OverBudget
from eximious.interpreter.regex import compile_regex
from eximious.interpreter.registry import compiled_item
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from eximious.grammar.expansion_ast import Item
    from eximious.interpreter.compiler import Compiler
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run

#: characters that a substitution may give
SIZE_LIMIT = 64 << 20


def _skip_sg(compiler: Compiler, node: Item) -> Run | None:
    effects, problem = Arguments(compiler, node, skipping=True).texts(3, 3, "sg")
    if compiler.version >= (4, 97) or problem is not None:
        return sequence(effects, problem)
    # 4.96 does it all the same
    texts = Arguments(compiler, node, skipping=True, keep_text=True).texts(3, 3, "sg")[0]
    return _substitution(compiler, node, texts)


@compiled_item("sg", section="11.5", skip=_skip_sg)
def compile_sg(compiler: Compiler, node: Item) -> Run:
    r"""``${sg{subject}{regex}{replacement}}``: the replacement is expanded for each match, with its captures."""
    runs, problem = Arguments(compiler, node).texts(3, 3, "sg")
    if problem is not None:
        run_problem = sequence(runs, problem)
        assert run_problem is not None
        return run_problem
    compiler.check_regex(node.parts[1])
    return _substitution(compiler, node, runs)


def _substitution(compiler: Compiler, node: Item, runs: list[Run]) -> Run:
    subject_run, regex_run, replacement_run = runs
    start, version = node.start, compiler.version

    def run(ctx: Context) -> str:
        saved = ctx.captures
        subject, pattern, replacement = subject_run(ctx), regex_run(ctx), replacement_run(ctx)
        try:
            regex = compile_regex(pattern, version=version)
        except Failure as failure:
            failure.offset = start
            raise
        tainted = type(subject) is Tainted
        fixed = "$" not in replacement and "\\" not in replacement
        pieces: list[str] = []
        place = size = 0
        for begin, end, captures in regex.matches_of(subject):
            if fixed:
                insert = replacement
            else:
                ctx.captures = [Tainted(group) for group in captures] if tainted else captures
                try:
                    insert = expand(replacement, ctx)
                except Failure as failure:
                    failure.offset = start
                    raise
            tainted = tainted or type(insert) is Tainted
            pieces += (subject[place:begin], insert)
            place = end
            size += begin - place + len(insert)
            if size > SIZE_LIMIT:
                raise OverBudget("characters from a substitution", SIZE_LIMIT)
        ctx.captures = saved
        pieces.append(subject[place:])
        result = "".join(pieces)
        return Tainted(result) if tainted else result

    return run
