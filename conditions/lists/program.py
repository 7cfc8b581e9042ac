"""A list taken apart, and running it over a subject: order, negation, named lists, files (manual 10.1-10.8).

What one item may be and mean is the kind's: see ``strings``, ``addresses``, ``hosts``. A list's text is taken
apart once and kept; neighbouring items that are plain text are one look into a table.
"""

from __future__ import annotations

from errno import EACCES
from typing import TYPE_CHECKING

from eximious.conditions.lists.result import DEFER, FAIL, OK, WORDS, ListPanic
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import Tainted, taint

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from eximious.conditions.lists.subject import Unset
    from eximious.interpreter.context import Context

    #: says OK, FAIL, DEFER or ERROR about the subject, and leaves data, captures and error in it
    Check = Callable[[Any], int]
    #: what was found for named lists while a message or address lasts: (kind, name) -> (outcome, data)
    Kept = dict[tuple[str, str], tuple[int, str | Unset | None]]

PROGRAMS_KEPT = 1_000  #: lists taken apart that are kept; a bound of ours
TEXT_KEPT = 16_000_000  #: characters of list text that are kept so; a bound of ours
MAX_DEPTH = 100  #: named lists inside named lists; a bound of ours (the real Exim has its stack's)

LINE_SIZE = 1023  #: longer lines of a file are taken in pieces of this length, as fgets gives them

_HOST_WORDS = frozenset(("+include_unknown", "+ignore_unknown", "+include_defer", "+ignore_defer"))


class Kind:
    """A kind of list. ``letter`` and ``word`` name it (``d``, "domain"); ``item`` makes an item's check.

    ``plain`` gives the text by which a plain item is compared (None: it is not plain) and ``key`` the
    text of the subject that is compared with it (None: not this way). ``missed`` does to the subject
    what trying all items of a run in vain does.
    """

    __slots__ = (
        "caseful_word", "comment_anywhere", "host_words", "item", "key", "letter", "missed", "plain", "word",
    )  # fmt: skip

    def __init__(
        self,
        letter: str,
        word: str,
        item: Callable[[str], Check],
        plain: Callable[[str], str | None],
        key: Callable[[Any], str | None],
        missed: Callable[[Any, Run], None],
    ) -> None:
        self.letter, self.word, self.item, self.plain, self.key = letter, word, item, plain, key
        self.missed = missed
        self.host_words = letter == "h"
        self.caseful_word = letter in "al"
        self.comment_anywhere = letter in "dh"


class Item:
    """One item: ``text`` as written, ``body`` without its ``!`` and the space after it.

    ``other``: in a run, the next item whose text differs from this one's in case only.
    """

    __slots__ = ("body", "check", "negated", "other", "text")

    def __init__(self, text: str, body: str, negated: bool) -> None:
        self.text, self.body, self.negated = text, body, negated
        self.check: Check | None = None
        self.other: Item | None = None


class Run:
    """Neighbouring plain items as a table from compared text (in lower case) to the first item with it.

    ``locals``: in an address list, the last item's body by its local part in lower case.
    """

    __slots__ = ("last_negated", "locals", "table")

    def __init__(self) -> None:
        self.table: dict[str, Item] = {}
        self.locals: dict[str, str] = {}
        self.last_negated = False

    def add(self, plain: str, item: Item) -> None:
        """Add an item. One whose very text came before can never decide."""
        self.last_negated = item.negated
        if "@" in plain:
            self.locals[plain[: plain.rindex("@")]] = item.body
        known = self.table.setdefault(plain, item)
        while known.body != item.body:
            if known.other is None:
                known.other = item
            known = known.other


class Programs:
    """The lists of a run that were taken apart, the ones used last at the end."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, bool, str], list[Item | Run]] = {}
        self.size = 0

    def get(self, kind: Kind, text: str, single: bool, version: tuple[int, int]) -> list[Item | Run]:
        """Give the items of a list's text. ``single``: the text is one item, whatever it holds."""
        tainted = type(text) is Tainted
        name = (kind.letter + "1" if single else kind.letter, tainted, text)
        program = self.kept.get(name)
        if program is None:
            program = take_apart(kind, text, single, version)
            self.kept[name] = program
            self.size += len(text)
            while len(self.kept) > 1 and (len(self.kept) > PROGRAMS_KEPT or self.size > TEXT_KEPT):
                oldest = next(iter(self.kept))
                del self.kept[oldest]
                self.size -= len(oldest[2])
        return program


def programs_of(ctx: Context) -> Programs:
    """Give the run's lists, made on first use."""
    programs: Programs | None = ctx.env.lists
    if programs is None:
        programs = ctx.env.lists = Programs()
    return programs


def take_apart(kind: Kind, text: str, single: bool, version: tuple[int, int]) -> list[Item | Run]:
    """Split a list into items, plain neighbours joined in tables."""
    if single:
        stripped = text.strip(SPACE)
        items = [taint(stripped) if type(text) is Tainted else stripped] if stripped else []
    else:
        # From 4.99 on a separator that comes out of tainted text is not obeyed
        items = split_list(text, ":" if type(text) is Tainted and version >= (4, 99) else None)
    program: list[Item | Run] = []
    run: Run | None = None
    for text_of_item in items:
        item = parse_item(text_of_item)
        plain = kind.plain(item.body)
        if plain is None:
            program.append(item)
            run = None
            continue
        if run is None:
            run = Run()
            program.append(run)
        run.add(plain, item)
    return program


def parse_item(text: str) -> Item:
    """Take the ``!`` off an item (manual 10.2)."""
    if not text.startswith("!"):
        return Item(text, text, False)
    body = text[1:].lstrip(SPACE)
    return Item(text, taint(body) if type(text) is Tainted else body, True)


class Scan:
    """One list being run over a subject. After :meth:`run`, ``item`` is the deciding item's text.

    ``message``: why it is deferred, where Exim says so. ``cacheable``: whether what was found may be kept.
    """

    __slots__ = (
        "cacheable", "depth", "ignore_defer", "ignore_unknown", "include_defer", "include_unknown", "item",
        "kept", "kind", "label", "message", "subject",
    )  # fmt: skip

    def __init__(self, kind: Kind, subject: Any, kept: Kept | None = None, depth: int = 0) -> None:
        self.kind, self.subject, self.kept, self.depth = kind, subject, kept, depth
        self.include_unknown = self.ignore_unknown = self.include_defer = self.ignore_defer = False
        self.item = self.label = ""
        self.message: str | None = None
        self.cacheable = True

    def run(self, text: str | None, expand: bool, single: bool = False, label: str | None = None) -> int:
        """Say OK, FAIL or DEFER. ``text`` None is an option that is not set: FAIL (manual 10.1).

        ``expand``: the text is still to be expanded. ``single``: it is one item, whatever separators it
        holds. ``label``: what traces call the list (an option's name); its text in quotes if None.
        """
        subject = self.subject
        ctx = subject.ctx
        if text is None:
            self._trace(f"{subject.shown} in {label}? no (option unset)")
            return FAIL
        if expand and ("$" in text or "\\" in text):
            try:
                from eximious.interpreter.engine import expand as expanded

                text = expanded(text, ctx)
            except ForcedFailure:
                self._trace(f'expansion of "{text}" forced failure: assume not in this list')
                return FAIL
            except Failure as failure:
                log_write(
                    ctx, f'failed to expand "{text}" while checking a list: {failure.message}', "main panic"
                )
                return DEFER
        self.label = f'"{text}"' if label is None else label
        last_negated = False
        for entry in programs_of(ctx).get(self.kind, text, single, ctx.env.version):
            if isinstance(entry, Run):
                key = self.kind.key(subject)
                found = None if key is None else entry.table.get(key)
                while found is not None:
                    if self._check(found) == OK:
                        return self._matched(found.text, FAIL if found.negated else OK)
                    found = found.other
                self.kind.missed(subject, entry)
                last_negated = entry.last_negated
                continue
            item = entry
            start = item.body[:1]
            if start == "/":
                decided, last_negated = self._file(item)
                if decided is None:
                    continue
                return decided
            if start == "+":
                if self._word(item.text):
                    continue
                outcome = self._named(item)
                if outcome == DEFER:
                    return DEFER
            else:
                outcome = self._check(item)
            last_negated = item.negated
            if outcome == FAIL:
                continue
            if outcome == OK:
                return self._matched(item.text, FAIL if item.negated else OK)
            settled = self._unsettled(outcome, item.body)
            if settled is not None:
                return settled
        yields = OK if last_negated else FAIL
        self._trace(f"{subject.shown} in {self.label}? {WORDS[yields]} (end of list)")
        return yields

    def _check(self, item: Item) -> int:
        """One item that is no named list and no file."""
        check = item.check
        if check is None:
            check = item.check = self.kind.item(item.body)
        return check(self.subject)

    def _trace(self, line: str) -> None:
        if self.subject.trace:
            self.subject.trace(line)

    def _matched(self, text: str, yields: int, kept: str = "") -> int:
        self.item = text
        self._trace(f'{self.subject.shown} in {self.label}? {WORDS[yields]} (matched "{text}"{kept})')
        return yields

    def _word(self, text: str) -> bool:
        """Obey an item that changes how the list goes on; False if it is none (manual 10.15, 10.21)."""
        if self.kind.host_words and text in _HOST_WORDS:
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

    def _unsettled(self, outcome: int, body: str) -> int | None:
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
        self._trace(f"{subject.shown} in {self.label}? {WORDS[not self.include_unknown]} ({subject.error})")
        if self.include_unknown:
            log_write(subject.ctx, f"{subject.error}: accepted by +include_unknown")
            return OK
        return FAIL

    def _named(self, item: Item) -> int:
        """A named list inside this one, or what was found for it before (manual 10.6, 10.8)."""
        subject, kind = self.subject, self.kind
        env = subject.ctx.env
        name = (kind.letter, item.body[1:])
        text = env.named_lists[kind.letter].get(name[1])
        if text is None:
            log_write(subject.ctx, f'unknown named {kind.word} list "{item.body}"', "main panic")
            return DEFER
        kept = self.kept if "$" not in text or name in env.cached_lists else None
        if kept is not None and name in kept:
            outcome, subject.data = kept[name]
            return outcome
        if self.depth >= MAX_DEPTH:
            raise ListPanic(f'more than {MAX_DEPTH} named lists inside each other at "{item.body}"')
        inner = Scan(kind, subject, kept, self.depth + 1)
        outcome = inner.run(text, expand=True)
        if kept is None or not inner.cacheable:
            self.cacheable = False
        elif outcome != DEFER:
            kept[name] = (outcome, subject.data)
        self.message = inner.message
        return outcome

    def _file(self, item: Item) -> tuple[int | None, bool]:
        """A file whose lines are items (10.3): the list's outcome or None, and whether it ends negatively."""
        subject, kind = self.subject, self.kind
        negated = item.negated
        with self._open(item) as file:
            while line := file.readline(LINE_SIZE):
                text = self._line(line.decode("latin-1"))
                if not text:
                    continue
                negated, body = item.negated, text
                if text.startswith("!"):
                    negated, body = not negated, text[1:].lstrip(SPACE)
                plain = kind.plain(body)
                if plain is not None and plain != kind.key(subject):
                    run = Run()
                    run.add(plain, Item(body, body, False))
                    kind.missed(subject, run)
                    continue
                outcome = kind.item(body)(subject)
                if outcome == OK:
                    if subject.ctx.env.version >= (4, 94):
                        subject.data = body  # the line, whatever kind of item it is
                    return self._matched(item.text, FAIL if negated else OK), negated
                if outcome != FAIL:
                    settled = self._unsettled(outcome, body)
                    if settled is not None:
                        return settled, negated
        return None, negated

    def _open(self, item: Item) -> BinaryIO:
        ctx, path = self.subject.ctx, item.body
        try:
            if type(path) is Tainted and ctx.env.version >= (4, 94):
                log_write(ctx, f"Tainted filename '{path}'", "main panic")
                raise PermissionError(EACCES, "Permission denied")
            file: BinaryIO = ctx.env.doors.files.open(path)
            return file
        except IsADirectoryError:  # C opens a folder as it opens a file, and then reads nothing from it
            from io import BytesIO

            return BytesIO()
        except OSError as error:
            raise ListPanic(
                f"failed to open {item.text} when checking {self.label}: {error.strerror or error}"
            ) from None

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
