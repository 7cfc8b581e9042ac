"""What a list is matched against: the subject, and what the last item said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def lower(text: str) -> str:
    """Give ``text`` with A to Z made small and nothing else, as C's tolower() in the C locale."""
    return str.lower(text) if text.isascii() else text.translate(_LOWER)


class Unset:
    """What ``data`` is as long as nothing was said about a value: some items leave ``$value`` alone."""


UNSET = Unset()


class Subject:
    """A domain, a local part or a host name.

    ``text``: lower case where the match is caseless; ``original``: as given. ``setup``: the number of
    the first capture that a match sets, -1 where it sets none, 0 where ``$0`` is set, too. ``data``,
    ``captures`` and ``error`` are what the last item left: the value of its match, the captures, and why
    it could not be decided.
    """

    __slots__ = ("captures", "caseless", "ctx", "data", "error", "original", "setup", "text", "trace")

    def __init__(
        self,
        ctx: Context,
        original: str,
        text: str,
        caseless: bool,
        setup: int = 0,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.ctx, self.original, self.text, self.caseless, self.setup = ctx, original, text, caseless, setup
        self.trace = trace if trace is not None else ctx.listener
        self.data: str | Unset | None = UNSET
        #: None as long as no item was tried
        self.captures: list[str] | None = None
        self.error: str | None = None

    @property
    def shown(self) -> str:
        """What traces call the subject."""
        return self.original

    def caseful(self) -> None:
        """Compare casefully from here on (``+caseful``)."""
        self.text, self.caseless = self.original, False
