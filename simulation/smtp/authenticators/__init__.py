"""Authenticators, one module each (manual 33 to 42): the server's side, and where there is one the client's.

An exchange is a generator: it yields challenges (text, one character a byte), is sent the client's answers, and returns
``ok``, ``fail``, ``error``, ``unexpected``, ``cancelled``, ``bad64``, or ``defer: message``. The client's data are in
``ctx.session.auth`` (``$auth1``…) and ``ctx.captures`` (``$1``…).

The client's side is a generator, too: it yields lines to be sent, finds the server's replies in its
:class:`Attempt`, and returns whether the server let it in. It raises :class:`Cancelled` or :class:`Trouble`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.simulation.smtp.session import SmtpSession

    Exchange = Generator[str, str | None, str]
    #: session, authenticator, initial response (None: none was sent) -> exchange
    Authenticator = Callable[[SmtpSession, Instance, str | None], Exchange]
    Lines = Generator[str, None, bool]
    Client = Callable[["Attempt"], Lines]


class Verbatim(str):
    """A challenge that is sent as it is, and whose answer is taken as it comes: neither is base64 of a text."""

    __slots__ = ()


AUTHENTICATORS: dict[str, Authenticator] = {}
CLIENTS: dict[str, Client] = {}
#: drivers whose verdict comes from a library or daemon of another kind
ELSEWHERE = ("cyrus_sasl", "dovecot", "gsasl", "heimdal_gssapi")


def authenticator(*names: str) -> Callable[[Authenticator], Authenticator]:
    """Register the server side of a driver (or several)."""

    def register(function: Authenticator) -> Authenticator:
        for name in names:
            AUTHENTICATORS[name] = function
        return function

    return register


def client(name: str) -> Callable[[Client], Client]:
    """Register the client's side of a driver."""

    def register(function: Client) -> Client:
        CLIENTS[name] = function
        return function

    return register


def _load(driver: str) -> None:
    from importlib import import_module

    module = "elsewhere" if driver in ELSEWHERE else driver
    import_module(f"eximious.simulation.smtp.authenticators.{module}")


class Cancelled(Exception):
    """The client's side is not prepared for this server; the text, if there is one, is logged."""


class Trouble(Exception):
    """The client's side cannot go on, and nothing else is tried; the text says why."""


class Attempt:
    """One authenticator's attempt to log in (manual 33.5). ``reply``: what the server said last."""

    def __init__(self, ctx: Context, instance: Instance) -> None:
        self.ctx, self.instance = ctx, instance
        self.reply = ""

    def lines(self) -> Lines:
        """Give the lines to be sent, one after another. Raises NotEvaluated, Cancelled, Trouble."""
        driver = self.instance.driver or ""
        _load(driver)
        if driver not in CLIENTS:
            from eximious.simulation.acl.outcomes import NotEvaluated

            raise NotEvaluated(f"authenticator {self.instance.name}", f"the client of {driver} is a library")
        return CLIENTS[driver](self)

    def expanded(self, text: str) -> str:
        """Expand an option. Raises Cancelled where that is forced to fail, Trouble where it fails otherwise."""
        from eximious.interpreter.engine import expand
        from eximious.interpreter.outcomes import Failure, ForcedFailure

        try:
            return expand(text, self.ctx)
        except ForcedFailure:
            raise Cancelled from None
        except Failure as failure:
            raise self.failed(text, failure.message) from None

    def failed(self, text: str, message: str) -> Trouble:
        """What an expansion that failed is."""
        return Trouble(f'expansion of "{text}" failed in {self.instance.name} authenticator: {message}')

    def command(self, data: str = "") -> str:
        """The AUTH command, with initial data."""
        from eximious.interpreter.operators.encodings import base64

        name = str(self.instance.option("public_name"))
        return f"AUTH {name} {base64(data)}" if data else f"AUTH {name}"

    def challenge(self) -> str | None:
        """The server's challenge, None where it is no base64 or not there at all."""
        from eximious.interpreter.operators.encodings import b64decode

        data = b64decode(self.reply[4:]) if len(self.reply) > 4 else None
        return None if data is None else data.decode("latin-1")


def begin(session: SmtpSession, instance: Instance, initial: str) -> None:
    """Begin the exchange of an authenticator with what stood behind the mechanism's name."""
    from eximious.simulation.smtp.auth import decode, finish, go_on

    driver = instance.driver or ""
    if driver not in AUTHENTICATORS:
        _load(driver)
    session.connection.auth = []
    session.ctx.captures = []
    first: str | None = None
    if initial and driver == "spa":
        first = initial
    elif initial:
        try:
            first = "" if initial == "=" else decode(initial)
        except ValueError:
            finish(session, instance, "bad64")
            return
    exchange = AUTHENTICATORS[driver](session, instance, first)
    go_on(session, instance, exchange, None)


def set_data(session: SmtpSession, values: list[str]) -> None:
    """Make the client's data known as ``$auth1``… and ``$1``…."""
    from eximious.interpreter.text import Tainted

    tainted: list[str] = [Tainted(value) for value in values]
    session.connection.auth = tainted
    session.ctx.captures = ["", *tainted]


def check(session: SmtpSession, instance: Instance, text: str | None) -> str:
    """Expand a condition of an authenticator: ok, fail, or ``defer: message`` (manual 33.3)."""
    from eximious.interpreter.engine import expand
    from eximious.interpreter.outcomes import Failure, ForcedFailure

    if text is None:
        return "ok"
    try:
        value = expand(text, session.ctx)
    except ForcedFailure:
        return "fail"
    except Failure as failure:
        return f"defer: {failure.message}"
    lower = value.lower()
    if not value or lower in ("0", "no", "false"):
        return "fail"
    if lower in ("1", "yes", "true"):
        return "ok"
    return f"defer: {value}"
