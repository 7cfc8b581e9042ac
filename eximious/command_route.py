"""``eximious route``: where addresses go, and why."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from eximious.options import EXIT_DONE, EXIT_FINDINGS, EXIT_LACKING, EXIT_USAGE, common_options, open_assembly

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.routing_report import Routed

NAME = "eximious route"


def main(argv: list[str]) -> int:
    """Run the command; gives its exit code: 1 where an address fails or is deferred."""
    import argparse

    from eximious.interpreter.outcomes import Refused, Unanswered

    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Route addresses through the routers of a configuration, without sending anything.",
        epilog="Without ADDRESS, addresses are read from standard input, one a line.",
    )
    parser.add_argument("addresses", nargs="*", metavar="ADDRESS", help="an address")
    parser.add_argument("--sender", metavar="ADDRESS", help="the envelope sender")
    parser.add_argument(
        "--message", metavar="FILE", default="", help="a message whose headers and body are known"
    )
    parser.add_argument("--explain", action="store_true", help="show what each precondition came to")
    parser.add_argument("-o", "--output", metavar="FILE", default="", help="where to write")
    common_options(parser, formats=("text", "json", "dot", "mermaid", "svg"))
    options = parser.parse_intermixed_args(argv)
    if not options.config:
        sys.stderr.write(f"{NAME}: -C CONFIG is wanted\n")
        return EXIT_USAGE
    assembly = open_assembly(options, NAME)
    if isinstance(assembly, int):
        return assembly
    sender = None if options.sender is None else os.fsencode(options.sender).decode("latin-1")
    problem, _ = assembly.set_origin({}, sender, options.message)
    if problem:
        sys.stderr.write(f"{NAME}: {problem}\n")
        return EXIT_USAGE
    from eximious.assembly import fresh_run
    from eximious.interpreter.addresses import Syntax, parse_extract_address
    from eximious.interpreter.text import Tainted
    from eximious.routing_report import route
    from eximious.world_options import lacking_text

    roots: list[Routed] = []
    code = EXIT_DONE
    for text in options.addresses or [line.rstrip("\n") for line in sys.stdin]:
        raw = Tainted(os.fsencode(text).decode("latin-1"))
        found = parse_extract_address(raw, syntax=Syntax.of(assembly.context.env.options))
        if not found.address:
            sys.stderr.write(f"{NAME}: {text}: {found.error}\n")
            code = max(code, EXIT_USAGE)
            continue
        try:
            roots.append(
                route(assembly, fresh_run(assembly.context), Tainted(found.address), options.explain)
            )
        except (Refused, Unanswered) as lacking:
            sys.stderr.write(f"{NAME}: {text}: {lacking_text(lacking)}\n")
            code = EXIT_LACKING
    if code == EXIT_DONE and any(root.worst() != "delivered" for root in roots):
        code = EXIT_FINDINGS
    from eximious.secrets import hider

    hide: Callable[[str], str] = str if options.show_secrets else hider(assembly.environment)
    return max(code, write(roots, options.format, options.explain, options.output, hide))


def write(
    roots: list[Routed], form: str, explain: bool, output: str, hide: Callable[[str], str] = str
) -> int:
    """Write reports in a form, what ``hide`` takes out left out; gives the exit code."""
    from eximious.command_graph import write_picture
    from eximious.drawing.picture import readable

    if form == "json":
        import json

        text = json.dumps({"addresses": [root.to_dict() for root in roots]}, indent=2) + "\n"
    elif form == "text":
        from eximious.routing_report import text_of

        text = "".join(readable(line) + "\n" for root in roots for line in text_of(root, explain))
    else:
        from eximious.drawing import draw
        from eximious.routing_report import picture_of

        text = draw(picture_of(roots), form)
    return write_picture(hide(text), output, NAME)
