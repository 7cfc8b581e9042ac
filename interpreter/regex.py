"""Regular expressions as Exim uses them: PCRE2's, on bytes (manual 8).

Text is one character per byte, in patterns and subjects. PCRE2 does the work. A pattern that is used
often and means the same to Python's ``re`` (see :mod:`~eximious.interpreter.regex_plain`) goes over to
that, which is faster to call but slower to compile. PCRE2's own limits bound the effort; a match that
reaches them is no match, as in Exim.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator
    from typing import Any

#: uses after which a pattern is worth translating for ``re``
_HOT = 40
#: Exim keeps this many captures, $0 included
_CAPTURES = 21

_CASELESS = 0x8
#: what the pcre2 package sets and Exim does not: ALT_BSUX (other rules for \x and \u), NEVER_BACKSLASH_C
_UNWANTED = 0x2 | 0x100000
_NOTEMPTY_ANCHORED = 0x80000004
#: errors that PCRE2 finds only after reading the whole pattern: they come after any that it finds on the
#: way
_FOUND_AT_THE_END = (106, 114, 115)


class BadPattern(ExpansionError):
    """A pattern that PCRE2 refuses. ``reason`` and ``place`` are PCRE2's message and offset."""

    def __init__(self, pattern: str, reason: str, place: int) -> None:
        super().__init__(f'regular expression error in "{pattern}": {reason} at offset {place}')
        self.reason, self.place = reason, place


class Regex:
    """A compiled pattern. Made by :func:`compile_regex`; may be used by several threads."""

    __slots__ = (
        "_caseless",
        "_code",
        "_each",
        "_engine",
        "_fast",
        "_groups",
        "_longest",
        "_nothing",
        "_uses",
        "pattern",
    )

    def __init__(self, pattern: str, caseless: bool) -> None:
        pcre2: Any = import_module("pcre2")  # it has no type hints
        self.pattern = pattern
        self._caseless = caseless
        # The package's own objects take three times as long per match as the functions under them.
        self._engine: Any = pcre2._cy
        self._nothing = pcre2._EMPTY_MATCH_CONTEXT
        self._uses = 0
        self._fast: re.Pattern[str] | None = None
        self._longest = self._each = -1
        self._code = self._compile()
        self._groups: int = self._engine.pattern_capture_count(self._code)

    def _compile(self) -> Any:
        from eximious.interpreter.regex_dialect import explain, modernise

        modern, inserted, old = modernise(self.pattern)
        try:
            code = self._engine.compile(
                modern.encode("latin-1"), _CASELESS if self._caseless else 0, _UNWANTED
            )
        except self._engine.PatternError as error:
            if old is None or error.code not in _FOUND_AT_THE_END:
                place = error.pos - sum(1 for offset in inserted if offset < error.pos)
                reason, place = explain(self.pattern, error.code, error.msg.partition("; ")[2], place)
                raise BadPattern(self.pattern, reason, place) from None
        if old is not None:
            raise BadPattern(self.pattern, old.reason, old.place)
        return code

    def search(self, subject: str, start: int = 0) -> list[str] | None:
        """Find the first match at or after ``start``: ``[$0, $1, ...]`` up to the last capture that is set.

        Captures before it that are not set are empty. None where there is no match, or where looking for
        one reached PCRE2's limits, or where the pattern is for UTF-8 (``(*UTF)``) and the subject is not.
        """
        if len(subject) <= self._longest:
            found = self._fast.search(subject, start)  # type: ignore[union-attr]
            if found is None:
                return None
            return [found[0], *found.groups()] if self._groups else [found[0]]
        if self._uses < _HOT:
            self._used()
        match = self._match(subject.encode("latin-1"), start, 0)
        return None if match is None else self._captures(subject, match)[2]

    def matches(self, subject: str) -> bool:
        """Say whether there is a match anywhere in ``subject``."""
        if len(subject) <= self._longest:
            return self._fast.search(subject) is not None  # type: ignore[union-attr]
        return self.search(subject) is not None

    def matches_of(self, subject: str) -> Iterable[tuple[int, int, list[str]]]:
        """Give all matches that do not overlap, as ``${sg}`` finds them: (start, end, captures).

        After a match of nothing, one that is not empty is tried at the same place, before going on by one
        character; a match of nothing at the very end is the last.
        """
        if len(subject) <= self._each:
            matches = self._fast.finditer(subject)  # type: ignore[union-attr]
            if self._groups:
                return [(match.start(), match.end(), [match[0], *match.groups()]) for match in matches]
            return [(*match.span(), [match[0]]) for match in matches]
        if self._uses < _HOT:
            self._used()
        return self._matches_of(subject)

    def _matches_of(self, subject: str) -> Iterator[tuple[int, int, list[str]]]:
        data = subject.encode("latin-1")
        size = len(data)
        at = extra = options = 0
        while True:
            match = self._match(data, at + extra, options)
            if match is None:
                if not options:
                    return
                extra, options = 1, 0
                continue
            start, end, captures = self._captures(subject, match)
            yield start, end, captures
            at, extra, options = end, 0, 0
            if start == end:
                if end == size:
                    return
                options = _NOTEMPTY_ANCHORED

    def _match(self, data: bytes, start: int, options: int) -> Any:
        if start > len(data):
            return None
        try:
            return self._engine.match(self._code, data, len(data), start, self._nothing, options)[0]
        except self._engine.LibraryError:  # a limit was reached, or the subject is not UTF-8
            return None

    def _captures(self, subject: str, match: Any) -> tuple[int, int, list[str]]:
        span = self._engine.match_substring_span_bynumber
        data = b""
        start, end = span(match, data, 0)
        captures = [subject[start:end]]
        last = 0
        for number in range(1, min(self._groups, _CAPTURES - 1) + 1):
            left, right = span(match, data, number)
            if left >= 0:
                last = number
            captures.append(subject[left:right] if left >= 0 else "")
        return start, end, captures[: last + 1]

    def _used(self) -> None:
        """Count a use; the one that makes the pattern hot translates it."""
        self._uses += 1
        if self._uses == _HOT:
            self._translate()

    def _translate(self) -> None:
        from eximious.interpreter.regex_plain import translate

        plain = translate(self.pattern, self._caseless)
        if plain is not None:
            import re

            self._fast = re.compile(plain.pattern, plain.flags)
            self._longest = plain.longest
            if not plain.nullable:
                # where every match has something, both go on alike; in short subjects, as all are kept at once
                self._each = min(plain.longest, 1000)


@lru_cache(maxsize=1024)
def _compiled(pattern: str, caseless: bool) -> Regex:
    return Regex(pattern, caseless)


def compile_regex(pattern: str, caseless: bool = False, version: tuple[int, int] = (4, 99)) -> Regex:
    """Compile a pattern, or give it again if it was used lately.

    Options such as ``(?i)`` or ``(*UTF)`` stand in the pattern; without them a letter is a byte, ``.``
    does not match a newline, and ``$`` matches before a last newline, too. Raises :class:`BadPattern` (an
    ExpansionError) with Exim's message. ``version`` makes no difference yet.
    """
    return _compiled(str(pattern), caseless)
