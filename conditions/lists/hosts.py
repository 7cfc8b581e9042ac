"""Items of host lists: by address, by network, by lookup, by name (manual 10.10-10.19)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.conditions.lists.program import Kind, Run
from eximious.conditions.lists.result import DEFER, ERROR, FAIL, OK, ListPanic
from eximious.conditions.lists.strings import lookup_type, run_lookup, string_item
from eximious.conditions.lists.subject import UNSET, Subject, Unset, lower
from eximious.interpreter.ipaddress import key_text, parse_ip, parse_net, unmapped
from eximious.interpreter.logs import log_write
from eximious.interpreter.text import Tainted, follow

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.conditions.lists.program import Check
    from eximious.interpreter.context import Context

ADDRESS_ONLY = "cannot match host name in match_ip list"

#: digits and dots to the end or to a slash: meant as an address, but none
_BAD_ADDRESS = re.compile(r"[0-9.]*\Z|[0-9.]+/")
#: hexadecimal digits, dots and at least one colon to the end or to a slash
_BAD_IPV6 = re.compile(r"(?=[^/]*:)[0-9A-Fa-f:.]+(?:\Z|/)")
_NET = re.compile(r"net([0-9]*)-")
_NAME = re.compile(r"[A-Za-z0-9._-]*\Z")
_NAME_UTF8 = re.compile(r"[A-Za-z0-9._\x80-\xff-]*\Z")


class HostSubject:
    """A host. ``name``: None for the client (its name is looked up where an item needs it), empty where
    only the address counts, else the name. ``address``: empty where no host is involved."""

    __slots__ = ("address", "binary", "captures", "ctx", "data", "error", "name", "trace")

    def __init__(
        self, ctx: Context, name: str | None, address: str, trace: Callable[[str], None] | None = None
    ) -> None:
        self.ctx, self.name, self.address = ctx, name, address
        self.trace = trace if trace is not None else ctx.listener
        #: the address as a number; an IPv4 one in IPv6 clothes counts as IPv4
        self.binary = _binary(address)
        self.data: str | Unset | None = UNSET
        self.captures: list[str] | None = None
        self.error: str | None = None

    @property
    def shown(self) -> str:
        """What traces call the subject."""
        return self.address if self.name == "" else "host"

    def fail_unknown(self, error: str) -> int:
        """Leave why an item cannot be decided."""
        self.error = error
        return ERROR


@lru_cache(maxsize=256)  # a session asks for the same few again and again
def _binary(address: str) -> tuple[int, int] | None:
    binary = parse_ip(address)
    return None if binary is None else unmapped(binary)


class AddressesRun(Run):
    """Plain addresses: a table to the first item with each."""

    __slots__ = ("table",)

    def __init__(self) -> None:
        super().__init__()
        self.table: dict[tuple[int, int], str] = {}

    def add(self, text: str, body: str, key: tuple[int, int]) -> None:
        """Add an item; ``key``: bits and number of the address."""
        self.last_negated = text is not body
        self.table.setdefault(key, text)

    def find(self, subject: HostSubject) -> str | None:
        """The first item that is the subject's address."""
        binary = subject.binary
        return None if binary is None else self.table.get(binary)


class NetworksRun(Run):
    """Networks. A few are tried one after the other; of many, all with the same mask are one table."""

    __slots__ = ("networks", "tables")

    FEW = 16

    def __init__(self) -> None:
        super().__init__()
        self.networks: list[tuple[int, int, int, str]] = []
        #: (bits, mask) -> network -> (place in the list, item)
        self.tables: dict[tuple[int, int], dict[int, tuple[int, str]]] = {}

    def add(self, text: str, body: str, key: tuple[int, int, int]) -> None:
        """Add an item; ``key``: bits, number and mask of the network."""
        self.last_negated = text is not body
        bits, number, mask = key
        self.networks.append((bits, mask, number & mask, text))

    def close(self) -> None:
        """Make the tables."""
        if len(self.networks) > self.FEW:
            for place, (bits, mask, wanted, text) in enumerate(self.networks):
                self.tables.setdefault((bits, mask), {}).setdefault(wanted, (place, text))

    def find(self, subject: HostSubject) -> str | None:
        """The first network that the subject's address is in."""
        binary = subject.binary
        if binary is None:
            return None
        own, number = binary
        if not self.tables:
            for bits, mask, wanted, text in self.networks:
                if number & mask == wanted and own == bits:
                    return text
            return None
        best: tuple[int, str] | None = None
        for (bits, mask), table in self.tables.items():
            if bits == own:
                found = table.get(number & mask)
                if found is not None and (best is None or found[0] < best[0]):
                    best = found
        return None if best is None else best[1]


def host_group(body: str) -> tuple[type[Run], Any] | None:
    """Which run an item can be part of."""
    if not body or body[0] not in "0123456789abcdefABCDEF:":
        return None
    if "/" in body:
        net = parse_net(body)
        return None if net is None else (NetworksRun, net)
    address = parse_ip(body)
    return None if address is None else (AddressesRun, address)


def host_item(body: str) -> Check:
    """The check for one item of a host list."""
    if body == "*":
        return _any
    check = _host_item(body)

    def with_host(subject: HostSubject) -> int:
        if not subject.address:
            return FAIL if body else OK
        return check(subject) if body else FAIL

    return with_host


def _any(subject: HostSubject) -> int:
    return OK


def _host_item(body: str) -> Check:
    if body == "@":
        return _primary_hostname
    if body == "@[]":
        return _own_address
    net = parse_net(body)
    if net is not None:
        return _net(*net)
    if _BAD_ADDRESS.match(body):
        return lambda subject: subject.fail_unknown("malformed IPv4 address or address mask")
    if _BAD_IPV6.match(body):
        return _mistyped_ipv6(body)
    return _other_item(body)


def _mistyped_ipv6(body: str) -> Check:
    """Meant as an IPv6 address, but none: an error from 4.98 on (unproven), a name before."""
    other = _other_item(body)

    def check(subject: HostSubject) -> int:
        if subject.ctx.env.version >= (4, 98):
            return subject.fail_unknown("malformed IPv6 address or address mask")
        return other(subject)

    return check


def _other_item(body: str) -> Check:
    """A lookup, or something about the host's name."""
    named = _host_name(body)
    if ";" not in body:
        return lambda subject: named(subject) if subject.name != "" else subject.fail_unknown(ADDRESS_ONLY)
    masked = _NET.match(body)
    if masked is not None:
        return _address_lookup(body, masked.end(), int(masked[1] or -1))
    if body.startswith("net"):
        # "net" without number and hyphen is no lookup by address, and its item then is no lookup at all
        return lambda subject: named(subject) if subject.name != "" else subject.fail_unknown(ADDRESS_ONLY)
    by_address = _address_lookup(body, 0, -1)
    return lambda subject: named(subject) if subject.name != "" else by_address(subject)


def _primary_hostname(subject: HostSubject) -> int:
    if subject.name == "":
        return subject.fail_unknown(ADDRESS_ONLY)
    return _host_item(subject.ctx.env.primary_hostname)(subject)


def _own_address(subject: HostSubject) -> int:
    from eximious.interpreter.hosts import local_addresses

    return OK if subject.address in local_addresses(subject.ctx) else FAIL


def _net(bits: int, number: int, mask: int) -> Check:
    wanted = number & mask

    def check(subject: HostSubject) -> int:
        binary = subject.binary
        return OK if binary is not None and binary[0] == bits and binary[1] & mask == wanted else FAIL

    return check


def _address_lookup(body: str, start: int, mask: int) -> Check:
    """A lookup by the address, its type from offset ``start`` on: not partial, no defaults (10.13)."""
    type_text, _, rest = body[start:].partition(";")
    name = type_text.partition(",")[0]
    if type(body) is Tainted:
        rest = Tainted(rest)

    def check(subject: HostSubject) -> int:
        if "*" in name or name.startswith("partial"):
            raise ListPanic(f'unknown lookup type "{name}"')
        spec = lookup_type(subject.ctx, type_text)
        key = None
        if spec.takes_key:
            address = parse_ip(subject.address)
            if address is None:
                return FAIL
            key = key_text(*address, mask, ":" if spec.name == "iplsearch" else ".")
        subject.data = None
        return run_lookup(subject, spec, key, rest)[0]

    return check


def _host_name(body: str) -> Check:
    """What an item that is no address means for a host whose name is known or can be looked up."""
    by_string = string_item(body, at_special=True, partial=True)

    def check(subject: HostSubject) -> int:
        ctx = subject.ctx
        wanted = _NAME_UTF8 if ctx.env.options.get("allow_utf8_domains") else _NAME
        if wanted.match(body):
            return _by_address_of_name(subject, body)
        if subject.name is not None:
            return _by_name(subject, by_string, (subject.name,))
        if ";" in body:
            try:
                spec = lookup_type(ctx, body.partition(";")[0])
            except ListPanic as panic:
                log_write(ctx, f'{panic.message} in host list item "{body}"', "main panic")
                return DEFER
            if not spec.takes_key:
                return _by_name(subject, by_string, ("",))
        session = ctx.session
        if session.sender_host_name is None:
            from eximious.interpreter.hosts import look_up_name

            if session.host_lookup_failed or not look_up_name(ctx):
                return subject.fail_unknown(f"failed to find host name for {session.sender_host_address}")
        assert session.sender_host_name is not None
        return _by_name(subject, by_string, (session.sender_host_name, *session.sender_host_aliases))

    return check


def _by_name(subject: HostSubject, check: Check, names: tuple[str, ...]) -> int:
    """Match names as a domain list item would; the first that matches decides."""
    for name in names:
        inner = Subject(subject.ctx, name, follow(lower(name), name), True, -1)
        outcome = check(inner)
        subject.captures = inner.captures
        if outcome != FAIL:
            subject.data, subject.error = inner.data, inner.error
            return outcome
    return FAIL


def _by_address_of_name(subject: HostSubject, name: str) -> int:
    """Look the name's addresses up and compare them (manual 10.12)."""
    from eximious.interpreter.hosts import FIND_AGAIN, FOUND, FOUND_LOCAL, Host, find_by_name

    found = find_by_name(subject.ctx, Host(name), qualify_single=True)
    if found.outcome in (FOUND, FOUND_LOCAL):
        for host in found.hosts:
            address = parse_ip(host.address or "")
            if address is not None and subject.binary == address:
                return OK
        return FAIL
    if found.outcome == FIND_AGAIN:
        return DEFER
    return subject.fail_unknown(f"failed to find IP address for {name}")


HOST = Kind("h", "host", host_item, host_group)
