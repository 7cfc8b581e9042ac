"""The routing cases under ``fixtures/routing``, and how the real Exim and ours are asked.

The first line of an input has the words behind the option that ``@ask`` names (``-bt``, the default, ``-bv``,
``-bvs``, ``-brw``…), as a shell would take them apart; with ``@stdin yes`` it is the text of standard input instead,
``|`` between its lines. Further lines of an input are put in place of the line ``@HERE@`` of the configuration,
which ``@conf`` names (``main``). ``@options`` are more words of the command line, ``@dns yes`` asks where only our
zones answer, ``@exim`` is the version.

With ``@ask -bh 192.0.2.7``, ``-bhc`` or ``-bs -oMt root -oMa 192.0.2.7`` (a server's session) the input is a session:
SMTP commands with ``|`` between them. Of its answer the replies behind that to EHLO, and of standard error the log
lines are kept; the mail servers that callouts reach are those of :mod:`smtpserver`, where ``@peers yes`` is set; with
``@peers heard`` what those were told is kept, too (``N< command``).

An answer is standard output, ``exit`` and the exit code, what stands on standard error, and what the real one writes to
its logs (``main:``, ``panic:``, ``reject:``: nothing, in these modes).

Files of ``files/`` are there with mode 644, other modes and links are in ``files.txt``. ``@DIR@`` stands for the
folder.
"""

from __future__ import annotations

import gc
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import casefile
import smtpserver
from differential.world import ENVIRONMENT
from eximious.backends.dnszones import DescribedResolver, Zones
from eximious.interpreter.outcomes import Refused, Unanswered

from eximious import exim_front
from eximious.assembly import Assembly
from eximious.simulating import Client, open_session

if TYPE_CHECKING:
    from typing import Any

    from dnsworld import DnsWorld

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SOURCE = FIXTURES / "routing"
ZONES = FIXTURES / "zones"
HOSTS = "127.0.0.1 localhost\n"
RESOLV_CONF = "nameserver 127.0.0.1\nsearch test.ex sub.test.ex\noptions trust-ad timeout:1 attempts:1\n"
BUILD = FIXTURES / "expansion" / "build.txt"
LOGS = ("main", "panic", "reject")
SESSIONS = ("-bh", "-bhc", "-bs")
#: the files' time
_TIME = 1_700_000_000


def case_files() -> list[casefile.CaseFile]:
    """All case files of routing."""
    return [casefile.read(path) for path in sorted(SOURCE.glob("*.cases"))]


def prepare(folder: Path) -> Path:
    """Copy configurations and files, with ``@DIR@`` replaced. Gives the folder without symbolic links."""
    folder = folder.resolve()
    folder.chmod(0o755)
    for name in ("conf", "files"):
        shutil.copytree(SOURCE / name, folder / name, dirs_exist_ok=True)
        for path in (folder / name).rglob("*"):
            if path.is_dir():
                path.chmod(0o755)
                continue
            path.write_bytes(path.read_bytes().replace(b"@DIR@", str(folder).encode()))
            path.chmod(0o644)
            os.utime(path, (_TIME, _TIME))
    for line in (SOURCE / "files.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            _make(folder / "files", line.split())
    for name in ("spool", "log"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o777)  # the real one writes as another user
    return folder


def _make(files: Path, words: list[str]) -> None:
    """One line of files.txt: ``mode 600 NAME``, ``folder 755 NAME``, ``link TARGET NAME``, ``owner UID GID NAME``."""
    path = files / words[-1]
    if words[0] == "link":
        path.unlink(missing_ok=True)
        path.symlink_to(words[1])
    elif words[0] == "owner":
        if os.geteuid() == 0:
            os.chown(path, int(words[1]), int(words[2]))
    else:
        if words[0] == "folder":
            path.mkdir(exist_ok=True)
        path.chmod(int(words[1], 8))


def configuration(folder: Path, case: casefile.Case) -> Path:
    """The file with the case's configuration."""
    path = folder / "conf" / f"{case.settings.get('conf', 'main')}.conf"
    _, newline, more = case.source.partition("\n")
    text = path.read_text(encoding="latin-1")
    if not newline and "@HERE@" not in text:
        return path
    path = folder / "conf" / "case.made"
    path.unlink(missing_ok=True)
    path.write_text(text.replace("@HERE@", more.replace("@DIR@", str(folder))), encoding="latin-1")
    path.chmod(0o644)
    return path


def words(folder: Path, case: casefile.Case) -> tuple[list[str], str]:
    """The words behind the program's name, without those for the configuration, and standard input."""
    line = case.source.partition("\n")[0].replace("@DIR@", str(folder))
    options = shlex.split(case.settings.get("options", "").replace("@DIR@", str(folder)))
    ask = case.settings.get("ask", "-bt").split()
    if ask[0] in SESSIONS:
        return [*options, *ask], "EHLO client.example\r\n" + line.replace("|", "\r\n") + "\r\nQUIT\r\n"
    if "stdin" in case.settings:
        return [*options, *ask], line.replace("|", "\n") + "\n"
    return [*options, *ask, *shlex.split(line)], ""


def shown(
    folder: Path, case: casefile.Case, out: str, code: int, err: str, logs: list[tuple[str, str]]
) -> str:
    """An answer as it is kept."""
    if case.settings.get("ask", "").startswith(SESSIONS):
        out = out.replace("\r\n", "\n").partition("\n250 HELP\n")[2].rpartition("\n221 ")[0]
    if case.settings.get("ask", "").startswith("-bh"):
        err = "\n".join(line for line in err.split("\n") if line.startswith(("LOG: ", "not evaluated: ")))
        logs = []
    # the words of a process of its own, with numbers of this machine
    err = re.sub(r"(?m)^(?:LOG: MAIN PANIC DIE\n)?.*unable to set gid=.*\n?", "", err)
    lines = [out.removesuffix("\n"), f"exit {code}"] if out else [f"exit {code}"]
    lines += [f"stderr: {line}" for line in err.removesuffix("\n").split("\n") if line]
    lines += [f"{log}: {line}" for log, line in logs]
    text = "\n".join(lines).replace(str(folder), "@DIR@")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: \[\d+\])? ", "", text)
    text = _ordered(text)
    text = re.sub(r"\b\w{6}-\w{6,11}-\w{2,4}\b", "ID", text)
    return text.replace("@DIR@/conf/case.made", "@DIR@/conf/CASE")


def _ordered(text: str) -> str:
    """Put addresses of one host in order: Exim shuffles them."""
    lines = text.split("\n")
    keys = [
        line.split("[")[0] + line.partition("]")[2].strip() if line.startswith("  host ") else ""
        for line in lines
    ]
    start = 0
    while start < len(lines):
        end = start + 1
        while keys[start] and end < len(lines) and keys[end] == keys[start]:
            end += 1
        lines[start:end] = sorted(lines[start:end])
        start = end
    return "\n".join(lines)


class Real:
    """The installed Exim in a prepared folder."""

    def __init__(self, exim: str, folder: Path, world: DnsWorld | None = None) -> None:
        self.exim, self.folder, self.world = exim, folder, world
        self.peers: subprocess.Popen[str] | None = None

    def start_peers(self) -> None:
        """Start the mail servers that callouts reach, in the world's namespace."""
        assert self.world is not None, "a namespace of its own is needed"
        inside = ["nsenter", "-t", str(self.world.process.pid), "-n", "-m"]
        self.peers = subprocess.Popen(
            [*inside, sys.executable, str(Path(smtpserver.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.peers.stdout is not None
        self.peers.stdout.readline()

    def close(self) -> None:
        """End the mail servers."""
        if self.peers is not None:
            self.peers.communicate()

    def answer(self, case: casefile.Case) -> str:
        """The answer to a case."""
        command = [self.exim]
        if "peers" in case.settings and self.peers is None:
            self.start_peers()
        if "dns" in case.settings or "peers" in case.settings:
            assert self.world is not None, "a namespace of its own is needed"
            command = ["nsenter", "-t", str(self.world.process.pid), "-n", "-m", self.exim]
        arguments, stdin = words(self.folder, case)
        shutil.rmtree(self.folder / "spool" / "db", ignore_errors=True)
        for log in LOGS:
            (self.folder / "log" / f"{log}log").unlink(missing_ok=True)
        run = subprocess.run(
            [*command, "-C", str(configuration(self.folder, case)), *arguments],
            input=stdin.encode("latin-1"),
            capture_output=True,
            env=ENVIRONMENT,
            cwd=self.folder,
            timeout=60,
            check=False,
        )
        logs = []
        for log in LOGS:
            path = self.folder / "log" / f"{log}log"
            if path.exists():
                # continuation lines of one entry have no date
                text = re.sub(
                    r"\n(?!\d{4}-\d\d-\d\d )", r"\\n", path.read_text(encoding="latin-1").strip("\n")
                )
                logs += [(log, line) for line in text.split("\n")]
        out, err = run.stdout.decode("latin-1"), run.stderr.decode("latin-1")
        answer = shown(self.folder, case, out, run.returncode, err, logs)
        return "\n".join([answer, *self._heard()]) if case.settings.get("peers") == "heard" else answer

    def _heard(self) -> list[str]:
        """What the mail servers were told."""
        assert self.peers is not None and self.peers.stdin is not None and self.peers.stdout is not None
        self.peers.stdin.write("heard\n")
        self.peers.stdin.flush()
        lines: list[str] = json.loads(self.peers.stdout.readline())
        return lines


class Ours:
    """The same from ours, in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: a door in place of the usual one
        self.verdicts: Any = None

    def answer(self, case: casefile.Case) -> str:
        """The answer to a case."""
        arguments, stdin = words(self.folder, case)
        known = [one for one in arguments if one != "-bs"]  # no mode of the front's
        parsed = exim_front.parse(["-C", str(configuration(self.folder, case)), *known])
        version = case.settings.get("exim", "4.96")
        assembly = Assembly(
            parsed.config,
            version=version,
            build=str(BUILD) if version == "4.96" else "",
            defines=parsed.defines,
            allow=("all",),
        )
        if "dns" in case.settings:
            zones = Zones.load(str(ZONES))
            zones.add("@ SOA . . 1 1 1 1 1", "root")
            addresses = ["127.0.0.1", "10.99.0.1", "::1", "fd99::1"]
            assembly.doors.resolver = DescribedResolver(zones, HOSTS, ["test.ex", "sub.test.ex"], addresses)
        sockets = smtpserver.MemorySockets()
        if "peers" in case.settings:
            assembly.doors.sockets = sockets
        if self.verdicts is not None:
            assembly.doors.verdicts = self.verdicts
        if "-bs" in arguments:
            answer = shown(self.folder, case, *_served(assembly, arguments[-1], stdin))
        else:
            answer = shown(self.folder, case, *_captured(assembly, parsed, stdin), [])
        if case.settings.get("peers") == "heard":
            answer = "\n".join([answer, *smtpserver.heard(sockets.conversations)])
        return answer


def _served(assembly: Assembly, ip: str, stdin: str) -> tuple[str, int, str, list[tuple[str, str]]]:
    """Run a server's session; gives what is said, the exit code, standard error, and what is logged."""
    session = open_session(assembly, Client(ip, ident="root"))
    out = session.start() + session.feed(stdin.encode("latin-1"))
    logged = [entry for event in session.record.events for entry in event.logs]
    lines = [
        (wanted, line.replace("\n", "\\n"))
        for wanted in LOGS
        for log, line in logged
        if wanted in log.split()
    ]
    return out.decode("latin-1"), 0, "", lines


def _captured(assembly: Assembly, parsed: exim_front.Arguments, stdin: str) -> tuple[str, int, str]:
    """Run the front in this process with streams of its own."""
    streams = sys.stdin, sys.stdout, sys.stderr

    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode("latin-1")), "latin-1")
    sys.stdout, sys.stderr = io.TextIOWrapper(out, "latin-1"), io.TextIOWrapper(err, "latin-1")
    try:
        code = exim_front.run_assembled(assembly, parsed)
    except (Refused, Unanswered) as problem:
        sys.stderr.write(f"not evaluated: {problem}\n")
        code = 3
    finally:
        for stream in (sys.stdout, sys.stderr):
            assert isinstance(stream, io.TextIOWrapper)
            stream.detach()  # writes out what it holds
        sys.stdin, sys.stdout, sys.stderr = streams
        gc.enable()
        gc.unfreeze()
    return out.getvalue().decode("latin-1"), code, err.getvalue().decode("latin-1")
