"""What is open and what was found: the handles and answers of a run, shared by all its searches.

As in Exim, a source is opened once and stays open, an answer (also "nothing found") is kept as long as
its source is known, and no more than ``lookup_open_max`` files are open at a time: the one used longest
ago is closed, its answers stay. What does not fit the bound on kept answers is forgotten, oldest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.registry import OpenFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.interpreter.state import Environment
    from eximious.lookups.registry import Lookup

ANSWERS_KEPT = 10_000  #: per source; a bound of ours
LONG = 1_000  #: characters: longer answers …
LONG_KEPT = 8_000_000  #: … are kept up to so many characters in all, per source; a bound of ours
SOURCES_KEPT = 1_000  #: sources whose answers are kept; a bound of ours


class Source:
    """One source (a file for a type, or a query type as a whole) and its answers."""

    __slots__ = ("answers", "ask", "file", "handle", "is_open", "name", "size", "type")

    def __init__(self, type_: Lookup, file: str) -> None:
        self.type, self.file = type_, file
        self.name = type_.name
        self.handle: Any = None
        #: what gives the answer for a key, as long as the source is open; None where more than the key matters
        self.ask: Callable[[str], str | None] | None = None
        self.is_open = False
        #: key -> (answer, options, time until which it holds or None)
        self.answers: dict[str, tuple[str | None, str, float | None]] = {}
        self.size = 0

    def keep(self, key: str, answer: str | None, options: str, until: float | None) -> None:
        """Keep an answer in place of an older one for the key."""
        answers = self.answers
        if len(answers) >= ANSWERS_KEPT and key not in answers:
            # a tenth at once: a long run of distinct keys pays for it rarely
            for old in list(answers)[: ANSWERS_KEPT // 10]:
                self.forget(old)
        if self.size or (answer is not None and len(answer) > LONG):
            self.forget(key)
            if answer is not None and len(answer) > LONG:
                self.size += len(answer)
                if self.size > LONG_KEPT:
                    self.forget_all()
                    return
        answers[key] = answer, options, until

    def forget(self, key: str) -> None:
        """Forget the answer for a key, if there is one."""
        old = self.answers.pop(key, None)
        if old is not None and old[0] is not None and len(old[0]) > LONG:
            self.size -= len(old[0])

    def forget_all(self) -> None:
        """Forget all answers."""
        self.answers.clear()
        self.size = 0

    def close(self) -> None:
        """Close the source; its answers stay."""
        if self.is_open:
            handle, self.handle, self.ask, self.is_open = self.handle, None, None, False
            self.type.close(handle)


class Handles:
    """All sources of a run, by type and file, the one used last at the end."""

    def __init__(self, most_open: int) -> None:
        self.most_open = max(1, most_open)
        self.sources: dict[tuple[str, str], Source] = {}
        self.open_files: dict[tuple[str, str], Source] = {}
        self.last: Source | None = None  #: the one used last
        self.depth = 0  #: searches that are running inside each other
        self.error: str | None = None  #: why the last search had no answer, "" where it had one

    def source(self, ctx: Context, type_: Lookup, file: str) -> Source:
        """Give the open source; raises OpenFailed where it cannot be opened."""
        name = (type_.name, file)
        source = self.sources.get(name)
        if source is not None and source.is_open:
            if self.last is not source and name in self.open_files:
                self.open_files[name] = self.open_files.pop(name)
                self.last = source
            return source
        if file and len(self.open_files) >= self.most_open:
            self.open_files.pop(next(iter(self.open_files))).close()
        if source is None:
            source = Source(type_, file)
        try:
            source.handle = type_.open(ctx, file)
        except OpenFailed as failed:
            self.error = failed.message
            raise
        source.ask, source.is_open = type_.asker(source.handle), True
        self.sources[name] = self.last = source
        if file:
            self.open_files[name] = source
        while len(self.sources) > SOURCES_KEPT:
            oldest = next(iter(self.sources))
            self.open_files.pop(oldest, None)
            self.sources.pop(oldest).close()
        return source

    def close(self) -> None:
        """Close everything and forget all answers (Exim's search_tidyup)."""
        for source in self.sources.values():
            source.close()
        self.sources.clear()
        self.open_files.clear()
        self.last = None


def handles_of(env: Environment) -> Handles:
    """Give the run's handles, made on first use."""
    handles: Handles | None = env.searches
    if handles is None:
        most = env.options.get("lookup_open_max")
        handles = env.searches = Handles(25 if most is None else int(most))
    return handles


def tidyup(env: Environment) -> None:
    """Close all that is open and forget all answers, as Exim does between messages."""
    if env.searches is not None:
        env.searches.close()
