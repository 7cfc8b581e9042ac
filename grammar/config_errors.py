"""What Exim says when it refuses a configuration, in the forms in which it says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import ERROR, Diagnostic

if TYPE_CHECKING:
    from eximious.grammar.source import Position, Sources, Span

IN_FILE = "in"  #: with file and line
PLAIN = "plain"  #: without
FOR = "for"  #: the message begins with what it is about, and joins the heading
LOG = "log"  #: a line of the log, without the heading


class Refusal(Diagnostic):
    """An error for which Exim refuses the configuration. ``form``: one of the constants above."""

    __slots__ = ("form",)

    def __init__(
        self,
        code: str,
        message: str,
        where: Position | Span | None,
        form: str = PLAIN,
        exim_place: tuple[str, int] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(code, ERROR, message, where, exim_place=exim_place, fatal=True, hint=hint)
        self.form = form

    def exim_text(self) -> str:
        """Give what Exim prints (without the time and the line end)."""
        if self.form == LOG:
            return self.message
        if self.form == FOR:
            return f"Exim configuration error for {self.message}"
        return super().exim_text()

    def render(self, source: Sources | None = None) -> str:
        """Give the text form; a message of two lines stands on one."""
        return super().render(source).replace("\\012  ", " ")


def refusal_output(diagnostic: Diagnostic) -> str:
    """Give what Exim writes to standard error when it ends for this: a heading, then the text."""
    if isinstance(diagnostic, Refusal) and diagnostic.form == LOG:
        heading = "MAIN PANIC DIE"
    elif diagnostic.code.startswith("macro-"):
        heading = "PANIC"
    else:
        heading = "PANIC DIE"
    return f"LOG: {heading}\n  {diagnostic.exim_text()}\n"
