"""What a router driver is given, and what all drivers share (manual 15).

The functions here are what several drivers do alike: transports, errors_to, header lines, users, queues. Where a driver
cannot go on they raise :class:`Stop`, with the message in the address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import split_default
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import Tainted, follow
from eximious.simulation.routing.results import DEFER, FAIL, OK, REROUTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.simulation.routing.address import Queues, RoutedAddress

    Trace = Callable[[str], None]

#: how an address is looked at (manual 3.5): routing for delivery or -bt, -bv and recipients, senders, EXPN
ROUTE, RECIPIENT, SENDER, EXPN = "route", "recipient", "sender", "expn"

# Exim's numbers for why something is deferred; the negative ones have no text of the system's
ERRNO_EXPANDFAIL, ERRNO_BADTRANSPORT, ERRNO_LISTDEFER = -23, -20, -32


class Stop(Exception):
    """A router cannot go on: ``result`` is what it gives; the address has the message."""

    def __init__(self, result: str) -> None:
        super().__init__(result)
        self.result = result


class RouterRun:
    """One router asked about one address.

    ``router``: its options (``router.option(name)``). ``mode``: ROUTE, RECIPIENT, SENDER or EXPN.
    ``testing``: for ``-bt`` (address_test_mode). ``queues``: where accepted addresses go. ``user``: the passwd
    entry that check_local_user found, None without. ``trace``: gets a line for each thing done, in the words
    of Exim's debugging output, where somebody listens. ``observe``: called with (router, address, what, detail)
    for reports to people. ``redirect_router``: where children begin, None: at the first router. ``debug`` gets the
    text of debug_print. ``privileged``: it is done as root, as deliveries are and verification is not.
    """

    __slots__ = (
        "ctx", "debug", "mode", "observe", "privileged", "queues", "redirect_router", "router", "testing", "trace",
        "user", "values",
    )  # fmt: skip

    def __init__(
        self,
        ctx: Context,
        router: Instance,
        queues: Queues,
        *,
        mode: str = ROUTE,
        testing: bool = False,
        user: Any = None,
        trace: Trace | None = None,
        observe: Callable[[Instance, RoutedAddress, str, str], None] | None = None,
        redirect_router: Instance | None = None,
        values: dict[str, Any] | None = None,
        debug: Trace | None = None,
        privileged: bool = False,
    ) -> None:
        self.debug, self.privileged = debug, privileged
        self.ctx, self.router, self.queues, self.mode, self.testing = ctx, router, queues, mode, testing
        self.user, self.trace, self.observe = user, trace, observe
        self.redirect_router = redirect_router
        #: options that were asked for, kept with the router
        self.values: dict[str, Any] = {} if values is None else values

    @property
    def verifying(self) -> bool:
        """Whether nothing would be delivered (not -bt, which acts as a delivery)."""
        return self.mode != ROUTE

    @property
    def name(self) -> str:
        """The router's name."""
        return self.router.name

    def option(self, name: str) -> Any:
        """Give the value of an option of the router, its default included; None where this build has it not."""
        values = self.values
        if name in values:
            return values[name]
        try:
            value = self.router.option(name)
        except KeyError:
            value = None
        values[name] = value
        return value

    def say(self, line: str) -> None:
        """Trace a line."""
        if self.trace is not None:
            self.trace(line)

    def stop(self, address: RoutedAddress, result: str, message: str, errno: int = 0) -> Stop:
        """Give the exception that ends the router with a message: ``raise run.stop(…)``."""
        address.message, address.errno = message, errno
        return Stop(result)

    # ---- expansion

    def expand_data(self, address: RoutedAddress, text: str, before: str = "") -> str | None:
        """Expand ``text``; None after a forced failure. Any other failure stops the router with a deferral.

        ``before``: what the message begins with.

        Manual 3.10, 11.1: a forced failure makes most options behave as if they were not set, or the router decline.
        """
        try:
            return expand(text, self.ctx)
        except ForcedFailure:
            self.say(f'forced failure for expansion of "{text}"')
            return None
        except Failure as failure:
            message = f'{before}failed to expand "{text}": {failure.message}'
            raise self.stop(address, DEFER, message, ERRNO_EXPANDFAIL) from None

    # ---- transports

    def transport(self, address: RoutedAddress, option: str = "transport") -> Instance | None:
        """Give the transport that an option names, None where it is not set (manual 15.1, ``transport``).

        Stops the router where it cannot be expanded or there is no such transport.
        """
        text = self.option(option)
        return None if text is None else self.named_transport(address, text, option)

    def named_transport(self, address: RoutedAddress, text: str, option: str = "transport") -> Instance:
        """Give the transport of a name, which is expanded first."""
        name = text
        if "$" in text:
            try:
                name = expand(text, self.ctx)
            except Failure as failure:
                message = f'failed to expand transport "{text}" in {self.name} router: {failure.message}'
                raise self.stop(address, DEFER, message, ERRNO_EXPANDFAIL) from None
            if type(name) is Tainted and self.ctx.env.version >= (4, 94):
                log_write(
                    self.ctx,
                    f"attempt to use tainted value '{name}' from '{text}' for transport",
                    "main panic",
                )
                raise self.stop(address, DEFER, "internal configuration error", ERRNO_EXPANDFAIL)
        found: Instance | None = self.ctx.env.configuration.transports.get(name)
        if found is None:
            message = f'transport "{name}" not found in {self.name} router'
            raise self.stop(address, DEFER, message, ERRNO_BADTRANSPORT)
        if self.trace is not None:
            self.trace(f"set transport {name}")
        return found

    # ---- where bounces go, header lines

    def errors_address(self, address: RoutedAddress) -> str | None:
        """Give where bounces go by ``errors_to``: None: as for the parent, "": nowhere (manual 15.1).

        An address that does not verify is ignored, unless this is a verification itself.
        """
        text = self.option("errors_to")
        if text is None:
            return address.errors_to
        try:
            value = expand(text, self.ctx)
        except ForcedFailure:
            self.say("forced expansion failure - ignoring errors_to")
            return address.errors_to
        except Failure as failure:
            message = f'{self.name} router failed to expand "{text}": {failure.message}'
            raise self.stop(address, DEFER, message) from None
        if not value:
            return ""
        if self.mode != ROUTE:
            self.say("skipped verify errors_to address: already verifying")
            return value
        from eximious.simulation.routing.verify import verifies_as_sender_of_bounces

        self.say(f"------ Verifying errors address {value} ------")
        good = verifies_as_sender_of_bounces(self, value)
        self.say(f"------ End verifying errors address {value} ------")
        return good if good is not None else address.errors_to

    def munge_headers(self, address: RoutedAddress) -> tuple[tuple[str, ...], str]:
        """Give the header lines to add and the list of names to remove: the address's and this router's.

        Manual 15.1, ``headers_add`` and ``headers_remove``.
        """
        added, removed = address.extra_headers, address.removed_headers
        for option in ("headers_add", "headers_remove"):
            text = self.option(option)
            if text is None:
                continue
            for item in split_default(text, "\n" if option == "headers_add" else ":"):
                try:
                    value = expand(item, self.ctx)
                except ForcedFailure:
                    continue
                except Failure as failure:
                    what = "add_headers" if option == "headers_add" else "remove_headers"
                    message = f'{self.name} router failed to expand {what} item "{item}": {failure.message}'
                    raise self.stop(address, DEFER, message) from None
                if not value:
                    continue
                if option == "headers_add":
                    added = (*added, follow(value.rstrip("\n") + "\n", value))
                else:
                    removed = follow(f"{removed}:{value}" if removed else value, removed, value)
        return added, removed

    def set_properties(self, address: RoutedAddress) -> None:
        """Work out where bounces go and header lines, and note them in the address."""
        address.errors_to = self.errors_address(address)
        address.extra_headers, address.removed_headers = self.munge_headers(address)

    # ---- users

    def user_and_group(
        self, address: RoutedAddress, user: str = "user", group: str = "group"
    ) -> tuple[int | None, int | None, bool]:
        """Give uid, gid and whether to initialise groups, as options of the router say (manual 15.1, ``user``).

        Without these options it is what check_local_user found. Stops the router where they cannot be expanded or
        found, or where there is a user without group.
        """
        uid, gid = self._id(address, user, False), self._id(address, group, True)
        found_gid = None
        if isinstance(uid, tuple):
            uid, found_gid = uid
        if isinstance(gid, tuple):
            gid = gid[0]
        if gid is None:
            gid = found_gid
        initgroups = bool(self.option("initgroups"))
        if user == "user" and self.user is not None:
            if uid is None:
                uid = self.user.pw_uid
                if gid is None:
                    gid = self.user.pw_gid
            elif gid is None and self.option(user) is None:
                gid = self.user.pw_gid
        if uid is not None and gid is None:
            raise self.stop(address, DEFER, f"{user} set without {group} for {self.name} router")
        return uid, gid, initgroups

    def _id(self, address: RoutedAddress, option: str, group: bool) -> Any:
        """What an option says: None, a number, or (number, primary group or None) of a text that was expanded."""
        value = self.option(option)
        if value is None or isinstance(value, int):
            return value
        kind = "group" if group else "user"
        try:
            name = expand(value, self.ctx)
        except Failure as failure:
            message = (
                f'Failed to expand {kind} string "{value}" for the {self.name} router: {failure.message}'
            )
            log_write(self.ctx, message, "main panic")
            raise self.stop(address, DEFER, message) from None
        users = self.ctx.env.doors.users
        if group:
            entry = users.getgrnam(name)
            if entry is not None:
                return entry.gr_gid, None
        else:
            entry = users.getpwnam(name)
            if entry is not None:
                return entry.pw_uid, entry.pw_gid
        if name.isascii() and name.isdigit():
            return int(name), None
        message = f'Failed to find {kind} "{name}" from expanded string "{value}" for the {self.name} router'
        log_write(self.ctx, message, "main panic")
        raise self.stop(address, DEFER, message)

    # ---- what becomes of the address

    def queue(self, address: RoutedAddress) -> None:
        """Put an accepted address on the queue of its transport (manual 3.12).

        The properties that list matches and lookups left in ``$domain_data`` and ``$local_part_data`` stay with it.
        """
        router = self.router
        address.router = router
        transport = address.transport
        if transport is None:
            self.queues.local.append(address)
            self.say(f"queued for <unset> transport: local_part = {address.local_part}")
            return
        address.home_dir = self.option("transport_home_directory")
        address.current_dir = self.option("transport_current_directory")
        if transport.driver in LOCAL_TRANSPORTS:
            uid, gid, initgroups = self.user_and_group(address)
            if uid is not None:
                address.uid = uid
            if gid is not None:
                address.gid = gid
            address.initgroups = initgroups
            self.queues.local.append(address)
        else:
            self.queues.remote.append(address)
        if self.trace is not None:
            self.trace(f"queued for {transport.name} transport: local_part = {address.local_part}")

    def change_domain(self, address: RoutedAddress, domain: str, rewrite: bool) -> str:
        """Replace an address by a child with another domain, to be routed from the start; gives REROUTED.

        ``rewrite``: also the header lines in which the old domain stands (dnslookup, ``self = reroute: rewrite``).
        """
        from eximious.simulation.routing.children import make_address

        child = make_address(follow(f"{address.address.rpartition('@')[0]}@{domain}", address.address))
        child.parent = address
        child.inherit(address)
        address.child_count = 1
        self.queues.new.appendleft(child)
        if rewrite and self.ctx.message.headers:
            self.say("rewriting header lines")
            from eximious.simulation.rewriting.domains import rewrite_domain_in_headers

            rewrite_domain_in_headers(self.ctx, address.domain, domain)
        return REROUTED


#: the drivers of local transports (manual 3.4): all others deliver to hosts
LOCAL_TRANSPORTS = frozenset(("appendfile", "autoreply", "lmtp", "pipe", "queuefile"))
#: the values of a boolean that is expanded
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def expanded_bool(ctx: Context, address: RoutedAddress, router: str, name: str, value: bool | str) -> bool:
    """Give the value of an option that is a truth or a text to be expanded (``more``, ``unseen``).

    A forced failure leaves it at its default. Raises Stop(DEFER).
    """
    if not isinstance(value, str):
        return value
    try:
        text = expand(value, ctx)
    except ForcedFailure:
        return name == "more"
    except Failure as failure:
        address.message = f'failed to expand "{name}" in {router} router: {failure.message}'
        address.errno = ERRNO_EXPANDFAIL
        raise Stop(DEFER) from None
    found = _TRUTH.get(text.lower())
    if found is None:
        address.message = f'"{text}" is not a valid value for the "{name}" option in the {router} router'
        raise Stop(DEFER)
    return found


__all__ = [
    "DEFER",
    "ERRNO_BADTRANSPORT",
    "ERRNO_EXPANDFAIL",
    "EXPN",
    "FAIL",
    "LOCAL_TRANSPORTS",
    "OK",
    "RECIPIENT",
    "ROUTE",
    "SENDER",
    "RouterRun",
    "Stop",
    "expanded_bool",
]
