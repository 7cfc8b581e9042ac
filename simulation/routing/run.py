"""What a router driver is given, and what all drivers share (manual 15).

The functions here are what several drivers do alike: transports, errors_to, header lines, users, queues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.simulation.routing.address import Queues, RoutedAddress

#: how an address is looked at (manual 3.5): routing for delivery or -bt, -bv and recipients, senders, EXPN
ROUTE, RECIPIENT, SENDER, EXPN = "route", "recipient", "sender", "expn"


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
    for reports to people.
    """

    __slots__ = ("ctx", "mode", "observe", "queues", "router", "testing", "trace", "user")

    def __init__(
        self,
        ctx: Context,
        router: Instance,
        queues: Queues,
        *,
        mode: str = ROUTE,
        testing: bool = False,
        user: Any = None,
        trace: Callable[[str], None] | None = None,
        observe: Callable[[Instance, RoutedAddress, str, str], None] | None = None,
    ) -> None:
        self.ctx, self.router, self.queues, self.mode, self.testing = ctx, router, queues, mode, testing
        self.user, self.trace, self.observe = user, trace, observe

    @property
    def verifying(self) -> bool:
        """Whether nothing would be delivered (not -bt, which acts as a delivery)."""
        return self.mode != ROUTE
