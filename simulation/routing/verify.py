"""Asking the routers about one address: for ``-bt``, ``-bv``, EXPN and ``verify =`` (manual 5.2, 44.34).

:class:`Verification` goes on with what an address is redirected to as far as Exim does; what it tells to people
goes line by line to ``write``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.interpreter.addresses import parse_find_at
from eximious.interpreter.text import follow
from eximious.simulation.routing.address import FILE, PIPE, REPLY, Queues
from eximious.simulation.routing.children import make_address, split_address
from eximious.simulation.routing.engine import Chain
from eximious.simulation.routing.results import DEFER, DISCARD, ERROR, FAIL, OK, REROUTED
from eximious.simulation.routing.run import (
    ERRNO_BADTRANSPORT,
    EXPN,
    RECIPIENT,
    ROUTE,
    SENDER,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.conditions.lists.program import Kept
    from eximious.interpreter.context import Context
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun

    Write = Callable[[str], None]
    #: an address that was routed -> OK, or FAIL or DEFER with the reason in the address; may say where it failed
    Callout = Callable[[RoutedAddress, "Verified"], str]


NO_CALLOUT = "Cannot do callout: neither router nor transport provided a host list, or transport is not smtp"


class Verified:
    """What came of it: ``outcome`` OK, FAIL or DEFER.

    ``address``: the one that was asked about, with what was found; ``failed``: the one that did not verify, None
    if all did; ``failure``: Exim's word for where it failed (qualify, route, mail, recipient, postmaster, random);
    ``routed``: whether routing itself went well, or was not tried; ``last``: the address that was routed last;
    ``queues``: where everything ended (``-bt``).
    """

    __slots__ = ("address", "failed", "failure", "last", "outcome", "queues", "routed")

    def __init__(self, outcome: str, address: RoutedAddress, queues: Queues, failure: str = "") -> None:
        self.outcome, self.address, self.queues, self.failure = outcome, address, queues, failure
        self.failed: RoutedAddress | None = None
        self.last = address
        self.routed = True

    @property
    def several(self) -> bool:
        """Whether routing stopped with more than one address; Exim gives cutthrough delivery up for that."""
        return self.outcome == OK and len(self.queues.new) > 1

    @property
    def message(self) -> str:
        """Why, as the log has it."""
        return (self.failed.message or "") if self.failed is not None else ""


class Verification:
    """One question about addresses.

    ``mode``: RECIPIENT, SENDER or EXPN; ``testing``: as ``-bt``, which routes as for delivery. ``full``: go on to
    all addresses that come of it and tell all about them. ``write`` gets the lines for people, None: nobody is
    told. ``admin``: whether reasons are told. ``qualify``: give an address without domain one. ``callout`` is asked
    about an address that could be routed. ``success_on_redirect``: do not go on with a single child.
    ``own_sender``: the address is the message's sender, which becomes what the address is rewritten to. ``kept``: what
    named lists said of the recipient in its ACL, of the domain and of the local part. ``wants_callout``: who listens
    is told where there can be no callout.
    """

    def __init__(
        self,
        ctx: Context,
        mode: str = RECIPIENT,
        *,
        testing: bool = False,
        full: bool = False,
        write: Write | None = None,
        admin: bool = True,
        qualify: bool = False,
        callout: Callout | None = None,
        success_on_redirect: bool = False,
        own_sender: bool = False,
        trace: Write | None = None,
        observe: Any = None,
        kept: tuple[Kept, Kept] | None = None,
        wants_callout: bool = False,
    ) -> None:
        self.kept, self.wants_callout = kept, wants_callout
        self.ctx, self.mode, self.testing, self.full = ctx, mode, testing, full
        self.write, self.admin, self.qualify, self.callout = write, admin, qualify, callout
        self.success_on_redirect, self.own_sender = success_on_redirect, own_sender
        self.chain = Chain(ctx, ROUTE if testing else mode, testing=testing, trace=trace, observe=observe)
        #: what was accepted already, for all questions asked with this object
        self.delivered: set[str] = set()

    def ask(self, text: str) -> Verified:
        """Ask about one address, well formed."""
        given = text
        text, problem = self._prepared(text)
        address = make_address(text)
        address.unique, address.kept = given, self.kept
        queues = Queues()
        verified = Verified(OK, address, queues)
        if problem:
            if self.write is not None:
                prefix = "553 " if self.mode == EXPN else ""
                end = "\r" if self.mode == EXPN else ""
                self.write(f'{prefix}A domain is required for "{text}"{end}\n')
            verified.outcome, verified.failure, verified.failed = FAIL, "qualify", address
            return verified
        if self.own_sender:
            self.ctx.message.sender_address = text
        if not text:
            return verified
        queues.new.append(address)
        saved_sender = self.ctx.message.sender_address
        try:
            self._loop(text, verified)
        finally:
            self.ctx.message.sender_address = saved_sender
        return verified

    def _prepared(self, text: str) -> tuple[str, bool]:
        """Qualify and rewrite; the flag says that there is no domain."""
        ctx = self.ctx
        if parse_find_at(text) < 0:
            if not self.qualify:
                return text, True
            from eximious.interpreter.variables.computed import qualify_domain, qualify_recipient

            domain = (qualify_domain if self.mode == SENDER else qualify_recipient)(ctx)
            text = follow(f"{text}@{domain}", text)
        if ctx.env.configuration.rewrite:
            from eximious.simulation.rewriting.addresses import rewrite_address

            rewritten = rewrite_address(ctx, text, is_recipient=self.mode != SENDER)
            if rewritten != text:
                text = rewritten
                if self.write is not None and self.mode != EXPN:
                    self.write(f"Address rewritten as: {text}\n")
        return text, False

    # ---- going through what there is

    def _loop(self, text: str, verified: Verified) -> None:
        queues = verified.queues
        sender = self.ctx.message.sender_address
        all_well = True
        while queues.new:
            address = queues.new.popleft()
            if self.chain.trace is not None:
                self.chain.trace(f"Considering {address.address}")
            if address.kind:
                all_well = False
                self._tell_special(address)
                continue
            verified.last, verified.routed = address, False
            outcome = self._route(address, queues, sender)
            if outcome == OK:
                verified.routed = True
                if self.wants_callout and self.chain.trace is not None:
                    self._tell_callout(address)
                if self.callout is not None:
                    outcome = self.callout(address, verified)
            else:
                verified.failure = "route"
            if outcome == REROUTED:
                continue
            if outcome in (DISCARD, ERROR):
                outcome = OK  # Exim takes whatever is no failure for success
            if outcome in (FAIL, DEFER):
                all_well = False
                self._tell_failure(address, outcome, text)
                if verified.failed is None:
                    verified.failed = address
                (queues.failed if outcome == FAIL else queues.deferred).append(address)
                if not self.full:
                    verified.outcome = outcome
                    verified.address.address_data = address.address_data
                    return
                if outcome == FAIL or verified.outcome == OK:
                    verified.outcome = outcome
            elif self.mode == EXPN and not self.testing:
                self._tell_expansion(text, queues)
                return
            elif not self.full and self._is_enough(queues):
                if self.write is not None:
                    self.write(f"{text} verified\n")
                given = verified.address
                if address is not given:
                    given.address_data = address.address_data
                    given.router_variables = address.router_variables
                return
        if not self.full:
            return
        if all_well and not queues.local and not queues.remote:
            if self.write is not None:
                self.write(f"mail to {text} is discarded\n")
            return
        if self.write is not None:
            for address in (*reversed(queues.local), *reversed(queues.remote)):
                self._tell_delivery(address)

    def _tell_callout(self, address: RoutedAddress) -> None:
        """Tell where there is nobody to ask."""
        from eximious.simulation.routing.callout_hosts import hosts_of

        before, self.ctx.address = self.ctx.address, address
        try:
            if not hosts_of(self.ctx, address):
                assert self.chain.trace is not None
                self.chain.trace(NO_CALLOUT)
        finally:
            self.ctx.address = before

    def _route(self, address: RoutedAddress, queues: Queues, sender: str) -> str:
        ctx = self.ctx
        address.verify_mode = "S" if self.mode == SENDER and not self.testing else "R"
        if split_address(ctx, address) == DEFER:
            return DEFER
        address.return_path = (
            address.errors_to if address.errors_to is not None else ctx.message.sender_address
        )
        if self.mode == SENDER:
            ctx.message.sender_address = ""
        try:
            return self.chain.route(address, queues)
        finally:
            ctx.message.sender_address = sender

    def _is_enough(self, queues: Queues) -> bool:
        """Whether to stop behind an address that was routed: not where it has become a single other one."""
        return len(queues.new) != 1 or bool(queues.new[0].kind) or self.success_on_redirect

    # ---- what people are told

    def _tell_special(self, address: RoutedAddress) -> None:
        """A pipe, a file or an automatic reply that an address was redirected to."""
        if self.write is None:
            return
        parent = address.parent.address if address.parent is not None else ""
        text = address.address
        arrow = f"mail {text[1:]}" if address.kind == REPLY else text
        line = f"{parent} -> {arrow}"
        if address.errno == ERRNO_BADTRANSPORT:
            line += f"\n*** Error in setting up pipe, file, or autoreply:\n{address.message}"
        elif address.message is not None:
            line += " *** forbidden ***"
        elif address.transport is not None:
            line += f"\n  transport = {address.transport.name}"
        self.write(line + "\n")

    def _tell_failure(self, address: RoutedAddress, outcome: str, text: str) -> None:
        if self.write is None:
            return
        expn = self.mode == EXPN and not self.testing
        prefix = "553 " if expn else ""
        shown = address.address if self.full else text
        if outcome == FAIL:
            what = "is undeliverable" if self.testing or expn else "failed to verify"
        else:
            what = "cannot be resolved at this time"
        line = f"{prefix}{shown} {what}"
        if not expn and self.admin:
            if address.errno > 0:
                line += f": {os.strerror(address.errno)}"
            if address.message is not None:
                line += f": {address.message}"
            elif outcome == DEFER and address.errno <= 0:
                line += ": unknown error"
        end = "\r" if expn else ""
        if self.full:
            parent = address.parent
            while parent is not None:
                line += f"{end}\n    <-- {parent.address}"
                parent = parent.parent
        self.write(f"{line}{end}\n")

    def _tell_expansion(self, text: str, queues: Queues) -> None:
        """What EXPN answers."""
        if self.write is None:
            return
        if not queues.new:
            discarded = not queues.local and not queues.remote
            self.write(f"250 mail to <{text}> is discarded\r\n" if discarded else f"250 <{text}>\r\n")
            return
        last = len(queues.new) - 1
        for at, child in enumerate(queues.new):
            self.write(f"250{' ' if at == last else '-'}<{child.address}>\r\n")
        queues.new.clear()

    def _tell_delivery(self, address: RoutedAddress) -> None:
        """An address that would be delivered: its ancestors, router, transport and hosts."""
        assert self.write is not None
        write = self.write
        transport = address.transport
        line = str(address.address)
        if address.unique in self.delivered:
            line += "   [duplicate, would not be delivered]"
        self.delivered.add(address.unique)
        parent = address.parent
        while parent is not None:
            line += f"\n    <-- {parent.address}"
            parent = parent.parent
        router = address.router.name if address.router is not None else ""
        write(f"{line}\n  router = {router}, transport = {transport.name if transport else 'unset'}\n")
        if not address.hosts or transport is None or _overrides_hosts(transport):
            return
        names = max(len(host.name) for host in address.hosts)
        addresses = max(len(host.address) if host.address is not None else 7 for host in address.hosts)
        local = transport.driver in _LOCAL
        for host in address.hosts:
            if host.address is not None:
                shown = f"[{host.address}{']':<{max(addresses + 1 - len(host.address), 1)}}"
            elif local:
                shown = f" {'':<{addresses}} "
            else:
                shown = f"[unknown{']':<{max(addresses + 1 - 7, 1)}}"
            more = f" MX={host.mx}" if host.mx >= 0 else ""
            more += f" port={host.port}" if host.port >= 0 else ""
            more += " AD" if host.secure else ""
            more += " ** unusable **" if host.status == "unusable" else ""
            write(f"  host {host.name:<{names}} {shown}{more}\n")


_LOCAL = frozenset(("appendfile", "autoreply", "lmtp", "pipe", "queuefile"))


def _overrides_hosts(transport: Any) -> bool:
    """Whether a transport goes to hosts of its own, whatever the router found (``hosts_override``)."""
    try:
        return bool(transport.option("hosts")) and bool(transport.option("hosts_override"))
    except KeyError:
        return False


def verifies_as_sender_of_bounces(run: RouterRun, text: str) -> str | None:
    """Give an address that bounces shall go to as it is qualified, None if it cannot be routed (manual 15.1).

    ``run`` is the delivery's, of which this is a part.
    """
    ctx = run.ctx
    address = ctx.address
    verification = Verification(ctx, RECIPIENT, qualify=True)
    chain = verification.chain
    chain.testing, chain.debug, chain.privileged = run.testing, run.debug, run.privileged
    try:
        verified = verification.ask(text)
        return verified.address.address if verified.outcome == OK else None
    finally:
        ctx.address = address


__all__ = ["EXPN", "FILE", "PIPE", "RECIPIENT", "SENDER", "Verification", "Verified"]
