"""Asking an ``exim -be`` compatible command many lines, and telling its answers apart.

What the protocol of ``-be`` on standard input is (seen with 4.96): the prompt ``> `` stands before every
answer; a line is cut into pieces of 1,023 bytes (each is a line of its own); blanks at the end of a line
are dropped; a backslash at the end joins the next line without its leading blanks; a line that looks like
a macro definition (``WORD = text``) defines one and macros are replaced in all lines; the last prompt, at
the end of the input, is followed by a newline. After the answer to each line we ask for a marker
text, because answers may span lines and hold ``> `` themselves.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LONGEST = 1000  #: bytes of a physical line that are safe to send


@dataclasses.dataclass(slots=True, frozen=True)
class Answer:
    """What a command said to one line. ``text`` is None if it gave no answer; ``fate`` says why."""

    text: str | None
    fate: str = ""

    @property
    def failed(self) -> bool:
        """No value: an expansion failure or no answer at all."""
        return self.text is None or self.text.startswith("Failed: ")


class Asker:
    """A command that is asked lines.

    ``command``: the words up to and including ``-be`` (or ``-bem FILE``); ``folder``: its working
    directory; ``environment``: all of it. Text is one character per byte.
    """

    def __init__(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float = 60
    ) -> None:
        self.command, self.folder, self.seconds = list(command), folder, seconds
        self.environment = dict(environment)
        # a process with other rights than its caller's ignores what stdbuf preloads
        stdbuf = shutil.which("stdbuf") if os.geteuid() == 0 else None
        self._unbuffered = [stdbuf, "-oL"] if stdbuf else []
        self.runs = 0  #: processes started
        self.noise = ""  #: what the last run wrote on standard error

    def ask(self, lines: Sequence[str]) -> list[Answer]:
        """The answers to ``lines``, in one process where none of them ends it.

        A line may hold newlines if all but the last physical line end in a backslash. A line
        that kills the process gets an answer without text; those after it are asked in a new process.
        """
        answers: list[Answer] = []
        careful = False
        while len(answers) < len(lines):
            rest = lines[len(answers) :]
            got, fate = self._run(rest, careful)
            answers.extend(Answer(text) for text in got)
            if len(got) == len(rest):
                break
            # Exim dies without writing out its buffer when a signal ends it: the culprit is somewhere
            # in the rest. When it exits by itself or writes line by line, it is the first without an answer.
            rest = rest[len(got) :]
            last = self.noise.strip().rpartition("\n")[2]
            if last:
                fate += f": {last}"
            if len(rest) == 1 or careful or fate.startswith("exited"):
                answers.append(Answer(None, fate))
            elif self._unbuffered:
                careful = True
            else:
                answers.extend(self.ask(rest[: len(rest) // 2]))
        return answers

    def _run(self, lines: Sequence[str], careful: bool) -> tuple[list[str], str]:
        """One process: the answers that can be told apart, and how it ended if lines were left.

        ``careful``: the process writes every line at once (slower), so that a crash loses none.
        """
        marks = [f"@@{number}@@" for number in range(len(lines))]
        # a line that ends in a backslash takes the next one in, so it is given an empty one
        ends = ["\n\n" if line.rstrip().endswith("\\") else "\n" for line in lines]
        text = "@@\n" + "".join(f"{line}{end}{mark}\n" for line, end, mark in zip(lines, ends, marks))
        process = subprocess.Popen(
            [*self._unbuffered, *self.command] if careful else self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment,
        )
        self.runs += 1
        try:
            raw, noise = process.communicate(text.encode("latin-1"), timeout=self.seconds)
            code = process.returncode
            fate = f"died by signal {signal.Signals(-code).value}" if code < 0 else f"exited with {code}"
        except subprocess.TimeoutExpired:
            process.kill()
            raw, noise = process.communicate()
            fate = f"took more than {self.seconds:g} seconds"
        self.noise = noise.decode("latin-1")
        output = raw.decode("latin-1")
        answers: list[str] = []
        # -bem may say something before the first prompt
        place = output.find("> @@\n") + 5
        if place < 5:
            return answers, fate
        for mark in marks:
            stop = f"\n> {mark}\n"
            end = output.find(stop, place)
            if end < 0 or not output.startswith("> ", place):
                # a macro definition that is refused gives a prompt and no answer, hence no newline
                shortened = f"> > {mark}\n"
                if not output.startswith(shortened, place):
                    break
                answers.append("")
                place += len(shortened)
                continue
            answers.append(output[place + 2 : end])
            place = end + len(stop)
        return answers, fate
