"""``acl =``: another ACL as a condition (manual 44.22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.outcomes import Defer, Failure, ForcedFailure
from eximious.interpreter.quoting import dequote
from eximious.simulation.acl.engine import MAX_ARGUMENTS, Arguments
from eximious.simulation.acl.outcomes import DEFER, ERROR
from eximious.simulation.acl.registry import condition

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step


@condition("acl")
def acl(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Run an ACL with arguments. Words are separated first and expanded then, each by itself.

    More than nine arguments are not read. A forced failure in one of them is an error.
    """
    ctx = evaluation.ctx
    word, at = dequote(argument, len(argument) - len(argument.lstrip(SPACE)))
    if "$" in argument or "\\" in argument:
        evaluation.state.forced = False
    try:
        name = expand(word, ctx)
        arguments: list[str] = []
        while len(arguments) < MAX_ARGUMENTS:
            while at < len(argument) and argument[at] in SPACE:
                at += 1
            if at >= len(argument):
                break
            given, at = dequote(argument, at)
            # Exim names the ACL in its message, whichever word it could not expand
            arguments.append(expand(given, ctx))
            word = name
    except ForcedFailure:
        evaluation.state.forced = True
        return ERROR
    except Failure as failure:
        evaluation.log = f'failed to expand ACL string "{word}": {failure.message}'
        return DEFER if isinstance(failure, Defer) else ERROR
    state = evaluation.state
    state.level += 1
    try:
        with Arguments(ctx, arguments):
            return evaluation.run(name)
    finally:
        state.level -= 1
