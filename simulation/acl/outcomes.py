"""What conditions, statements and ACLs give."""

from __future__ import annotations

from eximious.conditions.lists.result import DEFER, ERROR, FAIL, OK
from eximious.interpreter.outcomes import Unanswered

# Exim's own six answers; the first four are the list matchers'
DISCARD = 4  #: the verb discard was obeyed
DROP = 5  #: the verb drop was obeyed

#: how results are called here, by number
WORDS = ("accept", "deny", "defer", "error", "discard", "drop")
#: how Exim's messages call them
EXIM_WORDS = {
    "accept": "OK",
    "deny": "FAIL",
    "defer": "DEFER",
    "error": "ERROR",
    "discard": "DISCARD",
    "drop": "FAIL_DROP",
}


class AclResult:
    """The result of an ACL: ``outcome`` is one of the numbers here, ``word`` its name.

    ``user``: what goes to the client, ``log``: what is logged; None where there is none.
    ``temp_details``: a deferral whose message may be shown to the client (manual 44.6, ``defer``).
    """

    __slots__ = ("log", "outcome", "temp_details", "user")

    def __init__(self, outcome: int, user: str | None, log: str | None, temp_details: bool = False) -> None:
        self.outcome, self.user, self.log, self.temp_details = outcome, user, log, temp_details

    @property
    def word(self) -> str:
        """accept, deny, defer, error, discard or drop."""
        return WORDS[self.outcome]

    def __repr__(self) -> str:
        return f"AclResult({self.word}, user={self.user!r}, log={self.log!r})"


class NotEvaluated(Unanswered):
    """A condition or modifier whose answer needs what this program has not: never guessed.

    ``construct`` names it with its place; ``question`` says what it would need.
    """

    def __init__(self, construct: str, need: str) -> None:
        Exception.__init__(self, f"{construct} is not evaluated here: {need}")
        self.construct, self.question, self.lines_to_add = construct, need, ""
        self.offset = -1


__all__ = [
    "DEFER",
    "DISCARD",
    "DROP",
    "ERROR",
    "EXIM_WORDS",
    "FAIL",
    "OK",
    "WORDS",
    "AclResult",
    "NotEvaluated",
]
