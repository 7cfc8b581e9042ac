"""The chain of routers: which one handles an address (manual 3.10 to 3.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.subject import lower
from eximious.interpreter.engine import expand
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.simulation.routing.options import router_options
from eximious.simulation.routing.preconditions import Kepts, affixes, check
from eximious.simulation.routing.results import DECLINE, DEFER, DISCARD, ERROR, FAIL, OK, PASS, REROUTED, SKIP
from eximious.simulation.routing.run import (
    ERRNO_EXPANDFAIL,
    RECIPIENT,
    ROUTE,
    SENDER,
    RouterRun,
    Stop,
    expanded_bool,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.simulation.routing.address import Queues, RoutedAddress
    from eximious.simulation.routing.options import RouterOptions

    Say = Callable[[str], None]
    Observe = Callable[[Any, RoutedAddress, str, str], None]

#: an address with more of them is taken for one that goes round and round
ANCESTORS = 101


class Chain:
    """The routers of a configuration, asked for addresses one after another.

    ``mode``: ROUTE, RECIPIENT, SENDER or EXPN; ``testing``: for ``-bt``. ``trace`` gets Exim's debugging lines,
    ``observe`` is called with (router, address, what happened, why) for reports to people.
    """

    def __init__(
        self,
        ctx: Context,
        mode: str = ROUTE,
        *,
        testing: bool = False,
        trace: Say | None = None,
        observe: Observe | None = None,
    ) -> None:
        self.ctx, self.mode, self.testing = ctx, mode, testing
        #: whether it is done as root
        self.privileged = mode == ROUTE
        self.trace, self.observe = trace, observe
        #: called with (option, its text, what came of it) for each precondition
        self.explain: Any = None
        #: what gets the text of debug_print; the trace gets it, too
        self.debug: Say | None = None
        self.routers = router_options(ctx)
        self.by_name = {router.name: router for router in self.routers}

    def route(self, address: RoutedAddress, queues: Queues) -> str:
        """Route one address, split already; gives OK, REROUTED, FAIL, DEFER or DISCARD, the reason in the address.

        What came of it is on the queues. ``ctx.address`` is the address meanwhile.
        """
        ctx = self.ctx
        before, log = ctx.address, ctx.env.log
        if before.sender_address_data:
            address.sender_address_data = before.sender_address_data
        if before.recipient_data:
            address.recipient_data = before.recipient_data
        ctx.address = address
        try:
            return self._route(address, queues)
        except Stop as stop:
            return stop.result
        finally:
            address.router_name = ""
            ctx.address, ctx.env.log = before, log

    def _route(self, address: RoutedAddress, queues: Queues) -> str:
        ctx, say = self.ctx, self.trace
        if say is not None:
            say(f"routing {address.address}")
        kepts, log = Kepts(address.kept), ctx.env.log
        routers = self.routers
        if address.start_router is not None:
            begin = self.by_name[address.start_router.name]
            routers = (begin, *begin.following)
        router: RouterOptions | None = routers[0] if routers else None
        while router is not None:
            following = router.following[0] if router.following else None
            if say is not None:
                say(f"--------> {router.name} router <--------")
            address.router = router.instance
            # who watches sees all the same what is not logged
            ctx.env.log = None if router.disable_logging and self.debug is None else log
            if address.parent is not None and self._looped(router, address):
                self._note(router, address, SKIP, "routed by it already")
                router = following
                continue
            mismatch = affixes(router, address)
            if say is not None:
                say(f"local_part={address.local_part} domain={address.domain}")
            if mismatch is not None:
                if say is not None:
                    say(f"{router.name} router skipped: {mismatch} mismatch")
                self._note(router, address, SKIP, f"local_part_{mismatch}")
                router = following
                continue
            address.router_name = router.name
            outcome, user = check(
                ctx,
                router,
                address,
                self.mode,
                self.testing,
                kepts,
                say if self.observe is None else self._say(router, address),
                self.explain,
                self.debug or say,
            )
            if outcome != OK:
                address.router_name = ""
                if outcome == SKIP:
                    router = following
                    continue
                self._note(router, address, outcome, address.message or "")
                return outcome
            ctx_searches = ctx.env.searches
            if ctx_searches is not None:
                ctx_searches.error = None
            result = self._run(router, address, queues, user)
            if result == SKIP:  # a forced failure of set or address_data, and no more
                router = None
                break
            if self.observe is not None:
                self._note(
                    router, address, result, (address.message or "") if result in (FAIL, DEFER) else ""
                )
            if result == FAIL:
                if say is not None:
                    say(f"{router.name} router forced address failure")
                return FAIL
            if result in (OK, PASS) and self._verify_fails(router):
                address.message = f"{router.name} router forced verify failure"
                for queue in (queues.local, queues.remote):
                    if queue and queue[-1] is address:
                        queue.pop()
                if say is not None:
                    say(f"{router.name} router forced verify failure")
                return FAIL
            if result == PASS:
                if say is not None:
                    say(f"{router.name} router passed for {address.address}")
                router = router.pass_router or following
                continue
            if result == DECLINE:
                if say is not None:
                    say(f"{router.name} router declined for {address.address}")
                if not expanded_bool(ctx, address, router.name, "more", router.more):
                    if say is not None:
                        say('"more" is false: skipping remaining routers')
                    router = None
                    break
                router = following
                continue
            return self._finish(router, address, queues, result)
        return self._unrouteable(address)

    def _say(self, router: RouterOptions, address: RoutedAddress) -> Say | None:
        """Who listens to the preconditions: the trace, and the observer of what is skipped."""
        trace, observe = self.trace, self.observe
        if observe is None:
            return trace

        def say(line: str) -> None:
            if trace is not None:
                trace(line)
            head = f"{router.name} router skipped: "
            if line.startswith(head):
                observe(router.instance, address, SKIP, line[len(head) :])

        return say

    def _note(self, router: RouterOptions, address: RoutedAddress, what: str, why: str) -> None:
        if self.observe is not None:
            self.observe(router.instance, address, what, why)

    def _looped(self, router: RouterOptions, address: RoutedAddress) -> bool:
        """Whether an ancestor with the same address went to this router already (manual 3.9).

        For a redirect router with ``no_repeat_use`` any ancestor counts. Raises Stop where there are too many.
        """
        parent = address.parent
        instance = router.instance
        text: str | None = None
        count = 0
        while parent is not None:
            count += 1
            if count > ANCESTORS:
                log_write(self.ctx, f"routing loop for {address.address}", "main panic")
                raise Stop(DEFER)
            if parent.router is instance:
                if not router.repeat_use:
                    return self._loop(router, parent)
                if text is None:
                    text = _compared(router, address)
                if _compared(router, parent) == text:
                    return self._loop(router, parent)
            parent = parent.parent
        return False

    def _loop(self, router: RouterOptions, parent: RoutedAddress) -> bool:
        if self.trace is not None:
            self.trace(f"{router.name} router skipped: previously routed {parent.address}")
        return True

    def _verify_fails(self, router: RouterOptions) -> bool:
        return bool(
            (self.mode == SENDER and router.fail_verify_sender)
            or (self.mode == RECIPIENT and router.fail_verify_recipient)
        )

    def _run(self, router: RouterOptions, address: RoutedAddress, queues: Queues, user: Any) -> str:
        """Set variables and address data, and call the driver."""
        ctx, say = self.ctx, self.trace
        if router.set is not None:
            outcome = self._set_variables(router, address)
            if outcome is not None:
                return outcome
        if router.address_data is not None:
            if say is not None:
                say("processing address_data")
            try:
                address.address_data = expand(router.address_data, ctx)
            except ForcedFailure:
                if say is not None:
                    say(
                        f'forced failure in expansion of "{router.address_data}" (address_data): '
                        "decline action taken"
                    )
                return self._declined(router, address)
            except Failure as failure:
                address.message = (
                    f'expansion of "{router.address_data}" failed in {router.name} router: {failure.message}'
                )
                return DEFER
        if router.dsn_lasthop:
            address.dsn_lasthop = True
        if say is not None:
            say(f"calling {router.name} router")
        run = RouterRun(
            ctx,
            router.instance,
            queues,
            mode=self.mode,
            testing=self.testing,
            user=user,
            trace=say,
            observe=self.observe,
            redirect_router=router.redirect_router.instance if router.redirect_router else None,
            values=router.values,
            debug=self.debug,
            privileged=self.privileged,
        )
        try:
            return router.run(run, address)
        except Stop as stop:
            return stop.result

    def _declined(self, router: RouterOptions, address: RoutedAddress) -> str:
        """After a forced failure of set or address_data: DECLINE, or SKIP (there are no more routers)."""
        if expanded_bool(self.ctx, address, router.name, "more", router.more):
            return DECLINE
        if self.trace is not None:
            self.trace('"more"=false: skipping remaining routers')
        return SKIP

    def _set_variables(self, router: RouterOptions, address: RoutedAddress) -> str | None:
        """The option ``set``: variables of the address; None when all are set."""
        from eximious.interpreter.listsplit import SPACE, split_default

        for setting in split_default(str(router.set), ";"):
            name, _, text = setting.partition("=")
            name, text = name.strip(SPACE), text.strip(SPACE)
            if not name.startswith("r_"):
                line = f"bad router variable name '{name}' in router '{router.name}'\n"
                log_write(self.ctx, line, "main panic")
                return ERROR
            try:
                value = expand(text, self.ctx)
            except ForcedFailure:
                if self.trace is not None:
                    self.trace(
                        f'forced failure in expansion of "{text}" (router variable): decline action taken'
                    )
                # without more routers Exim gives up here, and takes that for success; so it does where it cannot know
                try:
                    return DECLINE if self._declined(router, address) == DECLINE else ERROR
                except Stop:
                    return ERROR
            except Failure as failure:
                address.message = f'expansion of "{text}" failed in {router.name} router: {failure.message}'
                address.errno = ERRNO_EXPANDFAIL
                return ERROR
            address.router_variables = {**address.router_variables, name: value}
        return None

    def _finish(self, router: RouterOptions, address: RoutedAddress, queues: Queues, result: str) -> str:
        """What comes behind a driver that took the address: translated addresses, unseen copies."""
        ctx = self.ctx
        if result in (DEFER, DISCARD, ERROR):
            if self.trace is not None and result == DEFER:
                self.trace(f"{router.name} router: defer for {address.address}\n  message: {address.message}")
            return result
        if result == REROUTED:
            if self.trace is not None and queues.new:
                self.trace(f"re-routed to {queues.new[0].address}")
            return REROUTED
        if router.translate_ip_address is not None:
            for host in address.hosts:
                if host.address is None:
                    continue
                address.host_address = host.address
                try:
                    host.address = expand(router.translate_ip_address, ctx)
                except ForcedFailure:
                    continue
                except Failure as failure:
                    address.message = f"translate_ip_address expansion failed: {failure.message}"
                    address.errno = ERRNO_EXPANDFAIL
                    return DEFER
                finally:
                    address.host_address = ""
        unseen = expanded_bool(ctx, address, router.name, "unseen", router.unseen)
        if self.trace is not None:
            self.trace(f"routed by {router.name} router{' (unseen)' if unseen else ''}")
        address.message = None
        if unseen and router.following:
            self._copy_for_next(router, address, queues)
        return OK

    def _copy_for_next(self, router: RouterOptions, address: RoutedAddress, queues: Queues) -> None:
        """Let a copy of the address go on with the next router (``unseen``, manual 15.1)."""
        from eximious.simulation.routing.children import make_address

        # both are children of what the address was before
        before, copy = make_address(address.address), make_address(address.address)
        before.parent, before.router, before.child_count = address.parent, address.router, 2
        before.caseful, before.caseless = address.caseful, address.caseless
        before.local_part, before.domain = address.whole_local_part, address.domain
        copy.parent, copy.unseen_copies = before, address.unseen_copies + 1
        # the one that is delivered here is no double of what becomes of the copy
        address.unique = f"\\{copy.unseen_copies}\\{address.unique}"
        copy.address_data, copy.router_variables = address.address_data, dict(address.router_variables)
        copy.dsn_lasthop = address.dsn_lasthop
        if address.parent is not None:
            copy.errors_to = address.parent.errors_to
        # what headers this router added is for its own delivery
        copy.start_router = router.following[0].instance
        address.parent = before
        queues.new.appendleft(copy)
        if self.trace is not None:
            self.trace(f'"unseen" set: replicated {copy.address}')

    def _unrouteable(self, address: RoutedAddress) -> str:
        """There are no more routers."""
        if self.trace is not None:
            self.trace("no more routers")
        if address.message is None:
            message = "Unrouteable address"
            router = address.router
            text = router.option("cannot_route_message") if router is not None else None
            if text is not None:
                try:
                    message = expand(text, self.ctx)
                except ForcedFailure:
                    pass
                except Failure as failure:
                    assert router is not None
                    line = f"failed to expand cannot_route_message in {router.name} router: {failure.message}"
                    log_write(self.ctx, line, "main panic")
            address.user_message = address.message = message
        address.router = None
        return FAIL


def _compared(router: RouterOptions, address: RoutedAddress) -> str:
    """An address as it is compared with others for a router: case only matters in the local part, if there."""
    text = str(address.address)
    if not router.caseful_local_part:
        return lower(text)
    local_part, _, domain = text.rpartition("@")
    return f"{local_part}@{lower(domain)}"
