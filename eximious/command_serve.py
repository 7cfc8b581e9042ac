"""``eximious serve``: an SMTP front on loopback that answers from the simulation, for tests with real clients."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from eximious.options import EXIT_DONE, EXIT_USAGE, common_options, open_assembly
from eximious.secrets import hider

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from eximious.assembly import Assembly
    from eximious.simulation.smtp.session import SmtpSession

NAME = "eximious serve"
PIECE = 1 << 16
#: seconds that a client may be silent where the configuration does not say
SILENCE = 300.0
#: sessions at a time
SESSIONS = 100


def main(argv: list[str]) -> int:
    """Run the command until it is interrupted; gives its exit code."""
    import argparse

    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Answer SMTP clients on loopback from the same engine that simulate uses. Nothing is delivered.",
    )
    parser.add_argument(
        "--listen", metavar="ADDRESS:PORT", default="127.0.0.1:2525", help="port 0: any free one"
    )
    parser.add_argument(
        "--ip", metavar="ADDRESS", default="", help="the address that every client is taken to have"
    )
    parser.add_argument(
        "--tls", metavar="NAME=VALUE,…", nargs="?", const="", help="STARTTLS is answered as described"
    )
    parser.add_argument("--state", metavar="DIR", default="", help="keeps ratelimit, seen and callout hints")
    parser.add_argument("--sessions", type=int, default=0, metavar="N", help="end after so many sessions")
    parser.add_argument(
        "--explain", action="store_true", help="after each session, show what decided each reply and why"
    )
    common_options(parser)
    options = parser.parse_args(argv)
    if not options.config:
        sys.stderr.write(f"{NAME}: -C CONFIG is wanted\n")
        return EXIT_USAGE
    host, _, port = options.listen.rpartition(":")
    host = host.strip("[]")
    if not port.isdigit() or not (host == "::1" or host == "localhost" or host.startswith("127.")):
        sys.stderr.write(f"{NAME}: --listen wants a loopback address and a port, not {options.listen}\n")
        return EXIT_USAGE
    assembly = open_assembly(options, NAME)
    if isinstance(assembly, int):
        return assembly
    if options.state:
        from eximious.hints_files import load_hints

        load_hints(assembly.environment, options.state)
    tls = None
    if options.tls is not None:
        tls = dict(part.partition("=")[::2] for part in options.tls.split(",") if part)
    server = Server(assembly, client=options.ip, tls=tls, most=options.sessions, options=options)
    try:
        asyncio.run(server.run(host, int(port)))
    except KeyboardInterrupt:
        pass
    except OSError as problem:
        sys.stderr.write(f"{NAME}: cannot listen on {options.listen}: {problem.strerror}\n")
        return EXIT_USAGE
    finally:
        if options.state:
            from eximious.hints_files import save_hints

            save_hints(assembly.environment, options.state)
    return EXIT_DONE


class Server:
    """Answers clients, each from a session of its own.

    ``most``: how many, 0 for no end. ``options``: with ``explain`` or the format json, a report follows each session.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        client: str = "",
        tls: dict[str, str] | None = None,
        most: int = 0,
        options: argparse.Namespace | None = None,
    ) -> None:
        self.assembly, self.client, self.tls, self.most = assembly, client, tls, most
        self.explain = options is not None and options.explain
        self.options = options if options is not None and (self.explain or options.format == "json") else None
        self.served = 0
        secret = options is None or not options.show_secrets
        self._hide: Callable[[str], str] = hider(assembly.environment) if secret else str
        self._room = asyncio.Semaphore(SESSIONS)
        self._done: asyncio.Event | None = None

    async def run(self, host: str, port: int) -> None:
        """Listen, say where on standard output, and answer until it is cancelled."""
        self._done = asyncio.Event()
        server = await asyncio.start_server(self._client, host, port, limit=PIECE)
        at = server.sockets[0].getsockname()
        sys.stdout.write(f"listening on {at[0]}:{at[1]}\n")
        sys.stdout.flush()
        async with server:
            await self._done.wait()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._room:
            try:
                await self._answer(reader, writer)
            except (ConnectionError, TimeoutError):
                pass
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
        self.served += 1
        if self.most and self.served >= self.most and self._done is not None:
            self._done.set()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from eximious.interpreter.outcomes import Refused, Unanswered
        from eximious.simulating import Simulation
        from eximious.simulating_text import write_report
        from eximious.world_options import lacking_text

        session = self._session(writer)
        simulation = Simulation(session)

        async def answer(data: bytes) -> None:
            if self.options is not None:
                simulation.hear(data)
            await _send(writer, data)

        try:
            await answer(session.start())
            while not session.closed:
                data = await asyncio.wait_for(reader.read(PIECE), SILENCE)
                if not data:
                    await answer(session.end())  # it may have closed one half only
                    break
                if self.options is not None:
                    simulation.say(data)
                await answer(session.feed(data))
        except (Refused, Unanswered) as lacking:
            simulation.lacking = str(lacking)
            sys.stderr.write(f"{NAME}: {lacking_text(lacking)}\n")
            await _send(
                writer, b"421 the described world does not answer; see the server's standard error\r\n"
            )
        if self.options is not None:
            write_report(self.assembly, simulation, self.options, indent=None)
        for event in session.record.events:
            for where, line in event.logs:
                sys.stderr.write(f"{where}: {self._hide(line)}\n")

    def _session(self, writer: asyncio.StreamWriter) -> SmtpSession:
        from eximious.simulating import Client, open_session

        peer, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        client = Client(
            self.client or peer[0],
            port=0 if self.client else peer[1],
            interface=f"[{own[0]}]:{own[1]}",
            tls=self.tls,
        )
        return open_session(self.assembly, client, explain=self.explain, enforce_sync=True)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    if data:
        writer.write(data)
        await writer.drain()
