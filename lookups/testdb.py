"""testdb and its variants: they answer with the query itself (test builds of Exim have them)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.registry import QUERY, Lookup, SearchDefer, lookup

if TYPE_CHECKING:
    from eximious.lookups.registry import Question


class _TestDb(Lookup):
    """``fail`` finds nothing, ``defer`` defers, ``nocache`` is not kept; all else is its own answer."""

    def find(self, handle: None, question: Question) -> str | None:
        query = question.key
        if query == "fail":
            return None
        if query == "defer":
            raise SearchDefer("testdb lookup forced DEFER")
        if query == "nocache":
            question.keep = 0
        return "".join(query)


@lookup("testdb", style=QUERY, section="9.4", quoting=True)
class TestDb(_TestDb):
    """The plain one."""

    __test__ = False


@lookup("testdb2", style=QUERY, section="9.4", quoting=True)
class TestDb2(_TestDb):
    """Another one with a quoting operator of its own (4.99)."""

    __test__ = False


@lookup("testdb_nq", style=QUERY, section="9.4")
class TestDbUnquoted(_TestDb):
    """One without a quoting operator (4.99)."""

    __test__ = False
