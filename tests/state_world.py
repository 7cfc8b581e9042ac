"""Cases about variables and messages: what they are run in, by ours and by a real Exim.

A case file (see casefile) sets ``@args`` (words of Exim's command line, ``-be`` or ``-bem`` left out),
``@message`` (a file in ``fixtures/messages``) and ``@options`` (main options, separated by `` ;; ``). The
inputs are expansions. Times, message ids and the like are replaced by fixed words before answers are
compared.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from differential.process import Asker
from eximious.backends.capabilities import make_doors
from eximious.grammar.catalogue import Catalogue, parse_version
from eximious.interpreter.context import Context
from eximious.interpreter.engine import expand
from eximious.interpreter.message_file import read_test_message
from eximious.interpreter.origin import apply_origin
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.state import Address, Environment, Message, Session

if TYPE_CHECKING:
    from typing import Any

    import casefile

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
MESSAGES = FIXTURES / "messages"
NOW = 1_795_438_866.25

OPTIONS = {
    "primary_hostname": "mail.example.org",
    "qualify_domain": "example.org",
    "headers_charset": "UTF-8",
    "timezone": "UTC",
    "keep_environment": "PATH",
}
ORIGIN = {
    "-f": "sender",
    "-oMa": "host_address",
    "-oMaa": "authenticator",
    "-oMai": "authenticated_id",
    "-oMas": "authenticated_sender",
    "-oMi": "interface",
    "-oMr": "protocol",
    "-oMs": "host_name",
    "-oMt": "ident",
}
#: what differs from run to run -> the word for it
STEADY = (
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000"), "(date)"),
    (re.compile(r"<E?[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}(?=[@.])"), "<(id)"),
    (re.compile(r"\b[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}\b"), "(id)"),
)


def steady(text: str) -> str:
    """A text with what differs from run to run replaced."""
    for pattern, word in STEADY:
        text = pattern.sub(word, text)
    return text


def options_of(settings: dict[str, str]) -> dict[str, Any]:
    """The main options of a case, typed."""
    found: dict[str, Any] = dict(OPTIONS)
    for line in filter(None, settings.get("options", "").split(" ;; ")):
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not equals:
            found[name] = True
        elif value in ("true", "false"):
            found[name] = value == "true"
        else:
            found[name] = int(value) if value.isdigit() else value
    return found


@functools.cache
def catalogue(version: tuple[int, int]) -> Catalogue:
    """The names of a version; for the one that was recorded, of its build."""
    if version != (4, 96):
        return Catalogue(version)
    return Catalogue.from_bv((FIXTURES / "expansion" / "build.txt").read_text(), version)


def context(settings: dict[str, str], folder: str = "/nonexistent", **more: Any) -> Context:
    """A context in the state that a case describes."""
    options = options_of(settings)
    options.setdefault("spool_directory", f"{folder}/spool")
    version = parse_version(settings.get("exim", "4.99"))
    environment = Environment(
        version=version,
        catalogue=catalogue(version),
        options=options,
        doors=make_doors(now=NOW, **more),
        primary_hostname=options["primary_hostname"],
        config_file=f"{folder}/test.conf",
        caller_uid=0,
        caller_gid=0,
        initial_cwd=folder,
    )
    ctx = Context(environment, Session(), Message(), Address())
    words = shlex.split(settings.get("args", ""))
    facts = {ORIGIN[word]: words[n + 1] for n, word in enumerate(words) if word in ORIGIN}
    apply_origin(environment, ctx.session, ctx.message, login="root", **facts)
    if settings.get("message"):
        read_test_message(
            ctx,
            (MESSAGES / settings["message"]).read_bytes(),
            sender_given="-f" in words,
            extract_recipients="-t" in words,
            dot_ends="-i" not in words,
        )
    return ctx


def ours(cases: list[casefile.Case], folder: Path) -> list[str]:
    """Our answers to cases with the same settings."""
    ctx = context(cases[0].settings, str(folder))
    answers = []
    for case in cases:
        try:
            answers.append(steady(expand(case.source, ctx)))
        except Failure as failure:
            answers.append(f"Failed: {failure.message}")
    return answers


def real(cases: list[casefile.Case], folder: Path, exim: str) -> list[str | None]:
    """A real Exim's answers to cases with the same settings."""
    settings = cases[0].settings
    lines = [f"{name} = {value}" for name, value in OPTIONS.items()]
    lines += [f"spool_directory = {folder}/spool", f"log_file_path = {folder}/log/%slog"]
    extra = [line for line in settings.get("options", "").split(" ;; ") if line]
    replaced = {line.partition("=")[0].strip() for line in extra}
    lines = [line for line in lines if line.partition(" =")[0] not in replaced] + extra
    for name in ("spool", "log"):
        (folder / name).mkdir(exist_ok=True)
    configuration = folder / "test.conf"
    configuration.write_text("\n".join(lines) + "\n", encoding="latin-1")
    configuration.chmod(0o644)
    mode = ["-bem", str(MESSAGES / settings["message"])] if settings.get("message") else ["-be"]
    words = shlex.split(settings.get("args", ""))
    asker = Asker(
        [exim, "-C", str(configuration), *mode, *words],
        folder=folder,
        environment={"PATH": os.environ["PATH"]},
    )
    answers = asker.ask([case.source for case in cases])
    return [None if answer.text is None else steady(answer.text) for answer in answers]


def grouped(cases: list[casefile.Case]) -> list[list[casefile.Case]]:
    """The cases that can share a process, in the order of the file."""
    groups: dict[tuple[tuple[str, str], ...], list[casefile.Case]] = {}
    for case in cases:
        groups.setdefault(tuple(sorted(case.settings.items())), []).append(case)
    return list(groups.values())
