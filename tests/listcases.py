"""The list and DNS cases under ``fixtures/lists``, and how the real Exim is asked for their answers.

A case file's ``@ask`` says what its lines are: ``expansion`` (a line of ``-be``; the default) or ``hosts``
(a host list, tested against the client ``@ip`` in an ACL of ``-bh``; the answer shows the outcome,
``$host_data`` and what was logged). ``@dns yes`` asks where only our zones answer. ``@conf`` names the
configuration. ``died: ...`` is the answer of an Exim that ended its process, with what it logged last.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import casefile
from differential.world import ENVIRONMENT
from eximious.backends.dnszones import DescribedResolver, Zones
from eximious.conditions.lists.match import match_host
from eximious.conditions.lists.result import ListPanic
from eximious.interpreter.text import Tainted
from listworld import ListWorld

if TYPE_CHECKING:
    from dnsworld import DnsWorld

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SOURCE = FIXTURES / "lists"
ZONES = FIXTURES / "zones"
HOSTS = (
    "127.0.0.1 localhost\n192.0.2.200 inhosts.example alias.example\n192.0.2.201 inhosts.example\n"
    "2001:db8::200 inhosts.example\n192.0.2.50 fromhosts.example\n192.0.2.53 badhosts.example\n"
)
SEARCH = ["test.ex", "sub.test.ex"]
ADDRESSES = ["127.0.0.1", "10.99.0.1", "::1", "fd99::1"]


def case_files() -> list[casefile.CaseFile]:
    """All case files of lists and DNS."""
    return [casefile.read(path) for path in sorted(SOURCE.glob("*.cases"))]


def prepare(folder: Path) -> Path:
    """Copy configurations and files, with ``@DIR@`` replaced. Gives the folder without symbolic links."""
    folder = folder.resolve()
    folder.chmod(0o755)
    for name in ("conf", "files"):
        shutil.copytree(SOURCE / name, folder / name, dirs_exist_ok=True)
        for path in (folder / name).rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes().replace(b"@DIR@", str(folder).encode()))
                path.chmod(0o644)
    return folder


def framed(line: str) -> str:
    """A line with everything set before it that an answer could show from earlier lines: the last search
    error, ``$value`` (v), and captures (ab, a, b)."""
    captured = f"${{if match{{abc}}{{^(a)(b)}}{{{line}}}}}"
    return f"${{lookup{{x}}lsearch{{@DIR@/files/empty}}}}${{if match_domain{{v}}{{v}}{{{captured}}}}}"


def ask(command: list[str], folder: Path, lines: list[str]) -> list[str]:
    """The answers of a ``-be`` command to lines. One that ends the process is followed by a new one; its
    answer is ``died: ...`` with what was logged last, or how the process ended."""
    found: list[str] = []
    while len(found) < len(lines):
        rest = lines[len(found) :]
        marks = [f"@@{number}@@" for number in range(len(rest))]
        text = "".join(f"{line}\n{mark}\n" for line, mark in zip(rest, marks))
        run = subprocess.run(
            command, input=text.encode("latin-1"), capture_output=True, cwd=folder, env=ENVIRONMENT,
            timeout=120, check=False,
        )  # fmt: skip
        output = run.stdout.decode("latin-1")
        at = 0
        for mark in marks:
            end = output.find(f"\n> {mark}\n", at)
            if end < 0 or not output.startswith("> ", at):
                noise = re.split(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", run.stderr.decode("latin-1"))
                last = noise[-1].rstrip("\n") if len(noise) > 1 and run.returncode == 1 else ""
                found.append(f"died: {last}" if last else f"died with code {run.returncode}")
                break
            found.append(output[at + 2 : end])
            at = end + len(f"\n> {mark}\n")
    return found


class Real:
    """The installed Exim, in a prepared folder, inside ``world`` where the DNS matters."""

    def __init__(self, exim: str, folder: Path, world: DnsWorld | None = None) -> None:
        self.folder = folder
        inside = [] if world is None else ["nsenter", "-t", str(world.process.pid), "-n", "-m"]
        self.command = [*inside, exim]

    def expansions(self, conf: str, lines: list[str]) -> list[str]:
        """Answers to lines of ``-be``. One that ends Exim is followed by a new process."""
        command = [*self.command, "-C", str(self.folder / "conf" / conf), "-be"]
        answers = ask(command, self.folder, [self._fill(framed(line)) for line in lines])
        return [self.shown(text) for text in answers]

    def hosts(self, conf: str, address: str, lists: list[str]) -> list[str]:
        """Outcomes of host lists for a client, all in one session of ``-bh``."""
        text = (self.folder / "conf" / conf).read_text(encoding="latin-1")
        text += "\nacl_smtp_connect = connect\nbegin acl\n"
        for number, list_ in enumerate(lists):
            text += f"list{number}:\n  accept hosts = {self._fill(list_)}\n"
            text += "         set acl_c_d = $host_data\n"
        text += "connect:\n"
        for number in range(len(lists)):
            text += "  warn set acl_c_d =\n       set acl_c_r = defer\n"
            text += f"       set acl_c_r = ${{if acl{{{{list{number}}}}}{{yes}}{{no}}}}\n"
            text += f"  warn logwrite = CASE {number} $acl_c_r <$acl_c_d>\n"
        text += "  accept\n"
        path = self.folder / "conf" / "hosts.made"
        path.write_text(text, encoding="latin-1")
        run = subprocess.run(
            [*self.command, "-C", str(path), "-bh", address],
            input=b"QUIT\n", capture_output=True, env=ENVIRONMENT, timeout=120, check=False,
        )  # fmt: skip
        found: list[str] = []
        logged: list[str] = []
        for line in run.stderr.decode("latin-1").split("\n"):
            if not line.startswith("LOG: "):
                continue
            case = re.search(r"CASE \d+ (.*)", line)
            if case is None:
                # what the ACL says about a list that deferred is the ACL's
                if not line.startswith("LOG: H="):
                    logged.append(line)
                continue
            found.append("\n".join([case[1], *logged]))
            logged = []
        if len(found) < len(lists):
            raise RuntimeError(f"{len(found)} of {len(lists)} answers: {run.stderr[-2000:]!r}")
        return [self.shown(text) for text in found]

    def _fill(self, text: str) -> str:
        return text.replace("@DIR@", str(self.folder))

    def shown(self, text: str) -> str:
        """An answer with the token in place of the folder."""
        return text.replace(str(self.folder), "@DIR@")


class Ours:
    """The same from ours, in this process."""

    def __init__(self, folder: Path, conf: str, resolver: object = None) -> None:
        self.folder = folder
        self.world = ListWorld.of_config(folder / "conf" / conf, resolver=resolver)
        self.context = self.world.context()

    def expansion(self, line: str) -> str:
        """The answer to a line of ``-be``; all in one state, as in one process."""
        return self._shown(self.world.answer(framed(line).replace("@DIR@", str(self.folder)), self.context))

    def hosts(self, address: str, lists: list[str]) -> list[str]:
        """Outcomes of host lists for a client, one after the other."""
        import ipaddress

        self.world.environment.kept.clear()
        self.world.session = type(self.world.session)()
        # -bh shows an IPv6 address in full
        self.world.session.sender_host_address = Tainted(ipaddress.ip_address(address).exploded)
        context = self.world.context()
        found = []
        for list_ in lists:
            self.world.logged.clear()
            try:
                result = match_host(context, list_.replace("@DIR@", str(self.folder)))
            except ListPanic as panic:
                found.append("died: " + self._shown(panic.message))
                continue
            word = "yes" if result.matched else "defer" if result.deferred else "no"
            data = (result.data or "") if result.matched else ""
            lines = [f"{word} <{data}>", *(f"LOG: {line}" for _, line in self.world.logged)]
            found.append(self._shown("\n".join(lines)))
        return found

    def _shown(self, text: str) -> str:
        return text.replace(str(self.folder), "@DIR@")


def described() -> DescribedResolver:
    """The zones of the fixtures as a described world's DNS; what is in none of them does not exist."""
    zones = Zones.load(str(ZONES))
    zones.add("@ SOA . . 1 1 1 1 1", "root")
    return DescribedResolver(zones, HOSTS, SEARCH, ADDRESSES)


def groups(cases: list[casefile.Case]) -> dict[tuple[str, str, str], list[casefile.Case]]:
    """Cases that are asked together, by what is asked, configuration and client."""
    found: dict[tuple[str, str, str], list[casefile.Case]] = {}
    for case in cases:
        settings = case.settings
        key = (settings.get("ask", "expansion"), settings.get("conf", "main.conf"), settings.get("ip", ""))
        found.setdefault(key, []).append(case)
    return found


def answers_of(real: Real | Ours, key: tuple[str, str, str], cases: list[casefile.Case]) -> list[str]:
    """The answers of the real Exim to a group."""
    ask, conf, address = key
    sources = [case.source for case in cases]
    if isinstance(real, Real):
        return real.hosts(conf, address, sources) if ask == "hosts" else real.expansions(conf, sources)
    if ask == "hosts":
        return real.hosts(address, sources)
    return [real.expansion(source) for source in sources]
