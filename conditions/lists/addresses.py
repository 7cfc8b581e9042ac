"""Items of address lists (manual 10.20, 10.21)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.conditions.lists.program import Kind, Run, Scan
from eximious.conditions.lists.result import DEFER, FAIL, OK, ListPanic
from eximious.conditions.lists.strings import DOMAIN, StringRun, string_group, string_item
from eximious.conditions.lists.subject import Subject, Unset, lower
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.text import follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.conditions.lists.program import Check
    from eximious.interpreter.context import Context

MAX_CHAIN = 50  #: lists of local parts that lead to each other (manual 10.20)
MAX_ADDRESS = 16_384  #: what is longer is cut off (Exim's big_buffer_size)

#: a pattern that is a lookup of the whole address: options (``,ret=key``) are not among what may stand there
_WHOLE_LOOKUP = re.compile(r"[A-Za-z0-9-]*\*?@?;")


_AT_DOMAINS = ("", "[]", "mx_any", "mx_primary", "mx_secondary")


class AddressSubject(Subject):
    """An address. Its domain is in lower case whatever the local part is."""

    __slots__ = ()

    @classmethod
    def of(
        cls, ctx: Context, address: str, caseless: bool, setup: int, trace: Callable[[str], None] | None
    ) -> AddressSubject:
        """The subject for an address as given."""
        text = address[:MAX_ADDRESS]
        if caseless:
            text = lower(text)
        else:
            at = text.rfind("@")
            text = text[:at] + lower(text[at:]) if at >= 0 else lower(text)
        return cls(ctx, address, follow(text, address), caseless, setup, trace)

    @property
    def shown(self) -> str:
        """What traces call the subject."""
        return self.original

    def caseful(self) -> None:
        """Restore the local part's case; its domain stays in lower case, but is compared casefully, too."""
        at = self.original.rfind("@")
        if at >= 0:
            self.text = follow(self.original[:at] + self.text[at:], self.original)
        self.caseless = False


class AddressRun(Run):
    """Plain addresses: a table from their text in lower case to the first item with it."""

    __slots__ = ("bodies", "exact", "locals", "table")

    def __init__(self) -> None:
        super().__init__()
        self.table: dict[str, tuple[str, str]] = {}
        #: local part in lower case -> the last item with it
        self.locals: dict[str, str] = {}
        self.bodies: list[tuple[str, str]] = []
        self.exact: dict[str, tuple[str, str]] | None = None

    def add(self, text: str, body: str, key: str) -> None:
        """Add an item; ``key``: its text in lower case."""
        self.last_negated = text is not body
        pair = (text, body)
        self.table.setdefault(key, pair)
        self.locals[key[: key.rindex("@")]] = body
        self.bodies.append(pair)

    def find(self, subject: Subject) -> str | None:
        """The first item that is the subject. The domain is compared casefully, too, after +caseful."""
        address = subject.text
        if subject.caseless:
            found = self.table.get(address)
        else:
            if self.exact is None:
                self.exact = {body: (text, body) for text, body in reversed(self.bodies)}
            found = self.exact.get(address)
        if subject.trace or (address and "@" not in address):
            self._one_by_one(subject, found)
        name = address.rpartition("@")[0]
        if found is None:
            # one with the subject's local part leaves that as the value
            body = self.locals.get(lower(name))
            if body is not None and (subject.caseless or body.startswith(name + "@")):
                set_value(subject, body, len(name), None)
                if subject.setup <= 0:
                    subject.captures = []
            return None
        text, body = found
        if subject.setup > 0:
            assert subject.captures is not None
            del subject.captures[subject.setup :]
        else:
            subject.captures = []
        set_value(subject, body, len(name), follow(body[len(name) + 1 :], body))
        return text

    def _one_by_one(self, subject: Subject, found: tuple[str, str] | None) -> None:
        """What is said about each item on the way: its domain is matched where the local part is the subject's."""
        name, at, domain = subject.text.rpartition("@")
        for pair in self.bodies:
            announce(subject, pair[1])
            local, _, wanted = pair[1].rpartition("@")
            if subject.trace and at and (lower(local) == lower(name) if subject.caseless else local == name):
                yes = pair is found
                end = f'yes (matched "{wanted}")' if yes else "no (end of list)"
                subject.trace(f'{lower(domain)} in "{wanted}"? {end}')
            if pair is found:
                return


def address_group(body: str) -> tuple[type[Run], str] | None:
    """Which run an item can be part of."""
    at = body.rfind("@")
    if at < 1 or body[0] in "*^/+" or ";" in body:
        return None
    first = body[at + 1 : at + 2]
    if not first or first in "^*@/+!" or first in SPACE or body[at - 1] == "@":
        return None
    return AddressRun, lower(body)


def announce(subject: Subject, body: str) -> bool:
    """Whether the subject has a domain, or is empty; where not, that is logged."""
    if not subject.text or "@" in subject.text:
        return True
    line = f'no @ found in the subject of an address list match: subject="{subject.text}" pattern="{body}"'
    log_write(subject.ctx, line, "main panic")
    return False


def set_value(subject: Subject, body: str, length: int, domain_value: str | None) -> None:
    """The value of an item with a local part and a domain: the domain's until 4.96, then both (10.5).

    Exim takes as many characters of the item as the subject's local part has, which for a wild card
    are not the ones meant.
    """
    if subject.ctx.env.version < (4, 96):
        subject.data = domain_value
    else:
        subject.data = follow(f"{body[:length]}@{domain_value or ''}", body, domain_value or "")


def address_item(body: str) -> Check:
    """The check for one item of an address list."""
    check = _address_item(body)
    return lambda subject: check(subject) if announce(subject, body) else FAIL


def _address_item(body: str) -> Check:
    if body.startswith("^"):
        return _whole(body)
    if _WHOLE_LOOKUP.match(body):
        return _whole_lookup(body)
    if not body:
        return _empty
    if body.startswith("@@"):
        return _split_lookup(body)
    return _parts(body)


def _empty(subject: Subject) -> int:
    if not subject.text:
        return OK
    if subject.trace:
        subject.trace(f'{lower(subject.text.rpartition("@")[2])} in ""? no (end of list)')
    subject.data = None
    return FAIL


def _whole(body: str) -> Check:
    check = string_item(body, at_special=False, partial=False)

    def run(subject: Subject) -> int:
        inner = Subject(subject.ctx, subject.text, subject.text, subject.caseless, subject.setup)
        inner.captures = subject.captures
        outcome = check(inner)
        subject.captures, subject.error = inner.captures, inner.error
        return outcome

    return run


def _whole_lookup(body: str) -> Check:
    check = string_item(body, at_special=False, partial=False)

    def run(subject: Subject) -> int:
        if body.startswith("partial-"):
            log_write(
                subject.ctx,
                "partial matching is not applicable to whole-address lookups: "
                f'ignored "partial-" in "{body}"',
                "main panic",
            )
        inner = Subject(subject.ctx, subject.text, subject.text, subject.caseless, -1)
        outcome = check(inner)
        subject.data, subject.error, subject.captures = inner.data, inner.error, inner.captures
        return outcome

    return run


def _split_lookup(body: str) -> Check:
    """``@@type;file``: the domain gives a list of local parts, whose last item may lead to another list."""
    find = string_item(follow(body[2:], body), at_special=False, partial=True)

    def run(subject: Subject) -> int:
        if not subject.text:
            return FAIL
        local_part, _, domain = subject.text.rpartition("@")
        if local_part == "*":
            return FAIL
        ctx = subject.ctx
        local = Subject(ctx, local_part, local_part, subject.caseless, -1)
        key: str | None = follow(domain, subject.original)
        for _ in range(MAX_CHAIN):
            if key is None:
                return FAIL
            outer = Subject(ctx, key, key, False, -1)  # Exim compares the domain casefully here
            outcome = find(outer)
            subject.captures = outer.captures
            if outcome != OK:
                subject.error = outer.error
                return outcome
            text = outer.data or ""
            assert isinstance(text, str)
            start = text.rfind(":") + 1
            last = text[start:].lstrip(SPACE)
            key = None
            if last.startswith(">"):
                key = follow(last[1:].lstrip(SPACE), text)
                text = follow(text[: len(text) - len(last)], text)
            for item in split_list(text):
                part, wanted = item, OK
                if item.startswith("!"):
                    part, wanted = follow(item[1:].lstrip(SPACE), item), FAIL
                outcome = string_item(part, at_special=False, partial=True)(local)
                subject.data, subject.captures = local.data, local.captures
                if outcome == OK:
                    return wanted
                if outcome != FAIL:
                    subject.error = local.error
                    return outcome
        raise ListPanic(f"Loop detected in lookup of local part of {subject.text} in {body}")

    return run


def _parts(body: str) -> Check:
    """A local part and a domain, or a domain alone; the domain is a domain list of one item."""
    at = body.rfind("@")
    if at > 0 and body[at - 1] == "@" and lower(body[at + 1 :]) in _AT_DOMAINS:
        at -= 1  # the domain is @, @[], @mx_any...
    domain = follow(body[at + 1 :], body)
    local = body[:at] if at >= 0 else None
    wild = body.startswith("*")
    tail = local[1:] if wild and local is not None else local
    tail_lower = None if tail is None else lower(tail)
    # a plain domain needs no list to be matched against; what is in this one is what a list would leave
    domain_lower = lower(domain)
    plain = string_group(domain) == (StringRun, domain_lower) and domain == domain.strip(SPACE)
    plain = plain and domain[:1] not in ("", "!")

    def run(subject: Subject) -> int:
        if not subject.text:
            return FAIL
        name, _, subject_domain = subject.text.rpartition("@")
        setup = subject.setup
        matched = False
        if tail is not None:
            wanted = tail_lower if subject.caseless else tail
            assert wanted is not None
            compared = lower(name) if subject.caseless else name
            if wild:
                if not compared.endswith(wanted):
                    return FAIL
                if setup > 0:
                    assert subject.captures is not None
                    subject.captures[setup:] = [follow(name[: len(name) - len(tail)], subject.original)]
                    setup += 1
            elif compared != wanted:
                return FAIL
            matched = bool(body[: len(name)])
        if plain and not subject.trace:
            small = lower(subject_domain)
            if small == (domain_lower if subject.caseless else domain):
                if setup > 0:
                    assert subject.captures is not None
                    del subject.captures[setup:]
                else:
                    subject.captures = [] if setup else [follow(small, subject.text)]
                subject.data = domain if subject.ctx.env.version >= (4, 94) else None
                outcome = OK
            else:
                if setup <= 0:
                    subject.captures = []
                subject.data = None
                outcome = FAIL
            if matched or subject.data is not None:
                set_value(subject, body, len(name) if matched else 0, subject.data)
            return outcome
        inner = Subject(
            subject.ctx,
            follow(subject_domain, subject.text),
            follow(lower(subject_domain), subject.text),
            subject.caseless,
            setup,
        )
        inner.captures = subject.captures
        inner.data = subject.data = None
        scan = Scan(DOMAIN, inner)
        outcome = scan.run(domain, expand=False, single=True)
        subject.captures = inner.captures
        data = inner.data
        assert not isinstance(data, Unset)
        subject.data = data
        if matched or data is not None:
            set_value(subject, body, len(name) if matched else 0, data)
        if outcome == DEFER:
            subject.error = scan.message
        return outcome

    return run


ADDRESS = Kind("a", "address", address_item, address_group)
