"""What a list match gives, and how matchers say it to each other."""

from __future__ import annotations

from eximious.interpreter.outcomes import ExpansionError

# what one item, or a whole list, says (Exim's own four answers)
OK = 0  #: the subject matches
FAIL = 1  #: it does not
DEFER = 2  #: it could not be found out now
ERROR = 3  #: a host name or address that is needed cannot be found (host lists only)

WORDS = ("yes", "no", "defer", "error")


class ListPanic(ExpansionError):
    """A list that makes the real Exim end its process: a missing file, a bad regular expression.

    ``message`` is what Exim writes to its panic log before it exits with 1.
    """


class ListResult:
    """What matching a subject against a list gave.

    ``outcome``: OK, FAIL or DEFER. ``item``: the text of the deciding item, with its ``!`` (empty where
    the end of the list decided). ``data``: the value of the match (``$domain_data`` and so on), None where
    there is none. ``captures``: ``$0``, ``$1``… that the match set (empty: it unset them), None
    where it left them alone. ``touched``: whether ``$value`` follows ``data`` (some items leave it as it
    was). ``message``: why it is deferred, where Exim says so.
    """

    __slots__ = ("captures", "data", "item", "message", "outcome", "touched")

    def __init__(
        self,
        outcome: int,
        item: str = "",
        data: str | None = None,
        captures: list[str] | None = None,
        message: str | None = None,
        touched: bool = True,
    ) -> None:
        self.outcome, self.item, self.data = outcome, item, data
        self.captures, self.message, self.touched = captures, message, touched

    @property
    def matched(self) -> bool:
        """Whether the subject is in the list."""
        return self.outcome == OK

    @property
    def deferred(self) -> bool:
        """Whether it could not be decided now."""
        return self.outcome == DEFER

    def __bool__(self) -> bool:
        return self.outcome == OK

    def __repr__(self) -> str:
        return f"ListResult({WORDS[self.outcome]}, item={self.item!r}, data={self.data!r})"
