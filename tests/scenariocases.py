"""The scenarios under ``fixtures/scenarios``: what a postmaster would check of a configuration, and what is answered.

The format is described in ``fixtures/scenarios/README.md``. Message ids are ``ID``, dates ``DATE``, durations ``TIME``.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sessioncases
import yaml
from differential.world import ENVIRONMENT

from eximious.assembly import Assembly
from eximious.simulating import Client, Simulation, open_session, run, script

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dnsworld import DnsWorld

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SOURCE = FIXTURES / "scenarios"
MARK = "expected:\n"
KEYS = {"about", "client", "from", "to", "message", "session", "real", "expected"}
#: folders that the configurations name, and that the real one must not find on the machine itself
PRIVATE = ("/etc/exim4", "/var/spool/exim4", "/var/log/exim4")


class Scenario:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.data: dict[str, Any] = yaml.safe_load(self.text)
        assert set(self.data) <= KEYS, f"{path}: {set(self.data) - KEYS}"
        self.folder = path.parent.parent
        self.configuration = self.folder.name
        self.id = f"{self.configuration}/{path.stem}"
        #: whether the installed one can answer it
        self.real = self.data.get("real") is True

    @property
    def expected(self) -> dict[str, Any]:
        """What is expected of the server."""
        found: dict[str, Any] = self.data.get("expected") or {}
        return found

    def client(self) -> Client:
        """The client as the file has it."""
        facts = dict(self.data["client"])
        if "auth" in facts:
            facts["auth"] = tuple(facts["auth"])
        return Client(facts.pop("ip"), **facts)

    def lines(self, client: Client, simulation: Simulation) -> Iterable[bytes]:
        """What the client sends."""
        if "session" in self.data:
            return [f"{line}\r\n".encode() for line in self.data["session"].splitlines()]
        message = self.data.get(
            "message", "From: <sender@friend.example>\nSubject: test\n\nA test.\n"
        ).encode()
        return script(client, self.data["from"], self.data["to"], message, simulation.session)

    def written(self, found: dict[str, Any]) -> str:
        """The file's text with another answer."""
        head = self.text.partition(MARK)[0]
        return head + yaml.safe_dump({"expected": found}, sort_keys=False, allow_unicode=True, width=1000)


def scenarios() -> list[Scenario]:
    """All of them."""
    return [Scenario(path) for path in sorted(SOURCE.glob("*/scenarios/*.yaml"))]


class Ours:
    """What ours answers; ``sent`` is what the client said."""

    def __init__(self, scenario: Scenario, version: str = "", build: str = "") -> None:
        path = FIXTURES / "configurations" / scenario.configuration / "exim.conf"
        assembly = Assembly(str(path), version=version, build=build, world=str(scenario.folder))
        client = scenario.client()
        self.simulation = Simulation(open_session(assembly, client))
        self.sent = b""
        run(self.simulation, self._heard(scenario.lines(client, self.simulation)))

    def _heard(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self.sent += line
            yield line

    @property
    def replies(self) -> list[str]:
        """All lines of the server."""
        lines = [line for side, line in self.simulation.transcript if side == "S"]
        return [sessioncases.anonymous(line) for line in lines]

    def answer(self) -> dict[str, Any]:
        """The form that is kept."""
        assert not self.simulation.lacking, self.simulation.hint
        messages = self.simulation.messages
        fate = {}
        for one in self.recipients():
            kept = [message["fate"] for message in messages if one in message["recipients"]]
            gone = [message["fate"] for message in messages if message["fate"] == "discarded"]
            fate[one] = (kept or gone or ["refused"])[0]
        logs = [f"{where.replace(' ', ', ')}: {line}" for where, line in self.simulation.logs]
        return {
            "replies": self.replies,
            "log": [sessioncases.anonymous(line) for line in logs],
            "fate": fate,
        }

    def recipients(self) -> list[str]:
        """All recipients that the client named."""
        lines = self.sent.decode("latin-1").splitlines()
        return [line.partition("<")[2].partition(">")[0] for line in lines if line.startswith("RCPT TO:<")]


class Real:
    """The installed Exim, in a namespace where only the world's zones and files are."""

    def __init__(self, exim: str, folder: Path, world: DnsWorld, name: str) -> None:
        self.exim, self.folder, self.world = exim, folder, world
        folder.chmod(0o755)
        for path in PRIVATE:
            inside = folder / path.strip("/").replace("/", "-")
            source = SOURCE / name / "root" / path.strip("/")
            if source.is_dir():
                shutil.copytree(source, inside)
            else:
                inside.mkdir()
                inside.chmod(0o777)
            done = world.run(["mount", "--bind", str(inside), path])
            assert done.returncode == 0, done.stderr
        self._users(yaml.safe_load((SOURCE / name / "world.yaml").read_text(encoding="utf-8"))["users"])
        shutil.copy(FIXTURES / "configurations" / name / "exim.conf", folder / "exim.conf")

    def _users(self, users: dict[str, Any]) -> None:
        """Add the world's users to those of the machine."""
        text = Path("/etc/passwd").read_text(encoding="utf-8")
        for name, facts in users.items():
            if facts != "absent" and f"\n{name}:" not in f"\n{text}":
                text += f"{name}:x:{facts['uid']}:{facts['gid']}::{facts['home']}:/bin/sh\n"
        made = self.folder / "passwd"
        made.write_text(text, encoding="utf-8")
        made.chmod(0o644)
        assert self.world.run(["mount", "--bind", str(made), "/etc/passwd"]).returncode == 0

    def replies(self, scenario: Scenario, sent: bytes) -> list[str]:
        """All lines of the server."""
        client = scenario.data["client"]
        command = ["nsenter", "-t", str(self.world.process.pid), "-n", "-m", self.exim]
        command += ["-C", str(self.folder / "exim.conf"), "-bh", client["ip"]]
        if "interface" in client:
            command[-2:-2] = ["-oMi", client["interface"]]
        done = subprocess.run(
            command, input=sent, capture_output=True, env=ENVIRONMENT, cwd="/", timeout=60, check=False
        )  # fmt: skip
        text = sessioncases.shown(self.folder, done.stdout.decode("latin-1"), "", 0)
        return [line for line in text.split("\n") if line and not line.startswith("****")]
