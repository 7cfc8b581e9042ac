"""Where addresses go, told to people and programs: what ``eximious route`` and the API give.

The routers tell what they do (:class:`Tried`); nothing is worked out a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.assembly import Assembly
    from eximious.drawing.picture import Picture
    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.simulation.routing.address import RoutedAddress

#: what became of an address
FATES = ("delivered", "redirected", "discarded", "failed", "deferred")
_WORDS = {
    "ok": "accepted",
    "rerouted": "rerouted",
    "decline": "declined",
    "pass": "passed",
    "fail": "failed",
    "defer": "deferred",
    "discard": "discarded",
    "error": "error",
    "skip": "skipped",
}


class Tried:
    """One router asked about one address. ``outcome``: skipped, declined, passed, accepted, …; ``why``: the reason;
    ``conditions``: (option, text, whether it was met) where that was asked for."""

    __slots__ = ("conditions", "outcome", "place", "router", "why")

    def __init__(self, router: str, place: str, outcome: str, why: str) -> None:
        self.router, self.place, self.outcome, self.why = router, place, outcome, why
        self.conditions: list[tuple[str, str, bool]] = []

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        out: dict[str, Any] = {"router": self.router, "place": self.place, "outcome": self.outcome}
        if self.why:
            out["why"] = self.why
        if self.conditions:
            out["conditions"] = [
                {"option": option, "text": text, "met": met} for option, text, met in self.conditions
            ]
        return out


class Routed:
    """One address and what became of it; ``children``: what it was redirected to. ``fate``: one of FATES."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.fate = ""
        self.message = ""
        self.router = self.transport = self.kind = ""
        self.hosts: list[dict[str, Any]] = []
        self.tried: list[Tried] = []
        self.children: list[Routed] = []
        self.errors_to: str | None = None
        self.data = ""
        self.variables: dict[str, str] = {}

    def deliveries(self) -> list[Routed]:
        """The final deliveries below it, itself included."""
        found = [self] if self.fate == "delivered" else []
        for child in self.children:
            found += child.deliveries()
        return found

    def worst(self) -> str:
        """``failed`` if anything below it failed, else ``deferred`` if anything is, else ``delivered``."""
        fates = {self.fate, *(child.worst() for child in self.children)}
        return "failed" if "failed" in fates else "deferred" if "deferred" in fates else "delivered"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form (see the schema ``route``)."""
        out: dict[str, Any] = {"address": self.address, "fate": self.fate}
        for name in ("message", "router", "transport", "kind"):
            if getattr(self, name):
                out[name] = getattr(self, name)
        if self.hosts:
            out["hosts"] = self.hosts
        if self.errors_to is not None:
            out["errors_to"] = self.errors_to
        if self.data:
            out["address_data"] = self.data
        if self.variables:
            out["variables"] = self.variables
        out["tried"] = [one.to_dict() for one in self.tried]
        out["children"] = [child.to_dict() for child in self.children]
        return out


def route(assembly: Assembly, ctx: Context, text: str, explain: bool = False) -> Routed:
    """Route one address, well formed, through all that comes of it. Raises what the doors raise."""
    return _Watcher(assembly, explain).route(ctx, text)


class _Watcher:
    """Listens to the chain of routers."""

    def __init__(self, assembly: Assembly, explain: bool) -> None:
        self.assembly, self.explain = assembly, explain
        self.by_address: dict[int, Routed] = {}
        self.kept: list[RoutedAddress] = []
        self.conditions: list[tuple[str, str, bool]] = []

    def route(self, ctx: Context, text: str) -> Routed:
        from eximious.conditions.lists.result import ListPanic
        from eximious.interpreter.outcomes import OverBudget
        from eximious.simulation.routing.verify import Verification

        self.lines: list[str] = []
        verification = Verification(
            ctx, testing=True, full=True, write=self.lines.append, qualify=True, observe=self.observe
        )
        if self.explain:
            verification.chain.explain = self.note_condition
        try:
            verified = verification.ask(text)
        except (ListPanic, OverBudget) as panic:  # the real one ends here
            root = self.of(self.kept[0].first) if self.kept else Routed(str(text))
            root.fate, root.message = "deferred", getattr(panic, "message", str(panic))
            return root
        queues = verified.queues
        root = self.of(verified.address)
        for address in (*queues.local, *queues.remote):
            self._deliver(address)
        for address in queues.failed:
            self._end(address, "failed")
        for address in queues.deferred:
            self._end(address, "deferred")
        for address in queues.succeeded:
            self.of(address)
        self._specials()
        for address in self.kept:
            one = self.of(address)
            if not one.fate:
                one.fate = "redirected" if one.children else "discarded"
        return root

    def of(self, address: RoutedAddress) -> Routed:
        """The report on an address, made on first use, below that of its parent."""
        found = self.by_address.get(id(address))
        if found is None:
            found = self.by_address[id(address)] = Routed(str(address.address))
            self.kept.append(address)
            if address.parent is not None:
                self.of(address.parent).children.append(found)
        return found

    def note_condition(self, option: str, text: str, outcome: str) -> None:
        self.conditions.append((option, text, outcome == "ok"))

    def observe(self, router: Instance, address: RoutedAddress, what: str, why: str) -> None:
        tried = Tried(router.name, place(router.node), _WORDS.get(what, what), str(why))
        tried.conditions, self.conditions = self.conditions, []
        self.of(address).tried.append(tried)

    def _deliver(self, address: RoutedAddress) -> None:
        one = self.of(address)
        one.fate = "delivered"
        one.router = address.router.name if address.router is not None else ""
        one.transport = address.transport.name if address.transport is not None else ""
        one.errors_to = None if address.errors_to is None else str(address.errors_to)
        one.data = str(address.address_data)
        one.variables = {name: str(value) for name, value in address.router_variables.items()}
        for host in address.hosts:
            entry: dict[str, Any] = {"name": str(host.name)}
            if host.address is not None:
                entry["address"] = str(host.address)
            if host.mx >= 0:
                entry["mx"] = host.mx
            if host.port >= 0:
                entry["port"] = host.port
            one.hosts.append(entry)

    def _end(self, address: RoutedAddress, fate: str) -> None:
        one = self.of(address)
        one.fate, one.message = fate, str(address.message or "")

    def _specials(self) -> None:
        """Pipes, files and replies: they are children that no router is asked about."""
        for address in list(self.kept):
            for child in getattr(address, "special_children", ()):
                one = self.of(child)
                one.kind = child.kind
                one.router = child.router.name if child.router is not None else ""
                one.transport = child.transport.name if child.transport is not None else ""
                one.message = str(child.message or "")
                one.fate = "failed" if child.message is not None else "delivered"


def place(node: Any) -> str:
    """File and line of a node of the configuration."""
    if node is None or node.source is None:
        return ""
    position = node.source.position(node.start)
    return f"{position.file}:{position.line}"


# ---- pictures and text


def picture_of(roots: list[Routed]) -> Picture:
    """The trees of addresses as a picture: an address a box, deliveries at the right."""
    from eximious.drawing.picture import RESULT, Box, Picture, shortened

    picture = Picture(", ".join(root.address for root in roots[:3]) + ("…" if len(roots) > 3 else ""))
    counter = 0

    def add(one: Routed, column: int, parent: str) -> str:
        nonlocal counter
        counter += 1
        name = f"address {counter}"
        lines = []
        for tried in one.tried:
            if tried.outcome != "skipped":
                why = f": {tried.why}" if tried.why else ""
                lines.append(shortened(f"{tried.router} {tried.outcome}{why}", 60))
        kind = {"failed": "failed", "deferred": "deferred", "discarded": "discarded"}.get(one.fate, "address")
        at = next((tried.place for tried in reversed(one.tried) if tried.outcome != "skipped"), "")
        picture.add(Box(name, kind, shortened(one.address, 50), lines, place=at.rpartition("/")[2], column=column,
                        beside=parent, note=one.fate))  # fmt: skip
        if one.fate == "delivered":
            hosts = [f"{host['name']} [{host.get('address', '?')}]" for host in one.hosts]
            target = f"delivery {counter}"
            title = one.transport or "no transport"
            picture.add(Box(target, "delivery", title, [shortened(host, 50) for host in hosts], column=column + 1,
                            beside=name, note=f"router {one.router}"))  # fmt: skip
            picture.connect(name, target, "", RESULT)
        for child in one.children:
            picture.connect(name, add(child, column + 1, name))
        return name

    for root in roots:
        add(root, 0, "")
    return picture


def text_of(root: Routed, explain: bool = False) -> list[str]:
    """The lines for people."""
    lines: list[str] = []
    _lines(root, "", lines, explain)
    deliveries = root.deliveries()
    if len(deliveries) > 1 or root.children:
        lines.append("  deliveries:")
        for one in deliveries:
            lines.append(f"    {one.address}  {_target(one)}")
    return lines


def _target(one: Routed) -> str:
    hosts = ", ".join(f"{host['name']} [{host.get('address', '?')}]" for host in one.hosts)
    return f"router {one.router}, transport {one.transport or 'unset'}{f', hosts {hosts}' if hosts else ''}"


def _lines(one: Routed, indent: str, lines: list[str], explain: bool) -> None:
    what = one.fate
    if one.fate == "delivered":
        what = f"delivered by {_target(one)}"
    elif one.message:
        what = f"{one.fate}: {one.message}"
    lines.append(f"{indent}{one.address}  {what}")
    width = max((len(tried.router) for tried in one.tried), default=0)
    for tried in one.tried:
        why = f": {tried.why}" if tried.why else ""
        shown = tried.place.rpartition("/")[2]
        lines.append(f"{indent}  {tried.router:<{width}}  {tried.outcome}{why}  ({shown})")
        if explain:
            for option, text, met in tried.conditions:
                lines.append(f"{indent}      {option} = {text}  {'met' if met else 'not met'}")
    for child in one.children:
        _lines(child, indent + "    ", lines, explain)
