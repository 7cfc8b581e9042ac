"""Compiles ``${if`` and the conditions: the combinators, the iterators, ``def:`` and ``match`` here.

All others are registered functions of :mod:`eximious.conditions` (manual 11.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import (
    Argument,
    Broken,
    Condition,
    ConditionArgument,
    Group,
    Header,
    If,
    Subarguments,
)
from eximious.interpreter.arguments import Arguments, branches, skip_branches
from eximious.interpreter.compiler import SOMETIMES_UNKNOWN
from eximious.interpreter.functions import sequence
from eximious.interpreter.outcomes import ExpansionError, Failure, Lacking
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from eximious.interpreter.compiler import Compiler
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run

    Test = Callable[[Context], bool]

ITERATORS = ("forany", "forall", "forany_json", "forall_json", "forany_jsons", "forall_jsons")


def compile_if(compiler: Compiler, node: If) -> Run:
    """``${if condition {yes}{no}}``: captures set by the condition last until the end of the item."""
    test = compile_condition(compiler, node.condition)
    yes, no = branches(Arguments(compiler, node), "if")

    def run(ctx: Context) -> str:
        captures, value = ctx.captures, ctx.value
        wanted = test(ctx)
        found = ctx.value  # what the condition leaves is seen in both strings
        result = yes(ctx, found) if wanted else no(ctx, found)
        ctx.captures, ctx.value = captures, value
        return result

    return run


def skip_if(compiler: Compiler, node: If) -> Run | None:
    """What is found out about an ``${if`` that is not wanted."""
    condition = skip_condition(compiler, node.condition)
    rest = skip_branches(Arguments(compiler, node, skipping=True), "if")
    return sequence([effect for effect in (condition, rest) if effect is not None], None)


def compile_condition(compiler: Compiler, node: Condition | Broken) -> Test:
    """The function for one condition with its negations."""
    if type(node) is Broken:
        return compiler.raising(node.message, node.start, node.curly)
    assert type(node) is Condition
    test = _positive(compiler, node)
    if compiler.observe is not None:
        test = compiler.observe(node, test)  # type: ignore[assignment, arg-type]
    if node.negations % 2:
        return lambda ctx: not test(ctx)
    return test


def _positive(compiler: Compiler, node: Condition) -> Test:
    name = node.name
    if name == "def":
        return _def(compiler, node)
    if name in ("and", "or"):
        return _group(compiler, node)
    if name in ITERATORS:
        return _iterator(compiler, node)
    if name in ("acl", "saslauthd"):
        return _with_subarguments(compiler, node)
    if name == "match":
        return _match(compiler, node)
    declaration = compiler.language.condition(name)
    wanted = declaration.args[0]
    runs, problem = _arguments(compiler, node, wanted)
    if problem is not None:
        if not name[0].isalpha():
            runs = [_checked_number(compiler, node, run) for run in runs]
        return _failing(runs, problem)
    return _call(compiler, node, declaration, runs)


def _call(compiler: Compiler, node: Condition, declaration: Any, runs: list[Run]) -> Test:
    call, pure, start = declaration.call, declaration.takes == "text", node.start
    if not node.name[0].isalpha():
        return _numeric(compiler, node, call, runs)
    if len(runs) == 2:
        first, second = runs
        if node.name == "eq":
            return lambda ctx: first(ctx) == second(ctx)
        if pure:

            def test2(ctx: Context) -> bool:
                one = first(ctx)
                try:
                    return call(one, second(ctx))  # type: ignore[no-any-return]
                except (Failure, Lacking) as failure:
                    if failure.offset < 0:
                        failure.offset = start
                    raise

            return test2

    if len(runs) == 1:
        (only,) = runs

        def test1(ctx: Context) -> bool:
            one = only(ctx)
            try:
                return call(one) if pure else call(ctx, one)  # type: ignore[no-any-return]
            except (Failure, Lacking) as failure:
                if failure.offset < 0:
                    failure.offset = start
                raise

        return test1

    def test(ctx: Context) -> bool:
        values = [run(ctx) for run in runs]
        try:
            return call(*values) if pure else call(ctx, *values)  # type: ignore[no-any-return]
        except (Failure, Lacking) as failure:
            if failure.offset < 0:
                failure.offset = start
            raise

    return test


def _numeric(compiler: Compiler, node: Condition, call: Any, runs: list[Run]) -> Test:
    """A comparison of numbers: each is read as soon as it is expanded; nothing at all counts as 0."""
    first, second = runs
    number = _number_reader(compiler, node)
    compare = NUMERIC[node.name]

    def test(ctx: Context) -> bool:
        one = number(first(ctx))
        return compare(one, number(second(ctx)))

    return test


def _number_reader(compiler: Compiler, node: Condition) -> Callable[[str], int]:
    from eximious.interpreter.integers import expanded_string_integer

    version, start = compiler.version, node.start

    def number(text: str) -> int:
        if not text:
            return 0
        try:
            return expanded_string_integer(text, False, version)
        except (Failure, Lacking) as failure:
            if failure.offset < 0:
                failure.offset = start
            raise

    return number


def _checked_number(compiler: Compiler, node: Condition, run: Run) -> Run:
    number = _number_reader(compiler, node)

    def checked(ctx: Context) -> str:
        number(run(ctx))
        return ""

    return checked


NUMERIC: dict[str, Callable[[int, int], bool]] = {
    "=": int.__eq__,
    "==": int.__eq__,
    "<": int.__lt__,
    "<=": int.__le__,
    ">": int.__gt__,
    ">=": int.__ge__,
}


def _arguments(
    compiler: Compiler, node: Condition, wanted: int, skipping: bool = False
) -> tuple[list[Run], Run | None]:
    """The functions for the text arguments of a condition, and the problem if some are missing."""
    runs: list[Run] = []
    for part in node.arguments:
        assert type(part) is Argument
        if not skipping:
            runs.append(compiler.expansion(part.text))
        else:
            effect = compiler.skip(part.text)
            if effect is not None:
                runs.append(effect)
    if len(node.arguments) >= wanted:
        return runs, None
    if node.name == "inbound_srs":
        message = "too few arguments or bracketing error for inbound_srs"
        return runs, compiler.raising(message, node.end)
    if not node.arguments:
        return runs, _missing_brace(compiler, node)
    return runs, compiler.raising(f'missing 2nd string in {{}} after "{node.name}"', node.end)


def _missing_brace(compiler: Compiler, node: Condition) -> Run:
    return compiler.raising(f'missing {{ after "{node.name}"', node.end)


def _failing(runs: list[Run], problem: Run) -> Test:
    def test(ctx: Context) -> bool:
        for run in runs:
            run(ctx)
        problem(ctx)
        return False

    return test


# ---- def:


def _def(compiler: Compiler, node: Condition) -> Test:
    subject = node.arguments[0]
    if type(subject) is Header:
        exists = compiler.language.header_exists(subject)
        if "}" not in subject.name:
            return exists

        def test(ctx: Context) -> bool:
            ctx.malformed_header = True
            return exists(ctx)

        return test
    name = subject.name  # type: ignore[attr-defined]
    defined = compiler.language.defined(name)
    if defined is not None:
        return _defined(defined, name, compiler) if name.startswith(SOMETIMES_UNKNOWN) else defined
    message = f'unknown variable "{name}" after "def:"' + compiler.language.variable_hint(name)
    return compiler.raising(message, subject.start)


def _defined(test: Test, name: str, compiler: Compiler) -> Test:
    """The same test, with the message for ``def:name`` where there turns out to be no such variable."""
    message = f'unknown variable "{name}" after "def:"' + compiler.language.variable_hint(name)

    def defined(ctx: Context) -> bool:
        try:
            return test(ctx)
        except ExpansionError as failure:
            failure.message = message
            raise

    return defined


# ---- and, or


def _conditions(node: Condition) -> tuple[tuple[ConditionArgument, ...], bool] | None:
    group = node.arguments[0] if node.arguments else None
    return (group.conditions, group.closed) if type(group) is Group else None


def suffixed(test: Any, suffix: str, version: tuple[int, int] = (4, 96)) -> Any:
    """The same function, with ``inside ...`` put behind the message of a failure.

    ``version`` is given where something is evaluated for an element of a list: 4.99 then puts the message
    in quotes.
    """
    quoted = version >= (4, 97)

    def run(ctx: Context) -> Any:
        try:
            return test(ctx)
        except Failure as failure:
            failure.message = _quoted(failure.message) + suffix if quoted else failure.message + suffix
            raise

    return run


def _quoted(message: str) -> str:
    """A message inside another's as 4.99 shows it: in double quotes, with its own escaped."""
    from eximious.interpreter.messages import shown

    return f'"{shown(message, (4, 99))}"'


def _members(compiler: Compiler, node: Condition) -> tuple[list[tuple[Test, Run | None]], Run | None] | None:
    """Per sub-condition its test and its skipping; and the problem behind the last one."""
    found = _conditions(node)
    if found is None:
        return None
    parts, closed = found
    suffix = f' inside "{node.name}{{...}}" condition'
    members: list[tuple[Test, Run | None]] = []
    for part in parts:
        test = suffixed(compile_condition(compiler, part.condition), suffix)
        skip = skip_condition(compiler, part.condition)
        if skip is not None:
            skip = suffixed(skip, suffix)
        members.append((test, skip))
        if not part.closed:
            return members, compiler.raising(
                f'missing }} at end of condition inside "{node.name}" group', part.end
            )
    if closed:
        return members, None
    message = f'each subcondition inside an "{node.name}{{...}}" condition must be in its own {{}}'
    return members, compiler.raising(message, node.end)


def _group(compiler: Compiler, node: Condition) -> Test:
    found = _members(compiler, node)
    if found is None:
        return _missing_brace(compiler, node)  # type: ignore[return-value]
    members, problem = found
    decisive = node.name == "or"
    if problem is None and all(skip is None for _, skip in members):
        tests = [test for test, _ in members]

        def quick(ctx: Context) -> bool:
            for test in tests:
                if test(ctx) is decisive:
                    return decisive
            return not decisive

        return quick

    def careful(ctx: Context) -> bool:
        result = not decisive
        for test, skip in members:
            if result is decisive:
                if skip is not None:
                    skip(ctx)
            elif test(ctx):
                result = True
            else:
                result = False
        if problem is not None:
            problem(ctx)
        return result

    return careful


# ---- forany, forall and their JSON forms


def _iteration(compiler: Compiler, node: Condition) -> Any:
    """The pieces of an iterator: list part, condition part, or None where a brace is missing."""
    parts = node.arguments
    if not parts or type(parts[0]) is not Argument:
        return None
    if len(parts) < 2 or type(parts[1]) is not ConditionArgument:
        return parts[0], None
    return parts[0], parts[1]


def _iterator(compiler: Compiler, node: Condition) -> Test:
    pieces = _iteration(compiler, node)
    if pieces is None:
        return _missing_brace(compiler, node)  # type: ignore[return-value]
    subject, argument = pieces
    list_run = compiler.expansion(subject.text)
    if argument is None:
        return _failing([list_run], _missing_brace(compiler, node))
    before = _before_iteration(compiler, node, argument)
    return _iterate(compiler, node, list_run, before, argument)


def _before_iteration(compiler: Compiler, node: Condition, argument: ConditionArgument) -> Run | None:
    """Exim reads the condition once without wanting its answer, to find its end."""
    suffix = f' inside "{node.name}" condition'
    before = skip_condition(compiler, argument.condition)
    if before is not None:
        before = suffixed(before, suffix)
    if argument.closed:
        return before
    problem = compiler.raising(f'missing }} at end of condition inside "{node.name}"', argument.end)
    return sequence([before] if before is not None else [], problem)


def _iterate(
    compiler: Compiler, node: Condition, list_run: Run, before: Run | None, argument: ConditionArgument
) -> Test:
    name = node.name
    test = suffixed(
        compile_condition(compiler, argument.condition), f' inside "{name}" condition', compiler.version
    )
    split = _splitter(name, compiler.version)
    wanted = name.startswith("forany")

    def run(ctx: Context) -> bool:
        items = list_run(ctx)
        if before is not None:
            before(ctx)
        saved = ctx.item
        tainted = type(items) is Tainted
        # An empty list gives false for forall too (4.96 answers n to ${if forall{}{eq{a}{b}}{y}{n}})
        result = False
        try:
            for item in split(items):
                ctx.item = Tainted(item) if tainted else item
                result = test(ctx)
                if result is wanted:
                    break
        finally:
            ctx.item = saved
        return result

    return run


def _splitter(name: str, version: tuple[int, int]) -> Callable[[str], Any]:
    if name.endswith(("_json", "_jsons")):
        from eximious.interpreter.json_text import json_elements

        strings = name.endswith("s")

        def elements(text: str) -> Iterator[str]:
            return json_elements(text, strings, version)

        return elements
    from eximious.interpreter.listsplit import split_list

    return split_list


# ---- conditions with arguments inside one pair of braces


def _with_subarguments(compiler: Compiler, node: Condition) -> Test:
    declaration = compiler.language.condition(node.name)
    runs, problem = _subarguments(compiler, node, False)
    if problem is not None:
        return _failing(runs, problem)
    call, start = declaration.call, node.start

    def test(ctx: Context) -> bool:
        values = [run(ctx) for run in runs]
        try:
            return call(ctx, *values)  # type: ignore[no-any-return]
        except (Failure, Lacking) as failure:
            if failure.offset < 0:
                failure.offset = start
            raise

    return test


#: least and most arguments of the conditions that take them inside one pair of braces
_SUBARGUMENTS = {"acl": (1, 10), "saslauthd": (2, 4)}


def _subarguments(compiler: Compiler, node: Condition, skipping: bool) -> tuple[list[Run], Run | None]:
    group = node.arguments[0] if node.arguments else None
    if type(group) is not Subarguments:
        return [], _missing_brace(compiler, node)
    least, most = _SUBARGUMENTS[node.name]
    runs = []
    for part in group.arguments[:most]:
        run = compiler.skip(part.text) if skipping else compiler.expansion(part.text)
        if run is not None:
            runs.append(run)
    given = len(group.arguments)
    if given > most:
        # the real one shows what is in its memory where the name belongs
        return runs, compiler.raising(f"Too many arguments for '{node.name}' (max is {most})", group.end)
    if given < least or not group.closed:
        return runs, compiler.raising(f"too few arguments or bracketing error for {node.name}", group.end)
    return runs, None


# ---- match


def _match(compiler: Compiler, node: Condition) -> Test:
    from eximious.interpreter.regex import compile_regex

    runs, problem = _arguments(compiler, node, 2)
    if problem is not None:
        return _failing(runs, problem)
    subject, pattern = runs
    start, version = node.start, compiler.version

    def expression(ctx: Context) -> Any:
        text = pattern(ctx)
        try:
            return compile_regex(text, version=version)
        except (Failure, Lacking) as failure:
            if failure.offset < 0:
                failure.offset = start
            raise

    compiler.check_regex(node.arguments[1])

    def test(ctx: Context) -> bool:
        text = subject(ctx)
        captures = expression(ctx).search(text)
        if captures is None:
            return False
        ctx.captures = [Tainted(group) for group in captures] if type(text) is Tainted else captures
        return True

    return test


# ---- skipping


def skip_condition(compiler: Compiler, node: Condition | Broken) -> Run | None:
    """What is found out about a condition that is read but not wanted; None: nothing."""
    if type(node) is Broken:
        return compiler.raising(node.message, node.start, node.curly)
    assert type(node) is Condition
    name = node.name
    if name == "def":
        return _skip_def(compiler, node)
    if name in ("and", "or"):
        found = _members(compiler, node)
        if found is None:
            return _missing_brace(compiler, node)
        members, problem = found
        return sequence([skip for _, skip in members if skip is not None], problem)
    if name in ITERATORS:
        return _skip_iterator(compiler, node)
    if name in ("acl", "saslauthd"):
        return sequence(*_subarguments(compiler, node, True))
    wanted = 2 if name == "match" else compiler.language.condition(name).args[0]
    if compiler.version < (4, 97) and name in ASKED_WHEN_SKIPPED and len(node.arguments) == wanted:
        return _asked(compiler, node)
    return sequence(*_arguments(compiler, node, wanted, skipping=True))


#: conditions that 4.96 asks all the same, of the text that it has while it skips
ASKED_WHEN_SKIPPED = frozenset(("bool", "bool_lax", "isip", "isip4", "isip6"))


def _asked(compiler: Compiler, node: Condition) -> Run:
    runs = [compiler.skip_text(part.text) for part in node.arguments if type(part) is Argument]
    test = _call(compiler, node, compiler.language.condition(node.name), runs)

    def run(ctx: Context) -> str:
        test(ctx)
        return ""

    return run


def _skip_def(compiler: Compiler, node: Condition) -> Run | None:
    subject = node.arguments[0]
    if type(subject) is Header:
        if "}" not in subject.name:
            return None

        def run(ctx: Context) -> str:
            ctx.malformed_header = True
            return ""

        return run
    name = subject.name  # type: ignore[attr-defined]
    language = compiler.language
    if language.defined(name) is not None and not language.unset_is_unknown(name):
        return None
    return _def(compiler, node)  # type: ignore[return-value]


def _skip_iterator(compiler: Compiler, node: Condition) -> Run | None:
    pieces = _iteration(compiler, node)
    if pieces is None:
        return _missing_brace(compiler, node)
    subject, argument = pieces
    list_skip = compiler.skip(subject.text)
    if argument is None:
        return sequence([list_skip] if list_skip is not None else [], _missing_brace(compiler, node))
    before = _before_iteration(compiler, node, argument)
    if compiler.version < (4, 97):
        # 4.96 walks the list that it has while skipping, and then wants the answers
        return _iterate(compiler, node, compiler.skip_text(subject.text), before, argument)  # type: ignore[return-value]
    return sequence([effect for effect in (list_skip, before) if effect is not None], None)
