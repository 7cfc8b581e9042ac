"""A router's generic options, read once for all addresses (manual 15).

What the configuration has is turned into plain attributes, so that asking a router costs little for each address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.listspans import SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.simulation.routing.registry import Driver


class Affix:
    """One item of ``local_part_prefix`` or ``local_part_suffix``: ``fixed`` text, with ``*`` at its open end or not."""

    __slots__ = ("fixed", "wild")

    def __init__(self, item: str, suffix: bool) -> None:
        self.wild = item.endswith("*") if suffix else item.startswith("*")
        self.fixed = (item[:-1] if suffix else item[1:]) if self.wild else item

    def prefix_of(self, local_part: str) -> tuple[int, int]:
        """How much of a local part this prefix takes, and how much of that the ``*``; (0, 0): it does not match."""
        if self.wild:
            # the last place where the fixed text stands: the longest prefix
            at = local_part.lower().rfind(self.fixed.lower())
            return (at + len(self.fixed), at) if at >= 0 else (0, 0)
        size = len(self.fixed)
        return (size, 0) if local_part[:size].lower() == self.fixed.lower() else (0, 0)

    def suffix_of(self, local_part: str) -> tuple[int, int]:
        """Likewise for a suffix."""
        if self.wild:
            at = local_part.lower().find(self.fixed.lower())
            if 0 <= at < len(local_part):
                return len(local_part) - at, len(local_part) - at - len(self.fixed)
            return 0, 0
        size = len(self.fixed)
        if len(local_part) >= size and local_part[len(local_part) - size :].lower() == self.fixed.lower():
            return size, 0
        return 0, 0


class RouterOptions:
    """The generic options of one router, by their names; ``following``: the routers behind it, nearest first."""

    run: Driver
    address_data: str | None
    address_test: bool
    cannot_route_message: str | None
    caseful_local_part: bool
    check_local_user: bool
    condition: str | None
    debug_print: str | None
    disable_logging: bool
    domains: str | None
    dsn_lasthop: bool
    expn: bool
    fail_verify_recipient: bool
    fail_verify_sender: bool
    local_part_prefix_optional: bool
    local_part_suffix_optional: bool
    local_parts: str | None
    more: bool | str
    require_files: str | None
    router_home_directory: str | None
    senders: str | None
    unseen: bool | str
    verify_only: bool
    verify_recipient: bool
    verify_sender: bool

    def __init__(self, instance: Instance) -> None:
        option = instance.option
        self.instance, self.name, self.driver_name = instance, instance.name, instance.driver or ""
        #: options that drivers asked for: name -> value
        self.values: dict[str, Any] = {}
        #: (mode, testing) -> why it is not asked then, "" if it is
        self.forbidden: dict[tuple[str, bool], str] = {}
        for name in (
            "address_data", "address_test", "cannot_route_message", "caseful_local_part", "check_local_user",
            "condition", "debug_print", "disable_logging", "domains", "dsn_lasthop", "expn", "fail_verify_recipient",
            "fail_verify_sender", "local_part_prefix_optional", "local_part_suffix_optional", "local_parts", "more",
            "require_files", "router_home_directory", "senders", "unseen", "verify_only", "verify_recipient",
            "verify_sender",
        ):  # fmt: skip
            setattr(self, name, option(name))
        self.set = _optional(instance, "set")
        self.translate_ip_address = _optional(instance, "translate_ip_address")
        self.repeat_use = instance.driver != "redirect" or option("repeat_use")
        self.local_part_prefix = _affixes(option("local_part_prefix"), False)
        self.local_part_suffix = _affixes(option("local_part_suffix"), True)
        #: it wants the local part as it is
        self.whole = self.local_part_prefix is None and self.local_part_suffix is None
        self.pass_router: RouterOptions | None = None
        self.redirect_router: RouterOptions | None = None
        self.following: Sequence[RouterOptions] = ()

    def __repr__(self) -> str:
        return f"RouterOptions({self.name!r})"


def _optional(instance: Instance, name: str) -> str | None:
    """The value of an option that not every version or build has."""
    try:
        value: str | None = instance.option(name)
    except KeyError:
        return None
    return value


def _affixes(text: str | None, suffix: bool) -> tuple[Affix, ...] | None:
    if text is None:
        return None
    from eximious.interpreter.listsplit import split_list

    return tuple(Affix(item.strip(SPACE), suffix) for item in split_list(text))


def router_options(ctx: Context) -> tuple[RouterOptions, ...]:
    """Give the routers of the configuration in order, read once for the environment."""
    kept = ctx.env.kept
    found: tuple[RouterOptions, ...] | None = kept.get("routers")
    if found is None:
        from eximious.simulation.routing.registry import driver

        routers = ctx.env.configuration.routers
        found = tuple(RouterOptions(instance) for instance in routers.values())
        by_name = {router.name: router for router in found}
        for at, router in enumerate(found):
            router.following = found[at + 1 :]
            router.run = driver(router.driver_name)
            for name in ("pass_router", "redirect_router"):
                other = router.instance.option(name)
                setattr(router, name, by_name.get(other) if other else None)
        kept["routers"] = found
    return found
