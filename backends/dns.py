"""The DNS for real, denied, and recorded (the described one is in ``dnszones``).

The real one is a stub resolver as the C library's: resolv.conf, time-outs, repeats, TCP where an answer does
not fit. dnspython is imported when the first question is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import AGAIN, FAIL, NODATA, NOMATCH, Answer, Record
from eximious.interpreter.outcomes import Refused

if TYPE_CHECKING:
    from typing import Any

RETRANS, RETRY = 5, 2  #: the C library's waiting time in seconds and number of rounds
MAX_SERVERS = 3


class ResolvConf:
    """What resolv.conf says. ``servers`` are (address, port), ``retrans`` is in seconds."""

    __slots__ = ("retrans", "retry", "search", "servers", "trust_ad")

    def __init__(self) -> None:
        self.servers: list[tuple[str, int]] = []
        self.search: list[str] = []
        self.retrans, self.retry = RETRANS, RETRY
        self.trust_ad = False

    @classmethod
    def read(cls, text: str) -> ResolvConf:
        """Read the text of a resolv.conf; what is not understood is passed over (resolv.conf(5))."""
        conf = cls()
        for line in text.splitlines():
            words = line.partition("#")[0].partition(";")[0].split()
            if len(words) < 2:
                continue
            if words[0] == "nameserver":
                conf.servers.append((words[1], 53))
            elif words[0] in ("search", "domain"):
                conf.search = words[1:] if words[0] == "search" else words[1:2]
            elif words[0] == "options":
                for option in words[1:]:
                    conf._option(option)
        del conf.servers[MAX_SERVERS:]
        if not conf.servers:
            conf.servers.append(("127.0.0.1", 53))
        return conf

    def _option(self, option: str) -> None:
        name, _, value = option.partition(":")
        if name == "trust-ad":
            self.trust_ad = True
        elif value.isdigit() and name == "timeout":
            self.retrans = min(int(value), 30)
        elif value.isdigit() and name == "attempts":
            self.retry = min(int(value), 5)


def parse_nameserver(text: str) -> tuple[str, int]:
    """Read ``IP``, ``IP:PORT`` or ``[IPv6]:PORT``; raises ValueError."""
    from eximious.interpreter.ipaddress import parse_ip

    address, port = text, "53"
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"not an address and port: {text}")
        port = rest[1:] or "53"
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    if parse_ip(address) is None or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"not an address and port: {text}")
    return address, int(port)


class RealResolver:
    """Asks name servers. ``nameserver``: only this one (and its AD flag is trusted); else resolv.conf's."""

    def __init__(
        self,
        nameserver: tuple[str, int] | None = None,
        resolv_conf: str = "/etc/resolv.conf",
        hosts_file: str = "/etc/hosts",
    ) -> None:
        self._nameserver = nameserver
        self._resolv_conf, self._hosts_file = resolv_conf, hosts_file
        self._conf: ResolvConf | None = None
        self._hosts: str | None = None

    @property
    def conf(self) -> ResolvConf:
        """The resolver's settings, read on first use."""
        if self._conf is None:
            self._conf = ResolvConf.read(_read(self._resolv_conf))
            if self._nameserver is not None:
                self._conf.servers = [self._nameserver]
                self._conf.trust_ad = True
        return self._conf

    def query(self, name: str, rdtype: str, **how: Any) -> Answer:
        """One question; see :class:`eximious.interpreter.protocols.Resolver`."""
        from eximious.backends.dnssearch import searched

        return searched(self._one, name, rdtype, how, self.conf.search)

    def _one(self, name: str, rdtype: str, how: dict[str, Any]) -> Answer:
        from eximious.backends.dnssearch import wire_query
        from eximious.backends.dnswire import answer_of

        query = wire_query(name, rdtype, how)
        if query is None:
            return Answer(FAIL, reason="not a name that can be asked for")
        conf = self.conf
        retrans = how.get("retrans") or conf.retrans
        last = Answer(AGAIN, reason="timeout")
        for _ in range(how.get("retry") or conf.retry):
            for number, server in enumerate(conf.servers):
                wait = max(1, (retrans << number) // (len(conf.servers) if number else 1))
                response = _exchange(query, server, wait)
                if isinstance(response, str):
                    last = Answer(AGAIN, reason=response)
                    continue
                answer = answer_of(response)
                if answer.outcome != AGAIN:
                    answer.secure = answer.secure and conf.trust_ad
                    return answer
                last = answer
        return last

    def hosts(self) -> str:
        """The text of the hosts file."""
        if self._hosts is None:
            self._hosts = _read(self._hosts_file)
        return self._hosts

    def interfaces(self) -> list[str]:
        """The addresses of this host's interfaces."""
        from eximious.backends.interfaces import running_interfaces

        return running_interfaces()


def _read(path: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read()
    except OSError:
        return ""  # as the C library takes a missing one


def _exchange(query: Any, server: tuple[str, int], wait: float) -> Any:
    """One query to one server; the response, or why there is none."""
    import dns.exception
    import dns.flags
    import dns.query

    address, port = server
    try:
        response = dns.query.udp(query, address, wait, port, ignore_unexpected=True, ignore_trailing=True)
        if response.flags & dns.flags.TC:
            response = dns.query.tcp(query, address, wait, port)
    except dns.exception.Timeout:
        return "timeout"
    except (dns.exception.DNSException, OSError, EOFError) as error:
        return str(error) or type(error).__name__
    return response


class DenyingResolver:
    """Refuses every question, naming the switches that would allow it."""

    def query(self, name: str, rdtype: str, **how: Any) -> Answer:
        """Raises Refused."""
        raise Refused("DNS", f"asking for the {rdtype} records of {name}", "--live dns or --world DIR")

    def hosts(self) -> str:
        """No hosts file is read: names are a question to the DNS then."""
        return ""

    def interfaces(self) -> list[str]:
        """Raises Refused."""
        raise Refused("@[]", "listing the addresses of this host", "--live dns or --world DIR")


class RecordingResolver:
    """Passes questions on and keeps the answers, to be written as zone files (:meth:`zone_files`)."""

    def __init__(self, resolver: Any) -> None:
        self.resolver = resolver
        self.answers: dict[tuple[str, str], Answer] = {}
        self.asked_hosts = self.asked_interfaces = False

    def query(self, name: str, rdtype: str, **how: Any) -> Answer:
        """One question, passed on."""
        from eximious.backends.dnssearch import escaped, searched

        def one(full_name: str, type_: str, options: dict[str, Any]) -> Answer:
            plain = {**options, "qualify_single": False, "search_parents": False}
            answer: Answer = self.resolver.query(full_name, type_, **plain)
            self.answers[escaped(full_name.rstrip(".").lower()), type_] = answer
            return answer

        conf = getattr(self.resolver, "conf", None)
        return searched(one, name, rdtype, how, conf.search if conf is not None else [])

    def hosts(self) -> str:
        """The hosts file, passed on."""
        self.asked_hosts = True
        text: str = self.resolver.hosts()
        return text

    def interfaces(self) -> list[str]:
        """The interfaces, passed on."""
        self.asked_interfaces = True
        found: list[str] = self.resolver.interfaces()
        return found

    def zone_files(self) -> dict[str, str]:
        """All answers as zone files: file name -> text."""
        return zone_files(self.answers)


_FAILED = {NOMATCH: "nxdomain", NODATA: "nodata", FAIL: "formerr", AGAIN: "servfail"}


def zone_files(answers: dict[tuple[str, str], Answer]) -> dict[str, str]:
    """Write answers as zone files that give them again and know nothing else: file name -> text.

    There is one for each SOA record that was seen, and ``root.zone`` for the rest.
    """
    modes: dict[str, None] = {}
    records: dict[Record, None] = {}

    def say(name: str, type_: str, words: str) -> None:
        modes[f";! {name.replace(chr(92) + ';', chr(92) + '059')}./{type_} {words}"] = None

    for (name, type_), answer in sorted(answers.items()):
        records |= dict.fromkeys((*answer.records, *answer.authority))
        # where a CNAME leads to nothing, that is said of the name it leads to
        last = answer.records[-1].data[0] if answer.records and answer.records[-1].type == "CNAME" else name
        failed = _FAILED.get(answer.outcome)
        if failed is not None:
            say(last, type_, "timeout" if answer.reason == "timeout" else failed)
        words = [word for word, yes in (("dnssec", answer.secure), ("aa", answer.authoritative)) if yes]
        if words:
            for one in sorted({name, *(record.name.lower() for record in answer.records)}):
                say(one, type_, " ".join(words))
    origins = {record.name.lower() for record in records if record.type == "SOA"} | {""}
    files = {origin: [";! partial", "$TTL 3600"] for origin in sorted(origins)}
    files[""][1:1] = modes
    for record in records:
        rest = record.name.lower()
        while rest not in files:
            rest = rest.partition(".")[2]
        files[rest].append(_record_line(record))
    return {f"{origin or 'root'}.zone": "\n".join(lines) + "\n" for origin, lines in files.items()}


def _record_line(record: Record) -> str:
    fields = []
    for field in record.data:
        text = str(field)
        if record.type in ("TXT", "SPF"):
            fields.append('"' + "".join(_quoted(char) for char in text) + '"')
        elif isinstance(field, str) and record.type in ("CNAME", "NS", "PTR", "MX", "SRV", "SOA"):
            fields.append(text + ".")
        else:
            fields.append(text)
    return f"{record.name}.  {record.ttl}  IN  {record.type}  {' '.join(fields)}"


def _quoted(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if " " <= char < "\x7f" else f"\\{ord(char):03d}"
