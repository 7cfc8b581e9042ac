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
from eximious.interpreter.arguments import Arguments
from eximious.interpreter.functions import (
    MISSING_CLOSE,
    braced,
    capture,
    constant,
    cut_at_nul,
    failing_if_empty,
    joined,
    malformed,
    operator_function,
    raising,
    sequence,
    skipped_call,
    then,
)
from eximious.interpreter.outcomes import ExpansionError, Failure, Lacking, OverBudget
from eximious.interpreter.registry import FOLLOW
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from eximious.interpreter.context import Context
    from eximious.interpreter.language import Language

    Run = Callable[[Context], str]

#: operators that look at the name of a certificate variable before they expand their text
CERTIFICATE_OPERATORS = ("md5", "sha1", "sha256", "base64")
#: what stands before a closing brace that is behind no backslash and not between two \\N
_CLOSED = re.compile(r"((?:[^\\}]|\\N(?:(?!\\N).)*\\N|\\[^N])*)\}", re.DOTALL)
#: operators whose text may end with a NUL, which ends the text that they stand in
CUTTING_OPERATORS = ("from_utf8", "ipv6norm", "xtextd")
#: how deep constructs may nest before the evaluation is over budget
DEPTH_LIMIT = 120
#: the same for parts that are skipped: they take more of the stack
SKIP_DEPTH_LIMIT = 100


#: variables that may turn out to be unknown only when they are asked for
SOMETIMES_UNKNOWN = ("acl_", "r_", "recipients", "n", "sn")


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
            runs[:2] = [failing_if_empty(runs[0], runs[1])]
        run = joined(runs)
        return cut_at_nul(run) if cut else run

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
            run = capture(node.number)  # type: ignore[attr-defined]
        elif kind is Broken:
            return self.raising(node.message, node.start, node.curly)  # type: ignore[attr-defined]
        else:
            raise TypeError(f"no function for {node!r}")
        return self.observe(node, run) if self.observe is not None else run

    def _variable(self, node: Variable) -> Run:
        run = self.language.variable(node.name)
        if run is not None:
            return braced(run, node) if node.braced and node.name.startswith(SOMETIMES_UNKNOWN) else run
        return self.raising(self.language.unknown_variable(node.name, node.braced), node.start)

    def _operator(self, node: Operator) -> Run:
        declaration, argument, problem = self.language.operator(node.name)
        body = self.expansion(node.body)
        if declaration is None:
            return then(body, self.raising(problem, node.start))
        name = node.name
        if declaration.name in CERTIFICATE_OPERATORS and self.text.startswith("$", node.body.start):
            return self._certificate_operator(node, declaration, body, argument)
        return operator_function(declaration, body, argument, name, node.start)

    def _certificate_operator(self, node: Operator, declaration: Any, body: Run, argument: Any) -> Run:
        """``${md5:$tls_in_peercert}``: the variable's name is expanded first, then looked up.

        Where it holds no certificate the operator is left with the name.
        """
        usual = operator_function(declaration, body, argument, node.name, node.start)
        closed = _CLOSED.match(self.text, node.body.start + 1)
        if closed is None:
            return self.raising(MISSING_CLOSE, len(self.text), True)
        variable = unescape(closed.group(1))
        reader = self.language.certificate(variable)
        if reader is None:
            return usual
        from eximious.interpreter.certificates import certificate_digest

        digest = certificate_digest(declaration.name, argument)
        of_name = operator_function(declaration, constant(variable), argument, node.name, node.start)

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
                return then(run, self.skip_text(text))
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
        run = joined([self.skip_text(part) for part in node.parts])
        cut = any(type(part) is Literal and "\0" in part.value for part in node.parts)
        return cut_at_nul(run) if cut else run

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
            return malformed if "}" in node.name else None  # type: ignore[attr-defined]
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
                return then(body, self.raising(problem, node.start))
            return None if body is None else then(body, constant(""))
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
            return skipped_call(node.name, declaration.call, texts, most)
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


def _loses_its_buffer(parts: tuple[Node, ...]) -> bool:
    """Whether a variable that may be empty comes first, and then a call of Perl."""
    if len(parts) < 2 or type(parts[0]) is not Variable:
        return False
    second = parts[1]
    return type(second) is Item and second.name == "perl"
