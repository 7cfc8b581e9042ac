"""Items of domain and local part lists, and host names in host lists (manual 10.9, 10.14, 10.22).

An item becomes a function of a :class:`~eximious.conditions.lists.subject.Subject` once; what is wrong with
an item shows when it is used, as in Exim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.program import Kind
from eximious.conditions.lists.result import DEFER, FAIL, OK, ListPanic
from eximious.conditions.lists.subject import Subject, lower
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.lookups_door import lookup_spec, search
from eximious.interpreter.outcomes import Defer, ExpansionError
from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from typing import Any

    from eximious.conditions.lists.program import Check, Run
    from eximious.interpreter.context import Context
    from eximious.interpreter.regex import Regex

#: an item that begins with one of these, or holds a semicolon, is not compared as it is
_SPECIAL = frozenset("^*@/+")


def plain_item(body: str) -> str | None:
    """Give the text that a plain item is compared by, None for other items."""
    if (body and body[0] in _SPECIAL) or ";" in body:
        return None
    return lower(body)


def subject_key(subject: Subject) -> str:
    """What plain items are looked up by. Casefully there may be several; the item itself compares again."""
    return subject.text if subject.caseless else lower(subject.text)


def missed(subject: Subject, run: Run) -> None:
    """What trying plain items in vain does: no value and no captures are left."""
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
        subject.data = None
        if subject.setup <= 0:
            subject.captures = []
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
        subject.captures = [follow(part, subject.original) for part in (whole, *parts)]
    elif setup > 0:
        assert subject.captures is not None
        subject.captures[setup:] = [follow(part, subject.original) for part in parts]


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
        set_captures(subject, ctx.scratch.get("matched subject", subject.text))
        set_value(subject, body)
        return OK

    return check


def _lookup(body: str, partial: bool) -> Check:
    """A lookup; what is wrong with its type shows when it is used."""

    def check(subject: Subject) -> int:
        ctx = subject.ctx
        type_text, _, rest = body.partition(";")
        spec = lookup_type(ctx, type_text)
        if not partial:
            spec.partial = -1
        if spec.takes_key:
            rest = rest.lstrip(SPACE)
        if type(body) is Tainted:
            rest = Tainted(rest)
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
        raise ListPanic(error.message) from None
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


DOMAIN = Kind("d", "domain", domain_item, plain_item, subject_key, missed)
LOCAL_PART = Kind("l", "local part", local_part_item, plain_item, subject_key, missed)
