"""The DNS for real, and denied (the described one is in ``dnszones``, what records in ``recording``).

The real one is a stub resolver as the C library's: resolv.conf, time-outs, repeats, TCP where an answer does
not fit. dnspython is imported when the first question is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import AGAIN, FAIL, Answer
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
