"""How an evaluation can end other than with a value.

They are exceptions inside the evaluator and are turned into outcomes once, at its edge.
"""

from __future__ import annotations


class Failure(Exception):
    """An evaluation that gave no value. ``message`` is Exim's own text, byte for byte."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        #: offset of the failing place in the expanded text, or -1 (set by whoever knows it first)
        self.offset = -1


class ExpansionError(Failure):
    """The expansion is wrong, or cannot be computed ("Failed: ..." in ``-be``)."""


class ForcedFailure(Failure):
    """The word ``fail`` was reached, or an item that fails by design (manual 11.4)."""


class Defer(Failure):
    """A lookup or an ACL could not be decided now (``search_find_defer`` in Exim's words)."""


class Lacking(Exception):
    """The evaluation lacked something that is outside of it. ``offset``: as in a :class:`Failure`."""

    offset = -1


class Refused(Lacking):
    """The evaluation lacked a permission: which construct asked, for what, which switch allows it.

    Not Exim's outcome: it ends the evaluation with exit code 3.
    """

    def __init__(self, construct: str, wanted: str, switch: str) -> None:
        super().__init__(f"{construct}: {wanted} is not allowed; allow it with {switch}")
        self.construct, self.wanted, self.switch = construct, wanted, switch
        self.offset = -1


class Unanswered(Lacking):
    """A question to the described world that the description does not answer (never guessed)."""

    def __init__(self, construct: str, question: str, lines_to_add: str) -> None:
        super().__init__(f"{construct}: the world does not say: {question}")
        self.construct, self.question, self.lines_to_add = construct, question, lines_to_add
        self.offset = -1


class OverBudget(Exception):
    """A bound was passed: steps, depth, size or regular-expression effort."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"more than {limit} {what}")
        self.what, self.limit = what, limit
        self.offset = -1
