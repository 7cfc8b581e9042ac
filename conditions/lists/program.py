"""A list taken apart, and running it over a subject: order, negation, named lists, files (manual 10.1-10.8).

What one item may be and mean is the kind's: see ``strings``, ``addresses``, ``hosts``. A list's text is taken
apart once and kept; neighbouring items that are plain text are one look into a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.result import DEFER, FAIL, OK, WORDS, ListPanic
from eximious.interpreter.engine import expand as expand_text
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import ExpansionError, Failure, ForcedFailure
from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from eximious.conditions.lists.result import ListResult
    from eximious.conditions.lists.subject import Unset
    from eximious.interpreter.context import Context

    #: says OK, FAIL, DEFER or ERROR about the subject, and leaves data, captures and error in it
    Check = Callable[[Any], int]
    #: what was found for named lists while a message or address lasts: (kind, name) -> (outcome, data)
    Kept = dict[tuple[str, str], tuple[int, str | Unset | None]]

PROGRAMS_KEPT = 10_000  #: lists taken apart that are kept; a bound of ours
TEXT_KEPT = 4_000_000  #: characters of list text that are kept so; a bound of ours
MAX_DEPTH = 100  #: named lists inside named lists; a bound of ours (the real Exim has its stack's)

LINE_SIZE = 1023  #: longer lines of a file are taken in pieces of this length, as fgets gives them

HOST_WORDS = frozenset(("+include_unknown", "+ignore_unknown", "+include_defer", "+ignore_defer"))


class Kind:
    """A kind of list. ``letter`` and ``word`` name it (``d``, "domain"); ``item`` makes an item's check.

    ``group`` says which run an item can be part of, and under what key (None: it stands alone).
    """

    __slots__ = ("caseful_word", "comment_anywhere", "group", "host_words", "item", "letter", "word")

    def __init__(
        self,
        letter: str,
        word: str,
        item: Callable[[str], Check],
        group: Callable[[str], tuple[type[Run], Any] | None],
    ) -> None:
        self.letter, self.word, self.item, self.group = letter, word, item, group
        self.host_words = letter == "h"
        self.caseful_word = letter in "al"
        self.comment_anywhere = letter in "dh"


class Item:
    """One item: ``text`` as written, ``body`` without its ``!`` and the space after it.

    ``named``: of a named list, what :meth:`Scan._named` found out about it.
    """

    __slots__ = ("body", "check", "named", "negated", "start", "text")

    def __init__(self, text: str) -> None:
        self.text, self.body = text, body_of(text)
        self.negated = text.startswith("!")
        self.start = self.body[:1]
        self.check: Check | None = None
        self.named: tuple[str, tuple[str, str], bool] | None = None


class Run:
    """Neighbouring items that can be tried all at once; what is in it is its subclass's."""

    __slots__ = ("last_negated",)

    def __init__(self) -> None:
        self.last_negated = False

    def add(self, text: str, body: str, key: Any) -> None:
        """Add an item: as written, without its ``!``, and its key from ``Kind.group``."""
        raise NotImplementedError

    def find(self, subject: Any) -> str | None:
        """Give the first item that matches, as written; None if there is none.

        The subject is left as that item leaves it, or as trying all of them in vain does.
        """
        raise NotImplementedError

    def close(self) -> None:
        """All items are added."""


class Programs:
    """The lists of a run that were taken apart, by kind and text, the ones used last at the end."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], list[Item | Run]] = {}
        #: see eximious.conditions.lists.verdicts
        self.verdicts: dict[tuple[Any, ...], ListResult] = {}
        self.pure: dict[tuple[str, str], bool] = {}
        self.size = 0

    def get(self, kind: Kind, text: str, single: bool, version: tuple[int, int]) -> list[Item | Run]:
        """Give the items of a list's text. ``single``: the text is one item, whatever it holds."""
        letter = kind.letter
        if single:
            letter += "1"
        if type(text) is Tainted:
            letter += "t"
        name = (letter, text)
        program = self.kept.get(name)
        if program is None:
            program = take_apart(kind, text, single, version)
            self.kept[name] = program
            self.size += len(text)
            while len(self.kept) > 1 and (len(self.kept) > PROGRAMS_KEPT or self.size > TEXT_KEPT):
                oldest = next(iter(self.kept))
                del self.kept[oldest]
                self.size -= len(oldest[1])
        return program


def take_apart(kind: Kind, text: str, single: bool, version: tuple[int, int]) -> list[Item | Run]:
    """Split a list into items, neighbours of one sort joined in runs."""
    if single:
        stripped = follow(text.strip(SPACE), text)
        items = [stripped] if stripped else []
    else:
        # From 4.99 on a separator that comes out of tainted text is not obeyed
        items = split_list(text, ":" if type(text) is Tainted and version >= (4, 99) else None)
    program: list[Item | Run] = []
    run: Run | None = None
    group = kind.group
    for item in items:
        body = body_of(item) if item.startswith("!") else item
        found = group(body)
        if found is None:
            program.append(Item(item))
            run = None
            continue
        if type(run) is not found[0]:
            run = found[0]()
            program.append(run)
        run.add(item, body, found[1])
    for entry in program:
        if isinstance(entry, Run):
            entry.close()
    return program


def body_of(text: str) -> str:
    """Take the ``!`` off an item (manual 10.2)."""
    return follow(text[1:].lstrip(SPACE), text) if text.startswith("!") else text


def expanded(ctx: Context, text: str) -> str | int:
    """The text of a list expanded; where that fails, what the list then says: FAIL where it was forced to, or DEFER."""
    try:
        return expand_text(text, ctx)
    except ForcedFailure:
        return FAIL
    except Failure as failure:
        log_write(ctx, f'failed to expand "{text}" while checking a list: {failure.message}', "main panic")
        return DEFER


class Scan:
    """A list being run over a subject. After :meth:`run`, ``item`` is the deciding item's text.

    ``message``: why it is deferred, where Exim says so. ``cacheable``: whether what was found may be kept.
    """

    __slots__ = (
        "cacheable", "depth", "ignore_defer", "ignore_unknown", "include_defer", "include_unknown", "item",
        "kept", "kind", "message", "subject",
    )  # fmt: skip

    def __init__(self, kind: Kind, subject: Any, kept: Kept | None = None) -> None:
        self.kind, self.subject, self.kept = kind, subject, kept
        self.include_unknown = self.ignore_unknown = self.include_defer = self.ignore_defer = False
        self.item = ""
        self.depth = 0
        self.message: str | None = None
        self.cacheable = True

    def run(
        self,
        text: str | None,
        expand: bool,
        single: bool = False,
        label: str | None = None,
        written: str | None = None,
    ) -> int:
        """Say OK, FAIL or DEFER. ``text`` None is an option that is not set: FAIL (manual 10.1).

        ``expand``: the text is still to be expanded; if not, ``written`` is what it was before, if it was something
        else. ``single``: it is one item, whatever separators it holds. ``label``: what traces call the list (an
        option's name); its text in quotes if None.
        """
        subject = self.subject
        ctx = subject.ctx
        if written is None:
            written = text
        if text is None:
            self._trace(f"{subject.shown} in {label}? no (option unset)")
            return FAIL
        if expand and ("$" in text or "\\" in text):
            made = expanded(ctx, text)
            if isinstance(made, int):
                if made == FAIL:
                    self._trace(f'expansion of "{text}" forced failure: assume not in this list')
                return made
            text = made
        env = ctx.env
        programs: Programs | None = env.lists
        if programs is None:
            programs = env.lists = Programs()
        kind = self.kind
        last_negated = False
        cached = ""
        for entry in programs.get(kind, text, single, env.version):
            if isinstance(entry, Run):
                found = entry.find(subject)
                if found is not None:
                    return self._matched(found, FAIL if found.startswith("!") else OK, text, label)
                last_negated = entry.last_negated
                continue
            if entry.start == "+":
                if self._word(entry.text):
                    continue
                outcome, cached = self._named(entry)
                if outcome == DEFER:
                    return DEFER
            elif entry.start == "/":
                decided, last_negated = self._file(entry, text, _quoted(written or "", label), label)
                if decided is None:
                    continue
                return decided
            else:
                check, cached = entry.check, ""
                if check is None:
                    check = entry.check = kind.item(entry.body)
                outcome = check(subject)
            last_negated = entry.negated
            if outcome == FAIL:
                continue
            if outcome == OK:
                return self._matched(entry.text, FAIL if last_negated else OK, text, label, cached)
            settled = self._unsettled(outcome, entry.body, text, label)
            if settled is not None:
                return settled
        yields = OK if last_negated else FAIL
        if subject.trace:
            self._trace(f"{subject.shown} in {_quoted(text, label)}? {WORDS[yields]} (end of list)")
        return yields

    def _trace(self, line: str) -> None:
        if self.subject.trace:
            self.subject.trace(line)

    def _matched(self, item: str, yields: int, text: str, label: str | None, cached: str = "") -> int:
        self.item = item
        subject = self.subject
        if subject.trace:
            self._trace(
                f'{subject.shown} in {_quoted(text, label)}? {WORDS[yields]} (matched "{item}"{cached})'
            )
        return yields

    def _word(self, text: str) -> bool:
        """Obey an item that changes how the list goes on; False if it is none (manual 10.15, 10.21)."""
        if self.kind.host_words and text in HOST_WORDS:
            if text.endswith("unknown"):
                self.include_unknown = text == "+include_unknown"
                self.ignore_unknown = not self.include_unknown
            else:
                self.include_defer = text == "+include_defer"
                self.ignore_defer = not self.include_defer
            return True
        if self.kind.caseful_word and text == "+caseful":
            self.subject.caseful()
            return True
        return False

    def _unsettled(self, outcome: int, body: str, text: str, label: str | None) -> int | None:
        """What an item that gave DEFER or ERROR makes of the list; None: go on (manual 10.15, 10.17)."""
        subject = self.subject
        if outcome == DEFER:
            error = subject.error
            if error is None:
                error = f'DNS lookup of "{body}" deferred'
                # Exim's own last search error takes precedence, even where it is empty
                searches = subject.ctx.env.searches
                self.message = (
                    searches.error if searches is not None and searches.error is not None else error
                )
            else:
                self.message = error
            if self.ignore_defer:
                self._trace(f"{error}: item ignored by +ignore_defer")
                return None
            if self.include_defer:
                log_write(subject.ctx, f"{error}: accepted by +include_defer")
                return OK
            self.item = body
            return DEFER
        if self.ignore_unknown:
            self._trace(f"{subject.error}: item ignored by +ignore_unknown")
            return None
        self.item = body
        word = WORDS[not self.include_unknown]
        self._trace(f"{subject.shown} in {_quoted(text, label)}? {word} ({subject.error})")
        if self.include_unknown:
            log_write(subject.ctx, f"{subject.error}: accepted by +include_unknown")
            return OK
        from eximious.interpreter.variables.clock import log_selected

        if log_selected(subject.ctx.env, "unknown_in_list"):
            log_write(subject.ctx, f"list matching forced to fail: {subject.error}")
        return FAIL

    def _named(self, item: Item) -> tuple[int, str]:
        """A named list inside this one, or what was found for it before (manual 10.6, 10.8), and what traces add."""
        subject, kind = self.subject, self.kind
        known = item.named
        if known is None:
            env = subject.ctx.env
            name = (kind.letter, item.body[1:])
            text = env.named_lists[kind.letter].get(name[1])
            if text is None:
                log_write(subject.ctx, f'unknown named {kind.word} list "{item.body}"', "main panic")
                return DEFER, ""
            known = item.named = (text, name, "$" not in text or name in env.cached_lists)
        text, name, keepable = known
        outer_kept, outer_cacheable = self.kept, self.cacheable
        kept = outer_kept if keepable else None
        if kept is not None and name in kept:
            outcome, subject.data = kept[name]
            return outcome, " - cached"
        if self.depth >= MAX_DEPTH:
            raise ListPanic(f'more than {MAX_DEPTH} named lists inside each other at "{item.body}"')
        if kind.host_words:  # a list's own words do not reach into the lists that it refers to
            words = self.include_unknown, self.ignore_unknown, self.include_defer, self.ignore_defer
            self.include_unknown = self.ignore_unknown = self.include_defer = self.ignore_defer = False
        self.depth += 1
        self.kept, self.cacheable = kept, keepable
        outcome = self.run(text, expand=True)
        self.depth -= 1
        if kind.host_words:
            self.include_unknown, self.ignore_unknown, self.include_defer, self.ignore_defer = words
        if kept is not None and self.cacheable and outcome != DEFER:
            kept[name] = (outcome, subject.data)
        self.kept, self.cacheable = outer_kept, outer_cacheable and self.cacheable
        return outcome, ""

    def _file(self, item: Item, text: str, written: str, label: str | None) -> tuple[int | None, bool]:
        """A file whose lines are items (10.3): the list's outcome or None, and whether it ends negatively."""
        subject, kind = self.subject, self.kind
        negated = item.negated
        with self._open(item, written) as file:
            while raw := file.readline(LINE_SIZE):
                line = self._line(raw.decode("latin-1"))
                if not line:
                    continue
                negated, body = item.negated, line
                if line.startswith("!"):
                    negated, body = not negated, line[1:].lstrip(SPACE)
                outcome = kind.item(body)(subject)
                if outcome == OK:
                    if subject.ctx.env.version >= (4, 94):
                        subject.data = body  # the line, whatever kind of item it is
                    return self._matched(item.text, FAIL if negated else OK, text, label), negated
                if outcome != FAIL:
                    settled = self._unsettled(outcome, body, text, label)
                    if settled is not None:
                        return settled, negated
        return None, negated

    def _open(self, item: Item, written: str) -> BinaryIO:
        """Open a file of items; ``written``: what messages call the list (not expanded, unlike traces)."""
        from eximious.interpreter.files import open_for_reading

        ctx, path = self.subject.ctx, item.body
        if type(path) is Tainted and ctx.env.version >= (4, 94):
            log_write(ctx, f"Tainted filename '{path}'", "main panic")
        try:
            return open_for_reading(ctx, path)
        except ExpansionError as error:
            why = error.message.removeprefix(f"failed to open {path}: ")
            raise ListPanic(f"failed to open {item.text} when checking {written}: {why}") from None

    def _line(self, line: str) -> str:
        """A line without its comment and the space around the rest."""
        end = line.find("\0")
        if end >= 0:
            line = line[:end]
        at = line.find("#")
        while at >= 0:
            if self.kind.comment_anywhere or at == 0 or line[at - 1] in SPACE:
                return line[:at].strip(SPACE)
            at = line.find("#", at + 1)
        return line.strip(SPACE)


def _quoted(text: str, label: str | None) -> str:
    """What traces and messages call a list."""
    return f'"{text}"' if label is None else label
