"""Items of domain and local part lists, and host names in host lists (manual 10.9, 10.14, 10.22).

An item becomes a function of a :class:`~eximious.conditions.lists.subject.Subject` once; what is wrong with
an item shows when it is used, as in Exim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.program import Kind, Run
from eximious.conditions.lists.result import DEFER, FAIL, OK, ListPanic
from eximious.conditions.lists.subject import Subject, lower
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.lookups_door import lookup_spec, search
from eximious.interpreter.outcomes import Defer, ExpansionError
from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from typing import Any

    from eximious.conditions.lists.program import Check
    from eximious.interpreter.context import Context
    from eximious.interpreter.regex import Regex

#: an item that begins with one of these, or holds a semicolon, is not compared as it is
_SPECIAL = frozenset("^*@/+")


class StringRun(Run):
    """Plain items: a table from their text in lower case to the first item with it.

    Casefully the texts themselves count: those tables are made when they are first needed.
    """

    __slots__ = ("bodies", "exact", "table")

    def __init__(self) -> None:
        super().__init__()
        self.table: dict[str, tuple[str, str]] = {}
        self.bodies: list[tuple[str, str]] = []
        self.exact: dict[str, tuple[str, str]] | None = None

    def add(self, text: str, body: str, key: str) -> None:
        """Add an item; ``key``: its text in lower case."""
        self.last_negated = text is not body
        pair = (text, body)
        self.table.setdefault(key, pair)
        self.bodies.append(pair)

    def find(self, subject: Subject) -> str | None:
        """The first item that is the subject."""
        if subject.caseless:
            found = self.table.get(subject.text)
        else:
            if self.exact is None:
                self.exact = {body: (text, body) for text, body in reversed(self.bodies)}
            found = self.exact.get(subject.text)
        if found is None:
            tried(subject)
            return None
        set_captures(subject, subject.text)
        set_value(subject, found[1])
        return found[0]


class TailRun(Run):
    """Items that begin with an asterisk: all their ends are tried by one call."""

    __slots__ = ("bodies", "small", "tails")

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[tuple[str, str]] = []
        self.small: tuple[str, ...] = ()
        self.tails: tuple[str, ...] = ()

    def add(self, text: str, body: str, key: str) -> None:
        """Add an item; ``key`` is not needed."""
        self.last_negated = text is not body
        self.bodies.append((text, body))

    def close(self) -> None:
        """Make the tables."""
        self.tails = tuple([body[1:] for _, body in self.bodies])
        self.small = tuple([lower(tail) for tail in self.tails])

    def find(self, subject: Subject) -> str | None:
        """The first item that the subject ends in."""
        name = subject.text
        tails = self.small if subject.caseless else self.tails
        if not name.endswith(tails):
            tried(subject)
            return None
        at = next(number for number, tail in enumerate(tails) if name.endswith(tail))
        text, body = self.bodies[at]
        set_captures(subject, name, name[: len(name) - len(tails[at])])
        set_value(subject, body)
        return text


def string_group(body: str) -> tuple[type[Run], str] | None:
    """Which run an item of a domain or local part list can be part of."""
    if body:
        start = body[0]
        if start in _SPECIAL:
            return (TailRun, "") if start == "*" else None
        if ";" in body:
            return None
    return StringRun, lower(body)


def tried(subject: Subject) -> None:
    """Leave what trying an item in vain does: no value and no captures."""
    subject.data = None
    if subject.setup <= 0:
        subject.captures = []


def domain_item(body: str) -> Check:
    """The check for one item of a domain list."""
    return string_item(body, at_special=True, partial=True)


def local_part_item(body: str) -> Check:
    """The check for one item of a local part list."""
    return string_item(body, at_special=False, partial=True)


def string_item(body: str, at_special: bool, partial: bool) -> Check:
    """The check for one item. ``at_special``: whether ``@`` and its like mean something; ``partial``: whether
    ``partial-`` before a lookup type is obeyed."""
    check = _string_item(body, at_special, partial)

    def run(subject: Subject) -> int:
        tried(subject)
        return check(subject)

    return run


def _string_item(body: str, at_special: bool, partial: bool) -> Check:
    start = body[:1]
    if start == "^":
        return _regex(body)
    if start == "*":
        return _tail(body)
    if at_special and start == "@":
        if body == "@":
            return _primary_hostname
        if body == "@[]":
            return _own_literal
        if lower(body[:4]) == "@mx_":
            check = _mx(body)
            if check is not None:
                return check
    if ";" in body:
        return _lookup(body, partial)
    return _exact(body)


def set_value(subject: Subject, value: str) -> None:
    """Leave the value of a match that is not a lookup's: 4.94 and later have one."""
    subject.data = value if subject.ctx.env.version >= (4, 94) else None


def set_captures(subject: Subject, whole: str, *parts: str) -> None:
    """Set what a match leaves: ``$0`` and the parts after it, or the parts from number ``setup`` on."""
    setup = subject.setup
    if setup == 0:
        if type(subject.original) is Tainted:
            subject.captures = [Tainted(part) for part in (whole, *parts)]
        else:
            subject.captures = [whole, *parts]
    elif setup > 0:
        assert subject.captures is not None
        subject.captures[setup:] = [follow(part, subject.original) for part in parts]
    else:
        subject.captures = []


def _exact(body: str) -> Check:
    wanted = lower(body)

    def check(subject: Subject) -> int:
        if subject.text != (wanted if subject.caseless else body):
            return FAIL
        set_captures(subject, subject.text)
        set_value(subject, body)
        return OK

    return check


def _primary_hostname(subject: Subject) -> int:
    name = subject.ctx.env.primary_hostname
    return _exact(name)(subject)


def _tail(body: str) -> Check:
    tail = body[1:]
    small = lower(tail)

    def check(subject: Subject) -> int:
        text = subject.text
        if not text.endswith(small if subject.caseless else tail):
            return FAIL
        set_captures(subject, text, text[: len(text) - len(tail)])
        set_value(subject, body)
        return OK

    return check


def _regex(body: str) -> Check:
    compiled: dict[bool, Regex] = {}

    def check(subject: Subject) -> int:
        regex = compiled.get(subject.caseless)
        if regex is None:
            regex = compiled[subject.caseless] = list_regex(body, subject.caseless)
        found = regex.search(subject.original)
        if found is None:
            return FAIL
        set_captures(subject, subject.original, *found[1:])
        set_value(subject, body)
        return OK

    return check


def list_regex(body: str, caseless: bool) -> Regex:
    """Compile an item's regular expression; raises ListPanic where it is wrong."""
    from eximious.interpreter.regex import BadPattern, compile_regex

    try:
        return compile_regex(body, caseless)
    except BadPattern as error:
        line = f"regular expression error: {error.reason} at offset {error.place} while compiling {body}"
        raise ListPanic(line) from None


def _own_literal(subject: Subject) -> int:
    from eximious.interpreter.hosts import local_addresses

    text = subject.text
    # Exim asks for one of the brackets only
    if text[:1] != "[" and text[-1:] != "]":
        return FAIL
    if text[1:-1] not in local_addresses(subject.ctx):
        return FAIL
    set_captures(subject, subject.text)
    set_value(subject, "@[]")
    return OK


def _mx(body: str) -> Check | None:
    """``@mx_any``, ``@mx_primary``, ``@mx_secondary``, with ``/ignore=``; None where it is none of these."""
    word, _, rest = body[4:].partition("/")
    kind = lower(word)
    if kind not in ("any", "primary", "secondary"):
        return None
    ignore: str | None = None
    if "/" in body:
        if lower(rest[:7]) != "ignore=":
            return None
        ignore = rest[7:]
        if type(body) is Tainted:
            ignore = Tainted(ignore)

    def check(subject: Subject) -> int:
        from eximious.interpreter.hosts import FIND_AGAIN, FOUND_LOCAL, Host, find_by_mx

        ctx = subject.ctx
        saved, ctx.captures = ctx.captures, []
        ctx.scratch.pop("matched subject", None)
        found = find_by_mx(ctx, Host(subject.text), ignore)
        if subject.setup <= 0:
            subject.captures = ctx.captures
        ctx.captures = saved
        if found.outcome == FIND_AGAIN:
            subject.error = f'DNS lookup of "{subject.text}" deferred'
            return DEFER
        if (found.outcome != FOUND_LOCAL or kind == "secondary") and (kind == "primary" or not found.removed):
            return FAIL
        # lists that were looked at on the way (hosts_treat_as_local...) leave their subject as $0
        if subject.setup >= 0:
            set_captures(subject, ctx.scratch.get("matched subject", subject.text))
        set_value(subject, body)
        return OK

    return check


def _lookup(body: str, partial: bool) -> Check:
    """A lookup; what is wrong with its type shows when it is used."""
    spec: Any = None
    rest = ""

    def check(subject: Subject) -> int:
        nonlocal spec, rest
        if spec is None:
            type_text, _, rest = body.partition(";")
            known = lookup_type(subject.ctx, type_text)
            if not partial:
                known.partial = -1
            if known.takes_key:
                rest = rest.lstrip(SPACE)
            if type(body) is Tainted:
                rest = Tainted(rest)
            spec = known
        outcome, parts = run_lookup(subject, spec, subject.text if spec.takes_key else None, rest)
        if outcome == OK:
            set_captures(subject, subject.text, *parts)
        return outcome

    return check


def run_lookup(subject: Any, spec: Any, key: str | None, rest: str) -> tuple[int, list[str]]:
    """Run a lookup, leaving its value or why there is none in the subject; ``rest``: file or query.

    Gives the outcome and the parts of the key that a partial match or a default split it into. Raises
    ListPanic where the source cannot be opened, as the real Exim then ends.
    """
    try:
        found = search(subject.ctx, spec, key, rest)
    except Defer as defer:
        subject.error = getattr(defer, "reason", defer.message)
        return DEFER, []
    except ExpansionError as error:
        raise ListPanic("NULL" if error.message == "(null)" else error.message) from None
    if found is None:
        return FAIL, []
    subject.data = found.value
    return OK, [] if found.wild is None else [found.wild, found.fixed or ""]


def lookup_type(ctx: Context, text: str) -> Any:
    """Take a lookup type apart; raises ListPanic where it is wrong, as the real Exim then ends."""
    try:
        return lookup_spec(text, ctx.env.language)
    except ExpansionError as error:
        raise ListPanic(error.message) from None


DOMAIN = Kind("d", "domain", domain_item, string_group)
LOCAL_PART = Kind("l", "local part", local_part_item, string_group)
