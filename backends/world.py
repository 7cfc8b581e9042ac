"""Which version of each door an evaluation has: described, real, denying, and recording around any of them.

A world describes all doors. ``--live WORD`` opens single ones to the real thing and grants exactly that
permission; a world may say itself that a door is ``live``, which needs the permission besides (``--allow``),
or ``denied``. Without a world the doors are those of :mod:`eximious.backends.capabilities`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.backends.capabilities import CapabilityError, Permissions, make_doors, parse_permissions
from eximious.interpreter.outcomes import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from eximious.backends.described import World
    from eximious.backends.recording import Recording
    from eximious.interpreter.state import Doors

#: word of --live and of capabilities -> door
LIVE = {
    "auth": "verdicts",
    "clock": "clock",
    "dlfunc": "verdicts",
    "dns": "resolver",
    "env": "environ",
    "files": "files",
    "machine": "machine",
    "net": "sockets",
    "perl": "verdicts",
    "random": "chance",
    "run": "processes",
    "sql": "databases",
    "users": "users",
}
#: word of --live -> the permission that it grants, where that has another name or is needed at all
PERMISSION = {
    "auth": "net",
    "files": "read",
    **{word: word for word in ("dns", "sql", "run", "net", "perl", "dlfunc")},
}
#: kinds of verdicts that a word of --live opens
KINDS = {
    "auth": ("saslauthd", "pwcheck"), "perl": ("perl",), "dlfunc": ("dlfunc",), "net": ("callout", "malware", "spam"),
}  # fmt: skip


def parse_live(texts: Iterable[str]) -> frozenset[str]:
    """Read words of ``--live``, separated by commas or white space; "all" is all. Raises CapabilityError."""
    words: set[str] = set()
    for text in texts:
        for word in text.replace(",", " ").split():
            if word == "all":
                words |= set(LIVE)
            elif word in LIVE:
                words.add(word)
            else:
                raise CapabilityError(f"unknown door {word!r}: {_meant(word)}")
    return frozenset(words)


def _meant(word: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, [*LIVE, "all"], 1)
    return f"did you mean {close[0]!r}?" if close else "there are " + ", ".join([*LIVE, "all"])


def world_doors(
    world: World | None = None,
    live: Iterable[str] = (),
    *,
    allow: Iterable[str] | Permissions = (),
    root: str | None = None,
    config_path: str | None = None,
    nameserver: str | None = None,
    recording: Recording | None = None,
) -> Doors:
    """Give the doors. ``live``: as given to ``--live``; ``recording``: what notes the answers (None: nobody).

    The other arguments are those of :func:`eximious.backends.capabilities.make_doors`. Where the recording
    goes into the world itself, only what is real is noted. Raises CapabilityError, and ValueError for a name
    server that is none.
    """
    words = parse_live(live)
    allowed = allow if isinstance(allow, Permissions) else parse_permissions(allow)
    granted = {PERMISSION[word] for word in words if word in PERMISSION}
    permissions = Permissions(allowed.words | granted, allowed.read, allowed.write)
    chooser = _Chooser(world, words, allowed, config_path)
    replace = chooser.replacements(nameserver is not None)
    doors = make_doors(permissions, root, config_path, nameserver, replace=replace)
    chooser.make_real(permissions, config_path, nameserver)
    chooser.doors = doors
    if recording is None:
        return doors
    inside = world is not None and os.path.realpath(world.folder) == os.path.realpath(recording.folder)
    return _recorded(doors, recording, set(replace) - chooser.mixed if inside else set())


class _Chooser:
    """Makes the doors of a world that are not simply real."""

    doors: Doors

    def __init__(
        self, world: World | None, live: frozenset[str], allowed: Permissions, config_path: str | None
    ) -> None:
        self.world, self.live, self.allowed, self.config_path = world, live, allowed, config_path
        self._make_real: Callable[[], Doors] | None = None
        self._real: Doors | None = None
        #: doors of which a part is real
        self.mixed: set[str] = set()

    def make_real(self, permissions: Permissions, config_path: str | None, nameserver: str | None) -> None:
        """Say how the doors behind real verdicts are made: sockets, files, environment."""
        self._make_real = lambda: make_doors(permissions, None, config_path, nameserver)

    def real(self) -> Doors:
        """The doors behind real verdicts."""
        if self._real is None:
            assert self._make_real is not None
            self._real = self._make_real()
        return self._real

    def version(self, word: str) -> str:
        """The version of a door: described, denied or live."""
        if word in self.live or self.world is None:
            return "live"
        said = self.world.first("capabilities", word)
        if said is None:
            return "described"
        if said.value == "live" and word in PERMISSION and not self.allowed.allows(PERMISSION[word]):
            return "denied"
        return str(said.value)

    def replacements(self, nameserver: bool) -> dict[str, Callable[[], Any]]:
        """The functions that make doors which are not as they are without a world."""
        found: dict[str, Callable[[], Any]] = {}
        for word, door in LIVE.items():
            if door == "verdicts" or (door == "resolver" and nameserver):
                continue
            version = self.version(word)
            if version != "live":
                found[door] = getattr(self, f"{version}_{door}")
            if version == "denied":
                found[door] = self._said_denied(word, found[door])
        if self.world is not None or self.live & KINDS.keys():
            found["verdicts"] = self.verdicts
            if self.live & KINDS.keys():
                self.mixed.add("verdicts")
        if self.world is None and "net" not in self.live and not self.allowed.allows("net"):
            # what --live auth grants is not for ${readsocket
            found["sockets"] = self.denied_sockets
        return found

    def _said_denied(self, word: str, make: Callable[[], Any]) -> Callable[[], Any]:
        """A door that is shut: where the world says so, --live opens it."""
        said = self.world.first("capabilities", word) if self.world is not None else None
        if said is None or said.value != "denied":
            return make
        return lambda: DeniedByTheWorld(make(), word)

    # ---- described

    def _given(self) -> World:
        assert self.world is not None
        return self.world

    def described_files(self) -> Any:
        from eximious.backends.described_files import DescribedFiles

        own = []
        if self.config_path:
            folder = os.path.dirname(os.path.abspath(self.config_path))
            own = [os.fsencode(path).decode("latin-1") for path in (self.config_path, folder)]
            if not folder.strip("/"):
                del own[1:]
        return DescribedFiles(self._given(), own)

    def described_clock(self) -> Any:
        from eximious.backends.described_machine import described_clock

        return described_clock(self._given())

    def described_chance(self) -> Any:
        from eximious.backends.described_machine import described_chance

        return described_chance(self._given())

    def described_machine(self) -> Any:
        from eximious.backends.described_machine import DescribedMachine

        return DescribedMachine(self._given())

    def described_users(self) -> Any:
        """Those of root/etc/passwd, where there is one; else those of world.yaml."""
        from eximious.backends.described_machine import DescribedUsers
        from eximious.backends.machine import FileUsers

        world = self._given()
        if os.path.isfile(world.path("root/etc/passwd")) and not world.mapping("users"):
            return FileUsers(self._read_text)
        return DescribedUsers(world)

    def described_environ(self) -> Any:
        from eximious.backends.described_machine import DescribedEnviron

        return DescribedEnviron(self._given())

    def described_resolver(self) -> Any:
        from eximious.backends.described_dns import WorldResolver

        return WorldResolver(self._given(), self._read_text)

    def described_databases(self) -> Any:
        from eximious.backends.described_databases import DescribedDatabases

        return DescribedDatabases(self._given())

    def described_processes(self) -> Any:
        from eximious.backends.described_answers import DescribedProcesses

        return DescribedProcesses(self._given())

    def described_sockets(self) -> Any:
        from eximious.backends.described_answers import DescribedSockets

        return DescribedSockets(self._given())

    def _read_text(self, path: str) -> str:
        with self.doors.files.open(path) as stream:
            data: bytes = stream.read()
        return data.decode("latin-1")

    # ---- denied

    def denied_files(self) -> Any:
        from eximious.backends.denying import DenyingFiles

        return DenyingFiles()

    def denied_clock(self) -> Any:
        from eximious.backends.denying import DenyingClock

        return DenyingClock()

    def denied_chance(self) -> Any:
        from eximious.backends.denying import DenyingChance

        return DenyingChance()

    def denied_machine(self) -> Any:
        from eximious.backends.denying import DenyingMachine

        return DenyingMachine()

    def denied_users(self) -> Any:
        from eximious.backends.denying import DenyingUsers

        return DenyingUsers()

    def denied_environ(self) -> Any:
        from eximious.backends.denying import DenyingEnviron

        return DenyingEnviron()

    def denied_resolver(self) -> Any:
        from eximious.backends.dns import DenyingResolver

        return DenyingResolver()

    def denied_databases(self) -> Any:
        from eximious.backends.databases import DenyingDatabases

        return DenyingDatabases()

    def denied_processes(self) -> Any:
        from eximious.backends.denying import DenyingProcesses

        return DenyingProcesses()

    def denied_sockets(self) -> Any:
        from eximious.backends.denying import DenyingSockets

        return DenyingSockets()

    # ---- verdicts: each kind for itself

    def verdicts(self) -> Any:
        """Verdicts of which each kind is described, denied or real."""
        from eximious.backends.denying import DenyingVerdicts
        from eximious.backends.verdicts import RealVerdicts

        chosen: dict[str, Any] = {}
        real = None
        for word, kinds in KINDS.items():
            version = self.version(word)
            if version == "denied":
                chosen |= dict.fromkeys(kinds, self._said_denied(word, DenyingVerdicts)())
            elif version == "live":
                real = real or RealVerdicts(self._allows, self.real)
                chosen |= dict.fromkeys(kinds, real)
        if self.world is None:
            return ChosenVerdicts(chosen, DenyingVerdicts(), self.real)
        from eximious.backends.described_answers import DescribedVerdicts

        return ChosenVerdicts(chosen, DescribedVerdicts(self.world), self.real)

    def _allows(self, permission: str) -> bool:
        return self.allowed.allows(permission) or any(
            PERMISSION.get(word) == permission for word in self.live
        )


class DeniedByTheWorld:
    """A denying door whose refusals name the switch that overrules the world."""

    def __init__(self, door: Any, word: str) -> None:
        self._door, self._switch = door, f"--live {word}"

    def __getattr__(self, name: str) -> Any:
        """What the door has; calling it raises Refused."""
        if name.startswith("__") or name == "use_options":
            raise AttributeError(name)
        try:
            found = getattr(self._door, name)
        except Refused as refused:
            raise Refused(refused.construct, refused.wanted, self._switch) from None

        def use(*arguments: Any, **more: Any) -> Any:
            try:
                return found(*arguments, **more)
            except Refused as refused:
                raise Refused(refused.construct, refused.wanted, self._switch) from None

        return use


class ChosenVerdicts:
    """Asks for each kind of verdict whoever was chosen for it. ``real``: gives the doors behind real ones."""

    def __init__(self, chosen: dict[str, Any], otherwise: Any, real: Callable[[], Doors]) -> None:
        self._chosen, self._otherwise, self._real = chosen, otherwise, real

    def ask(self, kind: str, *question: str, **how: Any) -> Any:
        """See :class:`eximious.interpreter.protocols.Verdicts`."""
        return self._chosen.get(kind, self._otherwise).ask(kind, *question, **how)

    def use_options(self, options: Any) -> None:
        """Pass the main options on."""
        for door in set(self._chosen.values()):
            if hasattr(door, "use_options"):
                door.use_options(options)
                self._real().use_options(options)


#: door -> module and class that records it
_RECORDERS = {
    "chance": ("recording", "RecordingChance"),
    "clock": ("recording", "RecordingClock"),
    "databases": ("recording", "RecordingDatabases"),
    "environ": ("recording", "RecordingEnviron"),
    "files": ("recording_files", "RecordingFiles"),
    "machine": ("recording", "RecordingMachine"),
    "processes": ("recording", "RecordingProcesses"),
    "resolver": ("recording", "RecordingResolver"),
    "sockets": ("recording", "RecordingSockets"),
    "users": ("recording", "RecordingUsers"),
    "verdicts": ("recording", "RecordingVerdicts"),
}


def _recorded(inner: Doors, recording: Recording, described: set[str]) -> Doors:
    """The same doors, with a recorder around each, except around those named."""
    from importlib import import_module

    from eximious.interpreter.state import Doors

    class Recorded(Doors):
        """Doors around others, which need the options, too."""

        def use_options(self, options: Any) -> None:
            inner.use_options(options)
            super().use_options(options)

    def maker(name: str) -> Callable[[], Any]:
        module, cls = _RECORDERS[name]

        def make() -> Any:
            door = getattr(inner, name)
            if name in described:
                return door
            return getattr(import_module(f"eximious.backends.{module}"), cls)(door, recording)

        return make

    return Recorded(lazy={name: maker(name) for name in _RECORDERS})


__all__ = ["LIVE", "ChosenVerdicts", "parse_live", "world_doors"]
