"""The command ``eximious``: finds the sub-command and imports only that."""

from __future__ import annotations

import sys

COMMANDS = {
    "exim": ("eximious.exim_front", "an Exim-compatible front: -be, -bem, -bP, -bV without a mail server"),
    "expand": ("eximious.command_expand", "evaluate expansions, and say how each part got its value"),
    "graph": ("eximious.command_graph", "draw a configuration: ACLs, routers, transports, named lists"),
    "lint": ("eximious.command_lint", "check configurations"),
    "route": ("eximious.command_route", "route addresses, and say why they go where they go"),
    "simulate": ("eximious.command_simulate", "run an SMTP session, and say what was decided and why"),
    "serve": ("eximious.command_serve", "answer SMTP clients on loopback from the same engine"),
    "world": ("eximious.command_world", "describe what a configuration finds outside: init, ask, check"),
}

USAGE = "usage: eximious COMMAND [OPTIONS]\n\ncommands:\n"


def main(argv: list[str] | None = None) -> int:
    """Run a sub-command; gives its exit code (0 done, 1 findings, 2 wrong usage, 3 something was lacking)."""
    arguments = sys.argv[1:] if argv is None else argv
    name = arguments[0] if arguments else ""
    if name in ("--version", "-V"):
        from importlib.metadata import version

        print("eximious", version("eximious"))
        return 0
    command = COMMANDS.get(name)
    if command is None:
        wanted = name in ("", "-h", "--help")
        stream = sys.stdout if wanted and name else sys.stderr
        if not wanted:
            stream.write(f"eximious: there is no command {name!r}{_closest(name)}\n\n")
        stream.write(USAGE + "".join(f"  {word:8}  {about}\n" for word, (_, about) in COMMANDS.items()))
        return 0 if name in ("-h", "--help") else 2
    from importlib import import_module

    try:
        return import_module(command[0]).main(arguments[1:])  # type: ignore[no-any-return]
    except BrokenPipeError:
        # the reader has gone: nothing more to say, and nobody to say it to
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as problem:
        from eximious.interpreter.outcomes import Refused, Unanswered

        if not isinstance(problem, (Refused, Unanswered)):
            raise
        from eximious.world_options import lacking_text

        sys.stderr.write(f"eximious {name}: {lacking_text(problem)}\n")
        return 3


def _closest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, 1)
    return f"; did you mean {close[0]}?" if close else ""


def run() -> None:
    """The entry point of the command: as :func:`main`, then gone at once.

    Taking down a process full of compiled expansions can take as long as evaluating them.
    """
    import os

    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 1
    if "eximious.backends.recording" in sys.modules:
        sys.exit(code)  # what was recorded is written at the end
    os._exit(code)


if __name__ == "__main__":
    run()
