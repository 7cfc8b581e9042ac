"""``eximious simulate``: what would the server say to this message, and why."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from eximious.options import EXIT_DONE, EXIT_FINDINGS, EXIT_LACKING, EXIT_USAGE, common_options, open_assembly

if TYPE_CHECKING:
    import argparse

    from eximious.assembly import Assembly
    from eximious.simulating import Client

NAME = "eximious simulate"
#: bytes of a message or script that are read
MOST = 512 << 20
PLAIN_MESSAGE = b"From: <sender@example.org>\r\nSubject: test\r\n\r\nA test.\r\n"


def main(argv: list[str]) -> int:
    """Run the command; gives its exit code: 1 where mail is refused."""
    from eximious.simulating import Refusal, Simulation, open_session, run, script

    options = _parser().parse_args(argv)
    if not options.config or not options.ip:
        sys.stderr.write(f"{NAME}: -C CONFIG and --ip ADDRESS are wanted\n")
        return EXIT_USAGE
    if not options.session and not options.to:
        sys.stderr.write(f"{NAME}: --to ADDRESS, or --session FILE, is wanted\n")
        return EXIT_USAGE
    assembly = open_assembly(options, NAME)
    if isinstance(assembly, int):
        return assembly
    try:
        client = _client(options)
        _load_state(assembly, options.state)
        session = open_session(assembly, client, explain=options.explain, phase=options.phase)
        if options.session:
            lines = _read(options.session).splitlines(keepends=True)
            simulation = run(Simulation(session), lines)
        else:
            message = _read(options.message) if options.message else PLAIN_MESSAGE
            sender, recipients = _latin(options.sender), [_latin(one) for one in options.to]
            simulation = run(Simulation(session), script(client, sender, recipients, message, session))
        _save_state(assembly, options.state)
    except Refusal as refusal:
        sys.stderr.write(f"{NAME}: {refusal}\n")
        return EXIT_USAGE
    except OSError as problem:
        sys.stderr.write(f"{NAME}: cannot read {problem.filename}: {problem.strerror}\n")
        return EXIT_USAGE
    from eximious.simulating_text import write_report

    write_report(assembly, simulation, options, options.phase)
    if simulation.lacking:
        sys.stderr.write(f"{NAME}: {simulation.hint}\n")
        return EXIT_LACKING
    return EXIT_FINDINGS if simulation.refused else EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    import argparse

    from eximious.simulating import PHASES

    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Run an SMTP session through the ACLs of a configuration, and say what was decided and why.",
    )
    parser.add_argument("--ip", metavar="ADDRESS", default="", help="the client's address (ADDRESS.PORT too)")
    parser.add_argument("--helo", metavar="NAME", default="client.example", help="the client's HELO name")
    parser.add_argument("--from", dest="sender", metavar="ADDRESS", default="", help="the envelope sender")
    parser.add_argument(
        "--to", metavar="ADDRESS", action="append", default=[], help="a recipient; may be repeated"
    )
    parser.add_argument("--message", metavar="FILE", default="", help="the message")
    parser.add_argument("--session", metavar="FILE", default="", help="what the client types, as with -bh")
    parser.add_argument("--auth", metavar="USER:PASSWORD", default="", help="the client authenticates")
    parser.add_argument("--tls", metavar="NAME=VALUE,…", nargs="?", const="", help="the client starts TLS")
    parser.add_argument(
        "--interface", metavar="ADDRESS", default="", help="the server's own address (.PORT too)"
    )
    parser.add_argument("--phase", choices=PHASES, default="", help="run the ACL of this phase only")
    parser.add_argument("--explain", action="store_true", help="show what each condition came to")
    parser.add_argument(
        "--state", metavar="DIR", default="", help="keeps ratelimit, seen and callout hints from run to run"
    )
    common_options(parser)
    return parser


def _latin(text: str) -> str:
    return os.fsencode(text).decode("latin-1")


def _client(options: argparse.Namespace) -> Client:

    auth = None
    if options.auth:
        user, _, password = _latin(options.auth).partition(":")
        auth = user, password
    tls = None
    if options.tls is not None:
        tls = dict(part.partition("=")[::2] for part in options.tls.split(",") if part)
    from eximious.simulating import Client as Made

    return Made(options.ip, helo=_latin(options.helo), interface=options.interface, tls=tls, auth=auth)


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(MOST)
    with open(path, "rb") as stream:
        return stream.read(MOST)


def _load_state(assembly: Assembly, folder: str) -> None:
    if folder:
        from eximious.hints_files import load_hints

        load_hints(assembly.environment, folder)


def _save_state(assembly: Assembly, folder: str) -> None:
    if folder:
        from eximious.hints_files import save_hints

        save_hints(assembly.environment, folder)
