"""nmh: a remote table service that 4.99 can be built with (experimental)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.databases import Request, ask
from eximious.lookups.registry import SINGLE_KEY, Lookup, SearchDefer, lookup
from eximious.lookups.sql import leading_int

if TYPE_CHECKING:
    from eximious.lookups.registry import Question


@lookup("nmh", style=SINGLE_KEY, section="9.3")
class Nmh(Lookup):
    """A key in a table of a server; its protocol is not public, so only a described world answers."""

    def find(self, handle: None, question: Question) -> str | None:
        settings = dict(option.partition("=")[::2] for option in question.options)
        request = Request(
            kind="nmh",
            server=question.file,
            port=leading_int(settings.pop("port", "")),
            database=settings.pop("table", ""),
            timeout=leading_int(settings.pop("tmo", "")),
            text=question.key,
            options=settings,
        )
        answer = ask(question.ctx, request, self.name)
        if answer.outcome != "ok":
            raise SearchDefer(answer.message)
        return answer.rows[0][0] if answer.rows and answer.rows[0] else None
