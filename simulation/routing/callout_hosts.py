"""The hosts that a callout asks, and how they are asked: what the transport's options say (manual 30.4, 44.38)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_host
from eximious.interpreter.engine import expand
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.simulation.routing.login import Login
from eximious.simulation.routing.peer import Greeting, Peer, Said
from eximious.simulation.routing.run import LOCAL_TRANSPORTS

if TYPE_CHECKING:
    from typing import Any

    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.interpreter.hosts import Host
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.callouts import CalloutOptions

#: names of ports, where the system's list is not asked
_PORTS = {"smtp": 25, "smtps": 465, "submission": 587, "submissions": 465, "ssmtp": 465}


def hosts_of(ctx: Context, address: RoutedAddress) -> list[Host]:
    """Give the hosts to be asked: the router's, or those that the transport has of its own."""
    hosts = list(address.hosts)
    transport = address.transport
    if transport is None or transport.driver in LOCAL_TRANSPORTS:
        return hosts
    text = transport.option("hosts")
    if not text or (hosts and not transport.option("hosts_override")):
        return hosts
    address.transport_name = ""
    try:
        text = expand(text, ctx)
    except Failure as failure:
        line = f'failed to expand list of hosts "{text}" in {transport.name} transport for callout: {failure.message}'
        log_write(ctx, line, "main panic")
        return []
    return _found(ctx, transport, text)


def _found(ctx: Context, transport: Instance, text: str) -> list[Host]:
    """The hosts of a list with their addresses; one without an address stays, and is not asked."""
    from eximious.interpreter.hosts import Host, find_by_name
    from eximious.interpreter.hosts_dns import ADDRESSES, Search, find_by_dns
    from eximious.simulation.routing.hostlists import take_port

    names = [str(item) for item in split_list(text) if item]
    if transport.option("hosts_randomize"):
        below = ctx.env.doors.chance.below
        for at in range(len(names) - 1, 0, -1):
            other = below(at + 1)
            names[at], names[other] = names[other], names[at]
    found: list[Host] = []
    for name in names:
        host = Host(name)
        port = take_port(host)
        qualify = bool(transport.option("dns_qualify_single"))
        if transport.option("gethostbyname") or parse_ip(host.name) is not None:
            hosts = find_by_name(ctx, host, None, qualify_single=qualify, check_local=False).hosts
        else:
            search = Search((ADDRESSES,))
            search.qualify_single = qualify
            search.search_parents = bool(transport.option("dns_search_parents"))
            search.dnssec_request = transport.option("dnssec_request_domains")
            search.dnssec_require = transport.option("dnssec_require_domains")
            hosts = find_by_dns(ctx, host.name, search).hosts
        for one in hosts or [host]:
            if port >= 0:
                one.port = port
            found.append(one)
    return found


class Server:
    """One host, asked by the options of the address's transport. ``problem``: why it cannot be asked, "" if it can."""

    def __init__(self, ctx: Context, address: RoutedAddress, host: Host, options: CalloutOptions) -> None:
        assert address.transport is not None
        self.ctx, self.host, self.options = ctx, host, options
        self.transport: Instance = address.transport
        self.problem = ""
        address.host, address.host_address = host.name, str(host.address)
        address.transport_name = self.transport.name
        self._address = address
        self._peer: Peer | None = None
        self._port = self._wanted_port() if self._interface_is_good() else 25
        self.helo = self._helo()
        self._login = Login(ctx, self.transport, host, self._matches)

    # ---- what the transport says

    def _helo(self) -> str:
        text = self.transport.option("helo_data") or "$primary_hostname"
        try:
            return str(expand(text, self.ctx))
        except Failure as failure:
            where = f"<{self._address.address}>: failed to expand transport's helo_data value for callout"
            log_write(self.ctx, f"{where}: {failure.message}", "main panic")
            self.problem = f"failed to expand helo_data: {failure.message}"
            return ""

    def _place(self) -> str:
        """Where the host is, for the sockets door."""
        port = self.host.port if self.host.port >= 0 else self._port
        shown = f"[{self.host.address}]" if ":" in str(self.host.address) else self.host.address
        return f"inet:{shown}:{port}"

    def _interface_is_good(self) -> bool:
        """Whether ``interface`` can be expanded; which one is used does not matter here."""
        text = self.transport.option("interface")
        if not text:
            return True
        try:
            expand(text, self.ctx)
        except ForcedFailure:
            return True
        except Failure as failure:
            where = f'<{self._address.address}>: failed to expand "interface" option for callout'
            log_write(self.ctx, f"{where}: {failure.message}", "main panic")
            return False
        return True

    def _wanted_port(self) -> int:
        option = self.transport.option
        protocol = option("protocol") or "smtp"
        text = option("port") or {"lmtp": "lmtp", "smtps": "smtps"}.get(protocol, "smtp")
        where = f"<{self._address.address}>"
        try:
            name = str(expand(text, self.ctx))
        except Failure as failure:
            line = f'{where}: failed to expand "{text}" ("port" option) for callout: {failure.message}'
            log_write(self.ctx, line, "main panic")
            return 25
        if name.isascii() and name.isdigit():
            return int(name)
        if name not in _PORTS:
            log_write(self.ctx, f'{where}: TCP port "{name}" is not defined for callout', "main panic")
            return 25
        return _PORTS[name]

    def _matches(self, option: str) -> bool:
        """Whether the host is in a host list of the transport."""
        try:
            text = self.transport.option(option)
        except KeyError:
            return False
        if not text:
            return False
        return match_host(self.ctx, text, name=self.host.name, address=str(self.host.address)).matched

    def _greeting(self) -> Greeting:
        greeting = Greeting(self.helo)
        protocol = self.transport.option("protocol")
        greeting.lmtp = protocol == "lmtp"
        greeting.tls_on_connect = protocol == "smtps"
        greeting.esmtp = not self._matches("hosts_avoid_esmtp")
        greeting.need_tls = self._matches("hosts_require_tls")
        greeting.starttls = not (self._matches("hosts_avoid_tls") or self._matches("hosts_verify_avoid_tls"))
        greeting.tempfail_clear = bool(self.transport.option("tls_tempfail_tryclear"))
        greeting.login = self._login
        return greeting

    # ---- asking

    def recipient(self, address: RoutedAddress) -> str:
        """The address that RCPT has: without prefix and suffix, unless the transport wants them."""
        text = str(address.address)
        if self.transport.option("rcpt_include_affixes"):
            return text
        front, back = len(address.local_part_prefix), len(address.local_part_suffix)
        local_part, at, domain = text.rpartition("@")
        return f"{local_part[front : len(local_part) - back]}{at}{domain}" if front or back else text

    def _size(self) -> int:
        """What SIZE= would say of the message, 0: nothing (manual 30.4, size_addition)."""
        size, more = self.ctx.message.message_size, self.transport.option("size_addition")
        return size + more if size > 0 and more >= 0 else 0

    def ask(self, recipient: str, sender: str, *, reopen: bool = False, main: bool = False) -> Said:
        """What the host says to a sender and a recipient. ``main``: it is the address in question itself."""
        size = 0
        if main and self.options.no_cache:
            size = self._size()

        def speak(doors: Any) -> dict[str, str]:
            if self._peer is None:
                options = self.options
                connect = options.connect if options.connect >= 0 else options.seconds
                self._peer = Peer(self._place(), self._greeting(), float(connect), float(options.seconds))
            return self._peer.ask(doors, recipient, sender, size, reopen).as_verdict() | self._login.logged()

        return self._said(recipient, sender, speak)

    def ask_more(self, recipient: str, sender: str) -> Said:
        """What it says to one more recipient of the same transaction."""

        def speak(doors: Any) -> dict[str, str]:
            assert self._peer is not None
            return self._peer.ask_more(recipient).as_verdict()

        return self._said(recipient, sender, speak)

    def _said(self, recipient: str, sender: str, speak: Any) -> Said:
        self._login.spoken = False
        verdict = self.ctx.env.doors.verdicts.ask(
            "callout", recipient, self.host.name, sender, needs="net", speak=speak
        )
        if not self._login.spoken:
            self._login.log_again(str(verdict.get("logged") or ""))
        said = Said.of_verdict(verdict)
        if not said.command:
            said.command = {
                "mail": f"MAIL FROM:<{sender}>",
                "rcpt": f"RCPT TO:<{recipient}>",
                "helo": f"EHLO {self.helo}",
                "rset": "RSET",
            }.get(said.stage, "")
        return said

    def close(self) -> None:
        """End the conversation, if there is one."""
        if self._peer is not None:
            self._peer.close()
