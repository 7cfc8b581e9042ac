"""nis and nis0: NIS maps, asked through the databases door (manual 9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.databases import Request, ask
from eximious.lookups.registry import SINGLE_KEY, Lookup, OpenFailed, SearchDefer, lookup

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question


class _Nis(Lookup):
    """A key in a NIS map; the place of the file is the map's name."""

    zero = ""  #: what is put after the key

    def open(self, ctx: Context, file: str) -> None:
        answer = ask(ctx, Request(kind="nis", text="domain"), self.name)
        if not answer.rows:
            raise OpenFailed("failed to get default NIS domain")

    def find(self, handle: None, question: Question) -> str | None:
        request = Request(kind="nis", database=question.file, text=question.key + self.zero)
        answer = ask(question.ctx, request, self.name)
        if answer.outcome == "defer":
            raise SearchDefer(answer.message)
        if not answer.rows:
            return None
        return (answer.rows[0][0] or "").split("\n", 1)[0]


@lookup("nis", style=SINGLE_KEY, section="9.3")
class Nis(_Nis):
    """The key without a trailing zero byte."""


@lookup("nis0", style=SINGLE_KEY, section="9.3")
class Nis0(_Nis):
    """The key with a trailing zero byte."""

    zero = "\0"
