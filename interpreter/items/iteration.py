"""Items that walk a list: map, filter, reduce, sort (manual 11.5).

``$item`` is the element, ``$value`` what ``reduce`` has so far; both are set back afterwards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import Argument, ConditionArgument
from eximious.interpreter.arguments import Arguments
from eximious.interpreter.comparing import compare_folded, fold
from eximious.interpreter.condition_compiler import compile_condition, skip_condition, suffixed
from eximious.interpreter.functions import sequence
from eximious.interpreter.listsplit import join_list, list_separator, split_list
from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError, Failure, OverBudget
from eximious.interpreter.registry import compiled_item
from eximious.interpreter.text import Tainted

SPACE = " \t\n\v\f\r"
#: characters that one item may give
SIZE_LIMIT = 32 << 20

if TYPE_CHECKING:
    from typing import Any

    from eximious.grammar.expansion_ast import Expansion, Item
    from eximious.interpreter.compiler import Compiler
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run


class _Walk:
    """The arguments of map, filter or reduce, read in Exim's order; ``problem`` ends the reading."""

    def __init__(self, compiler: Compiler, node: Item, skipping: bool) -> None:
        name, version = node.name, compiler.version
        reader = Arguments(compiler, node, skipping=skipping)
        self.before: list[Run] = []
        self.body: Expansion | None = None
        self.test: Any = None
        self.check: Run | None = None
        self.problem: Run | None = None
        self.start: Run | None = None
        self.items = reader.text()
        if self.items is None:
            self.problem = reader.problem(f"missing '{{' for first arg of {name}")
            return
        if name == "reduce":
            self.start = reader.text()
            if self.start is None:
                self.problem = reader.problem("missing '{' for second arg of reduce")
                return
        part = reader.peek()
        suffix = f' inside "{name}" item'
        if name == "filter":
            if type(part) is not ConditionArgument:
                self.problem = reader.problem(f"missing '{{' for last arg of {name}")
                return
            check = skip_condition(compiler, part.condition)
            self.check = suffixed(check, suffix) if check is not None else None
            if not part.closed:
                self.problem = compiler.raising(_unquoted(name), part.end)
                return
            self.test = suffixed(
                compile_condition(compiler, part.condition), _filter_suffix(version), version
            )
        else:
            if type(part) is not Argument:
                self.problem = reader.problem(f"missing '{{' for last arg of {name}")
                return
            check = compiler.skip(part.text)
            self.check = suffixed(check, suffix) if check is not None else None
            self.body = part.text
        reader.index += 1
        if not reader.at_close:
            self.problem = compiler.raising(f'missing }} at end of "{name}"', reader.place)


def _unquoted(name: str) -> str:
    return (
        f'missing }} at end of condition or expression inside "{name}"; '
        "could be an unquoted } in the content"
    )


def _filter_suffix(version: tuple[int, int]) -> str:
    return ' inside "filter" condition'


def _skip_walk(compiler: Compiler, node: Item) -> Run | None:
    walk = _Walk(compiler, node, True)
    if node.name == "reduce" and walk.start is not None and compiler.version < (4, 97):
        walk.start = _leaving_value(walk.start)
        return sequence(
            [run for run in (walk.items, walk.start, walk.check) if run is not None], walk.problem
        )
    effects = [run for run in (walk.items, walk.start, walk.check) if run is not None]
    if walk.problem is None and not _matters(compiler, node):
        return None
    return sequence(effects, walk.problem)


def _leaving_value(start: Run) -> Run:
    """4.96 leaves the start of a reduce that it skips in ``$value``."""

    def run(ctx: Context) -> str:
        ctx.value = start(ctx)
        return ""

    return run


def _matters(compiler: Compiler, node: Item) -> bool:
    """Whether anything is found out about the item's parts while they are skipped."""
    for part in node.parts:
        if type(part) is Argument and compiler.skip(part.text) is not None:
            return True
        if type(part) is ConditionArgument and skip_condition(compiler, part.condition) is not None:
            return True
    return False


def joined(texts: list[str], separator: str, tainted: bool) -> str:
    """The list of ``texts`` as map and filter write it."""
    out = join_list(separator, texts)
    return Tainted(out) if tainted else out


def _too_broken(walk: _Walk) -> Run:
    effects = [run for run in (walk.items, walk.start, walk.check) if run is not None]
    run = sequence(effects, walk.problem)
    assert run is not None
    return run


@compiled_item("map", section="11.5", skip=_skip_walk)
def compile_map(compiler: Compiler, node: Item) -> Run:
    """``${map{list}{text}}``: the text for every element."""
    walk = _Walk(compiler, node, False)
    if walk.problem is not None:
        return _too_broken(walk)
    items, check = walk.items, walk.check
    assert items is not None and walk.body is not None
    body = suffixed_run(compiler, walk.body, ' inside "map" item')

    def run(ctx: Context) -> str:
        text = items(ctx)
        if check is not None:
            check(ctx)
        tainted = type(text) is Tainted
        separator = list_separator(text)[0]
        saved = ctx.item
        results = []
        dirty = False
        size = 0
        try:
            for item in split_list(text):
                ctx.item = Tainted(item) if tainted else item
                result = body(ctx)
                dirty = dirty or type(result) is Tainted
                results.append(result)
                size += len(result)
                if size > SIZE_LIMIT:
                    raise OverBudget("characters from a map", SIZE_LIMIT)
        finally:
            ctx.item = saved
        return joined(results, separator, dirty)

    return run


def suffixed_run(compiler: Compiler, text: Expansion, suffix: str) -> Run:
    """The function for ``text``, with the suffix put behind the message of a failure."""
    return suffixed(compiler.expansion(text), suffix, compiler.version)  # type: ignore[no-any-return]


@compiled_item("filter", section="11.5", skip=_skip_walk)
def compile_filter(compiler: Compiler, node: Item) -> Run:
    """``${filter{list}{condition}}``: the elements for which the condition holds."""
    walk = _Walk(compiler, node, False)
    if walk.problem is not None:
        return _too_broken(walk)
    items, check, test = walk.items, walk.check, walk.test
    assert items is not None

    def run(ctx: Context) -> str:
        text = items(ctx)
        if check is not None:
            check(ctx)
        tainted = type(text) is Tainted
        separator = list_separator(text)[0]
        saved = ctx.item
        kept = []
        try:
            for item in split_list(text):
                ctx.item = Tainted(item) if tainted else item
                if test(ctx):
                    kept.append(item)
        finally:
            ctx.item = saved
        return joined(kept, separator, tainted)

    return run


@compiled_item("reduce", section="11.5", skip=_skip_walk)
def compile_reduce(compiler: Compiler, node: Item) -> Run:
    """``${reduce{list}{start}{text}}``: ``$value`` is the start, then the last text, and the result."""
    walk = _Walk(compiler, node, False)
    if walk.problem is not None:
        return _too_broken(walk)
    items, check, start = walk.items, walk.check, walk.start
    assert items is not None and start is not None and walk.body is not None
    body = suffixed_run(compiler, walk.body, ' inside "reduce" item')

    def run(ctx: Context) -> str:
        saved, saved_value = ctx.item, ctx.value
        text = items(ctx)
        value = start(ctx)
        ctx.value = value
        if check is not None:
            check(ctx)
        tainted = type(text) is Tainted
        try:
            for item in split_list(text):
                ctx.item = Tainted(item) if tainted else item
                ctx.value = value = body(ctx)
                if len(value) > SIZE_LIMIT:
                    raise OverBudget("characters from a reduce", SIZE_LIMIT)
        finally:
            ctx.item = saved
        ctx.value = saved_value
        return value

    return run


# ---- sort

#: comparator -> (numeric, ignores case, descending, an equal one goes before those that are there)
_COMPARATORS = {
    "<": (True, False, False, False),
    "<=": (True, False, False, True),
    ">": (True, False, True, False),
    ">=": (True, False, True, True),
    "lt": (False, False, False, False),
    "lti": (False, True, False, False),
    "le": (False, False, False, True),
    "lei": (False, True, False, True),
    "gt": (False, False, True, False),
    "gti": (False, True, True, False),
    "ge": (False, False, True, True),
    "gei": (False, True, True, True),
}


class _Sort:
    """The arguments of sort, read in Exim's order."""

    def __init__(self, compiler: Compiler, node: Item, skipping: bool) -> None:
        reader = Arguments(compiler, node, skipping=skipping)
        self.runs: list[Run] = []
        self.how = (False, False, False, False)
        self.extractor: Argument | None = None
        self.check: Run | None = None
        self.problem: Run | None = None
        items = reader.text()
        if items is None:
            self.problem = reader.problem("missing '{' for list arg of sort")
            return
        self.runs.append(items)
        place = reader.place
        comparator = reader.take()
        if comparator is None:
            self.problem = reader.problem("missing '{' for comparator arg of sort")
            return
        if not comparator.closed:
            self.problem = compiler.expansion(comparator.text)
            return
        text = "".join(part.value for part in comparator.text.parts)  # type: ignore[attr-defined]
        if skipping and compiler.version >= (4, 97):
            text = ""  # 4.99 has none while it skips, and complains of that
        try:
            self.how = _comparator(text, compiler)
        except ExpansionError as failure:
            self.problem = compiler.raising(failure.message, place)
            return
        self.extractor = reader.take()
        if self.extractor is None:
            self.problem = reader.problem("missing '{' for extractor arg of sort")
            return
        self.check = compiler.skip(self.extractor.text)
        # no white space may stand here
        if not compiler.text.startswith("}", self.extractor.end):
            self.problem = compiler.raising('missing } at end of "sort"', self.extractor.end)


def _skip_sort(compiler: Compiler, node: Item) -> Run | None:
    sort = _Sort(compiler, node, True)
    runs = sort.runs if sort.runs and type(node.parts[0]) is Argument else []
    effects = [*(runs if runs and compiler.skip(node.parts[0].text) else []), sort.check]  # type: ignore[attr-defined]
    return sequence([effect for effect in effects if effect is not None], sort.problem)


def _comparator(text: str, compiler: Compiler) -> tuple[bool, bool, bool, bool]:
    name = comparator_name(text)
    if not name:
        raise ExpansionError(f'condition name expected, but found "{text[:16]}"')
    if name in _COMPARATORS:
        return _COMPARATORS[name]
    if name in compiler.language.condition_shapes:
        raise ExpansionError("comparator not handled for sort")
    raise ExpansionError("")


_comparator_name = re.compile(r"[A-Za-z0-9_]+|[<=>]=?|").match


def comparator_name(text: str) -> str:
    """The condition name that ``text`` begins with, as the reader of conditions takes it."""
    found = _comparator_name(text)
    return found[0] if found else ""


@compiled_item("sort", section="11.5", skip=_skip_sort)
def compile_sort(compiler: Compiler, node: Item) -> Run:
    """``${sort{list}{comparator}{extractor}}``: an insertion sort by what the extractor gives."""
    sort = _Sort(compiler, node, False)
    check, problem, version = sort.check, sort.problem, compiler.version
    if problem is not None or sort.extractor is None:
        run = sequence([*sort.runs, *([check] if check is not None else [])], problem)
        assert run is not None
        return run
    items = sort.runs[0]
    extract = compiler.expansion(sort.extractor.text)
    source = compiler.text[sort.extractor.text.start : sort.extractor.text.end]
    message = f'field-extract in sort: "{shown(source, version)}"'
    start = node.start

    def extracted(ctx: Context) -> str:
        """What an element is sorted by; Exim takes an empty text for a failure."""
        try:
            key = extract(ctx)
        except Failure:
            key = ""
        if not key:
            failure = ExpansionError(message)
            failure.offset = start
            raise failure
        return key

    def run_sort(ctx: Context) -> str:
        text = items(ctx)
        if check is not None:
            check(ctx)
        tainted = type(text) is Tainted
        separator = list_separator(text)[0]
        elements = split_list(text)
        saved = ctx.item
        keys: list[Any] = []
        try:
            for element in elements:
                ctx.item = Tainted(element) if tainted else element
                keys.append(extracted(ctx))
        finally:
            ctx.item = saved
        if len(elements) > 1:
            if any(key.strip(SPACE) != key for key in keys):
                return joined(_insert_read_back(elements, keys, *sort.how, version), separator, tainted)
            elements = _insert(elements, keys, *sort.how, version)
        return joined(elements, separator, tainted)

    return run_sort


def _insert_read_back(
    elements: list[str],
    keys: list[str],
    numeric: bool,
    caseless: bool,
    descending: bool,
    before_equal: bool,
    version: tuple[int, int],
) -> list[str]:
    """Insert one by one where keys have white space at their ends.

    Exim keeps the keys of what is sorted in a list, and gets them back from it without that; one that is
    nothing else is lost.
    """
    order: list[int] = []
    for index, key in enumerate(keys):
        for place, other_index in enumerate(order):
            other = keys[other_index].strip(SPACE)
            if not other:
                raise ExpansionError("Internal error in sort (list mismatch)")
            result = _compared(key, other, numeric, caseless, version)
            if result is None:
                continue
            if (result == 0 and before_equal) or (result > 0 if descending else result < 0):
                order.insert(place, index)
                break
        else:
            order.append(index)
    return [elements[index] for index in order]


def _compared(key: str, other: str, numeric: bool, caseless: bool, version: tuple[int, int]) -> int | None:
    """Below, at or above 0 as ``key`` comes before, with or after ``other``; None where that cannot be told."""
    if caseless:
        return compare_folded(key, other)
    if not numeric:
        return (key > other) - (key < other)
    from eximious.interpreter.integers import expanded_string_integer

    try:
        one = expanded_string_integer(key, False, version) if key else 0
        two = expanded_string_integer(other, False, version)
    except ExpansionError:
        return None
    return (one > two) - (one < two)


def _insert(
    elements: list[str],
    keys: list[Any],
    numeric: bool,
    caseless: bool,
    descending: bool,
    before_equal: bool,
    version: tuple[int, int],
) -> list[str]:
    """Put each element before the first that it is to precede, as inserting one by one does."""
    if numeric:
        from eximious.interpreter.integers import expanded_string_integer

        numbers: list[int | None] = []
        for key in keys:
            try:
                numbers.append(expanded_string_integer(key, False, version) if key else 0)
            except ExpansionError:
                numbers.append(None)
        if None in numbers:
            return _insert_with_gaps(elements, numbers, descending, before_equal)
        keys = numbers
    elif caseless:
        from itertools import pairwise

        folded = sorted({fold(key) for key in keys})
        if any(longer.startswith(key) for key, longer in pairwise(folded)):
            return _insert_folded(elements, keys, descending, before_equal)
        keys = [fold(key) for key in keys]
    order = list(range(len(elements)))
    # Python's sort is stable: elements that precede their equals are sorted from the last one on
    if before_equal:
        order.reverse()
    if descending:
        order.sort(key=_Reversed(keys).of)
    else:
        order.sort(key=keys.__getitem__)
    return [elements[index] for index in order]


def _insert_with_gaps(
    elements: list[str], keys: list[int | None], descending: bool, before_equal: bool
) -> list[str]:
    """The same where some keys are no numbers: these precede nothing, and nothing precedes them."""
    order: list[int] = []
    for index, key in enumerate(keys):
        for place, other_index in enumerate(order):
            other = keys[other_index]
            if key is None or other is None:
                continue
            if key == other:
                precedes = before_equal
            else:
                precedes = key > other if descending else key < other
            if precedes:
                order.insert(place, index)
                break
        else:
            order.append(index)
    return [elements[index] for index in order]


def _insert_folded(elements: list[str], keys: list[str], descending: bool, before_equal: bool) -> list[str]:
    """The same where one key begins another: compared without case, neither then comes before the other."""
    order: list[int] = []
    for index, key in enumerate(keys):
        for place, other in enumerate(order):
            result = compare_folded(key, keys[other])
            if (result == 0 and before_equal) or (result > 0 if descending else result < 0):
                order.insert(place, index)
                break
        else:
            order.append(index)
    return [elements[index] for index in order]


class _Reversed:
    """Keys that sort the other way round, stably."""

    __slots__ = ("ranks",)

    def __init__(self, keys: list[Any]) -> None:
        ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
        self.ranks = [-ranks[key] for key in keys]

    def of(self, index: int) -> int:
        return self.ranks[index]
