"""The server sides of authenticators, one module each (manual 33 to 42).

An exchange is a generator: it yields challenges (text, one character a byte), is sent the client's answers, and returns
``ok``, ``fail``, ``error``, ``unexpected``, ``cancelled``, ``bad64``, or ``defer: message``. The client's data are in
``ctx.session.auth`` (``$auth1``…) and ``ctx.captures`` (``$1``…).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from eximious.grammar.config_model import Instance
    from eximious.simulation.smtp.session import SmtpSession

    Exchange = Generator[str, str | None, str]
    #: session, authenticator, initial response (None: none was sent) -> exchange
    Authenticator = Callable[[SmtpSession, Instance, str | None], Exchange]


class Verbatim(str):
    """A challenge that is sent as it is, and whose answer is taken as it comes: neither is base64 of a text."""

    __slots__ = ()


AUTHENTICATORS: dict[str, Authenticator] = {}
#: drivers whose verdict comes from a library or daemon of another kind
ELSEWHERE = ("cyrus_sasl", "dovecot", "gsasl", "heimdal_gssapi")


def authenticator(*names: str) -> Callable[[Authenticator], Authenticator]:
    """Register the server side of a driver (or several)."""

    def register(function: Authenticator) -> Authenticator:
        for name in names:
            AUTHENTICATORS[name] = function
        return function

    return register


def begin(session: SmtpSession, instance: Instance, initial: str) -> None:
    """Begin the exchange of an authenticator with what stood behind the mechanism's name."""
    from importlib import import_module

    from eximious.simulation.smtp.auth import decode, finish, go_on

    driver = instance.driver or ""
    if driver not in AUTHENTICATORS:
        module = "elsewhere" if driver in ELSEWHERE else driver
        import_module(f"eximious.simulation.smtp.authenticators.{module}")
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
