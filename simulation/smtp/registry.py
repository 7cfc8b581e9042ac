"""The commands of SMTP: their words, what they may have behind them, and the functions that answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.simulation.smtp.session import SmtpSession

    #: the session and what stands behind the command's word
    Answer = Callable[[SmtpSession, str], None]

#: modules that register commands
MODULES = ("greeting", "envelope", "content", "chunking", "inquiry", "auth", "tls", "xclient", "atrn")


class Command:
    """A command. ``word``: in lower case, as it begins a line; ``name``: what logs and ``$smtp_command_history`` say.

    ``arguments``: whether anything may follow. ``mail``: it is part of a mail transaction, and does not count as a
    command that is none. ``once``: the first one does not count either. ``pipelined``: more may follow at once.
    """

    __slots__ = ("answer", "arguments", "mail", "name", "once", "pipelined", "since", "word")

    def __init__(
        self,
        word: str,
        name: str,
        answer: Answer,
        arguments: bool,
        mail: bool,
        once: bool,
        pipelined: bool,
        since: tuple[int, int] | None,
    ) -> None:
        self.word, self.name, self.answer, self.arguments = word, name, answer, arguments
        self.mail, self.once, self.pipelined, self.since = mail, once, pipelined, since


COMMANDS: dict[str, Command] = {}
#: by the first four letters, in the order of their registration
_BY_START: dict[str, list[Command]] = {}
_loaded: list[str] = []


def command(
    word: str,
    *,
    arguments: bool = True,
    mail: bool = False,
    once: bool = False,
    pipelined: bool = False,
    since: tuple[int, int] | None = None,
) -> Callable[[Answer], Answer]:
    """Register a command: ``f(session, argument)`` answers it through the session's methods."""

    def register(function: Answer) -> Answer:
        name = word.partition(" ")[0].partition(":")[0].upper()
        made = Command(word, name, function, arguments, mail, once, pipelined, since)
        COMMANDS[word] = made
        _BY_START.setdefault(word[:4], []).append(made)
        return function

    return register


def load() -> None:
    """Import every module that registers commands."""
    if _loaded:
        return
    from importlib import import_module

    for name in MODULES:
        import_module(f"eximious.simulation.smtp.{name}")
        _loaded.append(name)


def find(line: str, version: tuple[int, int]) -> tuple[Command, str] | None:
    """Find the command that a line begins with; gives it and what follows. None: there is no such command."""
    if not _loaded:
        load()
    lower = line[:12].lower()
    for one in _BY_START.get(lower[:4], ()):
        word = one.word
        if not lower.startswith(word) or (one.since is not None and version < one.since):
            continue
        size = len(word)
        if word.endswith(":") or len(line) == size or line[size] == " ":
            return one, line[size:]
    return None
