"""Doors that are shut: each use says what it would have done, and which switch allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Refused

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Any, BinaryIO

#: verdicts that can be asked for real, and the permission for each; the others can only be described
VERDICTS = {
    "saslauthd": "net", "pwcheck": "net", "perl": "perl", "dlfunc": "dlfunc", "malware": "net", "spam": "net",
    "callout": "net",
}  # fmt: skip


class DenyingFiles:
    """No file may be read."""

    def _refuse(self, action: str, path: str) -> Refused:
        folder = path.rpartition("/")[0] or path
        return Refused("files", f"{action} {path}", f"--allow read={folder}")

    def open(self, path: str) -> BinaryIO:
        """Raises Refused."""
        raise self._refuse("reading", path)

    def stat(self, path: str, follow_symlinks: bool = True) -> os.stat_result:
        """Raises Refused."""
        raise self._refuse("looking at", path)

    def exists(self, path: str) -> bool:
        """Raises Refused."""
        raise self._refuse("looking at", path)

    def listdir(self, path: str) -> list[str]:
        """Raises Refused."""
        raise self._refuse("listing", path)

    def local_path(self, path: str, write: bool = False) -> str:
        """Raises Refused."""
        raise self._refuse("opening", path)


class DenyingProcesses:
    """No program may be run."""

    def run(
        self, argv: Sequence[str], stdin: str, timeout: float, environ: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Raises Refused."""
        raise Refused("run", f"running {argv[0] if argv else 'a program'}", "--allow run")


class DenyingSockets:
    """No connection may be made."""

    def connect(self, spec: str, timeout: float, tls: bool = False, sni: str = "") -> Any:
        """Raises Refused."""
        raise Refused("socket", f"connecting to {spec}", "--allow net")


class DenyingVerdicts:
    """Nobody may be asked."""

    def ask(self, kind: str, *question: str, **how: Any) -> Any:
        """Raises Refused; the question itself is not shown, since it may hold a password."""
        word = how.get("needs") or VERDICTS.get(kind)
        raise Refused(kind, f"asking {kind} for a verdict", f"--allow {word}" if word else "--world DIR")


class DenyingEnviron:
    """No environment variable may be read."""

    @property
    def variables(self) -> dict[str, str]:
        """Raises Refused."""
        raise Refused("env", "reading the environment", "--live env")

    def get(self, name: str) -> str | None:
        """Raises Refused."""
        raise Refused("env", f"reading the environment variable {name}", "--live env")


class DenyingClock:
    """Nobody says what time it is."""

    def now(self) -> float:
        """Raises Refused."""
        raise Refused("the clock", "asking for the time", "--live clock")

    def advance(self, seconds: float) -> None:
        """Nothing goes on: the next question for the time is refused."""

    def localtime(self, seconds: float) -> Any:
        """Raises Refused."""
        raise Refused("the clock", "asking for the time zone", "--live clock")


class DenyingMachine:
    """Nothing is said of the machine."""

    def _refuse(self, what: str) -> Refused:
        return Refused("the machine", f"asking for {what}", "--live machine")

    def hostname(self) -> str:
        """Raises Refused, as all of these."""
        raise self._refuse("its name")

    def caller(self) -> tuple[int, int]:
        """Raises Refused."""
        raise self._refuse("the caller")

    def pid(self) -> int:
        """Raises Refused."""
        raise self._refuse("the process id")

    def cwd(self) -> str:
        """Raises Refused."""
        raise self._refuse("the working folder")

    def load_average(self) -> float:
        """Raises Refused."""
        raise self._refuse("the load")

    def disk(self, folder: str) -> tuple[int, int] | None:
        """Raises Refused."""
        raise self._refuse(f"the free space of {folder}")


class DenyingUsers:
    """Nothing is said of users and groups."""

    def _refuse(self, what: str) -> Refused:
        return Refused("users", f"asking for the {what}", "--live users")

    def getpwnam(self, name: str) -> Any:
        """Raises Refused, as all of these."""
        raise self._refuse(f"user {name}")

    def getpwuid(self, uid: int) -> Any:
        """Raises Refused."""
        raise self._refuse(f"user with the id {uid}")

    def getgrnam(self, name: str) -> Any:
        """Raises Refused."""
        raise self._refuse(f"group {name}")

    def getgrgid(self, gid: int) -> Any:
        """Raises Refused."""
        raise self._refuse(f"group with the id {gid}")


class DenyingChance:
    """There are no random numbers."""

    def below(self, limit: int) -> int:
        """Raises Refused."""
        raise Refused("chance", f"drawing a random number below {limit}", "--live random")
