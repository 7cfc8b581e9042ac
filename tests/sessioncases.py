"""The SMTP sessions under ``fixtures/sessions``, and how the real Exim and ours are asked.

An input is a session: what the client types, line by line. Above a line ``----`` stand lines of the configuration:
main options up to ``begin acl``, behind it ACLs, and then whatever sections there are; they are put into
``conf/main.conf`` in place of ``@MAIN@`` and at its end. Without an option ``acl_smtp_rcpt`` every recipient is
accepted, without ``tls_advertise_hosts`` no TLS is offered.

An answer has the replies (the greeting and the last line, too), and the log lines, which begin with ``LOG:``. Message
ids are ``ID``, dates are ``DATE``. ``@ip`` is the client, ``@options`` are more words of the command line, ``@dns yes``
asks where only our zones answer, ``@exim`` is the version. ``@DIR@`` stands for the folder. In a line of the client
``<*N*CHARACTER>`` is that character N times, ``<lf>`` at a line's end ends it with LF alone.
"""

from __future__ import annotations

import gc
import io
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import casefile
from differential.world import ENVIRONMENT
from eximious.backends.dnszones import DescribedResolver, Zones
from eximious.interpreter.outcomes import Refused, Unanswered

from eximious import exim_front
from eximious.assembly import Assembly

if TYPE_CHECKING:
    from dnsworld import DnsWorld

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SOURCE = FIXTURES / "sessions"
ZONES = FIXTURES / "zones"
HOSTS = "127.0.0.1 localhost\n"
RESOLV_CONF = "nameserver 127.0.0.1\nsearch test.ex sub.test.ex\noptions trust-ad timeout:1 attempts:1\n"
BUILD = FIXTURES / "expansion" / "build.txt"
IP = "192.0.2.7"
_BANNER = re.compile(r"\A\n\*\*\*\* SMTP testing session as if from host .*\n(?:\*\*\*\* .*\n)+\n")


def case_files() -> list[casefile.CaseFile]:
    """All case files of sessions."""
    return [casefile.read(path) for path in sorted(SOURCE.glob("*.cases"))]


def case_id(case: casefile.Case) -> str:
    """A test id: a session is too long to be one."""
    return f"{case.path.stem}:{case.line}:{case.heading.encode('unicode_escape').decode('ascii')}"


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


def parts(case: casefile.Case) -> tuple[str, str]:
    """The lines of the configuration, and those of the session."""
    above, mark, session = case.source.partition("----\n")
    return (above, session) if mark else ("", case.source)


def configuration_text(base: str, fragment: str) -> str:
    """A configuration of the text of a base and a case's lines."""
    main, _, sections = f"\n{fragment}".partition("\nbegin acl\n")
    if "acl_smtp_rcpt" not in main:
        main += "\nacl_smtp_rcpt = yes\n"
    if "tls_advertise_hosts" not in main:
        main += "\ntls_advertise_hosts =\n"
    return f"{base.replace('@MAIN@', main)}\n{sections}\n"


def configuration(folder: Path, case: casefile.Case) -> Path:
    """The file with the case's configuration."""
    base = (folder / "conf" / "main.conf").read_text(encoding="latin-1")
    text = configuration_text(base, parts(case)[0]).replace("@DIR@", str(folder))
    path = folder / "conf" / "case.made"
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="latin-1")
    path.chmod(0o644)
    return path


def typed(text: str) -> bytes:
    """What the client sends: the lines, ended by CRLF."""
    text = re.sub(r"<\*(\d+)\*(.)>", lambda found: found[2] * int(found[1]), text)
    return "".join(
        line.removesuffix("<lf>") + ("\n" if line.endswith("<lf>") else "\r\n") for line in text.split("\n")
    ).encode("latin-1")


#: what standard error holds of a session as it is kept, and all of it
LOGS = ("LOG: ", "not evaluated: ", "exim: ")
EVERYTHING = (*LOGS, ">>> ")


def shown(folder: Path, out: str, err: str, code: int, kept: tuple[str, ...] = LOGS) -> str:
    """An answer as it is kept."""
    text = _BANNER.sub("", out, count=1).replace("\r\n", "\n")
    text = text.replace("\n**** SMTP testing: that is not a real message id!\n\n", "**** not a real id\n")
    logs = [line for line in err.split("\n") if line.startswith(kept)]
    lines = [text.removesuffix("\n"), *logs, *([f"exit {code}"] if code else [])]
    return anonymous("\n".join(lines).replace(str(folder), "@DIR@"))


def anonymous(text: str) -> str:
    """Text without ids, dates and durations."""
    text = re.sub(r"\b[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}\b", "ID", text)
    text = re.sub(r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "DATE", text)
    text = re.sub(r"\bD=\d+(?:\.\d+)?s", "D=TIME", text)
    return re.sub(r"\(euid=\d+ egid=\d+\)", "(euid=UID egid=GID)", text)


class Real:
    """The installed Exim in a prepared folder."""

    def __init__(self, exim: str, folder: Path, world: DnsWorld | None = None) -> None:
        self.exim, self.folder, self.world = exim, folder, world

    def answer(self, case: casefile.Case) -> str:
        """The answer to a case."""
        command = [self.exim]
        if "dns" in case.settings:
            assert self.world is not None, "a namespace of its own is needed"
            command = ["nsenter", "-t", str(self.world.process.pid), "-n", "-m", self.exim]
        path = configuration(self.folder, case)
        shutil.rmtree(self.folder / "spool" / "db", ignore_errors=True)
        return self.session(command, path, case.settings, typed(parts(case)[1]))

    def session(self, command: list[str], path: Path, settings: dict[str, str], data: bytes) -> str:
        """What is answered to a client that sends ``data``."""
        run = subprocess.run(
            [*command, "-C", str(path), *_options(settings)],
            input=data, capture_output=True, env=ENVIRONMENT, cwd=self.folder, timeout=60, check=False,
        )  # fmt: skip
        out, err = run.stdout.decode("latin-1"), run.stderr.decode("latin-1")
        return shown(self.folder, out, err, run.returncode, _kept(settings))


def _kept(settings: dict[str, str]) -> tuple[str, ...]:
    return EVERYTHING if "traces" in settings else LOGS


def _options(settings: dict[str, str]) -> list[str]:
    return [*shlex.split(settings.get("options", "")), "-bh", settings.get("ip", IP)]


class Ours:
    """The same from ours, in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def answer(self, case: casefile.Case) -> str:
        """The answer to a case."""
        path = configuration(self.folder, case)
        return self.session(path, case.settings, typed(parts(case)[1]))

    def session(self, path: Path, settings: dict[str, str], data: bytes) -> str:
        """What is answered to a client that sends ``data``."""
        parsed = exim_front.parse(["-C", str(path), *_options(settings)])
        version = settings.get("exim", "4.96")
        assembly = Assembly(
            parsed.config,
            version=version,
            build=str(BUILD) if version == "4.96" else "",
            defines=parsed.defines,
            allow=("all",),
        )
        if "dns" in settings:
            zones = Zones.load(str(ZONES))
            zones.add("@ SOA . . 1 1 1 1 1", "root")
            addresses = ["127.0.0.1", "10.99.0.1", "::1", "fd99::1"]
            assembly.doors.resolver = DescribedResolver(zones, HOSTS, ["test.ex", "sub.test.ex"], addresses)
        out, code, err = _captured(assembly, parsed, data)
        return shown(self.folder, out, err, code, _kept(settings))


def _captured(assembly: Assembly, parsed: exim_front.Arguments, data: bytes) -> tuple[str, int, str]:
    """Run the front in this process with streams of its own: output, exit code, standard error."""
    streams = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), "latin-1")
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
