"""What callouts have found, kept for later ones (manual 44.41): a record of each domain, and one of each address.

It lasts as long as the environment, where the real one has a database in its spool directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context

#: what a record says
UNKNOWN, ACCEPT, REJECT, REJECT_MFNULL = "unknown", "accept", "reject", "reject_mfnull"


class Record:
    """What was found of a domain, or (``result`` alone) of an address. ``…stamp``: when, in seconds."""

    __slots__ = ("postmaster", "postmaster_stamp", "random", "random_stamp", "result", "stamp")

    def __init__(self) -> None:
        self.result = self.postmaster = self.random = UNKNOWN
        self.stamp = self.postmaster_stamp = self.random_stamp = 0.0


class Cache:
    """The records that hold now."""

    def __init__(self, ctx: Context) -> None:
        from eximious.simulation.acl.state import hints_of

        self._options: Any = ctx.env.options
        self.now = ctx.env.doors.clock.now()
        self._records: dict[tuple[str, str], Record] = hints_of(ctx).setdefault("callout", {})

    def domain(self, domain: str) -> Record | None:
        """Give a copy of a domain's record, without the parts that are too old."""
        found = self._records.get(("domain", domain))
        if found is None:
            return None
        positive = found.result in (ACCEPT, REJECT_MFNULL)
        life = self._life("callout_domain_positive_expire" if positive else "callout_domain_negative_expire")
        if self.now - found.stamp > life:
            return None
        record = Record()
        for name in Record.__slots__:
            setattr(record, name, getattr(found, name))
        if record.result != REJECT:
            if self.now - record.postmaster_stamp > life:
                record.postmaster = UNKNOWN
            if self.now - record.random_stamp > life:
                record.random = UNKNOWN
        return record

    def address(self, key: str, lives: tuple[float, float] | None = None) -> Record | None:
        """Give an address's record; ``key``: the address, with the sender where that mattered.

        ``lives``: how long a good one and a bad one hold, in seconds; None: as the options say.
        """
        found = self._records.get(("address", key))
        if found is None:
            return None
        if lives is not None:
            return None if self.now - found.stamp > lives[found.result != ACCEPT] else found
        name = "callout_positive_expire" if found.result == ACCEPT else "callout_negative_expire"
        return None if self.now - found.stamp > self._life(name) else found

    def keep(self, kind: str, key: str, record: Record) -> None:
        """Keep a record of kind ``domain`` or ``address``."""
        record.stamp = self.now
        self._records[(kind, key)] = record

    def _life(self, option: str) -> float:
        return float(self._options.get(option, 0))
