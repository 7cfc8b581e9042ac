"""What all commands share: exit codes, the options on configuration, version, permissions and format."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from eximious.assembly import Assembly

EXIT_DONE = 0  #: clean, or done
EXIT_FINDINGS = 1  #: findings, or mail refused
EXIT_USAGE = 2  #: wrong usage, or a configuration that cannot be read
EXIT_LACKING = 3  #: a question or permission that the evaluation lacked


def lint_options(parser: argparse.ArgumentParser, formats: tuple[str, ...] = ("text", "json")) -> None:
    """Add the options that every command has, also one that evaluates nothing.

    ``formats``: what ``--format`` takes; the first is the default.
    """
    parser.add_argument(
        "-D", dest="defines", action="append", default=[], metavar="MACRO[=VALUE]", help="define a macro"
    )
    parser.add_argument(
        "--exim-version", default="", metavar="4.NN", help="the Exim to be like (default: the newest)"
    )
    parser.add_argument(
        "--build",
        default="",
        metavar="FILE",
        help="output of a real exim -bV: what that build has compiled in",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="WORD",
        help="allow run, net, read=DIR, …, all (see docs)",
    )
    parser.add_argument(
        "--root", default="", metavar="DIR", help="the folder that holds the files the configuration names"
    )
    parser.add_argument("--show-secrets", action="store_true", help="show hidden values and passwords")
    parser.add_argument("--format", choices=formats, default=formats[0], help="how results are written")


def common_options(
    parser: argparse.ArgumentParser, config: bool = True, formats: tuple[str, ...] = ("text", "json")
) -> None:
    """Add the options of commands that evaluate."""
    from eximious.world_options import add_world_options

    if config:
        parser.add_argument("-C", dest="config", metavar="CONFIG", default="", help="the configuration file")
    lint_options(parser, formats)
    parser.add_argument("--nameserver", default="", metavar="IP:PORT", help="ask only this DNS server")
    add_world_options(parser)


def open_assembly(options: argparse.Namespace, name: str) -> Assembly | int:
    """Make the assembly that the options describe; where that cannot be, say why and give the exit code."""
    from eximious.assembly import Assembly, Unreadable
    from eximious.interpreter.outcomes import Refused
    from eximious.world_options import assembly_settings

    try:
        assembly = Assembly(
            options.config or "/dev/null",
            version=options.exim_version,
            build=options.build,
            defines=options.defines,
            allow=[word for given in options.allow for word in given.replace(",", " ").split()],
            root=options.root,
            nameserver=options.nameserver,
            **assembly_settings(options),
        )
        error = assembly.configuration_error()
    except Unreadable as problem:
        sys.stderr.write(f"{name}: {problem}\n")
        return EXIT_USAGE
    except Refused as refusal:
        sys.stderr.write(f"{name}: {refusal}\n")
        return EXIT_LACKING
    if error:
        sys.stderr.write(f"{name}: the configuration cannot be used (eximious lint says more)\n{error}\n")
        return EXIT_USAGE
    return assembly
