"""The accept router: takes whatever its preconditions let through (manual 16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.routing.registry import router_driver
from eximious.simulation.routing.results import OK

if TYPE_CHECKING:
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun


@router_driver("accept", section="16")
def accept(run: RouterRun, address: RoutedAddress) -> str:
    """Accept the address for the router's transport."""
    errors_to = run.errors_address(address)
    headers = run.munge_headers(address)
    transport = run.transport(address)
    address.transport = transport
    address.errors_to = errors_to
    address.extra_headers, address.removed_headers = headers
    run.queue(address)
    return OK
