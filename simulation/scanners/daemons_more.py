"""The protocols of Dr.Web, aveserver, kavdaemon and mksd (manual 45.1).

Dr.Web's was compared with a real Exim (which dies itself when something is found). The other three are in no build that
it could be compared with: they follow the manual and these scanners' known dialogues, and are unproven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.regex import compile_regex
from eximious.simulation.scanners.daemons import BUFFER, capture
from eximious.simulation.scanners.link import Link, ScannerError, connect_unix, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.simulation.scanners.malware import Job

#: bytes of a report that are believed
REPORT_MAX = 1024 * 1024

#: bit of Dr.Web's return code -> what it means; the last that is set counts
_DRWEB = ((1 << 0, "read error"), (1 << 2, "no memory"), (1 << 9, "timeout"), (1 << 15, "wrong command"))
_RETURN_VIRUSES, _IS_MAIL = 1 << 0, 1 << 19


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def drweb(job: Job, link: Link) -> str | None:
    """Dr.Web's daemon: the path over a Unix socket, the message itself over TCP."""
    command, flags = _number(1), _number(_RETURN_VIRUSES | _IS_MAIL)
    remote = not (job.options or "").startswith("/")
    if remote:
        data = job.scan.text(job.ctx).encode("latin-1")
        request = command + flags + _number(0) + _number(len(data))
    else:
        path = job.scan.on_disk(job.ctx).encode("latin-1")
        request, data = command + flags + _number(len(path)) + path + _number(0), b""
    try:
        link.send(request)
    except OSError:
        raise link.error(f"unable to send commands to socket ({job.options})") from None
    try:
        if data:
            link.send(data)
    except OSError:
        raise link.error(f"unable to send file body to socket ({job.options})") from None
    code = _read_number(link, "unable to read return code")
    count = _read_number(link, "unable to read the number of viruses")
    if not count:
        problem = [text for bit, text in _DRWEB if code & bit]
        if problem:
            raise link.error(f"drweb daemon retcode 0x{code:x} ({problem[-1]})")
        return None
    pattern = compile_regex(r"infected\swith\s*(.+?)$")
    names: list[str] = []
    for _ in range(count):
        size = _read_number(link, "cannot read report size")
        report = link.exactly(size) if size <= REPORT_MAX else None
        if report is None:
            raise link.error("cannot read report string")
        name = capture(pattern, report.decode("latin-1").partition("\0")[0])
        if name is not None:
            names.append(name)
    return "/".join(names)


def _read_number(link: Link, problem: str) -> int:
    data = link.exactly(4)
    if data is None:
        raise link.error(problem)
    return int.from_bytes(data, "big")


def aveserver(job: Job, link: Link) -> str | None:
    """Kaspersky's daemon, version 5."""
    greeting = _said(link)
    if not greeting.startswith("2"):
        raise link.error(f"unavailable (Responded: {greeting or 'nothing'}).")
    path = job.scan.on_disk(job.ctx)
    link.request(f"SCAN bPQRSTUW {path}\r\n".encode("latin-1"))
    name: str | None = None
    problem: ScannerError | None = None
    while line := _said(link):
        if line.startswith("2"):
            break
        if line.startswith("5"):
            problem = link.error(f"unable to scan file {path} (Responded: {line}).")
            job.panic(problem)
            break
        if line.startswith("322"):
            name = line[4:].partition(" ")[0]
    link.request(b"quit\r\n")
    goodbye = _said(link)
    if not goodbye.startswith("2"):
        raise link.error(f"unable to quit dialogue (Responded: {goodbye or 'nothing'}).")
    if problem is not None:
        raise problem
    return name


def _said(link: Link) -> str:
    try:
        return link.line(32768) or ""
    except OSError:
        return ""


_KAV_PROBLEMS = {
    1: "reported 'scanning not completed' (code 1).",
    5: "please reconfigure kavdaemon to NOT disinfect or remove infected files.",
    6: "please reconfigure kavdaemon to NOT disinfect or remove infected files.",
    7: "reported 'kavdaemon damaged' (code 7).",
}


def kavdaemon(job: Job, link: Link) -> str | None:
    """Kaspersky's daemon, version 4, which is given the folder."""
    folder = job.scan.on_disk(job.ctx).rpartition("/")[0]
    clock = job.ctx.env.doors.clock
    when = clock.localtime(clock.now())
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    date = (
        f"{when.tm_mday:02d} {months[when.tm_mon - 1]} {when.tm_hour:02d}:{when.tm_min:02d}:{when.tm_sec:02d}"
    )
    link.request(f"<0>{date}:{folder}\0".encode("latin-1"))
    answer = link.exactly(2)
    if answer is None:
        raise link.error("unable to read 2 bytes from socket.")
    code = answer[0] & 0x0F
    if code in _KAV_PROBLEMS:
        raise link.error(_KAV_PROBLEMS[code])
    if not 1 < code < 5:
        return None
    if answer[1] != 1:
        return "unknown"
    size = link.exactly(4)
    if size is None:
        raise link.error("cannot read report size")
    left = int.from_bytes(size, "little")
    pattern = compile_regex(r"suspicion:\s*(.+?)\s*$" if code == 3 else r"infected:\s*(.+?)\s*$")
    name: str | None = "unknown"
    while left > 0:
        try:
            line = link.line(BUFFER)
        except OSError:
            line = None
        if line is None:
            break
        left -= len(line) + 1
        name = capture(pattern, line)
        if name:
            break
    return name


_MKSD = "/var/run/mksd/socket"


def mksd(job: Job) -> str | None:
    """The daemon of mks_vir."""
    option = job.options
    if option is not None and not (
        option.lstrip("+").isascii() and option.lstrip("+").isdigit() and 1 <= int(option) <= 32
    ):
        raise ScannerError(f"invalid option '{option}'", job.ctx.session.callout_address)
    link = connect_unix(job.ctx, job.doors, _MKSD, job.timeout)
    try:
        link.send(f"MSQ{job.scan.on_disk(job.ctx)}\n".encode("latin-1"))
        line = link.line(BUFFER) or ""
    except OSError as error:
        raise link.error(f"unable to talk to mksd UNIX socket ({_MKSD}): {reason(error)}") from None
    finally:
        link.close()
    if line.startswith("O"):
        return None
    if line.startswith(("E", "A")):
        raise ScannerError(f"scanner failed: {line}")
    words = line.split(" ", 2)
    if len(words) == 3 and len(words[0]) == 3 and words[1]:
        return words[1]
    raise ScannerError(f"malformed reply received: {line}")


PROTOCOLS: dict[str, Callable[..., str | None]] = {
    "drweb": drweb,
    "aveserver": aveserver,
    "kavdaemon": kavdaemon,
    "mksd": mksd,
}
