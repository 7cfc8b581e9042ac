"""Items that pick something out and may have yes and no strings: extract, listextract, certextract,
env, lookup (manual 11.5). What they pick is ``$value`` in the yes string.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import Argument, Literal, Word
from eximious.interpreter.arguments import Arguments, branches, skip_branches
from eximious.interpreter.fields import extract_named, extract_numbered
from eximious.interpreter.functions import CURLY, HEADER_HINT, sequence
from eximious.interpreter.json_text import extract_json
from eximious.interpreter.outcomes import ExpansionError, Failure, Lacking
from eximious.interpreter.registry import compiled_item
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar.expansion_ast import Item
    from eximious.interpreter.compiler import Compiler
    from eximious.interpreter.context import Context
    from eximious.interpreter.functions import Run

SPACE = " \t\n\v\f\r"
_NUMERIC = re.compile(r"-?[0-9]*").fullmatch


def small_integer(text: str) -> int:
    """A field number as Exim reads it: in 32 bits, whatever the digits."""
    value = int(text.lstrip("-") or "0") if len(text) < 5000 else 0
    value = (value + (1 << 31)) % (1 << 32) - (1 << 31)
    return -value if text.startswith("-") else value


def _always(effects: list[Run], problem: Run) -> Run:
    run = sequence(effects, problem)
    assert run is not None
    return run


# ---- extract


def _skip_extract(compiler: Compiler, node: Item) -> Run | None:
    """While skipping Exim cannot know how many strings there are: it takes up to five and a ``fail``."""
    reader = Arguments(compiler, node, skipping=True)
    effects: list[Run] = []
    if _json_kind(reader) and compiler.version < (4, 97):
        first = reader.peek()
        if first is not None and first.start != node.parts[0].end:
            # 4.96 does not pass over white space here
            return compiler.raising("missing '}' closing extract", first.start, True)
    for _ in range(5):
        part = reader.take()
        if part is None:
            break
        effect = compiler.skip(part.text)
        if effect is not None:
            effects.append(effect)
    if not reader.at_close:
        word = reader.peek()
        if not (
            type(word) is Word and word.text == "fail" and reader.index + 1 == len(node.parts) and node.closed
        ):
            return sequence(effects, reader.problem("missing '}' closing extract"))
    return sequence(effects, None)


def _json_kind(reader: Arguments) -> str:
    word = reader.peek()
    if type(word) is Word and word.text in ("json", "jsons") and reader.index == 0:
        reader.index += 1
        return word.text
    return ""


class _Extract:
    """What follows the key: the branches depend on whether that turns out to be a number."""

    __slots__ = ("argument", "branches", "problem", "third")

    def __init__(self, compiler: Compiler, node: Item, index: int, numbered: bool) -> None:
        reader = Arguments(compiler, node)
        reader.index = index
        self.problem: Run | None = None
        self.third: Run | None = None
        self.branches: Any = None
        self.argument = reader.text()
        if self.argument is None:
            self.problem = reader.problem("missing '{' for arg 2 of extract")
            return
        if numbered:
            self.third = reader.text()
            if self.third is None:
                self.problem = reader.problem("missing '{' for arg 3 of extract")
                return
        self.branches = branches(reader, "extract")


@compiled_item("extract", section="11.5", skip=_skip_extract)
def compile_extract(compiler: Compiler, node: Item) -> Run:
    """``${extract{key}{fields}…}``, ``${extract{number}{separators}{text}…}``, ``${extract json{…}{…}…}``."""
    reader = Arguments(compiler, node)
    json = _json_kind(reader)
    index = reader.index
    key_part = reader.take()
    if key_part is None:
        return reader.problem("missing '{' for arg 1 of extract")
    key_run = compiler.expansion(key_part.text)
    made: dict[bool, _Extract] = {}
    start, version = node.start, compiler.version

    def shape(numbered: bool) -> _Extract:
        found = made.get(numbered)
        if found is None:
            found = made[numbered] = _Extract(compiler, node, index + 1, numbered and not json)
        return found

    parts = key_part.text.parts
    if not json and len(parts) == 1 and type(parts[0]) is Literal and compiler.observe is None:
        key = parts[0].value.strip(SPACE)
        if key and _NUMERIC(key) is not None and shape(True).problem is None:
            return _numbered_field(shape(True), small_integer(key))

    pick = _pick_json(json, version) if json else _pick_field

    def run(ctx: Context) -> str:
        saved = ctx.value
        key = key_run(ctx).strip(SPACE)
        if not key:
            raise _at(ExpansionError('first argument of "extract" must not be empty'), start)
        numbered = _NUMERIC(key) is not None
        rest = made.get(numbered) or shape(numbered)
        if rest.problem is not None:
            if rest.argument is not None:
                rest.argument(ctx)
            rest.problem(ctx)
        subject = rest.argument(ctx)  # type: ignore[misc]
        third = rest.third(ctx) if rest.third is not None else None
        try:
            value = pick(key, numbered, subject, third)
        except Failure as failure:
            if ctx.malformed_header:
                failure.message = CURLY + HEADER_HINT
            _at(failure, start)
            raise
        yes, no = rest.branches
        if value is None:
            ctx.value = None
            return no(ctx, saved)  # type: ignore[no-any-return]
        tainted = type(subject if third is None else third) is Tainted
        ctx.value = Tainted(value) if tainted else value
        return yes(ctx, saved)  # type: ignore[no-any-return]

    return run


def _numbered_field(rest: _Extract, number: int) -> Run:
    """The usual way: a number is written as the first argument."""
    separators, text = rest.argument, rest.third
    assert separators is not None and text is not None
    yes, no = rest.branches

    def run(ctx: Context) -> str:
        saved = ctx.value
        characters = separators(ctx)
        value = ctx.value = extract_numbered(number, characters, text(ctx))
        return no(ctx, saved) if value is None else yes(ctx, saved)  # type: ignore[no-any-return]

    return run


def _pick_field(key: str, numbered: bool, subject: str, third: str | None) -> str | None:
    if third is not None:
        return extract_numbered(small_integer(key), subject, third)
    return extract_named(key, subject)


def _pick_json(kind: str, version: tuple[int, int]) -> Callable[..., str | None]:
    def pick(key: str, numbered: bool, subject: str, third: str | None) -> str | None:
        return extract_json(small_integer(key) if numbered else key, subject, kind == "jsons", version)

    return pick


def _at(failure: Failure | Lacking, offset: int) -> Failure | Lacking:
    if failure.offset < 0:
        failure.offset = offset
    return failure


# ---- listextract


def _list_arguments(
    compiler: Compiler, node: Item, skipping: bool
) -> tuple[Arguments, list[Run], Run | None]:
    reader = Arguments(compiler, node, skipping=skipping)
    runs: list[Run] = []
    for number in (1, 2):
        run = reader.text()
        if run is None:
            return reader, runs, reader.problem(f"missing '{{' for arg {number} of listextract")
        runs.append(run)
    return reader, runs, None


def _skip_listextract(compiler: Compiler, node: Item) -> Run | None:
    reader, runs, problem = _list_arguments(compiler, node, True)
    rest = problem or skip_branches(reader, "listextract")
    if compiler.version < (4, 97) and runs:
        number, start = runs[0], node.start

        def check(ctx: Context) -> str:
            if not _NUMERIC(number(ctx).strip(SPACE)):
                raise _at(ExpansionError('first argument of "listextract" must be numeric'), start)
            return ""

        runs = [check, *runs[1:]]
        return sequence(runs, rest)
    effects = [compiler.skip(part.text) for part in node.parts[:2] if type(part) is Argument]
    return sequence([effect for effect in effects if effect is not None], rest)


@compiled_item("listextract", section="11.5", skip=_skip_listextract)
def compile_listextract(compiler: Compiler, node: Item) -> Run:
    """``${listextract{number}{list}…}``: one element, counted from the end if negative."""
    from eximious.interpreter.listsplit import list_separator, split_list

    reader, runs, problem = _list_arguments(compiler, node, False)
    start = node.start

    def field(ctx: Context) -> int:
        text = runs[0](ctx).strip(SPACE)
        if not text:
            raise _at(ExpansionError('first argument of "listextract" must not be empty'), start)
        if not _NUMERIC(text):
            raise _at(ExpansionError('first argument of "listextract" must be numeric'), start)
        return small_integer(text)

    if problem is not None:
        return _always([field, *runs[1:]] if runs else [], problem)  # type: ignore[list-item]
    yes, no = branches(reader, "listextract")
    second = runs[1]
    old = compiler.version < (4, 97)

    def run(ctx: Context) -> str:
        saved = ctx.value
        number = field(ctx)
        text = second(ctx)
        items = split_list(text)
        if number < 0:
            number += len(items) + 1
            # further back than the first but one before it is the first (4.96: -5 of a:b is a)
            number = 1 if number < 0 else number
        if 0 < number <= len(items):
            item = items[number - 1]
            ctx.value = Tainted(item) if type(text) is Tainted else item
            return yes(ctx, saved)
        if old and number > 1 and not items and list_separator(text)[1] > 1:
            # 4.96 reads a list that only sets its separator a second time, now as a list of one
            ctx.value = "<"
            return yes(ctx, saved)
        ctx.value = None
        return no(ctx, saved)

    return run


# ---- env


def _skip_env(compiler: Compiler, node: Item) -> Run | None:
    reader = Arguments(compiler, node, skipping=True)
    part = reader.take()
    if part is None:
        return reader.problem("", curly=False)
    if compiler.version < (4, 97):
        return _skip_env_at_first(compiler, node, compiler.skip_text(part.text))
    effect = compiler.skip(part.text)
    return sequence([effect] if effect is not None else [], skip_branches(reader, "env"))


def _skip_env_at_first(compiler: Compiler, node: Item, name: Run) -> Run:
    """4.96 asks the environment even while it skips, and wants the yes string of what is there."""
    reader = Arguments(compiler, node)
    reader.take()
    yes, _ = branches(reader, "env")
    reader = Arguments(compiler, node, skipping=True)
    reader.take()
    rest = skip_branches(reader, "env")
    last = [part for part in node.parts if type(part) is Argument]
    no = compiler.skip_text(last[2].text) if len(last) > 2 else None

    def run(ctx: Context) -> str:
        saved = ctx.value
        ctx.value = ctx.env.doors.environ.get(name(ctx))
        if ctx.value is not None:
            text = yes(ctx, saved)
            return text if len(last) > 1 else ""  # without a string the value is not put in
        ctx.value = saved
        if rest is not None:
            rest(ctx)
        return no(ctx) if no is not None else ""

    return run


@compiled_item("env", section="11.5", skip=_skip_env)
def compile_env(compiler: Compiler, node: Item) -> Run:
    """``${env{name}…}``: an environment variable that keep_environment lets through."""
    reader = Arguments(compiler, node)
    name = reader.text()
    if name is None:
        return reader.problem("", curly=False)
    yes, no = branches(reader, "env")

    def run(ctx: Context) -> str:
        saved = ctx.value
        found = ctx.env.doors.environ.get(name(ctx))
        ctx.value = found
        return no(ctx, saved) if found is None else yes(ctx, saved)

    return run


# ---- lookup

_type_name = re.compile(r"[^ \t\n\v\f\r{]*").match


class _Lookup:
    """The pieces of a lookup, read in Exim's order; ``problem`` ends the reading."""

    def __init__(self, compiler: Compiler, node: Item, skipping: bool) -> None:
        from eximious.interpreter.lookups_door import lookup_spec

        reader = Arguments(compiler, node, skipping=skipping)
        self.reader = reader
        self.effects: list[Run] = []
        self.key: Run | None = None
        self.query: Run | None = None
        self.spec: Any = None
        self.problem: Run | None = None
        if type(reader.peek()) is Argument:
            self.key = reader.text()
            self.effects.append(self.key)  # type: ignore[arg-type]
        place = reader.place
        text = compiler.text
        if not (place < len(text) and text[place].isascii() and text[place].isalpha()):
            self.problem = reader.problem("missing lookup type")
            return
        found = _type_name(text, place)
        assert found is not None
        try:
            self.spec = lookup_spec(found[0][:255], compiler.language)
            self.spec.check_key(self.key is not None)
        except Failure as failure:
            self.problem = compiler.raising(failure.message, place)
            return
        while type(reader.peek()) is Word and reader.place < found.end():
            reader.index += 1
        self.query = reader.text()
        if self.query is None:
            self.problem = reader.problem("missing '{' for lookup file-or-query arg")
            return
        self.effects.append(self.query)


def _skip_lookup(compiler: Compiler, node: Item) -> Run | None:
    lookup = _Lookup(compiler, node, True)
    rest = lookup.problem or skip_branches(lookup.reader, "lookup")
    effects = [compiler.skip(part.text) for part in node.parts[:3] if type(part) is Argument]
    wanted = [effect for effect in effects[: len(lookup.effects)] if effect is not None]
    return sequence(wanted, rest)


@compiled_item("lookup", section="9.3", skip=_skip_lookup)
def compile_lookup(compiler: Compiler, node: Item) -> Run:
    """``${lookup{key} type {file}…}`` and ``${lookup type{query}…}``."""
    lookup = _Lookup(compiler, node, False)
    if lookup.problem is not None:
        return _always(lookup.effects, lookup.problem)
    yes, no = branches(lookup.reader, "lookup")
    key_run, query_run, spec, start = lookup.key, lookup.query, lookup.spec, node.start
    assert query_run is not None
    from eximious.interpreter.lookups_door import search

    wild = spec.name in ("wildlsearch", "nwildlsearch")

    def run(ctx: Context) -> str:
        saved, captures = ctx.value, ctx.captures
        key = key_run(ctx) if key_run is not None else None
        query = query_run(ctx)
        try:
            found = search(ctx, spec, key, query)
        except (Failure, Lacking) as failure:
            _at(failure, start)
            raise
        if wild:
            ctx.captures = []  # the search has used them for the keys of the file
        if found is None:
            ctx.value = None
            result = no(ctx, saved)
        else:
            ctx.value = found.value
            if found.wild is not None:
                ctx.captures = ["", found.wild, found.fixed or ""]
            result = yes(ctx, saved)
        ctx.captures = captures
        return result

    return run


# ---- certextract


class _Certificate:
    """The arguments of certextract, read in Exim's order."""

    def __init__(self, compiler: Compiler, node: Item, skipping: bool) -> None:
        reader = Arguments(compiler, node, skipping=skipping)
        self.reader = reader
        self.problem: Run | None = None
        self.name: Run | None = None
        part = reader.peek()
        self.field = reader.text()
        if self.field is None:
            self.problem = reader.problem("missing '{' for field arg of certextract")
            return
        self.effect = compiler.skip(part.text) if type(part) is Argument else None
        place = reader.place
        part = reader.take()
        if part is None:
            self.problem = reader.problem("missing '{' for cert variable arg of certextract")
            return
        if not compiler.text.startswith("$", place + 1):
            self.problem = compiler.raising(
                'second argument of "certextract" must be a certificate variable', place + 1
            )
            return
        text = compiler.expansion(part.text)  # nothing in it is expanded
        self.name = lambda ctx: text(ctx)[1:]


def _skip_certextract(compiler: Compiler, node: Item) -> Run | None:
    arguments = _Certificate(compiler, node, True)
    effects = []
    if arguments.field is not None and arguments.effect is not None:
        effects.append(arguments.effect)
    if arguments.problem is not None:
        return sequence(effects, arguments.problem)
    if arguments.name is not None:
        effects.append(arguments.name)
    return sequence(effects, skip_branches(arguments.reader, "certextract"))


@compiled_item("certextract", section="11.5", skip=_skip_certextract)
def compile_certextract(compiler: Compiler, node: Item) -> Run:
    """``${certextract{field}{$tls_in_peercert}…}``: a field of a certificate (manual 11.5, 43.11)."""
    arguments = _Certificate(compiler, node, False)
    if arguments.problem is not None or arguments.field is None:
        effects = [arguments.field] if arguments.field is not None else []
        assert arguments.problem is not None
        return _always(effects, arguments.problem)
    field, name, start = arguments.field, arguments.name, node.start
    assert name is not None
    yes, no = branches(arguments.reader, "certextract")
    language = compiler.language

    def reader_of(variable: str) -> Callable[[Context], Any]:
        reader = language.certificate(variable)
        if reader is None:
            row = language.catalogue.variable(variable)
            known = row is not None and row.in_table
            message = f'"{variable}" is not a certificate' if known else f'no variable named "{variable}"'
            raise _at(ExpansionError(message), start)
        return reader

    def run(ctx: Context) -> str:
        saved = ctx.value
        selector = field(ctx).strip(SPACE)
        certificate = reader_of(name(ctx))(ctx)
        value = None
        if certificate is not None:
            from eximious.interpreter.certificates import certextract

            try:
                value = certextract(ctx, certificate, selector)
            except Failure as failure:
                _at(failure, start)
                raise
        ctx.value = value
        return no(ctx, saved) if value is None else yes(ctx, saved)

    return run
