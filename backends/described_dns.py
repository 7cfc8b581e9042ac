"""The DNS of a described world: single answers of world.yaml, then its zone files, then what was recorded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.backends.described import RECORDED, lines
from eximious.backends.dnssearch import searched
from eximious.interpreter.dns import NODATA, SUCCEED, Answer, Record
from eximious.interpreter.outcomes import Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.backends.described import World
    from eximious.backends.described_yaml import Node

#: types whose data are several fields, and which of them are numbers
_FIELDS = {
    "A": (str,),
    "AAAA": (str,),
    "CNAME": (str,),
    "MX": (int, str),
    "NS": (str,),
    "PTR": (str,),
    "SOA": (str, str, int, int, int, int, int),
    "SRV": (int, int, int, str),
    "TLSA": (int, int, int, str),
}


def record_of(plain: list[Any]) -> Record:
    """Make a record of ``[name, ttl, type, data...]``. Raises ValueError."""
    name, ttl, type_, *data = plain
    fields = _FIELDS.get(type_)
    if fields is None:
        return Record(name, type_, ttl, tuple(map(str, data)))
    if len(data) != len(fields):
        raise ValueError(f"a record of type {type_} has {len(fields)} fields, not {len(data)}")
    if any(kind is int and not isinstance(value, int) for kind, value in zip(fields, data)):
        raise ValueError(f"a field of this record of type {type_} has to be a number")
    return Record(name, type_, ttl, tuple(kind(value) for kind, value in zip(fields, data)))


def answer_from(node: Node) -> Answer:
    """Make an answer of an item of ``dns``."""
    plain = node.plain()
    records = [record_of(one) for one in plain.get("records", ())]
    return Answer(
        plain.get("outcome") or (SUCCEED if records else NODATA),
        records,
        [record_of(one) for one in plain.get("authority", ())],
        bool(plain.get("secure")),
        bool(plain.get("authoritative")),
        plain.get("reason", ""),
    )


def item_of(name: str, type_: str, dnssec: bool, answer: Answer) -> dict[str, Any]:
    """Write an answer as an item of ``dns``; :func:`answer_from` makes it again."""
    plain: dict[str, Any] = {"name": name, "type": type_, "dnssec": dnssec, "outcome": answer.outcome}
    for key, records in (("records", answer.records), ("authority", answer.authority)):
        if records:
            plain[key] = [[one.name, one.ttl, one.type, *one.data] for one in records]
    if answer.secure:
        plain["secure"] = True
    if answer.authoritative:
        plain["authoritative"] = True
    if answer.reason:
        plain["reason"] = answer.reason
    return plain


class WorldResolver:
    """Answers from a world. ``read``: gives the text of a file of the world (the hosts file)."""

    def __init__(self, world: World, read: Callable[[str], str]) -> None:
        self._world, self._read = world, read
        search = world.first("resolver", "search")
        self.search = [one.text for one in search.value] if search is not None else []
        self._single: dict[tuple[str, str], list[Node]] = {}
        for node in world.items("dns"):
            key = _key(node.value["name"].text), node.value["type"].text
            self._single.setdefault(key, []).append(node)
        self._zones: Any = None

    def query(self, name: str, rdtype: str, **how: Any) -> Answer:
        """One question; see :class:`eximious.interpreter.protocols.Resolver`."""
        return searched(self._one, name, rdtype, how, self.search)

    def _one(self, name: str, rdtype: str, how: dict[str, Any]) -> Answer:
        own: list[Node] = []
        recorded: list[Node] = []
        for node in self._single.get((_key(name), rdtype), ()):
            dnssec = node.get("dnssec")
            if dnssec is not None and dnssec.value != bool(how.get("dnssec")):
                continue
            (recorded if os.path.basename(node.file) == RECORDED else own).append(node)
        if own:
            return answer_from(self._world.take_turn(own))
        try:
            found: Answer = self._from_zones(name, rdtype)._one(name, rdtype, how)
        except Unanswered:
            if not recorded:
                raise
            return answer_from(self._world.take_turn(recorded))
        return found

    def _from_zones(self, name: str, rdtype: str) -> Any:
        """What answers from the zone files, which are read now. Raises Unanswered where they cannot be."""
        if self._zones is None:
            from eximious.backends.dnszones import DescribedResolver, ZoneError

            try:
                self._zones = DescribedResolver(read_zones(self._world.folder))
            except ZoneError as problem:
                raise Unanswered("DNS", f"{rdtype} records of {name}", f"correct {problem}") from None
        return self._zones

    def hosts(self) -> str:
        """The text of the world's /etc/hosts; empty where it is said to be absent. Raises Unanswered."""
        try:
            return self._read("/etc/hosts")
        except OSError:
            return ""

    def interfaces(self) -> list[str]:
        """The addresses of the machine's interfaces. Raises Unanswered."""
        found = self._world.first("interfaces")
        if found is None:
            example = lines({"interfaces": ["127.0.0.1", "::1", "192.0.2.1"]})
            raise Unanswered("@[]", "the addresses of the machine", example)
        return [one.text for one in found.value]


def read_zones(folder: str) -> Any:
    """The zone files of a world. Raises ZoneError."""
    from eximious.backends.dnszones import Zones

    place = os.path.join(folder, "zones")
    return Zones.load(place) if os.path.isdir(place) else Zones()


def _key(name: str) -> str:
    return name.rstrip(".").lower()
