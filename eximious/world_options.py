"""The options on a described world, for every command: ``--world``, ``--live``, ``--record``.

Puts the doors together that they ask for, and writes the recording when the process ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from typing import Any

    from eximious.backends.described import World
    from eximious.backends.recording import Recording
    from eximious.interpreter.outcomes import Refused, Unanswered
    from eximious.interpreter.state import Doors


def add_world_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command's parser."""
    parser.add_argument(
        "--world", default="", metavar="DIR", help="answer from this described world (docs/world.md)"
    )
    parser.add_argument(
        "--live",
        action="append",
        default=[],
        metavar="WORD",
        help="ask the real dns, files, sql, run, net, …, all",
    )
    parser.add_argument(
        "--record",
        default="",
        metavar="DIR",
        help="write what was answered into a world, for runs without the rest",
    )


def assembly_settings(options: Any) -> dict[str, Any]:
    """What an :class:`eximious.assembly.Assembly` takes of the options, as keyword arguments."""
    return {"world": options.world, "live": tuple(options.live), "record": options.record}


class Outside:
    """The world, the words of ``--live`` and the recording of a run; "" and () where there is none.

    Reads and checks the description at once. Raises ValueError with what is wrong with it.
    """

    def __init__(self, world: str, live: Iterable[str], record: str, root: str = "") -> None:
        from eximious.backends.world import parse_live

        self.live = parse_live(live)
        self.world: World | None = None
        self.recording: Recording | None = None
        if world:
            from eximious.backends.described import World

            if root:
                raise ValueError("--root and --world cannot be combined: a world has its own root/")
            self.world = World.load(world)
        if record:
            from eximious.backends.recording import Recording

            self.recording = Recording(record)
            try:
                self.recording.prepare()
            except OSError as problem:
                raise ValueError(f"cannot record in {record}: {problem.strerror}") from None

    def doors(self, **settings: Any) -> Doors:
        """The doors. ``settings``: allow, root, config_path, nameserver. Raises ValueError."""
        from eximious.backends.world import world_doors

        doors = world_doors(self.world, self.live, recording=self.recording, **settings)
        if self.recording is not None:
            import atexit

            atexit.register(_save, self.recording)
        return doors

    def has(self, path: str) -> bool:
        """Whether the world has a file."""
        import os

        return self.world is not None and os.path.exists(self.world.path("root", path.lstrip("/")))

    def hostname(self, doors: Doors) -> str:
        """What a configuration without primary_hostname calls the machine; "" where nobody says."""
        if self.world is None and "machine" not in self.live:
            import os

            name = os.uname().nodename
            if self.recording is not None:
                self.recording.value("hostname", name)
            return name
        from eximious.interpreter.outcomes import Refused, Unanswered

        try:
            return doors.machine.hostname()
        except (Refused, Unanswered):
            return ""


def _save(recording: Recording) -> None:
    """Write the recording; a failure is said, since nobody is left to take it."""
    try:
        recording.save()
    except (OSError, ValueError) as problem:
        import sys

        sys.stderr.write(f"eximious: the recording was not written: {problem}\n")


class ConfigurationUsers:
    """Users and groups as the reader of configurations asks for them, from the doors."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def user(self, name: str) -> tuple[int, int] | None:
        """Give uid and primary gid of a login name, or None."""
        found = self._doors.users.getpwnam(name)
        return None if found is None else (found.pw_uid, found.pw_gid)

    def group(self, name: str) -> int | None:
        """Give the gid of a group name, or None."""
        found = self._doors.users.getgrnam(name)
        return None if found is None else found.gr_gid

    def user_name(self, uid: int) -> str | None:
        """Give the login name of a uid, or None."""
        found = self._doors.users.getpwuid(uid)
        return None if found is None else found.pw_name

    def group_name(self, gid: int) -> str | None:
        """Give the name of a group, or None."""
        found = self._doors.users.getgrgid(gid)
        return None if found is None else found.gr_name

    def primary_group(self, uid: int) -> int | None:
        """Give the primary gid of the user with this uid, or None."""
        found = self._doors.users.getpwuid(uid)
        return None if found is None else found.pw_gid


def lacking_text(problem: Refused | Unanswered, text: str = "") -> str:
    """What to print of a question that was not answered: it, where it was asked, the lines to add.

    ``text``: the text that was being expanded.
    """
    said = str(problem)
    if text and 0 <= problem.offset < len(text):
        place = text[problem.offset : problem.offset + 60]
        said += f"\n  asked from: {place}{'...' if len(text) > problem.offset + 60 else ''}"
    lines = getattr(problem, "lines_to_add", "")
    if lines:
        said += "\n  to answer it, add " + lines.replace("\n", "\n    ")
    return said
