"""Zone files of another project's fake name server, read into ours.

Their format: ``name TYPE data`` a line, names relative unless they end in a dot, a blank name for the one
before; in front of it ``DNSSEC``, ``AA``, ``TTL=n``, ``DELAY=ms``, ``NXDOMAIN``. The file's name tells the
zone: ``db.test.ex``, ``db.ip4.10`` (reverse), ``db.ip6.0``. A file ``qualify.DOMAIN`` names the domain that
names without a dot belong to. Names under again.dns fail for now, those under fail.dns for good.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dns.message
    from eximious.backends.dnszones import Zones

_PREFIX = re.compile(r"(AA|DNSSEC|NXDOMAIN|TTL=\d+|DELAY=\d+)[ \t]+")


def zone_name(file: str) -> str:
    """The zone that a file is for."""
    name = file.removeprefix("db.")
    if name.startswith("ip4."):
        return ".".join(reversed(name[4:].split("."))) + ".in-addr.arpa"
    if name.startswith("ip6."):
        nibbles = name[4:].split(".")
        return ".".join([*["0"] * (4 - len(nibbles)), *nibbles]) + ".ip6.arpa"
    return name


def convert(text: str, zone: str) -> str:
    """Give the text of a zone file of ours. Lines that are no records are left out."""
    lines = ["$TTL 3600"]
    modes: dict[str, set[str]] = {}
    plain: set[str] = set()
    owner = "@"
    for line in text.split("\n"):
        words: list[str] = []
        while (found := _PREFIX.match(line)) is not None:
            words.append(found[1])
            line = line[found.end() :]
        match = re.match(r"(\S*)[ \t]+([A-Z]+)[ \t]+([^<].*)", line)
        if line[:1] in ";#" or match is None or match[2] == "ON":
            continue
        owner = match[1] or owner
        type_, data = match[2], match[3].strip()
        ttl = next((word[4:] for word in words if word.startswith("TTL=")), "3600")
        if type_ == "SOA":
            server, mailbox, rest = data.split(None, 2)
            data = f"{server} {mailbox.rstrip('.')}. {rest}"
        if type_ == "TXT" and not data.startswith('"'):
            data = '"' + data.replace('"', '\\"') + '"'
        if "NXDOMAIN" in words:
            modes.setdefault(owner, set()).add("nxdomain")
        else:
            lines.append(f"{owner} {ttl} IN {type_} {data}")
        key = f"{owner}/{type_}"
        if "DNSSEC" in words:
            modes.setdefault(key, set()).add("dnssec")
        else:
            plain.add(key)
        if "AA" in words:
            modes.setdefault(key, set()).add("aa")
        for word in words:
            if word.startswith("DELAY="):
                modes.setdefault(owner, set()).add(f"slow={int(word[6:]) / 1000}")
    for key in plain:  # signed only if all of its records are
        modes.get(key, set()).discard("dnssec")
    lines += [f";! {key} {' '.join(sorted(found))}" for key, found in modes.items() if found]
    return "\n".join(lines) + "\n"


def load(folder: Path) -> tuple[Zones, str]:
    """Read a folder; gives the zones and the domain for names without a dot."""
    from eximious.backends.dnszones import ZoneError, Zones

    zones = Zones()
    domain = ""
    for file in sorted(folder.iterdir()):
        if file.name.startswith("qualify."):
            domain = file.name.removeprefix("qualify.")
        elif file.name.startswith("db."):
            zone = zone_name(file.name)
            text = convert(file.read_text(encoding="latin-1"), zone)
            while True:  # lines that make no records are left out
                try:
                    zones.add(text, zone, file.name)
                except ZoneError as error:
                    if not error.line:
                        raise
                    lines = text.split("\n")
                    del lines[error.line - 1]
                    text = "\n".join(lines) + "\n"
                else:
                    break
    zones.add("@ SOA . . 1 1 1 1 1", "root")
    zones.modes.add("*.again.dns", "servfail")
    zones.modes.add("*.fail.dns", "formerr")
    return zones, domain


class QualifyingZones:
    """Zones in which names without a dot belong to a domain, whatever the asker wants."""

    def __init__(self, zones: Zones, domain: str) -> None:
        self.zones, self.domain, self.modes = zones, domain, zones.modes

    def respond(self, query: dns.message.Message) -> dns.message.Message | None:
        """Answer a query; the answer's names are the full ones."""
        import dns.message
        import dns.name
        import dns.rrset

        question = query.question[0]
        if len(question.name) != 2 or not self.domain or question.name.to_text() == "dontqualify.":
            return self.zones.respond(query)
        full = dns.name.from_text(question.name.to_text() + self.domain)
        changed = dns.message.make_query(full, question.rdtype, flags=query.flags)
        changed.id = query.id
        if query.edns >= 0:
            changed.use_edns(query.edns, query.ednsflags, query.payload)
        response = self.zones.respond(changed)
        if response is not None:
            response.question = query.question
        return response
