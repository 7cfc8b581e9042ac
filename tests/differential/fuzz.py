"""Bad input for ours alone: there is always an answer, no traceback, and time and memory are bounded."""

from __future__ import annotations

import dataclasses
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .damage import damage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .world import World

MEMORY = 1 << 30  #: bytes of address space that a process may take
SECONDS = 100  #: of processor time
CONFIGURATIONS = Path(__file__).resolve().parents[2] / "fixtures" / "configurations"


#: what is done with each configuration: read it, have it judged, check it
_READ = """
import sys, time, eximious
for name in sys.argv[1:]:
    start = time.monotonic()
    try:
        configuration = eximious.load(name, allow=["read=/"])
    except eximious.ConfigurationUnreadable:
        continue
    configuration.error
    configuration.lint()
    if time.monotonic() - start > 20:
        sys.exit(f"{name} took {time.monotonic() - start:.0f} s")
"""


@dataclasses.dataclass(slots=True)
class Effort:
    """What one process needed and how it ended."""

    code: int
    seconds: float
    out: str
    errors: str

    @property
    def trouble(self) -> str:
        """Why the end was not a good one, or nothing."""
        if "MemoryError" in self.errors:
            return "took too much memory"
        if "Traceback" in self.errors or "Traceback" in self.out:
            return "traceback: " + self.errors.strip().rpartition("\n")[2]
        if self.code < 0:
            return f"died by signal {-self.code}"
        if self.code not in (0, 1, 2, 3):
            return f"exit code {self.code}"
        return ""


def _bounds() -> None:
    """Before the command starts: it may not have more memory than this, nor more time of a processor."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def effort(command: Sequence[str], text: bytes, folder: Path) -> Effort:
    """Run a command with ``text`` as its input, within the bounds."""
    start = time.monotonic()
    environment = {"PATH": "/usr/bin:/bin", "EXIMIOUS_ALLOW": "", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            cwd=folder,
            env=environment,
            timeout=2 * SECONDS,
            preexec_fn=_bounds,
        )
    except subprocess.TimeoutExpired as late:
        return Effort(-9, 2 * SECONDS, "", f"output {len(late.stdout or b'')} bytes")
    out, errors = done.stdout.decode("latin-1"), done.stderr.decode("latin-1")
    return Effort(done.returncode, time.monotonic() - start, out, errors)


def expressions(seed: int, texts: Sequence[str]) -> Iterator[str]:
    """Texts of ``texts``, damaged often, spliced and nested. Without end, one line each."""
    chance = random.Random(seed)
    while True:
        text = chance.choice(texts).replace("\n", "")
        for _ in range(chance.choice((0, 1, 1, 2, 4))):
            other = chance.choice(texts).replace("\n", "")
            way = chance.randrange(5)
            cut, end = chance.randrange(len(text) + 1), chance.randrange(len(other) + 1)
            if way == 0:
                text = text[:cut] + other[end:]
            elif way == 1:
                text = text[:cut] + other + text[cut:]
            elif way == 2:
                text = text * chance.choice((2, 5))
            elif way == 3:
                text = "${lc:" * chance.choice((1, 20, 300)) + text
            else:
                text = damage(chance, text)
        # a line that ends in a backslash, blanks apart, would take in the one behind it
        yield damage(chance, text)[:1000].replace("\0", "").rstrip("\\ \t\v\f\r")


def check_expressions(world: World, texts: Sequence[str], config: str = "main.conf") -> list[str]:
    """Send lines through the expansion test mode; what is wrong, one entry a finding."""
    command = [sys.executable, "-m", "eximious", "exim", "-C", str(world.folder / "conf" / config), "-be"]
    lines = "".join(f"{world.source(text)}\n@@{number}\n" for number, text in enumerate(texts))
    done = effort(command, lines.encode("latin-1"), world.folder)
    if not done.trouble and done.out.count("> @@") >= len(texts):
        return []
    if len(texts) == 1:
        return [f"{texts[0]!r}: {done.trouble or 'no answer'}"]
    half = len(texts) // 2
    found = check_expressions(world, texts[:half], config)
    return found or check_expressions(world, texts[half:], config)


def configurations(seed: int) -> Iterator[bytes]:
    """Configurations of the fixtures with damaged, lost, doubled, exchanged and mixed lines. Without end."""
    chance = random.Random(seed)
    whole = [path.read_bytes().split(b"\n") for path in sorted(CONFIGURATIONS.glob("*/exim.conf"))]
    words = (
        b"begin acl",
        b"begin routers",
        b".ifdef X",
        b".endif",
        b".else",
        b".include /nonexistent",
        b"\\",
        b"}",
        b"{",
    )
    odd = (
        b"\0",
        b"\xff\xfe",
        b"X = X",
        b"AB == ABAB",
        b"hide",
        b"=",
        b"domainlist",
        b"  driver = x",
        b'"',
        b'a = "b\\',
    )
    while True:
        source = chance.choice(whole)
        start = chance.randrange(max(1, len(source) - 150))
        lines = (
            source[start : start + chance.choice((30, 150, 1000))] if chance.random() < 0.5 else list(source)
        )
        for _ in range(chance.choice((1, 2, 5, 20))):
            place = chance.randrange(len(lines) or 1)
            way = chance.randrange(8)
            if not lines or way == 0:
                lines.insert(place, chance.choice(words + odd))
            elif way == 1:
                del lines[place]
            elif way == 2:
                lines[place] += b"\\"
            elif way == 3:
                other = chance.choice(whole)
                at = chance.randrange(len(other))
                lines[place:place] = other[at : at + chance.choice((1, 5, 30))]
            elif way == 4:
                lines[place : place + 2] = lines[place : place + 2][::-1]
            elif way == 5:
                lines[place] = lines[place] * 2
            else:
                lines[place] = damage(chance, lines[place].decode("latin-1") or "x").encode("latin-1")
        yield b"\n".join(lines)


def check_configurations(folder: Path, texts: Sequence[bytes]) -> list[str]:
    """Lint and read configurations; what is wrong, one entry a finding."""
    names = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.conf"
        path.write_bytes(text)
        os.chmod(path, 0o644)
        names.append(path.name)
    return _check_files(folder, names)


def _check_files(folder: Path, names: Sequence[str]) -> list[str]:
    done = effort([sys.executable, "-c", _READ, *names], b"", folder)
    if done.code == 0:
        return []
    if len(names) == 1:
        return [f"{folder / names[0]}: {done.trouble or done.errors.strip()}"]
    half = len(names) // 2
    return _check_files(folder, names[:half]) or _check_files(folder, names[half:])
