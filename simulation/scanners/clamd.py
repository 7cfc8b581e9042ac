"""ClamAV's daemon (manual 45.1): the path over a Unix socket, the message itself over TCP; several servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar.config_values import parse_time
from eximious.interpreter.listsplit import split_list
from eximious.simulation.scanners.link import Link, ScannerError, connect_ports, connect_unix, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.simulation.scanners.malware import Job

#: servers that are used
SERVERS_MAX = 32
BUFFER = 1024
_SPACE = " \t\n\v\f\r"


class _Server:
    """``port`` None: a Unix socket. ``retry``: whether a connection is tried once more."""

    __slots__ = ("host", "port", "retry")

    def __init__(self, host: str, port: int | None, retry: int) -> None:
        self.host, self.port, self.retry = host, port, retry


def clamd(job: Job) -> str | None:
    """Ask the first server that can be reached, in random order. Raises ScannerError."""
    options = job.options or ""
    if options.startswith("/"):
        words = options.split()
        servers, local = [_Server(words[0], None, _retry(words[1:], options))], True
    else:
        servers, local = _servers(job, [options, *job.rest])
        if not servers:
            raise ScannerError("no useable server addresses in malware configuration option.")
    path = job.scan.on_disk(job.ctx) if local else ""
    if ":" in path:
        raise ScannerError(f"local/SCAN mode incompatible with : in path to email filename [{path}]")
    link = _connected(job, servers)
    try:
        _send(job, link, path)
        try:
            data = link.recv(BUFFER)
        except OSError as error:
            raise link.error(f"unable to read from socket ({reason(error)})") from None
    finally:
        link.close()
    if not data:
        raise link.error("unable to read from socket (EOF)")
    if len(data) == BUFFER:
        raise link.error("buffer too small")
    return _name(link, data.decode("latin-1").partition("\0")[0])


def _servers(job: Job, items: list[str]) -> tuple[list[_Server], bool]:
    servers: list[_Server] = []
    local = False
    for item in items:
        if item.lower() == "local":
            local = True
            continue
        words = split_list(item, " ")
        if not words:
            job.panic(ScannerError(f"missing address: '{item}'"))
        elif len(words) == 1:
            job.panic(ScannerError(f"missing port: '{item}'"))
        else:
            digits = re.match(r"\s*([+-]?\d+)", words[1])
            servers.append(_Server(words[0], int(digits[1]) if digits else 0, _retry(words[2:], item)))
            if len(servers) >= SERVERS_MAX:
                job.panic(
                    ScannerError(
                        f"More than {SERVERS_MAX} clamd servers specified; only using the first {SERVERS_MAX}"
                    )
                )
                break
    return servers, local


def _retry(words: list[str], item: str) -> int:
    """The options of one server: only how long to wait before one more try (nobody waits here)."""
    retry = 0
    for word in words:
        seconds = parse_time(word[6:]) if word.startswith("retry=") else -1
        if seconds < 0:
            raise ScannerError(f"bad option '{item}'")
        retry = seconds
    return retry


def _connected(job: Job, servers: list[_Server]) -> Link:
    ctx, doors = job.ctx, job.doors
    if servers[0].port is None:
        server = servers[0]
        for tries_left in (bool(server.retry), False):
            try:
                return connect_unix(ctx, doors, server.host, job.timeout)
            except ScannerError:
                if not tries_left:
                    raise
    while servers:
        number = ctx.env.doors.chance.below(len(servers)) if len(servers) > 1 else 0
        server = servers.pop(number)
        for tries_left in (bool(server.retry), False):
            try:
                return connect_ports(ctx, doors, server.host, server.port or 0, server.port or 0, job.timeout)
            except ScannerError as error:
                if not tries_left:
                    job.panic(error)
                    break
    raise ScannerError("all servers failed")


def _send(job: Job, link: Link, path: str) -> None:
    if path:
        try:
            link.send(f"SCAN {path}\n".encode("latin-1"))
        except OSError as error:
            raise link.error(f"unable to write to socket ({reason(error)})") from None
        return
    data = job.scan.text(job.ctx).encode("latin-1")
    for piece, what in (
        (b"zINSTREAM\0", "unable to send zINSTREAM to socket ({})"),
        (len(data).to_bytes(4, "big"), "unable to send file size to socket ({})"),
        (data, f"unable to send file body to socket ({link.address.partition(']')[0].lstrip('[')}): {{}}"),
        (b"\0\0\0\0", "unable to send file terminator to socket ({})"),
    ):
        try:
            link.send(piece)
        except OSError as error:
            raise link.error(what.format(reason(error))) from None


def _name(link: Link, answer: str) -> str | None:
    """What an answer says was found; None for nothing."""
    if not answer:
        raise link.error("ClamAV returned null")
    answer = answer.removesuffix("\n")
    text = answer[:1] + answer[1:].rstrip(_SPACE)
    _, colon, result = text.partition(":")
    if not colon:
        raise link.error(f"ClamAV returned malformed result (missing colon): {text}")
    result = result.lstrip(_SPACE)
    before, _, tag = result.rpartition(" ")
    if tag == "FOUND":
        name = before.rstrip(_SPACE)
        if name.endswith(")"):
            # behind the name may stand its hash and size
            name = name.rpartition("(")[0] or name
        return name
    if tag == "ERROR":
        raise link.error(f"ClamAV returned: {text}")
    if tag == "OK":
        return None
    raise link.error(f"unparseable response from ClamAV: {{{text}}}")


PROTOCOLS: dict[str, Callable[[Job], str | None]] = {"clamd": clamd}
