"""``eximious graph``: a picture of a configuration, for people."""

from __future__ import annotations

import os
import sys

from eximious.options import EXIT_DONE, EXIT_USAGE, common_options, open_assembly

NAME = "eximious graph"


def main(argv: list[str]) -> int:
    """Run the command; gives its exit code."""
    import argparse

    from eximious.drawing import draw

    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Draw a configuration: hooks, ACLs, the chain of routers, transports and named lists.",
        epilog="--format json gives the boxes and arrows.",
    )
    common_options(parser, formats=("svg", "dot", "mermaid", "json"))
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="", help="where to write (default: standard output)"
    )
    options = parser.parse_args(argv)
    if not options.config:
        sys.stderr.write(f"{NAME}: -C CONFIG is wanted\n")
        return EXIT_USAGE
    assembly = open_assembly(options, NAME)
    if isinstance(assembly, int):
        return assembly
    from eximious.graph import picture_of

    picture = picture_of(assembly.configuration, options.show_secrets)
    text = picture.to_json() if options.format == "json" else draw(picture, options.format)
    return write_picture(text, options.output, NAME)


def write_picture(text: str, output: str, name: str) -> int:
    """Write what was drawn to a file, or to standard output; gives the exit code."""
    data = text.encode("utf-8", "replace")
    if not output or output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return EXIT_DONE
    try:
        with open(output, "wb") as stream:
            stream.write(data)
    except OSError as problem:
        sys.stderr.write(f"{name}: cannot write {os.fspath(output)}: {problem.strerror}\n")
        return EXIT_USAGE
    return EXIT_DONE
