"""The cases of content scanning under ``fixtures/mime``, and how the real Exim and ours are asked.

A case file's ``@ask`` says what its inputs are. ``parts``: the name of a message under ``fixtures/messages/mime``;
the answer has what a MIME ACL logs for each part. ``mime`` and ``data``: the statements of that ACL, for the message
that ``@message`` names. ``text``: the message itself, for the ACL of ``parts``. The answer has the log lines and the
reply to the message. ``@conf`` names the configuration, ``@main`` one more main option, ``@exim`` the version.

``@daemon`` is the script of a scanner (see scannerdaemon.py) that listens at ``@PORT@``, ``@unix`` of one that
listens at ``@DIR@/sock``; what they were sent is part of the answer. ``@verdicts`` are those of the world that ours
asks, and say that signatures are looked at (``@conf dkim.conf``).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import casefile
from aclcases import described_verdicts
from differential.world import ENVIRONMENT
from eximious.interpreter.fullhost import build_sender_fullhost
from eximious.interpreter.headers import Header
from eximious.interpreter.outcomes import Refused, Unanswered
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.engine import run_hook
from eximious.simulation.acl.outcomes import DISCARD, OK
from eximious.simulation.acl.replies import refusal
from eximious.simulation.acl.signers import run_dkim_acl
from eximious.simulation.mime.mailbox import unspool
from eximious.simulation.mime.walk import run_mime_acl
from scannerdaemon import Daemon

from eximious.assembly import Assembly, fresh_context

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SOURCE = FIXTURES / "mime"
MESSAGES = FIXTURES / "messages" / "mime"
BUILD = FIXTURES / "expansion" / "build.txt"
IP, HELO, MAIL, RCPT = "192.0.2.7", "client.example", "alice@example.org", "bob@example.net"
ID = "1abcde-000fgh-Ij"


def case_files() -> list[casefile.CaseFile]:
    """All case files of content scanning."""
    return [casefile.read(path) for path in sorted(SOURCE.glob("*.cases"))]


def prepare(folder: Path) -> Path:
    """Copy the configurations, with ``@DIR@`` replaced. Gives the folder without symbolic links."""
    folder = folder.resolve()
    folder.chmod(0o755)
    shutil.copytree(SOURCE / "conf", folder / "conf", dirs_exist_ok=True)
    for path in (folder / "conf").iterdir():
        path.write_bytes(path.read_bytes().replace(b"@DIR@", str(folder).encode()))
        path.chmod(0o644)
    for name in ("spool", "log", "out"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o777)  # the real one writes as another user
    return folder


def message(case: casefile.Case) -> bytes:
    """A case's message, its lines ended by LF."""
    ask = case.settings["ask"]
    if ask == "text":
        return case.source.encode("latin-1") + b"\n"
    name = case.source.strip() if ask == "parts" else case.settings["message"]
    return (MESSAGES / name).read_bytes()


def configuration(folder: Path, case: casefile.Case, port: int = 1) -> Path:
    """Write the configuration of a case, and give its path."""
    text = (folder / "conf" / case.settings.get("conf", "main.conf")).read_text(encoding="latin-1")
    head, _, acls = text.partition("begin acl\n")
    ask = case.settings["ask"]
    hooks = {"parts": "acl_smtp_mime = parts", "text": "acl_smtp_mime = parts"}.get(
        ask, f"acl_smtp_{ask} = case"
    )
    more = case.settings.get("main", "").replace(" ;; ", "\n")
    own = f"case:\n{case.source}\n" if hooks.endswith("case") else ""
    path = folder / "conf" / "session.made"
    text = f"{head}{hooks}\n{more}\nbegin acl\n{acls}\n{own}"
    text = text.replace("@DIR@", str(folder)).replace("@PORT@", str(port))
    path.write_text(text, encoding="latin-1")
    path.chmod(0o644)
    return path


class Daemons:
    """The scanners that a case wants, while they run."""

    def __init__(self, folder: Path, case: casefile.Case) -> None:
        settings = case.settings
        self.found = [Daemon(settings["daemon"])] if "daemon" in settings else []
        self.port = self.found[0].port if self.found else 1
        if "unix" in settings:
            self.found.append(Daemon(settings["unix"], str(folder / "sock")))

    def __enter__(self) -> Daemons:
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self.found:
            daemon.close()

    def got(self) -> list[str]:
        """What they were sent, to be asked when they have ended."""
        return [f"sent: {part}" for daemon in self.found for part in daemon.got]


def shown(folder: Path, text: str, port: int = 1) -> str:
    """An answer with the token in place of the folder, and without changing numbers."""
    text = re.sub(rf"\b{port}\b", "PORT", text) if port > 1 else text
    text = re.sub(r"\b\w{6}-\w{6,11}-\w{2,4}\b", "ID", text.replace(str(folder), "@DIR@"))
    return text.replace("LOG: ID ", "LOG: ")


class Real:
    """The installed Exim in a prepared folder."""

    def __init__(self, exim: str, folder: Path) -> None:
        self.exim, self.folder = exim, folder

    def answer(self, case: casefile.Case) -> str:
        """What is logged for the message, and the reply to it."""
        with Daemons(self.folder, case) as daemons:
            answer = self._answer(case, daemons.port)
        return shown(self.folder, "\n".join([answer, *daemons.got()]), daemons.port)

    def parts_of(self, messages: list[str]) -> list[list[str]]:
        """What the ACL of ``parts`` logs for each of some messages, in one session."""
        case = casefile.Case(Path("made"), 1, "", {"ask": "text"}, "")
        path = configuration(self.folder, case)
        commands = [f"EHLO {HELO}"]
        for text in messages:
            data = text.replace("\n", "\r\n").replace("\r\n.", "\r\n..")
            commands += [f"MAIL FROM:<{MAIL}>", f"RCPT TO:<{RCPT}>", "DATA", f"{data}."]
        commands += ["QUIT", ""]
        run = subprocess.run(
            [self.exim, "-C", str(path), "-bh", IP],
            input="\r\n".join(commands).encode("latin-1"),
            capture_output=True, env=ENVIRONMENT, timeout=300, check=False,
        )  # fmt: skip
        found: list[list[str]] = [[]]
        for line in run.stderr.decode("latin-1").split("\n"):
            if re.match(r"LOG: \S+ <= ", line):
                found.append([])
            elif line.startswith("LOG: "):
                found[-1].append(shown(self.folder, line))
        return found[:-1]

    def _answer(self, case: casefile.Case, port: int) -> str:
        path = configuration(self.folder, case, port)
        data = message(case).replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")
        commands = f"EHLO {HELO}\r\nMAIL FROM:<{MAIL}>\r\nRCPT TO:<{RCPT}>\r\nDATA\r\n".encode()
        run = subprocess.run(
            [self.exim, "-C", str(path), "-bh", IP],
            input=commands + data + b".\r\nQUIT\r\n", capture_output=True, env=ENVIRONMENT, timeout=60, check=False,
        )  # fmt: skip
        output = run.stdout.decode("latin-1").replace("\r", "")
        after = output.partition("\n354 ")[2].partition("\n")[2].partition("\n\n")[0]
        reply = [line for line in after.split("\n") if re.match("[0-9]{3}[- ]", line)]
        reply = [line for line in reply if not line.startswith("221 ")]
        noise = run.stderr.decode("latin-1").split("\n")
        logged = [
            line
            for line in noise
            if line.startswith("LOG: ") and not re.match(r"LOG: \S+ (?:<= |Completed)", line)
        ]
        return "\n".join(logged + reply)


class Ours:
    """The same from ours, in this process."""

    def __init__(self, folder: Path, allow: tuple[str, ...] = ("all",)) -> None:
        self.folder, self.allow = folder, allow

    def context(self, case: casefile.Case, lines: list[str], port: int = 1) -> Context:
        """A context in which the case's message has been received."""
        version = case.settings.get("exim", "4.96")
        build = str(BUILD) if version == "4.96" else ""
        path = configuration(self.folder, case, port)
        assembly = Assembly(str(path), version=version, build=build, allow=self.allow)
        error = assembly.configuration_error()
        assert not error, error
        if "verdicts" in case.settings:
            assembly.doors.verdicts = described_verdicts(self.folder, case.settings["verdicts"])
        ctx = fresh_context(assembly.environment)
        receive(ctx, message(case))
        ctx.env.log = lambda line, where: lines.append(f"LOG: {line}".partition("\n")[0])
        return ctx

    def answer(self, case: casefile.Case) -> str:
        """What is logged for the message, and the reply to it."""
        with Daemons(self.folder, case) as daemons:
            answer = self._answer(case, daemons.port)
        return shown(self.folder, "\n".join([answer, *daemons.got()]), daemons.port)

    def _answer(self, case: casefile.Case, port: int) -> str:
        lines: list[str] = []
        ctx = self.context(case, lines, port)
        options = ctx.env.options
        try:
            if options.get("acl_smtp_mail"):
                run_hook(ctx, "mail", options.get("acl_smtp_mail"))
            for phase in ("dkim", "mime", "data"):
                acl = options.get(f"acl_smtp_{phase}")
                if phase == "dkim" and "verdicts" in case.settings:
                    result = run_dkim_acl(ctx, acl)
                elif not acl:
                    continue
                else:
                    result = run_mime_acl(ctx, acl) if phase == "mime" else run_hook(ctx, phase, acl)
                if result.outcome == DISCARD:
                    why = f": {result.log}" if result.log and phase != "mime" else ""
                    lines.append(f"LOG: => blackhole ({phase.upper()} ACL discarded recipients){why}")
                    break
                if result.outcome != OK:
                    reply, logged = refusal(ctx, phase, result, "")
                    return "\n".join([*lines, f"LOG: {logged}", *reply.lines()])
        except (Refused, Unanswered) as problem:
            return "\n".join([*lines, f"not evaluated: {problem}"])
        finally:
            unspool(ctx)
        text = result.user if acl and result.user is not None else "OK id=ID"
        return "\n".join([*lines, f"250 {text}"])


def receive(ctx: Context, data: bytes) -> None:
    """Put a message into a context as a session has it at the end of its data."""
    session, message = ctx.session, ctx.message
    session.sender_host_address, session.sender_helo_name = Tainted(IP), Tainted(HELO)
    build_sender_fullhost(ctx)
    message.sender_address, message.recipients = Tainted(MAIL), [Tainted(RCPT)]
    message.rcpt_count = 1
    message.message_exim_id = ID
    head, _, message.body = data.partition(b"\n\n")
    if data.startswith(b"\n"):
        head, message.body = b"", data[1:]
    lines = re.findall(r"[^\n]*(?:\n[ \t][^\n]*)*\n?", head.decode("latin-1"))
    message.headers = [
        Header(Tainted(line if line.endswith("\n") else line + "\n")) for line in lines if line
    ]
