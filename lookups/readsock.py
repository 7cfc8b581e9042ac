"""readsock: the lookup type behind ``${readsocket``, which alone can name its socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.registry import QUERY, Lookup, lookup

if TYPE_CHECKING:
    from eximious.lookups.registry import Question


@lookup("readsock", style=QUERY, section="11.5")
class ReadSock(Lookup):
    """In ``${lookup`` and in lists it has no socket to ask, so it finds nothing (observed)."""

    def find(self, handle: None, question: Question) -> str | None:
        return None
