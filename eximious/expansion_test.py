"""Exim's expansion testing mode: lines in, results out (manual 5.2, ``-be``).

A line that begins with a capital letter defines a macro, and macros are replaced in the others. A line
ends at 1023 characters, a backslash at its end joins the next one, and every result stands behind a prompt.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.interpreter.engine import compiled
from eximious.interpreter.outcomes import Failure, OverBudget, Refused, Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, Protocol

    from eximious.assembly import Assembly
    from eximious.interpreter.context import Context

    class Output(Protocol):
        """Where results go."""

        def write(self, text: str) -> None:
            """Write text of one character a byte."""

        def flush(self) -> None:
            """Hand on what was kept."""


LINE_LIMIT = 1023
TEXT_LIMIT = 16383
SPACE = " \t\n\v\f\r"
NUL = "\0"
#: lines whose functions are kept
KNOWN_LIMIT = 20_000
#: results that are written together
RESULTS_HELD = 64


def joined_lines(stream: BinaryIO) -> Iterator[str]:
    """Give the lines that Exim takes from somebody who tests something, continued ones joined (manual 5.2)."""
    held: str | None = None
    while raw := stream.readline(LINE_LIMIT):
        text = raw.decode("latin-1").partition(NUL)[0]
        line = (held or "") + (text.strip(SPACE) if held is not None else text.rstrip(SPACE))
        if line.endswith("\\") and text.strip(SPACE):
            held = line[:-1]
            continue
        held = None
        yield line
    if held is not None:
        yield held


class ExpansionTest:
    """One run of the testing mode. ``exit_code`` is 3 once a permission or an answer was lacking."""

    def __init__(self, assembly: Assembly, out: Output) -> None:
        self.assembly = assembly
        self.context = assembly.context
        self.out = out
        self.exit_code = 0
        self._language = self.context.env.language
        self._known: dict[str, Callable[[Context], str]] = {}
        self._macro_found = assembly.configuration.macros.may_replace

    def stream(self, stream: BinaryIO) -> None:
        """Expand every line of a stream."""
        write, line_of = self.out.write, self.line
        lines = stream.read().decode("latin-1").split("\n") if not stream.isatty() else None
        if lines is None:
            self._interactive(stream)
            return
        if lines and not lines[-1]:
            lines.pop()
        held: str | None = None
        ctx, known, out = self.context, self._known, self.out
        scratch, env = ctx.scratch, ctx.env
        results: list[str] = []
        for raw in lines:
            run = known.get(raw)
            if run is not None and held is None:
                # a line that was met before: its function is run again
                ctx.malformed_header, ctx.captures, ctx.value = False, [], None
                if scratch:
                    scratch.pop("sockets that failed", None)
                if env.searches is not None:
                    env.searches.error = None
                try:
                    results.append(run(ctx))
                except (Failure, Refused, Unanswered, OverBudget, RecursionError) as problem:
                    self._write_results(results)
                    write("> ")
                    self._failed(problem, raw)
                if len(results) == RESULTS_HELD:
                    self._write_results(results)
                continue
            self._write_results(results)
            for line in (raw,) if len(raw) < LINE_LIMIT else _chunks(raw):
                text = line.rstrip(SPACE) if held is None else held + line.strip(SPACE)
                if "\0" in text:
                    text = text.partition(NUL)[0].rstrip(SPACE)
                if text.endswith("\\") and line.strip(SPACE):
                    held = text[:-1]
                    continue
                write("> ")
                line_of(text)
                if held is None and line is raw and text in self._language.programs and self._is_plain(text):
                    known[raw] = self._language.programs[text]
                held = None
        self._write_results(results)
        if held is not None:
            write("> ")
            line_of(held)
        write("> \n")
        out.flush()

    def _write_results(self, results: list[str]) -> None:
        """Write results behind their prompts, each up to a NUL, and empty the list."""
        if results:
            text = "\n> ".join(results)
            if "\0" in text:
                text = "\n> ".join(result.partition(NUL)[0] for result in results)
            self.out.write(f"> {text}\n")
            results.clear()

    def _is_plain(self, text: str) -> bool:
        """Whether a line is only expanded: it defines no macro and holds none."""
        if len(self._known) > KNOWN_LIMIT:
            self._known.clear()
        return not ("A" <= text[:1] <= "Z" or self._macro_found(text))

    def _interactive(self, stream: BinaryIO) -> None:
        """The same where somebody types: a prompt before each line, and its answer at once."""
        held: str | None = None
        while True:
            if held is None:
                self.out.write("> ")
                self.out.flush()
            raw = stream.readline(LINE_LIMIT).decode("latin-1")
            if not raw:
                self.out.write("\n")
                return
            line = raw.strip(SPACE) if held is not None else raw.rstrip(SPACE)
            text = (held or "") + line
            if text.endswith("\\") and line:
                held = text[:-1]
                continue
            held = None
            self.line(text)
            self.out.flush()

    def line(self, text: str) -> None:
        """Expand one text and write what comes of it."""
        if len(text) > TEXT_LIMIT:
            text = text[:TEXT_LIMIT]
        if "A" <= text[:1] <= "Z" or self._macro_found(text):
            replaced = self._replace(text)
            if replaced is None:
                return
            text = replaced
        ctx = self.context
        try:
            if "$" in text or "\\" in text:
                # what the last line left is memory that the real one has given back
                ctx.malformed_header, ctx.captures, ctx.value = False, [], None
                ctx.scratch.pop("sockets that failed", None)
                if ctx.env.searches is not None:
                    ctx.env.searches.error = None
                result = compiled(text, self._language)(ctx)
                if "\0" in result:
                    result = result.partition("\0")[0]
            else:
                result = text
            self.out.write(result + "\n")
        except (Failure, Refused, Unanswered, OverBudget, RecursionError) as problem:
            self._failed(problem, text)

    def _failed(self, problem: Exception, text: str) -> None:
        """Write what is said of an expansion of ``text`` that gave nothing."""
        ctx = self.context
        ctx.item, ctx.depth = None, 0
        if isinstance(problem, Failure):
            self.out.write(f"Failed: {problem.message}\n")
            return
        self.out.write("Failed: not evaluated\n")
        self.out.flush()
        message = "nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        if isinstance(problem, Unanswered):
            from eximious.world_options import lacking_text

            message = lacking_text(problem, text)
        sys.stderr.write(f"eximious: {message}\n")
        self.exit_code = 3

    def _replace(self, text: str) -> str | None:
        """The text with its macros replaced; None where it was a definition, or a wrong one."""
        from eximious.grammar.macros import MacroError

        try:
            text, defined = self.assembly.replace_macros(text)
        except MacroError as problem:
            self.out.flush()
            sys.stderr.write(self.assembly.stamped(problem))
            return None
        if defined:
            self._macro_found = self.assembly.configuration.macros.may_replace
            self._known.clear()
            self.out.write(text + "\n")
            return None
        return text


def _chunks(line: str) -> list[str]:
    """A long line as the pieces that reads of 1023 bytes give (the newline counts)."""
    whole = line + "\n"
    return [whole[place : place + LINE_LIMIT] for place in range(0, len(whole), LINE_LIMIT)]
