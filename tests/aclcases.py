"""The ACL cases under ``fixtures/acl``, and how the real Exim and ours are asked.

A case file's ``@ask`` says what its inputs are: ``expansion`` (a line of ``-be``; the default) or a phase
(``connect``, ``helo``, ``mail``, ``rcpt``, ``predata``, ``data``…): the statements of the ACL of that phase, run
by a session of ``-bh``. An answer of a phase has the reply, and the lines of the log; ``@trace yes`` has Exim's
debugging lines too. ``@mail`` and ``@rcpt`` are the arguments of these commands, ``@ip`` is the client,
``@dns yes`` asks where only our zones answer, ``@verdicts`` are those of the world that ours asks,
``@headers`` are the message's header lines with ``|`` between them, ``@main`` one more main option.
"""

from __future__ import annotations

import ipaddress
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import casefile
from differential.process import Asker
from differential.world import ENVIRONMENT
from eximious.backends.described import World
from eximious.backends.described_answers import DescribedVerdicts
from eximious.backends.dnszones import DescribedResolver, Zones
from eximious.interpreter.fullhost import build_sender_fullhost
from eximious.interpreter.headers import Header
from eximious.interpreter.outcomes import Refused, Unanswered
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.engine import Recipient, run_hook
from eximious.simulation.acl.outcomes import DISCARD, OK
from eximious.simulation.acl.replies import Reply, own_code, refusal, split_message
from eximious.simulation.acl.state import state_of

from eximious.assembly import Assembly, fresh_context

if TYPE_CHECKING:
    from dnsworld import DnsWorld

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SOURCE = FIXTURES / "acl"
ZONES = SOURCE / "zones"
HOSTS = "127.0.0.1 localhost\n"
RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
BUILD = FIXTURES / "expansion" / "build.txt"
IP, HELO, MAIL, RCPT = "192.0.2.7", "client.example", "alice@example.org", "Bob@example.net"
HEADERS = "From: alice@example.org | To: bob@example.net | Subject: test"

#: phase -> (commands before it, its command, the option, where the session is)
EHLO = f"EHLO {HELO}"
PHASES: dict[str, tuple[int, str]] = {
    "connect": (0, ""),
    "helo": (0, EHLO),
    "mail": (1, "MAIL FROM:<{mail}>"),
    "rcpt": (2, "RCPT TO:<{rcpt}>"),
    "predata": (3, "DATA"),
    "data": (4, "{message}."),
    "vrfy": (1, "VRFY {rcpt}"),
    "expn": (1, "EXPN {rcpt}"),
    "etrn": (1, "ETRN #{rcpt}"),
    "quit": (1, "QUIT"),
    "starttls": (1, "STARTTLS"),
}
_BEFORE = (EHLO, "MAIL FROM:<{mail}>", "RCPT TO:<{rcpt}>", "DATA")
#: phase -> what an acceptance says where the ACL has no message
_ACCEPTED = {
    "connect": "220 mail.example.org ESMTP Exim 4.96",
    "helo": f"250 mail.example.org Hello {HELO} [{IP}]\n250-SIZE 52428800\n250-8BITMIME\n250-PIPELINING\n"
    "250-PIPECONNECT\n250-CHUNKING\n250-SMTPUTF8\n250 HELP",
    "mail": "250 OK",
    "rcpt": "250 Accepted",
    "predata": '354 Enter message, ending with "." on a line by itself',
    "data": "250 OK id=ID",
}


def case_files() -> list[casefile.CaseFile]:
    """All case files of ACLs."""
    return [casefile.read(path) for path in sorted(SOURCE.glob("*.cases"))]


def prepare(folder: Path) -> Path:
    """Copy configurations and files, with ``@DIR@`` replaced. Gives the folder without symbolic links."""
    folder = folder.resolve()
    folder.chmod(0o755)
    for name in ("conf", "files"):
        shutil.copytree(SOURCE / name, folder / name, dirs_exist_ok=True)
        for path in (folder / name).rglob("*"):
            path.write_bytes(path.read_bytes().replace(b"@DIR@", str(folder).encode()))
            path.chmod(0o644)
    for name in ("spool", "log"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o777)  # the real one writes as another user
    return folder


def words(case: casefile.Case) -> dict[str, str]:
    """What the commands of a case's session say."""
    settings = case.settings
    message = "\n".join(headers(case)) + "\n\nbody\n"
    return {"mail": settings.get("mail", MAIL), "rcpt": settings.get("rcpt", RCPT), "message": message}


def headers(case: casefile.Case) -> list[str]:
    """The header lines of a case's message; ``\\n`` continues one."""
    lines = case.settings.get("headers", HEADERS).split("|")
    return [line.strip(" ").replace("\\n", "\n") for line in lines]


def configuration(folder: Path, case: casefile.Case) -> str:
    """The text of a configuration in which the case's ACL is that of its phase."""
    phase = case.settings["ask"]
    text = (folder / "conf" / case.settings.get("conf", "main.conf")).read_text(encoding="latin-1")
    head, _, acls = text.partition("begin acl\n")
    hooks = [f"acl_smtp_{phase} = case"]
    if phase != "rcpt":
        hooks.append("acl_smtp_rcpt = yes")
    more = case.settings.get("main", "").replace(" ; ", "\n")
    return f"{head}{chr(10).join(hooks)}\n{more}\n\nbegin acl\n{acls}\ncase:\n{source(folder, case)}\n"


def source(folder: Path, case: casefile.Case) -> str:
    """A case's text with the folder in place of the token."""
    return case.source.replace("@DIR@", str(folder))


def shown(folder: Path, text: str) -> str:
    """An answer with the token in place of the folder, and without changing numbers."""
    text = re.sub(r"\b\w{6}-\w{6,11}-\w{2,4}\b", "ID", text.replace(str(folder), "@DIR@"))
    text = text.replace("LOG: ID ", "LOG: ")  # whose message a line is about
    return re.sub(r"\(euid=\d+ egid=\d+\)", "(euid=UID egid=GID)", text)


class Real:
    """The installed Exim in a prepared folder."""

    def __init__(self, exim: str, folder: Path, world: DnsWorld | None = None) -> None:
        self.exim, self.folder, self.world = exim, folder, world

    def command(self, case: casefile.Case) -> list[str]:
        """How the real one is started: where only our zones answer, if the case asks for that."""
        if "dns" not in case.settings:
            return [self.exim]
        assert self.world is not None, "a namespace of its own is needed"
        return ["nsenter", "-t", str(self.world.process.pid), "-n", "-m", self.exim]

    def answers(self, cases: list[casefile.Case]) -> list[str]:
        """Answers to cases of one kind and configuration."""
        if cases[0].settings.get("ask", "expansion") != "expansion":
            return [self.session(case) for case in cases]
        return [self.expansion(case) for case in cases]

    def expansion(self, case: casefile.Case) -> str:
        """The answer to a line of ``-be``, and what was logged."""
        conf = str(self.folder / "conf" / case.settings.get("conf", "main.conf"))
        asker = Asker(
            [*self.command(case), "-C", conf, *case.settings.get("arguments", "").split(), "-be"],
            folder=self.folder,
            environment=ENVIRONMENT,
        )
        answer = asker.ask([source(self.folder, case)])[0]
        text = answer.text if answer.text is not None else f"died: {answer.fate}"
        logged = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (.*)$", asker.noise, re.M)
        return shown(self.folder, "\n".join([text, *(f"LOG: {line}" for line in logged)]))

    def session(self, case: casefile.Case) -> str:
        """The reply to a phase's command, and what was logged."""
        phase = case.settings["ask"]
        path = self.folder / "conf" / "session.made"
        path.write_text(configuration(self.folder, case), encoding="latin-1")
        path.chmod(0o644)
        count, command = PHASES[phase]
        hello = case.settings.get("helo", HELO)
        lines = [
            *(f"EHLO {hello}", *_BEFORE[1:])[:count],
            *([command] if command else []),
            *(["."] if phase == "predata" else []),
            "QUIT",
        ]
        text = "\n".join(lines).format(**words(case)).replace("\n", "\r\n") + "\r\n"
        run = subprocess.run(
            [*self.command(case), "-C", str(path), "-bh", case.settings.get("ip", IP)],
            input=text.encode("latin-1"), capture_output=True, env=ENVIRONMENT, timeout=30, check=False,
        )  # fmt: skip
        found = _replies(run.stdout.decode("latin-1"))
        place = count + (1 if command else 0)
        if len(found) <= place:
            return f"no reply: {run.stderr.decode('latin-1')[-300:]}"
        noise = run.stderr.decode("latin-1").split("\n")
        noise = [line for line in noise if not re.match(_SESSIONS_OWN, line)]
        wanted = [line for line in noise if line.startswith("LOG: ")]
        if case.settings.get("trace"):
            wanted = _traced(noise)
        reply = re.sub(r"(?m) \w{3}, \d+ \w{3} \d{4} .*$", "", "\n".join(found[place]))
        return shown(self.folder, "\n".join([reply, *wanted]))


#: log lines that are not about ACLs: a message received, a command out of place
_SESSIONS_OWN = (
    r"LOG: (?:ETRN .* received from |SMTP call from .* dropped|SMTP syntax error|.* rejected message: |"
    r"\S+ (?:<= |\(= |=> |Completed|frozen by ACL|no immediate delivery))"
)


def _replies(text: str) -> list[list[str]]:
    found: list[list[str]] = []
    present: list[str] = []
    for line in text.split("\r\n"):
        line = line.rpartition("\n")[2] if line.startswith("\n****") else line
        if re.match(r"[0-9]{3}[- ]", line):
            present.append(line)
            if line[3] == " ":
                found.append(present)
                present = []
        elif present and line:
            present.append(line)
    return found


def _traced(noise: list[str]) -> list[str]:
    """The lines about ACLs, from the first on, and the log's."""
    found: list[str] = []
    begun = False
    for line in noise:
        begun = begun or line.endswith('using ACL "case"')
        if line.startswith("LOG: ") or (begun and re.match(ABOUT_ACLS, line)):
            found.append(line)
    return found


ABOUT_ACLS = (
    r">>> +(?:using ACL|ACL \"|processing|check |= |message: |l_message: |end of |read ACL|"
    r"(?:accept|defer|deny|discard|drop|require|warn): |[^\"]+ in \".*\"\? )"
)


def _traced_by_ours(line: str) -> list[str]:
    return [line] if re.match(ABOUT_ACLS, line) else []


class Ours:
    """The same from ours, in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def answer(self, case: casefile.Case) -> str:
        """The answer to a case."""
        if case.settings.get("ask", "expansion") == "expansion":
            return self.expansion(case)
        return self.session(case)

    def _assembly(self, path: Path, case: casefile.Case) -> Assembly:
        assembly = self._plain_assembly(path, case)
        if "dns" in case.settings:
            zones = Zones.load(str(ZONES))
            zones.add("@ SOA . . 1 1 1 1 1", "root")
            assembly.doors.resolver = DescribedResolver(zones, HOSTS, [], ["127.0.0.1", "::1"])
        if "verdicts" in case.settings:
            assembly.doors.verdicts = described_verdicts(self.folder, case.settings["verdicts"])
        return assembly

    def _plain_assembly(self, path: Path, case: casefile.Case) -> Assembly:
        version = case.settings.get("exim", "4.96")
        build = str(BUILD) if version == "4.96" else ""
        return Assembly(str(path), version=version, build=build, allow=("all",))

    def expansion(self, case: casefile.Case) -> str:
        """The answer to a line of ``-be``, and what was logged."""
        from eximious.interpreter.engine import expand
        from eximious.interpreter.outcomes import Failure

        assembly = self._assembly(self.folder / "conf" / case.settings.get("conf", "main.conf"), case)
        arguments = case.settings.get("arguments", "").split()
        assembly.set_origin({}, arguments[1] if arguments else None)
        logged: list[str] = []
        ctx = assembly.context
        ctx.env.log = lambda line, where: logged.append(f"LOG: {line}")
        try:
            text = expand(source(self.folder, case), ctx)
        except Failure as failure:
            text = f"Failed: {failure.message}"
        except (Refused, Unanswered) as problem:
            text = f"not evaluated: {problem}"
        return shown(self.folder, "\n".join([text, *logged]))

    def session(self, case: casefile.Case) -> str:
        """The reply to a phase's command, and what was logged."""
        phase = case.settings["ask"]
        path = self.folder / "conf" / "session.made"
        path.write_text(configuration(self.folder, case), encoding="latin-1")
        assembly = self._assembly(path, case)
        error = assembly.configuration_error()
        if error:
            return f"refused: {error}"
        ctx = fresh_context(assembly.environment)
        lines: list[str] = []
        ctx.env.log = lambda line, where: lines.append(f"LOG: {line}".partition("\n")[0])
        count, _ = PHASES[phase]
        recipient = _set_up(ctx, phase, count, case)
        if case.settings.get("trace"):
            state_of(ctx).trace = lambda line: lines.extend(_traced_by_ours(f">>> {line}".partition("\n")[0]))
        try:
            result = run_hook(ctx, phase, "case", recipient)
        except (Refused, Unanswered) as problem:
            return shown(self.folder, f"not evaluated: {problem}")
        said = words(case)
        if result.outcome == OK:
            reply = _acceptance(ctx, phase, result, said)
        elif result.outcome == DISCARD and phase == "rcpt":
            why = f": {result.log}" if result.log else ""
            lines.append(
                f"LOG: H=({HELO}) [{IP}] F=<{said['mail']}> RCPT <{said['rcpt']}>: discarded by RCPT ACL{why}"
            )
            reply = _acceptance(ctx, phase, result, said)
        elif result.outcome == DISCARD:
            reply = _acceptance(ctx, phase, result, said)
        else:
            command = {"helo": HELO, "mail": f"<{said['mail']}>", "rcpt": f"<{said['rcpt']}>"}.get(phase, "")
            if phase in ("vrfy", "expn"):
                command = said["rcpt"]
            if phase == "etrn":
                command = f"#{said['rcpt']}"
            refused, logged = refusal(ctx, phase, result, command)
            if state_of(ctx).log_reject_target:
                lines.append(f"LOG: {logged}")
            reply = "\n".join(refused.lines())
        return shown(self.folder, "\n".join([reply, *lines]))


def described_verdicts(folder: Path, text: str) -> DescribedVerdicts:
    """A world's verdicts, given as its YAML."""
    world = folder / "world"
    world.mkdir(exist_ok=True)
    (world / "world.yaml").write_text(f"verdicts: {text}\n", encoding="latin-1")
    return DescribedVerdicts(World.load(str(world)))


def _acceptance(ctx: object, phase: str, result: object, said: dict[str, str]) -> str:
    from eximious.interpreter.context import Context
    from eximious.simulation.acl.outcomes import AclResult

    assert isinstance(ctx, Context) and isinstance(result, AclResult)
    state = state_of(ctx)
    if phase == "data" and state.message.fake:
        text = split_message(state.message.fake_text)
        return "\n".join(Reply("550" if state.message.fake == "reject" else "450", text).lines())
    code, first = _ACCEPTED[phase].split(" ", 1)
    enhanced, more = "", ""
    if phase == "helo":
        first, _, more = first.partition("\n")
        if not state.connection.pipelining:
            more = more.replace("250-PIPELINING\n250-PIPECONNECT\n", "")
    if result.user is not None:
        code, enhanced, text, _ = own_code(ctx, code, result)
        first = text or ""
    reply = "\n".join(Reply(code, first, enhanced).lines())
    return f"{code}-{first}\n{more}" if more else reply


def _set_up(ctx: object, phase: str, count: int, case: casefile.Case) -> Recipient | None:
    """Put a context where the session is when the phase's ACL runs."""
    from eximious.interpreter.context import Context

    assert isinstance(ctx, Context)
    session, message = ctx.session, ctx.message
    # -bh shows an IPv6 address in full
    session.sender_host_address = Tainted(ipaddress.ip_address(case.settings.get("ip", IP)).exploded)
    if phase != "connect":
        session.sender_helo_name = Tainted(case.settings.get("helo", HELO))
    build_sender_fullhost(ctx)
    said = words(case)
    if phase in ("mail", "rcpt", "predata", "data"):
        message.sender_address = Tainted(said["mail"])
    if phase in ("predata", "data"):
        message.recipients = [Tainted(said["rcpt"])]
        message.headers = [Header(Tainted(line + "\n")) for line in headers(case)]
        message.rcpt_count = 1
    if phase == "data":
        message.message_size = len(said["message"])
    if phase == "rcpt":
        message.rcpt_count = 1
    if phase not in ("rcpt", "vrfy"):
        return None
    local_part, _, domain = said["rcpt"].rpartition("@")
    ctx.address.local_part, ctx.address.domain = Tainted(local_part.lower()), Tainted(domain)
    return Recipient(Tainted(said["rcpt"]), Tainted(domain), Tainted(local_part), Tainted(local_part.lower()))
