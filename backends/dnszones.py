"""Zone files as the whole of the DNS: what a described world answers, and a small server in the tests.

A folder holds ordinary zone files, ``NAME.zone``, each for the zone NAME (or the one that its $ORIGIN
names; ``root.zone`` stands for everything that no other file covers). They are read by dnspython. Comments
that begin with ``;!`` say how names fail, or that their answers are signed; names are as in zone files,
relative to the zone unless they end in a dot::

    ;! slow              slow=20          ; an answer after 20 seconds
    ;! *.broken          servfail         ; the name and all below it
    ;! www/AAAA          timeout          ; one type only
    ;! partial                            ; what is not in this file is not known, not: does not exist

Modes: timeout, servfail, refused, notimp, formerr, bogus (signatures that do not hold: a server that
checks them says servfail), slow=SECONDS, nxdomain, nodata, dnssec (signed: AD flag where it is asked
for), aa (AA flag).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.backends.dnswire import answer_of
from eximious.interpreter.dns import AGAIN, Answer
from eximious.interpreter.outcomes import Unanswered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    import dns.message
    import dns.name
    import dns.zone

CHAIN = 16  #: CNAMEs followed inside the zones, as a name server in the middle does
MODES = (
    "timeout", "servfail", "refused", "notimp", "formerr", "bogus", "slow", "nxdomain", "nodata", "dnssec",
    "aa",
)  # fmt: skip
CODES = {"bogus": "servfail", "nodata": "noerror"}  #: modes that are not called as their response code

_MODE_LINE = re.compile(r"[ \t]*;![ \t]*([^\s;]+)(?:[ \t]+([^;\r\n]*))?")

ANSWERS_KEPT = 5_000  #: zones do not change while they answer


class ZoneError(ValueError):
    """A zone file, or a mode in it, that cannot be read: ``file``, ``line`` (0: unknown) and why."""

    def __init__(self, file: str, line: int, why: str) -> None:
        super().__init__(f"{file}:{line}: {why}" if line else f"{file}: {why}")
        self.file, self.line, self.why = file, line, why


class Modes:
    """How names fail: (name in lower case without its last dot, type or "") -> modes.

    ``exact``: that name; ``below``: it and all below it.
    """

    def __init__(self) -> None:
        self.exact: dict[tuple[str, str], dict[str, str]] = {}
        self.below: dict[tuple[str, str], dict[str, str]] = {}

    def add(self, where: str, words: str, file: str = "", line: int = 0) -> None:
        """Take one line: a name with an optional ``/TYPE``, and modes separated by white space."""
        name, _, type_ = where.rpartition("/") if re.search(r"/[A-Z0-9]+\Z", where) else (where, "", "")
        modes = {}
        for word in words.split():
            mode, equals, value = word.partition("=")
            if mode not in MODES or (mode == "slow") != bool(equals):
                raise ZoneError(file, line, f"unknown mode: {word} (there are: {', '.join(MODES)})")
            if mode == "slow" and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
                raise ZoneError(file, line, f"slow needs seconds, not: {value}")
            modes[mode] = value
        key = name.rstrip(".").lower()
        if key.startswith("*."):
            self.below.setdefault((key[2:], type_), {}).update(modes)
        else:
            self.exact.setdefault((key, type_), {}).update(modes)

    def of(self, name: str, type_: str) -> dict[str, str]:
        """All modes of a question."""
        key = name.rstrip(".").lower()
        found: dict[str, str] = {}
        rest = key
        while True:
            for kind in ("", type_):
                found |= self.below.get((rest, kind), {})
            _, dot, rest = rest.partition(".")
            if not dot:
                break
        for kind in ("", type_):
            found |= self.below.get(("", kind), {}) | self.exact.get((key, kind), {})
        return found


class Zones:
    """Zones by origin, and the modes of names in them."""

    def __init__(self) -> None:
        self.zones: dict[dns.name.Name, Zone] = {}
        self.modes = Modes()

    @classmethod
    def load(cls, folder: str, modes: Mapping[str, str] | None = None) -> Zones:
        """Read all ``*.zone`` files of a folder; ``modes`` adds to theirs (full name -> modes).

        Raises ZoneError.
        """
        import os

        zones = cls()
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".zone"))
        except OSError as error:
            raise ZoneError(folder, 0, error.strerror or str(error)) from None
        for name in names:
            path = os.path.join(folder, name)
            try:
                with open(path, encoding="latin-1") as file:
                    text = file.read()
            except OSError as error:
                raise ZoneError(path, 0, error.strerror or str(error)) from None
            zones.add(text, name.removesuffix(".zone"), path)
        for where, words in (modes or {}).items():
            zones.modes.add(where, words)
        return zones

    def add(self, text: str, origin: str, file: str = "") -> None:
        """Read one zone; ``origin`` "root" is the root. Raises ZoneError."""
        import dns.exception
        import dns.name
        import dns.zone

        start = dns.name.root if origin == "root" else dns.name.from_text(origin)
        match = re.search(r"(?m)^\$ORIGIN[ \t]+(\S+)", text)
        if match is not None and match[1].endswith("."):
            start = dns.name.from_text(match[1])
        partial = False
        for number, line in enumerate(text.split("\n"), 1):
            mode = _MODE_LINE.match(line)
            if mode is None:
                continue
            if mode[2] is None:
                if mode[1] != "partial":
                    raise ZoneError(file, number, f"no mode for {mode[1]}")
                partial = True
            else:
                where, slash, type_ = mode[1].partition("/")
                if not where.endswith("."):
                    where = start.to_text() if where == "@" else f"{where}.{start.to_text().lstrip('.')}"
                self.modes.add(where + slash + type_, mode[2], file, number)
        try:
            zone = _parse(text, start)
        except (dns.exception.DNSException, ValueError) as error:
            found = re.match(r"(?:<string>|[^:]*):(-?[0-9]+): (.*)", str(error), re.DOTALL)
            line_number, why = (int(found[1]), found[2]) if found else (0, str(error))
            if line_number > 1:
                # dnspython names the next line where it has read the end of the wrong one
                try:
                    _parse("\n".join(text.split("\n")[: line_number - 1]) + "\n", start)
                except (dns.exception.DNSException, ValueError):
                    line_number -= 1
            raise ZoneError(file or origin, line_number, why) from None
        self.zones[start] = Zone(zone, partial)

    def zone_of(self, name: dns.name.Name) -> Zone | None:
        """The zone that a name is in: the one with the longest origin."""
        import dns.name

        rest = name
        while True:
            zone = self.zones.get(rest)
            if zone is not None:
                return zone
            if rest == dns.name.root:
                return None
            rest = rest.parent()

    def respond(self, query: dns.message.Message) -> dns.message.Message | None:
        """Answer a query as a resolving server; None where no zone knows the name or where a CNAME leads."""
        import dns.flags
        import dns.message
        import dns.rcode
        import dns.rdatatype

        question = query.question[0]
        type_ = dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query, recursion_available=True)
        secure = True
        name = question.name
        for _ in range(CHAIN):
            modes = self.modes.of(name.to_text(), type_)
            zone = self.zone_of(name)
            secure = secure and "dnssec" in modes
            if "aa" in modes:
                response.flags |= dns.flags.AA
            code = next((mode for mode in MODES[1:9] if mode in modes and mode != "slow"), None)
            if code is not None:
                response.set_rcode(dns.rcode.from_text(CODES.get(code, code)))
                if zone is not None and code in ("nxdomain", "nodata"):
                    response.authority += zone.authority()
                break
            step = None if zone is None else zone.look(name, question.rdtype)
            if step is None:
                return None
            assert zone is not None
            outcome, found, cname = step
            if found is not None:
                response.answer.append(found)
            if cname is None:
                response.set_rcode(outcome)
                if found is None:
                    response.authority += zone.authority()
                elif "aa" in modes:
                    response.authority += zone.servers()
                break
            name = cname
        if secure and (query.flags & dns.flags.AD or query.ednsflags & dns.flags.DO):
            response.flags |= dns.flags.AD
        return response


def _parse(text: str, origin: dns.name.Name) -> dns.zone.Zone:
    """Read a zone file; records without a time to live, and no $TTL before them, have an hour."""
    import dns.rdataclass
    import dns.tokenizer
    import dns.zone
    import dns.zonefile

    zone = dns.zone.Zone(origin, dns.rdataclass.IN, relativize=False)
    with zone.writer(True) as transaction:
        tokenizer = dns.tokenizer.Tokenizer(text)
        reader = dns.zonefile.Reader(tokenizer, dns.rdataclass.IN, transaction, default_ttl=3600)
        try:
            reader.read()
        except dns.zonefile.UnknownOrigin:
            raise dns.zone.UnknownOrigin from None
    return zone


class Zone:
    """One zone. ``partial``: what is not in it is not known."""

    def __init__(self, zone: dns.zone.Zone, partial: bool) -> None:
        self.zone, self.partial = zone, partial
        #: names that are not in the zone, but have names below them
        self.between: set[dns.name.Name] = set()
        for name in zone.nodes:
            rest = name
            while rest != zone.origin and len(rest) > 1:
                rest = rest.parent()
                if rest in self.between:
                    break
                self.between.add(rest)

    def look(self, name: dns.name.Name, rdtype: Any) -> tuple[Any, Any, Any] | None:
        """Response code, records, and where a CNAME leads; None: delegated away, or not known."""
        import dns.rcode
        import dns.rdatatype
        import dns.rrset

        cut = name
        while cut != self.zone.origin:
            if cut != name and self.zone.get_rrset(cut, dns.rdatatype.NS) is not None and not self.partial:
                return None
            cut = cut.parent()
        owner: dns.name.Name | None = name
        if name not in self.zone.nodes:
            owner = None if name in self.between else self._wildcard(name)
            if owner is None:
                if self.partial:
                    return None
                return dns.rcode.NOERROR if name in self.between else dns.rcode.NXDOMAIN, None, None
        assert owner is not None
        for wanted in (rdtype, dns.rdatatype.CNAME):
            found = self.zone.get_rrset(owner, wanted)
            if found is not None:
                if owner != name:
                    found = dns.rrset.from_rdata_list(name, found.ttl, list(found))
                leads = wanted == dns.rdatatype.CNAME and rdtype != dns.rdatatype.CNAME
                return dns.rcode.NOERROR, found, found[0].target if leads else None
        return None if self.partial else (dns.rcode.NOERROR, None, None)

    def authority(self) -> list[dns.rrset.RRset]:
        """The zone's SOA record, for an answer that says no."""
        import dns.rdatatype

        origin = self.zone.origin
        soa = None if origin is None else self.zone.get_rrset(origin, dns.rdatatype.SOA)
        return [] if soa is None else [soa]

    def servers(self) -> list[dns.rrset.RRset]:
        """The zone's NS records."""
        import dns.rdatatype

        origin = self.zone.origin
        found = None if origin is None else self.zone.get_rrset(origin, dns.rdatatype.NS)
        return [] if found is None else [found]

    def _wildcard(self, name: dns.name.Name) -> dns.name.Name | None:
        """The wildcard that stands for a name that is not there (RFC 4592)."""
        import dns.name

        parent = name
        while parent != self.zone.origin:
            parent = parent.parent()
            star = dns.name.Name((b"*", *parent.labels))
            if star in self.zone.nodes:
                return star
            if parent in self.between or parent in self.zone.nodes:
                return None
        return None


class DescribedResolver:
    """The DNS of a described world. A name that no zone covers is a question the world does not answer.

    ``hosts``: the lines of its hosts file; ``search``: its search list; ``addresses``: its interfaces'.
    """

    def __init__(
        self, zones: Zones, hosts: str = "", search: Iterable[str] = (), addresses: Iterable[str] = ()
    ) -> None:
        self.zones, self.hosts_text, self.search = zones, hosts, list(search)
        self._answers: dict[tuple[Any, ...], Answer] = {}
        self.addresses = list(addresses) or ["127.0.0.1", "::1"]

    def query(self, name: str, rdtype: str, **how: Any) -> Answer:
        """One question; see :class:`eximious.interpreter.protocols.Resolver`."""
        from eximious.backends.dnssearch import searched

        return searched(self._one, name, rdtype, how, self.search)

    def _one(self, name: str, rdtype: str, how: dict[str, Any]) -> Answer:
        asked = (name, rdtype, *sorted(how.items()))
        answer = self._answers.get(asked)
        if answer is None:
            if len(self._answers) >= ANSWERS_KEPT:
                self._answers.clear()
            answer = self._answers[asked] = self._found(name, rdtype, how)
        return answer

    def _found(self, name: str, rdtype: str, how: dict[str, Any]) -> Answer:
        from eximious.backends.dnssearch import wire_query

        query = wire_query(name, rdtype, how)
        if query is None:
            return Answer("fail", reason="not a name that can be asked for")
        modes = self.zones.modes.of(query.question[0].name.to_text(), rdtype)
        patience = (how.get("retrans") or 5) * (how.get("retry") or 2)
        if "timeout" in modes or float(modes.get("slow") or 0) >= patience:
            return Answer(AGAIN, reason="timeout")
        response = self.zones.respond(query)
        if response is None:
            asked = name.rstrip(".") + "."
            line = f"{asked}  3600  IN  {rdtype}  …"
            raise Unanswered(
                "DNS", f"{rdtype} records of {asked}", f"in a file of the world's zones/:\n{line}"
            )
        return answer_of(response)

    def hosts(self) -> str:
        """The text of the hosts file."""
        return self.hosts_text

    def interfaces(self) -> list[str]:
        """The addresses of this host's interfaces."""
        return self.addresses
