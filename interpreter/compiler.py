"""Turns the tree of an expansion into callables: compile once, run often.

Every node becomes a function of a :class:`~eximious.interpreter.context.Context` that gives text. Exim
reads a string while it evaluates it, so a place that it cannot read becomes a function that raises its
message, after everything before it has been evaluated. Text that is read but not wanted (a branch not
taken, the body of ``map`` over nothing) is "skipped": only what Exim finds out even then is done, and a
part where it finds nothing costs nothing. Skipping functions give the text that the part has while it is
skipped, which some items look at.

Observers (tracing, coverage) wrap the functions while they are made: see ``Compiler.observe``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar.expansion_ast import (
    Argument,
    Broken,
    Capture,
    Expansion,
    Header,
    If,
    Item,
    Literal,
    Node,
    Operator,
    Variable,
    Word,
)
from eximious.grammar.expansion_parser import unescape
from eximious.interpreter.outcomes import ExpansionError, Failure, ForcedFailure, Lacking, OverBudget
from eximious.interpreter.registry import CLEAN, FOLLOW
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from eximious.interpreter.context import Context
    from eximious.interpreter.language import Language

    Run = Callable[[Context], str]

MISSING_CLOSE = "missing } at end of string"
#: operators that look at the name of a certificate variable before they expand their text
CERTIFICATE_OPERATORS = ("md5", "sha1", "sha256", "base64")
#: what stands before a closing brace that is behind no backslash and not between two \\N
_CLOSED = re.compile(r"((?:[^\\}]|\\N(?:(?!\\N).)*\\N|\\[^N])*)\}", re.DOTALL)
#: operators whose text may end with a NUL, which ends the text that they stand in
CUTTING_OPERATORS = ("from_utf8", "ipv6norm", "xtextd")
HEADER_HINT = " - could be header name not terminated by colon"
CURLY = "missing or misplaced { or }"
#: how deep constructs may nest before the evaluation is over budget
DEPTH_LIMIT = 120
#: the same for parts that are skipped: they take more of the stack
SKIP_DEPTH_LIMIT = 100


#: variables that may turn out to be unknown only when they are asked for
SOMETIMES_UNKNOWN = ("acl_", "r_", "recipients", "n", "sn")


def _malformed(ctx: Context) -> str:
    ctx.malformed_header = True
    return ""


def _braced(run: Run, node: Variable) -> Run:
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


class Compiler:
    """Compiles the trees of one text.

    ``language`` says which names exist and holds the declarations; ``text`` is the whole text, which
    some messages quote from. ``observe(node, run)``, if given, may wrap each function made for a node.
    """

    def __init__(
        self, language: Language, text: str, observe: Callable[[Node, Run], Run] | None = None
    ) -> None:
        self.language = language
        self.text = text
        self.observe = observe
        self.version = language.version
        #: what was found wrong with the text while it was compiled: (offset, Exim's message)
        self.problems: list[tuple[int, str]] = []
        self._skips: dict[int, Run | None] = {}
        self._depth = 0

    def raising(self, message: str, offset: int, curly: bool = False) -> Callable[[Context], NoReturn]:
        """A function that raises Exim's ``message``, which is put down as a problem of the text."""
        self.problems.append((offset, message))
        return raising(message, offset, curly)

    def check_regex(self, argument: Node) -> None:
        """Put down what is wrong with a regular expression that is written out."""
        if type(argument) is not Argument or any(type(part) is not Literal for part in argument.text.parts):
            return
        from eximious.interpreter.regex import compile_regex

        pattern = "".join(part.value for part in argument.text.parts)  # type: ignore[attr-defined]
        try:
            compile_regex(pattern.partition("\0")[0], version=self.version)
        except ExpansionError as failure:
            self.problems.append((argument.start, failure.message))

    # ---- running

    def expansion(self, node: Expansion) -> Run:
        """The function for text with expansions in it."""
        parts = node.parts
        if not parts:
            return constant("")
        if self._depth > DEPTH_LIMIT:
            return self._too_deep
        self._depth += 1
        runs: list[Run] = []
        cut = False
        for part in parts:
            runs.append(self.node(part))
            cut = cut or (type(part) is Literal and "\0" in part.value)
            cut = cut or (type(part) is Operator and part.name.startswith(CUTTING_OPERATORS))
            if type(part) is Broken:
                break
        self._depth -= 1
        if self.version < (4, 97) and _loses_its_buffer(parts):
            runs[:2] = [_failing_if_empty(runs[0], runs[1])]
        run = _join(runs)
        return _cut_at_nul(run) if cut else run

    @staticmethod
    def _too_deep(ctx: Context) -> str:
        raise OverBudget("levels of nesting", DEPTH_LIMIT)

    def node(self, node: Node) -> Run:
        """The function for one part of an expansion."""
        kind = type(node)
        if kind is Literal:
            return constant(node.value)  # type: ignore[attr-defined]
        if kind is Variable:
            run = self._variable(node)  # type: ignore[arg-type]
        elif kind is Operator:
            run = self._operator(node)  # type: ignore[arg-type]
        elif kind is If:
            from eximious.interpreter.condition_compiler import compile_if

            run = compile_if(self, node)  # type: ignore[arg-type]
        elif kind is Item:
            run = self._item(node)  # type: ignore[arg-type]
        elif kind is Header:
            run = self.language.header_reader(node)  # type: ignore[arg-type]
        elif kind is Capture:
            run = _capture(node.number)  # type: ignore[attr-defined]
        elif kind is Broken:
            return self.raising(node.message, node.start, node.curly)  # type: ignore[attr-defined]
        else:
            raise TypeError(f"no function for {node!r}")
        return self.observe(node, run) if self.observe is not None else run

    def _variable(self, node: Variable) -> Run:
        run = self.language.variable(node.name)
        if run is not None:
            return _braced(run, node) if node.braced and node.name.startswith(SOMETIMES_UNKNOWN) else run
        return self.raising(self.language.unknown_variable(node.name, node.braced), node.start)

    def _operator(self, node: Operator) -> Run:
        declaration, argument, problem = self.language.operator(node.name)
        body = self.expansion(node.body)
        if declaration is None:
            return _then(body, self.raising(problem, node.start))
        name = node.name
        if declaration.name in CERTIFICATE_OPERATORS and self.text.startswith("$", node.body.start):
            return self._certificate_operator(node, declaration, body, argument)
        return _operator_function(declaration, body, argument, name, node.start)

    def _certificate_operator(self, node: Operator, declaration: Any, body: Run, argument: Any) -> Run:
        """``${md5:$tls_in_peercert}``: the variable's name is expanded first, then looked up.

        Where it holds no certificate the operator is left with the name.
        """
        usual = _operator_function(declaration, body, argument, node.name, node.start)
        closed = _CLOSED.match(self.text, node.body.start + 1)
        if closed is None:
            return self.raising(MISSING_CLOSE, len(self.text), True)
        variable = unescape(closed.group(1))
        reader = self.language.certificate(variable)
        if reader is None:
            return usual
        from eximious.interpreter.certificates import certificate_digest

        digest = certificate_digest(declaration.name, argument)
        of_name = _operator_function(declaration, constant(variable), argument, node.name, node.start)

        def run(ctx: Context) -> str:
            certificate = reader(ctx)
            return digest(certificate) if certificate is not None else of_name(ctx)

        return run

    def _dollar_at_end(self, name: str, node: Operator) -> bool:
        """Whether a dollar is taken for that of a certificate before the text is found to end there.

        A brace that is not escaped has to come behind it, anywhere in what is left of the whole text.
        """
        start = node.body.start
        return (
            name in CERTIFICATE_OPERATORS
            and self.text.startswith("$", start)
            and not _CLOSED.match(self.text, start + 1)
        )

    def _item(self, node: Item) -> Run:
        compile_item = self.language.item_compiler(node.name)
        if compile_item is not None:
            run: Run = compile_item.run(self, node)
            return run
        return self._plain_item(node)

    def _plain_item(self, node: Item) -> Run:
        declaration = self.language.item(node.name)
        assert declaration is not None
        least, most = declaration.args
        reader = Arguments(self, node)
        runs, problem = reader.texts(least, most, node.name)
        call, start, taint = declaration.call, node.start, declaration.taint
        given = len(runs)
        padding = [None] * (most - given)

        def run(ctx: Context) -> str:
            values: list[Any] = [argument(ctx) for argument in runs]
            if problem is not None:
                problem(ctx)
            try:
                result: str = call(ctx, values + padding)
            except (Failure, Lacking) as failure:
                if failure.offset < 0:
                    failure.offset = start
                raise
            if taint is FOLLOW:
                for value in values:
                    if type(value) is Tainted:
                        return Tainted(result)
            return result

        return run

    # ---- skipping

    def skip(self, node: Node) -> Run | None:
        """What Exim finds out about a part that it reads but does not want; None: nothing.

        The function gives the text that the part has while skipped. It may be None only where that
        text does not matter to anyone: see :meth:`skip_text`.
        """
        key = id(node)
        if key in self._skips:
            return self._skips[key]
        self._skips[key] = None
        run = self._skips[key] = self._skip(node)
        return run

    def skip_text(self, node: Node) -> Run:
        """The function for the text that a part has while it is skipped."""
        run = self.skip(node)
        kind = type(node)
        if self.version < (4, 97) and (kind is If or kind is Item):
            text = self._unwanted(node)  # type: ignore[arg-type]
            if text is not None:
                return _then(run, self.skip_text(text))
        if run is not None:
            return run
        if kind is Expansion:
            return self._skipped_parts(node)  # type: ignore[arg-type]
        if kind is Literal or kind is Capture:
            return self.node(node)
        if kind is Variable and node.name.startswith(("acl_c", "acl_m", "r_", "auth")):  # type: ignore[attr-defined]
            return self.node(node)
        return constant("")  # the variables of Exim's table are not looked at

    def _skipped_parts(self, node: Expansion) -> Run:
        if not node.parts:
            return constant("")
        run = _join([self.skip_text(part) for part in node.parts])
        cut = any(type(part) is Literal and "\0" in part.value for part in node.parts)
        return _cut_at_nul(run) if cut else run

    @staticmethod
    def _unwanted(node: If | Item) -> Expansion | None:
        """The string for no of an item: 4.96 takes that as the item's text while it skips."""
        arguments = [part for part in node.parts if type(part) is Argument]
        if isinstance(node, If):
            before = 0
        elif node.name == "lookup":
            words = [place for place, part in enumerate(node.parts) if type(part) is Word]
            before = 2 if words and words[0] > 0 else 1
        else:
            before = {"listextract": 2, "certextract": 2}.get(node.name, -1)
        return arguments[before + 1].text if 0 <= before < len(arguments) - 1 else None

    def _skip(self, node: Node) -> Run | None:
        kind = type(node)
        if kind is Literal or kind is Capture:
            return None
        if kind is Header:
            # it is not looked up, so there is none
            return _malformed if "}" in node.name else None  # type: ignore[attr-defined]
        if kind is Expansion:
            if self._depth > SKIP_DEPTH_LIMIT:
                return self._too_deep
            self._depth += 1
            effects = [self.skip(part) for part in node.parts]  # type: ignore[attr-defined]
            self._depth -= 1
            if all(effect is None for effect in effects):
                return None
            return self._skipped_parts(node)  # type: ignore[arg-type]
        if kind is Variable:
            name = node.name  # type: ignore[attr-defined]
            if self.language.variable(name) is not None and not self.language.unset_is_unknown(name):
                return None
            return self._variable(node)  # type: ignore[arg-type]
        if kind is Broken:
            return self.node(node)
        if kind is Operator:
            body = self.skip(node.body)  # type: ignore[attr-defined]
            declaration, _, problem = self.language.operator(node.name)  # type: ignore[attr-defined]
            if declaration is not None and self._dollar_at_end(declaration.name, node):  # type: ignore[arg-type]
                return self.raising(MISSING_CLOSE, len(self.text), True)
            if declaration is None:
                return _then(body, self.raising(problem, node.start))
            return None if body is None else _then(body, constant(""))
        if kind is If:
            from eximious.interpreter.condition_compiler import skip_if

            return skip_if(self, node)  # type: ignore[arg-type]
        if kind is Item:
            compile_item = self.language.item_compiler(node.name)  # type: ignore[attr-defined]
            if compile_item is not None:
                skip: Run | None = compile_item.skip(self, node)
                return skip
            return self._skip_plain_item(node)  # type: ignore[arg-type]
        raise TypeError(f"cannot skip {node!r}")

    def _skip_plain_item(self, node: Item) -> Run | None:
        declaration = self.language.item(node.name)
        assert declaration is not None
        least, most = declaration.args
        reader = Arguments(self, node, skipping=True)
        effects, problem = reader.texts(least, most, node.name)
        old = self.version < (4, 97)
        if old and problem is None and node.name in DONE_WHEN_SKIPPED:
            texts = Arguments(self, node, skipping=True, keep_text=True).texts(least, most, node.name)[0]
            return _done(node.name, declaration.call, texts, most)
        if node.name == "imapfolder" and not old and problem is None and len(node.parts) > 1:
            # 4.99 has no separator while it skips, and complains of that
            problem = self.raising(IMAP_SEPARATOR, node.start)
        return sequence(effects, problem)


IMAP_SEPARATOR = 'IMAP folder separator must be one character, found ""'
#: plain items that 4.96 does (of imapfolder: checks) even where the item is skipped
DONE_WHEN_SKIPPED = (
    "authresults",
    "hash",
    "imapfolder",
    "length",
    "listquote",
    "nhash",
    "substr",
    "tr",
)


def _done(name: str, call: Callable[..., str], texts: list[Run], most: int) -> Run:
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


def _loses_its_buffer(parts: tuple[Node, ...]) -> bool:
    """Whether a variable that may be empty comes first, and then a call of Perl."""
    if len(parts) < 2 or type(parts[0]) is not Variable:
        return False
    second = parts[1]
    return type(second) is Item and second.name == "perl"


def _failing_if_empty(first: Run, second: Run) -> Run:
    """4.96 has no place for the result then: that of a subroutine that gives nothing fails, without a word."""
    both = _join([first, second])

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


def _then(first: Run | None, second: Run) -> Run:
    if first is None:
        return second

    def run(ctx: Context) -> str:
        first(ctx)
        return second(ctx)

    return run


def _capture(number: int) -> Run:
    def run(ctx: Context) -> str:
        captures = ctx.captures
        return captures[number] if number < len(captures) else ""

    return run


def _cut_at_nul(run: Run) -> Run:
    """Exim's strings end at a NUL, whatever is put behind it."""

    def cut(ctx: Context) -> str:
        value = run(ctx)
        whole = value.partition("\0")[0]
        return Tainted(whole) if type(value) is Tainted else whole

    return cut


def _join(runs: list[Run]) -> Run:
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


def _operator_function(declaration: Any, body: Run, argument: str | None, name: str, start: int) -> Run:
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


# ---- yes and no strings


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


__all__ = ["CLEAN", "Arguments", "Compiler", "branches", "constant", "raising", "sequence", "skip_branches"]
