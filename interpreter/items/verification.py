"""Items that check or decide: prvscheck and acl (manual 11.5, 43.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.arguments import Arguments
from eximious.interpreter.functions import sequence
from eximious.interpreter.outcomes import ExpansionError, ForcedFailure
from eximious.interpreter.registry import OWN, compiled_item, condition, item
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from typing import Any

    from eximious.grammar.expansion_ast import Item
    from eximious.interpreter.compiler import Compiler
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run


# ---- prvscheck


def _skip_prvscheck(compiler: Compiler, node: Item) -> Run | None:
    """Nothing looks like a signed address while it is skipped: up to three arguments are read over."""
    reader = Arguments(compiler, node, skipping=True)
    effects: list[Run] = []
    problem = None
    first = reader.take()
    if first is None:
        problem = reader.problem("Not enough arguments for 'prvscheck' (min is 1)")
    else:
        effect = compiler.skip(first.text)
        effects = [effect] if effect is not None else []
        more, problem = reader.texts(1, 2, "prvscheck")
        effects += more
    return sequence([_forget_prvscheck, *effects], problem)


def _forget_prvscheck(ctx: Context) -> str:
    """The variables lose their values even where the item is skipped."""
    scratch = ctx.scratch
    scratch["prvscheck_result"] = scratch["prvscheck_address"] = scratch["prvscheck_keynum"] = None
    return ""


@compiled_item("prvscheck", section="11.5", skip=_skip_prvscheck)
def compile_prvscheck(compiler: Compiler, node: Item) -> Run:
    """``${prvscheck{address}{secret}{result}}``: the address without its signature, or nothing."""
    from eximious.interpreter.prvs import prvs_check, prvs_split

    reader = Arguments(compiler, node)
    address = reader.text()
    if address is None:
        return reader.problem("Not enough arguments for 'prvscheck' (min is 1)")
    secret = reader.text()
    if secret is None:
        missing = compiler.raising(
            "Not enough arguments for 'prvscheck' (min is 1)", reader.place, curly=True
        )
        run_missing = sequence([address], missing)
        assert run_missing is not None
        return run_missing
    result = reader.text()
    problem = reader.closing("prvscheck", 1)
    # what is not signed has its other arguments read at once, and so with another number in the message
    unsigned_problem = reader.closing("prvscheck", 2) if problem is not None else None

    def unsigned(ctx: Context) -> str:
        secret(ctx)
        if result is not None:
            result(ctx)
        if unsigned_problem is not None:
            unsigned_problem(ctx)
        return ""

    def run(ctx: Context) -> str:
        scratch = ctx.scratch
        _forget_prvscheck(ctx)
        text = address(ctx)
        signed = prvs_split(text)
        if signed is None:
            return unsigned(ctx)
        tainted = type(text) is Tainted
        groups = signed.captures
        ctx.captures = [Tainted(group) for group in groups] if tainted else list(groups)
        plain = Tainted(signed.address) if tainted else signed.address
        scratch["prvscheck_address"], scratch["prvscheck_keynum"] = plain, signed.keynum
        key = secret(ctx)
        if prvs_check(signed, key, ctx.env.doors.clock.now()):
            scratch["prvscheck_result"] = "1"
        shown = result(ctx) if result is not None else ""
        if problem is not None:
            problem(ctx)
        scratch["prvscheck_address"] = scratch["prvscheck_keynum"] = None
        return shown or plain

    return run


# ---- acl


def run_acl(ctx: Context, name: str, arguments: list[str]) -> tuple[bool, str]:
    """Run an ACL with arguments; gives whether it accepts, and its message, empty where there is none.

    The engine of the ACLs is handed in with the environment (``acl_runner``). A deferral is a forced
    failure, and a result other than accept and deny an error, drop and discard too: as in Exim. For these
    the message of the runner is what Exim calls the ACL.
    """
    runner = ctx.env.acl_runner
    if runner is None:
        if name not in ctx.env.acls:
            raise ExpansionError(f'ERROR from acl "{name}"')
        raise ExpansionError(f'ACL "{name}" cannot be run here: no ACL engine was given')
    result, message = runner(ctx, name, arguments)
    if result in ("accept", "deny"):
        return result == "accept", message
    if result == "defer":
        raise ForcedFailure(f'DEFER from acl "{message}"')
    word = result.removeprefix("forced ")
    kind = ForcedFailure if word != result else ExpansionError
    raise kind(f'{_EXIM_WORDS[word]} from acl "{message}"')


_EXIM_WORDS = {"error": "ERROR", "discard": "DISCARD", "drop": "FAIL_DROP"}


@item("acl", section="11.5", args=(1, 10), taint=OWN)
def acl(ctx: Context, args: list[Any]) -> str:
    """``${acl{name}{arg}…}``: the message of an ACL, whether it accepts or denies."""
    name, *arguments = [arg for arg in args if arg is not None]
    return run_acl(ctx, name, arguments)[1]


@condition("acl", section="11.7", args=1)
def acl_condition(ctx: Context, name: str, *arguments: str) -> bool:
    """``acl{{name}{arg}…}``: true where the ACL accepts, false where it denies; its message is $value."""
    accepted, message = run_acl(ctx, name, list(arguments))
    ctx.value = message or None
    return accepted
