"""Programs for real, run as Exim runs them for ``${run``: no shell, no PATH, a group of their own."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import OverBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

#: bytes that a program may write
OUTPUT_LIMIT = 64 * 1024 * 1024
NOT_RUN = 127


class RealProcesses:
    """Runs programs as the calling user.

    ``environ``: gives the environment where a call brings none (what keep_environment and add_environment
    leave); ``path``: where a program's path really is.
    """

    def __init__(
        self, environ: Callable[[], dict[str, str]], path: Callable[[str], str] = lambda path: path
    ) -> None:
        self._environ, self._path = environ, path
        self._options: Any = None

    def use_options(self, options: Any) -> None:
        """Take spool_directory, in which programs run, from these main options."""
        self._options = options

    def _folder(self) -> bytes:
        spool = self._options.get("spool_directory") if self._options is not None else None
        folder = str(spool or "/").encode("latin-1")
        return folder if os.path.isdir(folder) else b"/"

    def run(
        self, argv: Sequence[str], stdin: str, timeout: float, environ: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """See :class:`eximious.interpreter.protocols.Processes`. Raises OverBudget for too much output.

        The program is given as a path, relative to the spool folder; 077 is its umask.
        """
        import signal
        import subprocess

        if not argv:
            return NOT_RUN, ""
        variables = self._environ() if environ is None else environ
        words = [word.partition("\0")[0].encode("latin-1") for word in argv]
        program = self._path(argv[0].partition("\0")[0]).encode("latin-1")
        if b"/" not in program:
            program = b"./" + program
        try:
            process = subprocess.Popen(
                words,
                executable=program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._folder(),
                env={
                    name.encode("latin-1"): value.encode("latin-1")
                    for name, value in variables.items()
                    if name and "\0" not in name + value
                },
                umask=0o077,
                start_new_session=True,
            )
        except (OSError, ValueError):
            return NOT_RUN, ""
        try:
            return _collect(process, stdin.encode("latin-1"), timeout)
        except BaseException:
            # whatever it has started holds on to the pipe, too
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    with suppress(OSError):
                        pipe.close()


def _collect(process: Any, data: bytes, timeout: float) -> tuple[int, str]:
    """Feed the program, read what it writes, wait for its end."""
    import selectors
    import time

    end = time.monotonic() + timeout
    reading, writing = process.stdout.fileno(), process.stdin.fileno()
    pieces: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        if data:
            os.set_blocking(writing, False)
            selector.register(writing, selectors.EVENT_WRITE)
        else:
            process.stdin.close()
        while selector.get_map():
            left = end - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if key.fd == reading:
                    piece = os.read(reading, 65536)
                    if not piece:
                        selector.unregister(reading)
                    pieces.append(piece)
                    size += len(piece)
                    if size > OUTPUT_LIMIT:
                        raise OverBudget("bytes of output of a program", OUTPUT_LIMIT)
                else:
                    try:
                        data = data[os.write(writing, data[:65536]) :]
                    except BrokenPipeError:
                        data = b""
                    if not data:
                        selector.unregister(writing)
                        process.stdin.close()
    from subprocess import TimeoutExpired

    try:
        code = process.wait(max(0.0, end - time.monotonic()))
    except TimeoutExpired:
        raise TimeoutError from None
    return code, b"".join(pieces).decode("latin-1")
