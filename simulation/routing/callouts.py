"""Callouts: asking the hosts of an address whether they would take mail for it (manual 44.38 to 44.41).

What a host says goes through the verdicts door, kind ``callout``: a described world answers, or the host is really
asked where that is allowed. What was found is kept as in Exim's callout cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure
from eximious.simulation.routing.callout_cache import ACCEPT, REJECT, REJECT_MFNULL, Cache, Record
from eximious.simulation.routing.peer import (
    BANNER,
    CLOSED,
    CONNECT,
    HELO,
    MAIL,
    MALFORMED,
    RCPT,
    RSET,
    SETUP,
    TIMEOUT,
    Said,
    system_error,
)
from eximious.simulation.routing.results import DEFER, FAIL, OK
from eximious.simulation.routing.run import SENDER

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.interpreter.hosts import Host
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.callout_hosts import Server
    from eximious.simulation.routing.verify import Verified

ERRNO_CALLOUTDEFER = -34
#: flags of an address: what the failure was about
NULL_SENDER, POSTMASTER = "null sender", "postmaster"
#: seconds that one step may take where nothing is said
SECONDS = 30


class CalloutOptions:
    """How a callout is made: the options of ``verify = …/callout=…``.

    ``seconds``: for one step; ``connect`` and ``overall``: for the connection and for everything, -1: as Exim sets
    them. ``postmaster``: the sender of the postmaster check, None: there is none; ``full_postmaster``: also without
    domain. ``mailfrom``: the sender for header_sender.
    """

    __slots__ = (
        "connect", "full_postmaster", "mailfrom", "no_cache", "overall", "postmaster", "random", "seconds",
        "use_postmaster", "use_sender", "use_tptsender",
    )  # fmt: skip

    def __init__(self) -> None:
        self.seconds = SECONDS
        self.connect = self.overall = -1
        self.no_cache = self.random = self.full_postmaster = False
        self.use_sender = self.use_postmaster = self.use_tptsender = False
        self.mailfrom: str | None = None
        self.postmaster: str | None = None


class Caller:
    """Callouts of one ``verify``; ``mode``: SENDER or RECIPIENT."""

    def __init__(self, ctx: Context, options: CalloutOptions, mode: str) -> None:
        self.ctx, self.options = ctx, options
        self.sender_mode = mode == SENDER

    def ask(self, address: RoutedAddress, verified: Verified) -> str:
        """Ask about an address that was routed; gives OK, FAIL or DEFER, the reason in the address.

        ``verified.failure`` becomes mail, recipient, postmaster or random. With no host there is nobody to ask: OK.
        """
        from eximious.simulation.routing.callout_hosts import hosts_of

        ctx = self.ctx
        before = ctx.address
        ctx.address = address
        try:
            hosts = hosts_of(ctx, address)
            if not hosts:
                return OK
            return _Callout(self, address, verified).run(hosts)
        finally:
            address.host = address.host_address = address.transport_name = ""
            ctx.address = before


class _Callout:
    """One address being asked about."""

    def __init__(self, caller: Caller, address: RoutedAddress, verified: Verified) -> None:
        self.ctx, self.options, self.sender_mode = caller.ctx, caller.options, caller.sender_mode
        self.address, self.verified = address, verified
        self.postmaster = self.options.postmaster
        self.random = self.options.random
        self.cache = Cache(self.ctx)
        self.record = Record()
        self.old_result = ""
        self.result = ""
        self.sender, self.key = self._sender()

    def _sender(self) -> tuple[str, str]:
        """The sender that hosts are told, and the address's key in the cache."""
        options, text = self.options, str(self.address.address)
        if self.sender_mode:
            sender = options.mailfrom or ""
        elif options.use_sender or options.use_tptsender:
            sender = self._own_sender(options.use_tptsender)
            return sender, f"{text}/<{sender}>"
        elif options.use_postmaster:
            from eximious.interpreter.variables.computed import qualify_domain

            sender = f"postmaster@{qualify_domain(self.ctx)}"
        else:
            sender = ""
        return sender, f"{text}/<{sender}>" if sender else text

    def _own_sender(self, of_transport: bool) -> str:
        """The message's sender, or what the transport would make of it (``return_path``)."""
        transport = self.address.transport
        text = transport.option("return_path") if of_transport and transport is not None else None
        if text is not None:
            try:
                return str(expand(text, self.ctx))
            except Failure as failure:
                log_write(
                    self.ctx, f'failed to expand "{text}" for a callout: {failure.message}', "main panic"
                )
        return str(self.ctx.message.sender_address)

    def run(self, hosts: list[Host]) -> str:
        """Look into the cache, then ask the hosts in turn."""
        if not self.options.no_cache:
            known = self._cached()
            if known is not None:
                return known
        address, transport = self.address, self.address.transport
        outcome, done = OK, False
        if transport is not None and transport.driver != "smtp":
            where = f"callout transport '{transport.name}': {transport.driver} is non-smtp"
            log_write(self.ctx, f"Exim configuration error for {where}", "main panic")
        elif transport is not None:
            outcome, done = self._ask_hosts(hosts)
        if not self.options.no_cache:
            self._keep(done)
        if done:
            return outcome
        self._incomplete(len(hosts) > 1)
        address.errno = ERRNO_CALLOUTDEFER
        return DEFER

    def _incomplete(self, several: bool) -> None:
        """Nobody could be asked: say so, with details where there was one host only."""
        address, sender_mode = self.address, self.sender_mode
        dull = f"Could not complete {'sender' if sender_mode else 'recipient'} verify callout"
        address.message = dull if several or address.message is None else f"{dull}: {address.message}"
        address.user_message = dull
        if self.ctx.env.options.get("smtp_return_error_details"):
            what = (
                "you need to change the address or create an MX record for its domain\n"
                "if it is supposed to be generally accessible from the Internet.\n"
                "Talk to your mail administrator for details."
                if sender_mode
                else "the address will never be accepted."
            )
            address.user_message = (
                f"{dull} for <{address.address}>.\n"
                "The mail server(s) for the domain may be temporarily unreachable, or\n"
                f"they may be permanently unreachable from this server. In the latter case,\n{what}"
            )

    # ---- the cache

    def _cached(self) -> str | None:
        """What earlier callouts say; None: the hosts have to be asked."""
        address, verified = self.address, self.verified
        found = self.cache.domain(str(address.domain))
        if found is not None:
            self.old_result = found.result
            if found.result == REJECT or (not self.sender and found.result == REJECT_MFNULL):
                address.callout_failure = NULL_SENDER
                address.user_message = "(result of an earlier callout reused)."
                verified.failure = "mail"
                return FAIL
            if self.random:
                if found.random == ACCEPT:
                    verified.failure = "random"
                    return OK
                if found.random != REJECT:
                    return None
                self.random = False
                self.record.random, self.record.random_stamp = REJECT, found.random_stamp
            if self.postmaster is not None:
                if found.postmaster == REJECT:
                    address.callout_failure = POSTMASTER
                    address.user_message = "(result of earlier verification reused)."
                    verified.failure = "postmaster"
                    return FAIL
                if found.postmaster != ACCEPT:
                    return None
                self.postmaster = None
                self.record.postmaster, self.record.postmaster_stamp = ACCEPT, found.postmaster_stamp
        known = self.cache.address(self.key)
        if known is None:
            return None
        if known.result == ACCEPT:
            return OK
        address.user_message = "Previous (cached) callout verification failure"
        verified.failure = "recipient"
        return FAIL

    def _keep(self, done: bool) -> None:
        if self.record.result != "unknown":
            self.cache.keep("domain", str(self.address.domain), self.record)
        if done and self.result:
            found = Record()
            found.result = self.result
            self.cache.keep("address", self.key, found)

    # ---- the hosts

    def _ask_hosts(self, hosts: list[Host]) -> tuple[str, bool]:
        """Ask the hosts until one gives an answer that counts; gives what it is, and whether there is one."""
        from eximious.simulation.routing.callout_hosts import Server

        ctx, options, address = self.ctx, self.options, self.address
        random = self._random_local_part()
        overall = options.overall if options.overall >= 0 else 4 * options.seconds
        clock = ctx.env.doors.clock
        start = int(clock.now())
        address.callout_failure = ""
        outcome, done = OK, False
        for host in hosts:
            if host.address is None:
                continue
            if int(clock.now()) - start >= overall:
                break
            server = Server(ctx, address, host, options)
            try:
                if server.problem:
                    outcome, done = DEFER, False
                    address.message = server.problem
                else:
                    outcome, done, random = self._ask_host(server, random)
            finally:
                server.close()
            if not done or outcome != OK:
                address.message = f"{host.name} [{host.address}] : {address.message or 'NULL'}"
            if done:
                break
        return outcome, done

    def _random_local_part(self) -> str | None:
        """The local part that should not be there, None where that is not tested."""
        text = self.ctx.env.options.get("callout_random_local_part")
        if not self.random or not text:
            return None
        try:
            return str(expand(text, self.ctx))
        except Failure as failure:
            line = f"failed to expand callout_random_local_part: {failure.message}"
            log_write(self.ctx, line, "main panic")
            return None

    def _ask_host(self, server: Server, random: str | None) -> tuple[str, bool, str | None]:
        """Ask one host; gives the outcome, whether it is final, and the random local part still to be tested."""
        address, verified, record = self.address, self.verified, self.record
        reopen = False
        if random is not None:
            said = server.ask(f"{random}@{address.domain}", self.sender)
            if said.stage in (CONNECT, BANNER, HELO):
                return *self._stopped(server, said), random
            self._set_up()
            record.random_stamp = self.cache.now
            self._note(said)
            if said.accepted:
                record.random = ACCEPT
                verified.failure = "random"
                return OK, True, random
            if not (said.stage == RCPT and not said.fails and said.reply.startswith("5")):
                return *self._stopped(server, said), random
            record.random = REJECT
            reopen = True
        said = server.ask(server.recipient(address), self.sender, reopen=reopen, main=True)
        if said.stage in (CONNECT, BANNER, HELO):
            return *self._stopped(server, said), random
        self._set_up()
        self._note(said)
        refused = not said.fails and said.reply.startswith("5")
        outcome = OK
        if said.accepted:
            self.result = ACCEPT
        elif said.stage == RCPT and refused:
            verified.failure = "recipient"
            self.result = REJECT
            outcome = FAIL
        else:
            if said.stage == MAIL:
                verified.failure = "mail"
                if refused:
                    address.callout_failure = NULL_SENDER
                    if not self.sender:
                        record.result = REJECT_MFNULL
            return *self._stopped(server, said), random
        if self.postmaster is not None:
            # Exim asks for the postmaster of an address that was refused, too
            final, done = self._ask_postmaster(server)
            return (outcome if final == OK else final), done, random
        self._stopped(server, said)
        return outcome, True, random

    def _set_up(self) -> None:
        """A host could be talked to: the domain takes mail, unless it is known not to take bounces."""
        self.record.result = REJECT_MFNULL if self.old_result == REJECT_MFNULL else ACCEPT

    def _ask_postmaster(self, server: Server) -> tuple[str, bool]:
        """Whether the domain has a postmaster."""
        address, record = self.address, self.record
        assert self.postmaster is not None
        said = server.ask(f"postmaster@{address.domain}", self.postmaster)
        if said.stage == RSET:
            return self._stopped(server, said)
        self._note(said)
        accepted = said.accepted
        if not accepted and self.options.full_postmaster:
            said = server.ask_more("postmaster", self.postmaster)
            accepted = said.accepted
        record.postmaster_stamp = self.cache.now
        if accepted:
            record.postmaster = ACCEPT
            self._stopped(server, said)
            return OK, True
        if not said.fails and said.reply.startswith("5"):
            self.verified.failure = "postmaster"
            address.callout_failure = POSTMASTER
            record.postmaster = REJECT
        return self._stopped(server, said)

    def _note(self, said: Said) -> None:
        """Leave Exim's message about a reply to RCPT in the address."""
        if said.stage != RCPT or said.accepted:
            return
        if said.fails == TIMEOUT:
            self.address.message = f"SMTP timeout after {said.command}"
        elif not said.fails:
            self.address.message = self._refused(said)

    def _refused(self, said: Said) -> str:
        from eximious.simulation.acl.engine import printing

        command = said.command or "initial connection"
        return f"SMTP error from remote mail server after {command}: {printing(self.ctx, said.reply)}"

    def _stopped(self, server: Server, said: Said) -> tuple[str, bool]:
        """Leave the messages about the last reply; gives the outcome if it is no acceptance, and if that is final."""
        from eximious.simulation.acl.engine import printing

        address = self.address
        self._set_up_failure(said)
        if said.fails == SETUP:
            address.message = said.reply
        if said.fails and said.fails != CLOSED:
            return DEFER, False
        if said.fails == CLOSED and said.stage in (CONNECT, BANNER, HELO):
            return DEFER, False
        if said.stage == MAIL and said.reply.startswith(("1", "3", "4")):
            return DEFER, False  # an error number of Exim's own stands in the way of a message
        text = said.reply or "connection dropped"
        # the command that Exim remembers: it says QUIT to who refuses to talk
        command = said.command if said.stage not in (BANNER, HELO) else "QUIT"
        if address.message is None:
            address.message = f'response to "{command}" was: {printing(self.ctx, text)}'
        shown = _cut(text)
        if self.sender_mode:
            address.user_message = f"Called:   {server.host.address}\nSent:     {command}\nResponse: {shown}"
        else:
            address.user_message = f"Callout verification failed:\n{shown}"
        if text.startswith("5"):
            return FAIL, True
        return DEFER, False

    def _set_up_failure(self, said: Said) -> None:
        """Leave Exim's message about a connection or greeting that failed in the address."""
        if said.stage not in (CONNECT, BANNER, HELO):
            return
        from eximious.simulation.acl.engine import printing

        command = said.command or "initial connection"
        if said.stage == CONNECT:
            message = system_error(said.fails)
        elif said.fails == TIMEOUT:
            message = f"SMTP timeout after {command}"
        elif said.fails == MALFORMED:
            message = f"Malformed SMTP reply in response to {command}: {printing(self.ctx, said.reply)}"
        elif said.fails:
            message = f"Remote host closed connection in response to {command}"
        else:
            message = self._refused(said)
        self.address.message = message


def _cut(text: str) -> str:
    """A reply as far as it may be handed on to a client (RFC 5321 4.2)."""
    for at, character in enumerate(text):
        if character not in "\t\n" and not " " <= character <= "~":
            return text[:at] + "(truncated)"
    return text
