"""Doors that pass questions on and write down the answers, so that a world can give them again.

What was written down is kept by a :class:`Recording` and written as ``recorded.yaml`` and copies of files
below ``root/``. Time stands still while it is recorded: what is replayed has one time only. The door to files
is in ``recording_files``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eximious.backends.described import ABSENT, DESCRIPTION, RECORDED
from eximious.interpreter.outcomes import ExpansionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from eximious.interpreter.databases import Answer as DatabaseAnswer
    from eximious.interpreter.databases import Request
    from eximious.interpreter.dns import Answer

HEAD = (
    "What was answered when this was recorded; world.yaml beside it comes first, and is yours to write.\n"
    "See docs/world.md. It may hold what is secret: read it before it is given away."
)


class Recording:
    """What was asked and answered in a run. ``folder``: the world that it becomes a part of."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._maps: dict[str, dict[str, Any]] = {}
        self._values: dict[str, Any] = {}
        #: section (and kind) -> question -> answers in their order
        self._lists: dict[tuple[str, ...], dict[str, list[dict[str, Any]]]] = {}
        self._open: list[Any] = []
        self.salt = os.urandom(8).hex()

    def value(self, section: str, value: Any) -> None:
        """Note a value of its own."""
        self._values[section] = value

    def entry(self, section: str, key: str, value: Any) -> None:
        """Note an entry of a mapping."""
        self._maps.setdefault(section, {})[key] = value

    def entries(self, section: str) -> dict[str, Any]:
        """What was noted in a mapping."""
        return self._maps.setdefault(section, {})

    def item(self, section: tuple[str, ...], question: dict[str, Any], answer: dict[str, Any]) -> None:
        """Note an answer to a question of a list."""
        asked = self._lists.setdefault(section, {}).setdefault(_key(question), [])
        asked.append(question | answer)

    def when_saved(self, finish: Any) -> None:
        """Have something called before the recording is written (connections that nobody closed)."""
        self._open.append(finish)

    def prepare(self) -> None:
        """Make the folder; OSError where that cannot be."""
        os.makedirs(os.path.join(self.folder, "root"), exist_ok=True)

    def plain(self) -> dict[str, Any]:
        """All that was noted, as plain values."""
        plain: dict[str, Any] = dict(self._values)
        for section, mapping in self._maps.items():
            plain[section] = {**plain.get(section, {}), **mapping}
        for path, asked in self._lists.items():
            items = [item for answers in asked.values() for item in _one_if_same(answers)]
            if len(path) > 1:
                plain.setdefault(path[0], {})[path[1]] = items
            else:
                plain[path[0]] = items
        return {section: value for section, value in plain.items() if value}

    def save(self) -> None:
        """Write recorded.yaml: what was there and was not asked again stays. OSError where that cannot be.

        DescriptionError where what was there cannot be read.
        """
        from eximious.backends.described_yaml import read_yaml, write_yaml

        for finish in self._open:
            finish()
        self.prepare()
        path = os.path.join(self.folder, RECORDED)
        old: dict[str, Any] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                old = read_yaml(stream.read(), path).plain()
        except FileNotFoundError:
            pass
        text = write_yaml(self._merged(old), HEAD)
        with open(path + ".new", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(path + ".new", path)
        description = os.path.join(self.folder, DESCRIPTION)
        if not os.path.exists(description):
            with open(description, "w", encoding="utf-8") as stream:
                stream.write("# What is written here comes before what recorded.yaml says.\n")

    def _merged(self, old: dict[str, Any]) -> dict[str, Any]:
        new = self.plain()
        for path, asked in self._lists.items():
            before = old.get(path[0], [])
            if len(path) > 1:
                before = before.get(path[1], []) if before else []
            kept = [item for item in before if _key(_question(path, item)) not in asked]
            if len(path) > 1:
                new[path[0]][path[1]] = kept + new[path[0]][path[1]]
            else:
                new[path[0]] = kept + new[path[0]]
        for section, value in old.items():
            if section not in new:
                new[section] = value
            elif isinstance(value, dict) and section != "random":
                new[section] = {**value, **new[section]}
        return new


def _one_if_same(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return answers if any(one != answers[0] for one in answers) else answers[:1]


def _key(question: dict[str, Any]) -> str:
    return repr(sorted(question.items(), key=lambda pair: pair[0]))


_QUESTIONS = {
    "dns": ("name", "type", "dnssec"),
    "databases": ("kind", "server", "port", "socket", "database", "user", "options", "query"),
    "commands": ("run", "stdin"),
    "sockets": ("connect", "tls", "request"),
    "verdicts": ("ask",),
    "callouts": ("address", "host", "sender"),
}


def _question(path: tuple[str, ...], item: dict[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in _QUESTIONS[path[0]] if key in item}


class _Passing:
    """A door around another one."""

    def __init__(self, door: Any, recording: Recording) -> None:
        self.door, self.recording = door, recording

    def use_options(self, options: Any) -> None:
        """Pass the main options on."""
        if hasattr(self.door, "use_options"):
            self.door.use_options(options)


class RecordingClock(_Passing):
    """The time of the first question, for the whole run; its zone as the machine has it.

    What lets time go on does so again when the recording is replayed: the beginning is written down.
    """

    _now: float | None = None

    def advance(self, seconds: float) -> None:
        """Let time go on by so many seconds."""
        self._now = self.now() + seconds

    def now(self) -> float:
        """Seconds since the epoch; it stands still unless it is told to go on."""
        if self._now is None:
            self._now = self.door.now()
            zone = getattr(self.door, "machine_zone", None) or machine_zone(self._now)
            self.recording.value("clock", {"now": self._now, "zone": zone})
        return self._now

    def localtime(self, seconds: float) -> Any:
        """As time.localtime, in the zone in effect."""
        self.now()
        return self.door.localtime(seconds)


def machine_zone(now: float) -> str:
    """The name of the machine's time zone, or its offset in the form of the variable TZ."""
    import time

    from eximious.backends.clock import local_time

    here = time.localtime(now)
    names = [os.environ.get("TZ", "").removeprefix(":")]
    names.append(os.path.realpath("/etc/localtime").partition("zoneinfo/")[2])
    for name in (*names, "UTC"):
        if name:
            there = local_time(now, name)
            if tuple(there) == tuple(here) and (there.tm_gmtoff, there.tm_zone) == (
                here.tm_gmtoff,
                here.tm_zone,
            ):
                return name
    seconds = -here.tm_gmtoff
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    return f"<{here.tm_zone}>{sign}{seconds // 3600}:{seconds // 60 % 60:02}"


class RecordingMachine(_Passing):
    """The machine."""

    def hostname(self) -> str:
        """The host's own name."""
        name: str = self.door.hostname()
        self.recording.value("hostname", name)
        return name

    def caller(self) -> tuple[int, int]:
        """User and group id of the caller."""
        uid, gid = self.door.caller()
        self.recording.entries("process").update(uid=uid, gid=gid)
        return uid, gid

    def pid(self) -> int:
        """The process id."""
        pid: int = self.door.pid()
        self.recording.entry("process", "pid", pid)
        return pid

    def cwd(self) -> str:
        """The working folder."""
        cwd: str = self.door.cwd()
        self.recording.entry("process", "cwd", cwd)
        return cwd

    def load_average(self) -> float:
        """The load, of the first question."""
        if "load" not in self.recording._values:
            self.recording.value("load", self.door.load_average())
        load: float = self.recording._values["load"]
        return load

    def disk(self, folder: str) -> tuple[int, int] | None:
        """Free space, of the first question for a folder."""
        noted = self.recording.entries("disk")
        if folder not in noted:
            found = self.door.disk(folder)
            noted[folder] = ABSENT if found is None else {"kilobytes": found[0], "inodes": found[1]}
        entry = noted[folder]
        return None if entry == ABSENT else (entry["kilobytes"], entry["inodes"])


class RecordingUsers(_Passing):
    """Users and groups. Passwords are not written down."""

    def getpwnam(self, name: str) -> Any:
        """The user of this name, or None."""
        return self._user(self.door.getpwnam(name), name)

    def getpwuid(self, uid: int) -> Any:
        """The user with this id, or None."""
        return self._user(self.door.getpwuid(uid), f"#{uid}")

    def getgrnam(self, name: str) -> Any:
        """The group of this name, or None."""
        return self._group(self.door.getgrnam(name), name)

    def getgrgid(self, gid: int) -> Any:
        """The group with this id, or None."""
        return self._group(self.door.getgrgid(gid), f"#{gid}")

    def _user(self, found: Any, asked: str) -> Any:
        if found is None:
            self.recording.entry("users", asked, ABSENT)
            return None
        facts = {"uid": found.pw_uid, "gid": found.pw_gid, "gecos": found.pw_gecos, "home": found.pw_dir}
        self.recording.entry("users", found.pw_name, facts | {"shell": found.pw_shell})
        return found

    def _group(self, found: Any, asked: str) -> Any:
        if found is None:
            self.recording.entry("groups", asked, ABSENT)
            return None
        self.recording.entry("groups", found.gr_name, {"gid": found.gr_gid, "members": list(found.gr_mem)})
        return found


class RecordingEnviron(_Passing):
    """Environment variables, as far as they are asked for."""

    @property
    def variables(self) -> dict[str, str]:
        """The whole environment (for programs; it is not written down)."""
        found: dict[str, str] = self.door.variables
        return found

    def get(self, name: str) -> str | None:
        """The value or None."""
        value: str | None = self.door.get(name)
        self.recording.entry("environment", name, value)
        return value


class RecordingChance(_Passing):
    """Random numbers, in their order."""

    def below(self, limit: int) -> int:
        """A number from 0 to limit-1."""
        number: int = self.door.below(limit)
        self.recording.entries("random").setdefault("numbers", []).append([limit, number])
        return number


class RecordingResolver(_Passing):
    """Questions to the DNS, each as it was asked."""

    def query(self, name: str, rdtype: str, **how: Any) -> Answer:
        """One question; names of the search list are questions of their own."""
        from eximious.backends.described_dns import item_of
        from eximious.backends.dnssearch import searched

        def one(full_name: str, type_: str, options: dict[str, Any]) -> Answer:
            plain = {**options, "qualify_single": False, "search_parents": False}
            answer: Answer = self.door.query(full_name, type_, **plain)
            dnssec = bool(options.get("dnssec"))
            item = item_of(full_name.rstrip(".").lower(), type_, dnssec, answer)
            question = {key: item.pop(key) for key in ("name", "type", "dnssec")}
            self.recording.item(("dns",), question, item)
            return answer

        conf = getattr(self.door, "conf", self.door)
        search = list(getattr(conf, "search", ()))
        if search and (how.get("qualify_single") or how.get("search_parents")):
            self.recording.entry("resolver", "search", search)
        return searched(one, name, rdtype, how, search)

    def hosts(self) -> str:
        """The text of the hosts file, which is kept in root/."""
        text: str = self.door.hosts()
        path = os.path.join(self.recording.folder, "root/etc/hosts")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="latin-1", newline="") as stream:
            stream.write(text)
        return text

    def interfaces(self) -> list[str]:
        """The addresses of the machine's interfaces."""
        found: list[str] = self.door.interfaces()
        self.recording.value("interfaces", list(found))
        return found


class RecordingProcesses(_Passing):
    """Programs: what they wrote and how they ended."""

    def run(
        self, argv: Sequence[str], stdin: str, timeout: float, environ: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """See :class:`eximious.interpreter.protocols.Processes`."""
        question: dict[str, Any] = {"run": [str(word) for word in argv]}
        if stdin:
            question["stdin"] = str(stdin)
        try:
            code, output = self.door.run(argv, stdin, timeout, environ)
        except TimeoutError:
            self.recording.item(("commands",), question, {"timeout": True})
            raise
        self.recording.item(("commands",), question, {"exit": code, "output": str(output)})
        return code, output


class RecordingDatabases(_Passing):
    """Questions to databases; passwords are not written down."""

    def query(self, request: Request) -> DatabaseAnswer:
        """Put one question."""
        answer: DatabaseAnswer = self.door.query(request)
        question = request.as_dict()
        question["query"] = question.pop("text", "")
        said = answer.as_dict()
        if said["outcome"] == "ok" and said.keys() & {"rows", "affected", "reply", "entries"}:
            del said["outcome"]
        self.recording.item(("databases",), _untainted(question), _untainted(said))
        return answer

    def close(self) -> None:
        """Close the connections."""
        self.door.close()


class RecordingVerdicts(_Passing):
    """Verdicts; of questions that hold a password only a digest of it is written down."""

    def ask(self, kind: str, *question: str, **how: Any) -> Any:
        """See :class:`eximious.interpreter.protocols.Verdicts`."""
        from eximious.backends.described_answers import digested, shown_parts

        if kind == "perl" and not question:
            return self.door.ask(kind, **how)
        if kind == "callout":
            said = self.door.ask(kind, *question, **how)
            asked_for = dict(zip(("address", "host", "sender"), map(str, question)))
            self.recording.item(("callouts",), asked_for, {key: str(text) for key, text in said.items()})
            return said
        shown = shown_parts(kind, question)
        asked = [
            str(part) if number in shown else {"sha256": digested(self.recording.salt, part)}
            for number, part in enumerate(question)
        ]
        section = ("verdicts", kind)
        try:
            answer = self.door.ask(kind, *question, **how)
        except ExpansionError as error:
            self.recording.item(section, {"ask": asked}, {"error": str(error.message)})
            raise
        said = {"undefined": True} if answer is None else {"answer": _untainted(answer)}
        self.recording.item(section, {"ask": asked}, said)
        return answer


class RecordingConnection:
    """A connection whose requests and answers are written down when it is closed."""

    def __init__(self, connection: Any, question: dict[str, Any], recording: Recording) -> None:
        self._connection, self._question, self._recording = connection, question, recording
        self._steps: list[tuple[bytes, bytes]] = []
        self._request: bytes | None = None
        self._then = ""
        self._noted = False
        recording.when_saved(self._note)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._request = (self._request or b"") + data
        try:
            self._connection.send(data)
        except TimeoutError:
            self._then = "timeout"
            raise
        except OSError as error:
            self._then = _error_name(error)
            raise

    def shutdown(self) -> None:
        """Say that nothing more will be sent."""
        self._connection.shutdown()

    def secure(self, sni: str) -> None:
        """Go on inside TLS; what is said there is written down as it was before."""
        try:
            self._connection.secure(sni)
        except OSError as error:
            self._then = _error_name(error)
            raise

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes; empty at the end."""
        try:
            piece: bytes = self._connection.recv(size)
        except TimeoutError:
            self._then = "timeout"
            raise
        except OSError as error:
            self._then = _error_name(error)
            raise
        if self._request is not None or not self._steps:
            self._steps.append((self._request or b"", piece))
            self._request = None
        else:
            request, answer = self._steps[-1]
            self._steps[-1] = request, answer + piece
        return piece

    def close(self) -> None:
        """Close it."""
        self._connection.close()
        self._note()

    def _note(self) -> None:
        if self._noted:
            return
        self._noted = True
        steps = list(self._steps)
        if self._request is not None or not steps:
            steps.append((self._request or b"", b""))
        texts = [(request.decode("latin-1"), answer.decode("latin-1")) for request, answer in steps]
        said: dict[str, Any] = {}
        question = self._question | {"request": texts[0][0]}
        if len(texts) == 1:
            said["answer"] = texts[0][1]
        else:
            del question["request"]
            said["dialogue"] = [{"request": request, "answer": answer} for request, answer in texts]
        if self._then:
            said["then"] = self._then
        self._recording.item(("sockets",), question, said)


class RecordingSockets(_Passing):
    """Connections."""

    def connect(self, spec: str, timeout: float, tls: bool = False, sni: str = "") -> RecordingConnection:
        """See :class:`eximious.interpreter.protocols.Sockets`."""
        import socket

        question: dict[str, Any] = {"connect": str(spec)}
        if tls:
            question["tls"] = True
        try:
            connection = self.door.connect(spec, timeout, tls, sni)
        except TimeoutError:
            self.recording.item(("sockets",), question, {"fails": "timeout"})
            raise
        except socket.gaierror:
            self.recording.item(("sockets",), question, {"fails": "unknown-host"})
            raise
        except OSError as error:
            self.recording.item(("sockets",), question, {"fails": _error_name(error)})
            raise
        return RecordingConnection(connection, question, self.recording)


def _error_name(error: OSError) -> str:
    """The name of a system error; EIO for one that has none (TLS)."""
    import errno

    return errno.errorcode.get(error.errno or 0, "EIO")


def _untainted(value: Any) -> Any:
    """Plain values without subclasses of text."""
    if isinstance(value, str):
        return str.__str__(value) if type(value) is str else "".join(value)
    if isinstance(value, dict):
        return {_untainted(key): _untainted(below) for key, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [_untainted(below) for below in value]
    return value
