"""The items of a list as far as they are known before anything is expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.listspans import SPACE, split_spans
from eximious.lint.static import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.source import Span
    from eximious.interpreter.language import Language
    from eximious.lint.sites import Site


class Item:
    """An item of a list: ``body`` is without ``!``; ``start``, ``end``: where it stands in the known text."""

    __slots__ = ("body", "end", "site", "start", "whole")

    def __init__(self, site: Site, whole: str, body: str, start: int, end: int) -> None:
        self.site, self.whole, self.body, self.start, self.end = site, whole, body, start, end

    @property
    def complete(self) -> bool:
        """Whether all of it is known."""
        return HOLE not in self.body

    def span(self, language: Language, start: int = 0, end: int = -1) -> Span:
        """Where it stands in the file, or the part of it between two offsets (if they can be told)."""
        if len(self.body) != self.end - self.start:  # a separator in it is doubled
            return self.site.known_span(language, self.start, self.end)
        last = self.end if end < 0 else self.start + end
        return self.site.known_span(language, self.start + start, last)


def items(site: Site, language: Language) -> Iterator[Item]:
    """Give the items of the list that a site is."""
    text = site.known(language).text
    if site.single:
        whole = text.strip(SPACE)
        start = len(text) - len(text.lstrip(SPACE))
        found = [(whole, start, start + len(whole))] if whole else []
    else:
        found = split_spans(text)
    for whole, start, end in found:
        body = whole
        if whole.startswith("!"):
            body = whole[1:].lstrip(SPACE)
            start += len(whole) - len(body)
        yield Item(site, whole, body, start, end)
