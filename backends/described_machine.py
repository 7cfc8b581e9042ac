"""Clock, machine, users, environment and random numbers of a described world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.backends.clock import FixedClock
from eximious.backends.described import ABSENT, OTHERS, lines
from eximious.backends.machine import Account, Group, RealEnviron, SeededChance, _matches
from eximious.interpreter.outcomes import Unanswered

if TYPE_CHECKING:
    from typing import Any

    from eximious.backends.described import World
    from eximious.backends.described_yaml import Node


def read_time(value: Any, zone: str = "") -> float:
    """Seconds since the epoch for a number of these, or for ``YYYY-MM-DD HH:MM:SS`` with an optional offset.

    Without an offset the time is in ``zone`` ("": UTC). Raises ValueError.
    """
    if isinstance(value, (int, float)):
        return float(value)
    from datetime import UTC, datetime

    text = value.replace(" Z", "Z").replace(" +", "+")
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        from eximious.backends.clock import _zone

        found = found.replace(tzinfo=(_zone(zone) if zone else None) or UTC)
    return found.timestamp()


class DescribedClock(FixedClock):
    """The time of the description. The option timezone, where it is set, says the zone."""

    def __init__(self, seconds: float, machine_zone: str = "") -> None:
        super().__init__(seconds)
        self.machine_zone = machine_zone

    @property
    def zone(self) -> str:
        """The zone in effect."""
        named = self._options.get("timezone") if self._options is not None else None
        return str(named) if named else self.machine_zone


class UnsetClock:
    """The clock of a world that does not say what time it is."""

    def now(self) -> float:
        """Raises Unanswered."""
        raise Unanswered(
            "the clock", "the time", lines({"clock": {"now": "2025-01-31 12:00:00", "zone": "UTC"}})
        )

    def localtime(self, seconds: float) -> Any:
        """Raises Unanswered."""
        raise Unanswered(
            "the clock", "the time zone", lines({"clock": {"now": "2025-01-31 12:00:00", "zone": "UTC"}})
        )


def described_clock(world: World) -> Any:
    """The clock of a world."""
    now, zone = world.first("clock", "now"), world.first("clock", "zone")
    if now is None:
        return UnsetClock()
    name = zone.text if zone is not None else ""
    return DescribedClock(read_time(now.value, name), name)


class DescribedMachine:
    """The machine of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _value(self, question: str, example: dict[str, Any], *keys: str) -> Any:
        found = self._world.first(*keys)
        if found is None:
            raise Unanswered("the machine", question, lines(example))
        return found.value

    def hostname(self) -> str:
        """The host's own name. Raises Unanswered, as all of these."""
        name: str = self._value("its name", {"hostname": "mail.example.com"}, "hostname")
        return name

    def caller(self) -> tuple[int, int]:
        """User and group id of the caller."""
        example = {"process": {"uid": 0, "gid": 0}}
        uid: int = self._value("the caller's user id", example, "process", "uid")
        gid: int = self._value("the caller's group id", example, "process", "gid")
        return uid, gid

    def pid(self) -> int:
        """The process id."""
        found: int = self._value("the process id", {"process": {"pid": 1234}}, "process", "pid")
        return found

    def cwd(self) -> str:
        """The working folder."""
        found: str = self._value("the working folder", {"process": {"cwd": "/"}}, "process", "cwd")
        return found

    def load_average(self) -> float:
        """The load of the last minute."""
        return float(self._value("the load average", {"load": 0.5}, "load"))

    def disk(self, folder: str) -> tuple[int, int] | None:
        """Free kilobytes and inodes of a folder."""
        example = {"disk": {folder: {"kilobytes": 1000000, "inodes": 100000}}}
        found = self._value(f"the free space of {folder}", example, "disk", folder)
        if found == ABSENT:
            return None
        return found["kilobytes"].value, found["inodes"].value


class DescribedUsers:
    """The users and groups of a world; ``"#ID": absent`` says that there is none with this id.

    Without ``"*": absent`` a name that is not there is a question.
    """

    def __init__(self, world: World) -> None:
        users, groups = world.mapping("users"), world.mapping("groups")
        self._users = {name: _account(name, node) for name, node in users.items() if name != OTHERS}
        self._groups = {name: _group(name, node) for name, node in groups.items() if name != OTHERS}
        self._all_users, self._all_groups = OTHERS in users, OTHERS in groups

    def getpwnam(self, name: str) -> Account | None:
        """The user of this name; None where the world has none."""
        name = name.partition("\0")[0]
        if name in self._users or self._all_users:
            return self._users.get(name)
        raise _unknown(
            "users", "user", name, {"uid": 1000, "gid": 1000, "home": f"/home/{name}", "shell": "/bin/sh"}
        )

    def getpwuid(self, uid: int) -> Account | None:
        """The first user with this id; None where the world has none."""
        found = next((user for user in self._users.values() if user is not None and user.pw_uid == uid), None)
        if found is None and not self._all_users and f"#{uid}" not in self._users:
            raise _unknown("users", "user with the id", str(uid), {"uid": uid, "gid": uid}, "NAME")
        return found

    def getgrnam(self, name: str) -> Group | None:
        """The group of this name; None where the world has none."""
        name = name.partition("\0")[0]
        if name in self._groups or self._all_groups:
            return self._groups.get(name)
        raise _unknown("groups", "group", name, {"gid": 1000, "members": []})

    def getgrgid(self, gid: int) -> Group | None:
        """The group with this id; None where the world has none."""
        found = next(
            (group for group in self._groups.values() if group is not None and group.gr_gid == gid), None
        )
        if found is None and not self._all_groups and f"#{gid}" not in self._groups:
            raise _unknown("groups", "group with the id", str(gid), {"gid": gid}, "NAME")
        return found


def _unknown(section: str, kind: str, name: str, facts: dict[str, Any], key: str = "") -> Unanswered:
    text = lines({section: {key or name: facts}})
    other = f"{name}: absent" if not key else f'"#{name}": absent'
    return Unanswered(
        section, f"the {kind} {name}", f"{text}\nor, where there is none:\n{section}:\n  {other}"
    )


def _account(name: str, node: Node) -> Account | None:
    if node.value == ABSENT:
        return None

    def text(key: str, default: str) -> str:
        found = node.get(key)
        return default if found is None else found.text

    uid, gid = node.value["uid"].value, node.value["gid"].value
    return Account(
        name, text("password", "x"), uid, gid, text("gecos", ""), text("home", "/"), text("shell", "")
    )


def _group(name: str, node: Node) -> Group | None:
    if node.value == ABSENT:
        return None
    members = node.get("members")
    return Group(
        name, "x", node.value["gid"].value, [one.text for one in members.value] if members is not None else []
    )


class DescribedEnviron(RealEnviron):
    """The environment of a world; keep_environment and add_environment count, as for a real one."""

    def __init__(self, world: World) -> None:
        described = world.mapping("environment")
        super().__init__({name: node.text for name, node in described.items() if node.value is not None})
        self._described = described

    def get(self, name: str) -> str | None:
        """The value or None. Raises Unanswered for a variable that would be kept and is not described."""
        name = name.partition("\0")[0]
        variables = self.variables
        if name in variables or name in self._described or OTHERS in self._described:
            return variables.get(name)
        from eximious.interpreter.listsplit import split_list

        options = self._options
        keep = (options.get("keep_environment") if options is not None else None) or ""
        if not _matches(name, [item for item in split_list(str(keep)) if item]):
            return None
        text = lines({"environment": {name: "VALUE"}})
        unset = f"environment:\n  {name}: null"
        raise Unanswered(
            "env", f"the environment variable {name}", f"{text}\nor, where it is not set:\n{unset}"
        )


class NumberedChance:
    """Random numbers one after the other, as they were recorded."""

    def __init__(self, numbers: list[list[int]]) -> None:
        self._numbers, self._next = numbers, 0

    def below(self, limit: int) -> int:
        """The next number. Raises Unanswered where it was made for another limit, or there is none."""
        if self._next < len(self._numbers) and self._numbers[self._next][0] == limit:
            self._next += 1
            return self._numbers[self._next - 1][1]
        raise Unanswered("chance", f"a random number below {limit}", lines({"random": {"seed": 1}}))


def described_chance(world: World) -> Any:
    """The random numbers of a world."""
    seed, numbers = world.first("random", "seed"), world.first("random", "numbers")
    if seed is not None:
        return SeededChance(seed.value)
    return NumberedChance(numbers.plain() if numbers is not None else [])
