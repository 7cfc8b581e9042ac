"""Configurations as cases: the files under ``fixtures/config``, a real Exim's answers, and ours.

A case's input is a configuration, or the part of one. Settings: ``@head`` lines that come before it (a bar
between them), ``@print`` the arguments of ``-bP`` whose output is the answer (default: none, then the answer
is ``accepted``). The answer of a refused configuration is the text that Exim prints, ``CONFIG`` for the file,
``DIR`` for its folder.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import casefile
from eximious.grammar.catalogue import Catalogue
from eximious.grammar.configuration import Configuration, load_configuration
from eximious.interpreter.addresses import parse_extract_address
from eximious.interpreter.regex import BadPattern, compile_regex

from eximious.print_options import print_options

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "fixtures" / "config"
VERSION = "4.96"
ACCEPTED = "accepted"

_HEADING = re.compile(r"^(?:[-0-9]+ [:0-9]+ )?LOG: [A-Z ]+\n  ", re.M)


class Users:
    """The users that the recorded answers suppose: those that every Debian has."""

    _USERS = {"root": (0, 0), "daemon": (1, 1), "bin": (2, 2), "mail": (8, 8), "uucp": (10, 10)}
    _NAMES = {uid: name for name, (uid, _) in _USERS.items()}

    def user(self, name: str) -> tuple[int, int] | None:
        return self._USERS.get(name)

    def group(self, name: str) -> int | None:
        return self._USERS[name][1] if name in self._USERS else None

    def user_name(self, uid: int) -> str | None:
        return self._NAMES.get(uid)

    group_name = user_name

    def primary_group(self, uid: int) -> int | None:
        return uid if uid in self._NAMES else None


class CannotExpand(Exception):
    """An expansion that failed."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def expand(configuration: Configuration, text: str) -> str:
    """Expand plain variables and escapes, which is all that the cases use."""

    def value(match: re.Match[str]) -> str:
        if match[1] in ("primary_hostname", "spool_directory"):
            return str(configuration.option(match[1]))
        raise CannotExpand(f'unknown variable name "{match[1]}"')

    return re.sub(r"\\(.)", r"\1", re.sub(r"\$([a-z_]+)", value, text))


def parse_address(text: str) -> tuple[str | None, str]:
    """Take an address apart."""
    found = parse_extract_address(text)
    return found.address, found.error


def regex_error(pattern: str) -> tuple[str, int] | None:
    """Give what is wrong with a regular expression."""
    try:
        compile_regex(pattern)
    except BadPattern as error:
        return error.reason, error.place
    return None


@cache
def debian() -> Catalogue:
    """The catalogue of the build that the answers come from."""
    return Catalogue.from_bv((ROOT / "fixtures" / "reading" / "debian-4.96.bv").read_text("latin-1"))


def files() -> list[casefile.CaseFile]:
    """All case files, in order."""
    return [casefile.read(path) for path in sorted(FOLDER.glob("*/*.cases"))]


def configuration(case: casefile.Case) -> str:
    """Give the text of a case's configuration."""
    head = case.settings.get("head")
    return (head.replace("|", "\n") + "\n" if head else "") + case.source + "\n"


def arguments(case: casefile.Case) -> list[str] | None:
    """Give what -bP is to print, None if only acceptance counts."""
    words = case.settings.get("print")
    return words.split() if words else None


def real_exim() -> str | None:
    """Give the installed Exim if it is of the version that the answers come from."""
    exim = shutil.which("exim4")
    if exim is None:
        return None
    heading = subprocess.run([exim, "-bV"], capture_output=True, check=False, text=True).stdout
    return exim if heading.startswith(f"Exim version {VERSION} ") else None


def ask(exim: str, case: casefile.Case, folder: Path) -> tuple[str | None, str]:
    """Ask a real Exim: its answer, or None and why it gave none."""
    path = folder / "c.conf"
    path.write_bytes(configuration(case).encode("latin-1"))
    words = arguments(case)
    command = [exim, "-C", str(path), "-bP", *([] if words is None else words)]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode < 0:
        return None, f"died by signal {-done.returncode}"
    errors = done.stderr.decode("latin-1").replace(str(path), "CONFIG").replace(str(folder), "DIR")
    if done.returncode == 0 or (words is not None and not errors):
        output = done.stdout.decode("latin-1").removesuffix("\n")
        return output if words is not None else ACCEPTED, ""
    return first_message(errors), ""


def first_message(errors: str) -> str:
    """Give the first message of what Exim writes to standard error."""
    match = _HEADING.search(errors)
    text = errors[match.end() :] if match else errors
    following = re.search(r"^(?:LOG: |\d{4}-\d\d-\d\d )", text, re.M)
    return (text[: following.start()] if following else text).removesuffix("\n")


def ours(case: casefile.Case, folder: Path, catalogue: Catalogue | None = None) -> str:
    """Give our answer."""
    path = folder / "c.conf"
    path.write_bytes(configuration(case).encode("latin-1"))
    words = arguments(case)
    read = load_configuration(
        str(path),
        catalogue or debian(),
        users=Users(),
        expand=expand,
        parse_address=parse_address,
        regex_error=regex_error,
    )
    error = read.first_error
    if error is not None:
        return error.exim_text().replace(str(path), "CONFIG").replace(str(folder), "DIR")
    if words is None:
        return ACCEPTED
    out: list[str] = []
    print_options(read, words, out.append, users=Users())
    return "".join(out).removesuffix("\n")
