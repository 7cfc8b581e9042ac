"""The prepared folder that expansions run in, and the commands that run there.

It is a copy of ``fixtures/expansion`` in which ``@DIR@`` has been replaced by the copy's path, with fixed
times and modes, so that a real Exim (which wants its configuration to be root's) and ours see the same files.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .process import Answer, Asker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = Path(__file__).resolve().parents[2] / "fixtures" / "expansion"
TIME = 1_700_000_000  #: modification time of every file, seconds since 1970
_COPIED = ("conf", "files", "messages")
_IDS = re.compile(r"\(euid=\d+ egid=\d+\)")

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "EXIMIOUS_WORD": "word",
    "EXIMIOUS_EMPTY": "",
    "EXIMIOUS_LIST": "a:b:c",
    "EXIMIOUS_BRACES": "}{$x",
}


@dataclasses.dataclass(slots=True)
class World:
    """A prepared folder. ``folder`` is its absolute path without symbolic links."""

    folder: Path

    @classmethod
    def prepare(cls, folder: Path) -> World:
        """Copy the fixtures into ``folder`` (made if missing). Needs no rights beyond writing there."""
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        token, path = b"@DIR@", os.fsencode(folder)
        for name in _COPIED:
            shutil.copytree(SOURCE / name, folder / name, dirs_exist_ok=True, symlinks=True)
        for name in ("spool", "log"):
            (folder / name).mkdir(exist_ok=True)
        for name in _COPIED:
            for place, _, files in os.walk(folder / name, topdown=False):
                for file in files:
                    one = Path(place, file)
                    if one.is_symlink():
                        continue
                    data = one.read_bytes()
                    if token in data:
                        one.write_bytes(data.replace(token, path))
                    one.chmod(0o755 if one.suffix == ".sh" else 0o644)
                    os.utime(one, (TIME, TIME))
                os.chmod(place, 0o755)
                os.utime(place, (TIME, TIME))
        return cls(folder)

    def source(self, text: str) -> str:
        """A case's text with this folder in place of the token."""
        return text.replace("@DIR@", str(self.folder))

    def shown(self, text: str) -> str:
        """An answer with the token in place of this folder, and without the process's own user numbers."""
        return _IDS.sub("(euid=UID egid=GID)", text.replace(str(self.folder), "@DIR@"))

    def asker(self, program: Sequence[str], settings: Mapping[str, str], **extra: str) -> Asker:
        """``program`` (the words before the options) with what a case's settings ask for.

        Settings: ``config`` and ``message`` name files in ``conf`` and ``messages``; ``arguments`` are
        more words of the command line. ``extra`` is added to the environment.
        """
        command = [*program, "-C", str(self.folder / "conf" / settings.get("config", "main.conf"))]
        command += shlex.split(self.source(settings.get("arguments", "")))
        if "message" in settings:
            command += ["-bem", str(self.folder / "messages" / settings["message"])]
        else:
            command.append("-be")
        return Asker(command, folder=self.folder, environment={**ENVIRONMENT, **extra})

    def ask(self, asker: Asker, sources: Sequence[str], before: str = "") -> list[Answer]:
        """Answers to case sources, tokens put in and out; ``before`` is a line sent first."""
        lines = [self.source(before)] if before else []
        lines += [self.source(source) for source in sources]
        answers = asker.ask(lines)[1 if before else 0 :]
        return [Answer(None if a.text is None else self.shown(a.text), a.fate) for a in answers]


def real_exim() -> str | None:
    """The path of an installed Exim, if there is one."""
    for name in ("exim4", "exim"):
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/exim/bin")
        if found:
            return found
    return None


def real_version(exim: str) -> str:
    """The version (``4.96``) and nothing else, as ``exim -bV`` tells it."""
    text = real_build(exim)
    found = re.search(r"^Exim version (\d+\.\d+)", text, re.M)
    if found is None:
        raise RuntimeError(f"{exim} -bV does not tell a version")
    return found[1]


def real_build(exim: str) -> str:
    """What ``exim -bV`` prints about the build."""
    return subprocess.run([exim, "-bV"], capture_output=True, text=True).stdout


def ours() -> list[str]:
    """The words that start our Exim-compatible front."""
    return [sys.executable, "-m", "eximious", "exim"]
