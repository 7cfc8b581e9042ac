"""The protocols of f-protd, f-prot6d, F-Secure, sophie, ``sock`` and Avast (manual 45.1).

Each gives the name of what was found, None for a clean message, and raises ScannerError. All were compared with a real
Exim talking to the same servers.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from eximious.interpreter.regex import BadPattern, Regex, compile_regex
from eximious.simulation.scanners.link import Link, ScannerError, reason
from eximious.simulation.scanners.malware import bad_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.simulation.scanners.malware import Job

#: what one read of an answer takes
BUFFER = 1024


def expression(job: Job, missing: str) -> Regex:
    """Take a regular expression from the scanner's options. Raises ScannerError."""
    if not job.rest:
        raise ScannerError(f"missing {missing} specification")
    text = job.rest.pop(0)
    try:
        return compile_regex(text)
    except BadPattern as bad:
        raise ScannerError(bad_pattern(text, bad)) from None


def capture(pattern: Regex, text: str) -> str | None:
    """What the first group of a pattern is in a text, if that is anything."""
    found = pattern.search(text)
    return found[1] if found is not None and len(found) > 1 else None


def _once(link: Link, size: int = BUFFER) -> str:
    """What one read gives, up to a NUL. Raises ScannerError."""
    try:
        data = link.recv(size)
    except OSError as error:
        raise link.error(f"unable to read from socket ({reason(error)})") from None
    if not data:
        raise link.error("unable to read from socket (Success)")
    if len(data) == size:
        raise link.error("buffer too small")
    return data.decode("latin-1").partition("\0")[0]


def f_protd(job: Job, link: Link) -> str | None:
    """F-Prot's daemon, over HTTP."""
    options = "%20".join(job.rest)
    path = job.scan.on_disk(job.ctx) + (f"?{options}" if options else "")
    link.request(f"GET {path} HTTP/1.0\r\n\r\n\0".encode("latin-1"))
    name: str | None = None
    detected = False
    while True:
        try:
            line = link.line(32768)
        except OSError as error:
            raise link.error(reason(error)) from None
        if line is None:
            return None
        if '<detected type="' in line:
            detected = True
        elif detected and "<name>" in line:
            inside = line.partition("<name>")[2]
            if "</name>" in line:
                name = inside.partition("</name>")[0]
        elif '<summary code="' in line:
            return name if '<summary code="11">' in line else None


def f_prot6d(job: Job, link: Link) -> str | None:
    """F-Prot 6's daemon: FPSCAND."""
    link.request(f"SCAN FILE {job.scan.on_disk(job.ctx)}\n".encode("latin-1"))
    answer = _once(link)
    with suppress(OSError):  # what it says to that does not matter
        link.send(b"QUIT\n")
    error = capture(compile_regex(r"^\d+\s<(.+?)>$"), answer)
    if error:
        raise link.error(f"scanner reported error ({error})")
    return capture(compile_regex(r"^\d+\s<infected:\s+(.+?)>\s+.+$"), answer)


_FSECURE = (b"ARCHIVE\t1", b"TIMEOUT\t0", b"MAXARCH\t5", b"MIME\t1")


def fsecure(job: Job, link: Link) -> str | None:
    """F-Secure's daemon."""
    path = job.scan.on_disk(job.ctx)
    for number, option in enumerate(_FSECURE):
        link.request(b"CONFIGURE\t" + option + b"\n")
        try:
            answer = link.recv(BUFFER)
        except OSError as error:
            raise link.error(f"unable to read answer {number} ({reason(error)})") from None
        if not answer:
            raise link.error(f"unable to read answer {number} (Success)")
    link.request(f"SCAN\t{path}\n".encode("latin-1"))
    pattern = compile_regex(r"\S{0,5}INFECTED\t[^\t]*\t([^\t]+)\t\S*$")
    name: str | None = None
    text = ""
    while True:
        try:
            data = link.recv(BUFFER)
        except OSError as error:
            raise link.error(f"unable to read result ({reason(error)})") from None
        if not data:
            raise link.error("unable to read result (Success)")
        *lines, text = (text + data.decode("latin-1")).split("\n")
        for line in lines:
            name = name or capture(pattern, line)
            if "OK\tScan ok." in line:
                return name


def sophie(job: Job, link: Link) -> str | None:
    """Sophie, which is given the folder."""
    folder = job.scan.on_disk(job.ctx).rpartition("/")[0]
    try:
        link.send(f"{folder}\n".encode("latin-1"))
    except OSError:
        raise link.error(f"unable to write to UNIX socket ({job.options})") from None
    try:
        data = link.recv(BUFFER)
    except OSError:
        data = b""
    if not data:
        raise link.error(f"unable to read from UNIX socket ({job.options})")
    answer = data.decode("latin-1").partition("\0")[0]
    if answer.startswith("1"):
        return answer.partition("\n")[0][2:]
    if answer.startswith("-1"):
        raise link.error("scanner reported error")
    return None


def sock(job: Job, link: Link) -> str | None:
    """Any daemon: a line with the path to it, two regular expressions for its answer."""
    line = job.rest.pop(0) if job.rest else ""
    percent = line.find("%")
    if percent >= 0 and (line[percent + 1 : percent + 2] not in ("s", "%") or "%" in line[percent + 2 :]):
        raise ScannerError("unsafe sock scanner call spec")
    trigger = expression(job, "trigger")
    pattern = expression(job, "virus name regex")
    path = job.scan.on_disk(job.ctx)
    line = (line or "%s\n").replace("%s", path, 1) if "%%" not in line else line.replace("%%", "%")
    link.request(line.encode("latin-1"))
    answer = _once(link)
    if not trigger.matches(answer):
        return None
    return capture(pattern, answer) or "unknown"


_AVAST_CLEAN = r"(?!\\)\t\[\+\]"
_AVAST_VIRUS = r"(?!\\)\t\[L\]\d+\.0\t0\s(.*)"
_AVAST_ERROR = r"(?!\\)\t\[E\]\d+\.0\tError\s\d+\s(.*)"


def avast(job: Job, link: Link) -> str | None:
    """Avast's daemon: options as lines of their own, then the folder."""
    folder = job.scan.on_disk(job.ctx).rpartition("/")[0]
    name, problem = _avast(job, link, folder)
    try:
        link.send(b"QUIT\n")
    except OSError as error:
        raise link.error(f"unable to send quit request to socket ({job.options}): {reason(error)}") from None
    if problem is not None:
        raise link.error(problem)
    return name


def _avast(job: Job, link: Link, folder: str) -> tuple[str | None, str | None]:
    """The dialogue: what was found, and what is wrong."""
    name: str | None = None
    strict, several, stage, line = True, False, "220", ""
    while True:
        try:
            read = link.line(BUFFER)
        except TimeoutError:
            return name, "timeout from scanner"
        except OSError:
            return name, "timeout from scanner"
        if read is None:
            return name, "EOF from scanner"
        line = read
        if not line:
            return name, "got nothing from scanner"
        if line.startswith("210"):
            several = True
            continue
        if several and line[0] in "0123456789":
            several = False
        if stage:
            if several:
                continue
            if not line.startswith(stage):
                break
            while job.rest and job.rest[0] == "pass_unscanned":
                strict = False
                job.rest.pop(0)
            request = job.rest.pop(0) if job.rest else ""
            stage = "200" if request else ""
            request = request or f"SCAN {folder}"
            try:
                link.send(f"{request}\n".encode("latin-1"))
            except OSError as error:
                raise link.error(
                    f"unable to send request '{request}' to socket ({job.options}): {reason(error)}"
                ) from None
            continue
        if line[0] in "0123456789":
            break
        if name or compile_regex(_AVAST_CLEAN).matches(line):
            continue
        found = capture(compile_regex(_AVAST_VIRUS), line)
        error_text = capture(compile_regex(_AVAST_ERROR), line)
        if found is None and error_text is not None and not strict:
            job.log.append(f"internal scanner error (ignored): {line}")
            continue
        found = found or (error_text if strict else None)
        if found is None:
            break
        name = re.sub(r"\\(.)", r"\1", found)
    return name, None if line.startswith("2") else line


PROTOCOLS: dict[str, Callable[[Job, Link], str | None]] = {
    "f-protd": f_protd,
    "f-prot6d": f_prot6d,
    "fsecure": fsecure,
    "sophie": sophie,
    "sock": sock,
    "avast": avast,
}
