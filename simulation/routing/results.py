"""What a router says of an address, and what routing it came to (manual 3.10, 3.11)."""

from __future__ import annotations

from typing import Final

# what a driver gives
OK: Final = "ok"  #: accepted: the address is on a queue
REROUTED: Final = "rerouted"  #: replaced by children, or by itself with another domain
DECLINE: Final = "decline"  #: not for this router: on to the next one, unless ``no_more``
PASS: Final = "pass"  #: on to the next one, or to ``pass_router``, whatever ``more`` says
FAIL: Final = "fail"  #: undeliverable
DEFER: Final = "defer"  #: cannot be routed now
DISCARD: Final = "discard"  #: thrown away (``:blackhole:``)
ERROR: Final = "error"  #: a mistake in the configuration

# what a precondition gives instead of letting the driver run
SKIP: Final = "skip"  #: the router is not for this address
