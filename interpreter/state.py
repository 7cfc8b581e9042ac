"""The four state objects an evaluation reads: Environment, Session, Message, Address.

Attributes carry the names of the variables that show them. See variables for how each row of the
language facts is resolved from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter import protocols


class Doors:
    """The doors to the outside, one per protocol; made by the composition root."""

    __slots__ = ("chance", "clock", "databases", "environ", "files", "processes", "resolver", "sockets", "users", "verdicts")

    def __init__(self, **doors: Any) -> None:
        self.files: protocols.Files = doors["files"]
        self.clock: protocols.Clock = doors["clock"]
        self.processes: protocols.Processes = doors["processes"]
        self.sockets: protocols.Sockets = doors["sockets"]
        self.users: protocols.Users = doors["users"]
        self.resolver: protocols.Resolver = doors["resolver"]
        self.environ: protocols.Environ = doors["environ"]
        self.chance: protocols.Chance = doors["chance"]
        self.verdicts: protocols.Verdicts = doors["verdicts"]
        self.databases: Any = doors.get("databases")


class Environment:
    """Frozen for a run: what the configuration says, version and build, doors, budget.

    ``options``: main options by name, typed values (those of the language tables; unset ones absent or
    None). ``named_lists``: kind letter (``d h a l``) -> name -> the list's text. ``acls``: name -> parsed
    ACL. ``version``: (4, 99). ``build``: the set of build features that are compiled in.
    """

    def __init__(self, *, version: tuple[int, int], options: dict[str, Any], doors: Doors, **more: Any) -> None:
        self.version = version
        self.options = options
        self.doors = doors
        self.named_lists: dict[str, dict[str, str]] = more.get("named_lists") or {"d": {}, "h": {}, "a": {}, "l": {}}
        self.hidden_lists: set[tuple[str, str]] = more.get("hidden_lists") or set()
        self.acls: dict[str, Any] = more.get("acls") or {}
        self.catalogue: Any = more.get("catalogue")
        self.configuration: Any = more.get("configuration")
        self.config_file: str = more.get("config_file") or ""
        self.primary_hostname: str = more.get("primary_hostname") or ""
        #: the open lookups and their answers, kept by eximious.lookups.handles
        self.searches: Any = None


class Session:
    """The connection: who connected, HELO, TLS, authentication, ``$acl_c…``."""

    def __init__(self) -> None:
        self.acl_c: dict[str, str] = {}


class Message:
    """The message: envelope, headers, body, ``$acl_m…``."""

    def __init__(self) -> None:
        self.acl_m: dict[str, str] = {}


class Address:
    """The address being handled: what routing knows about it."""
