"""AUTH: which mechanisms are offered, and the exchange with the client (manual 33; RFC 4954)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.engine import client
from eximious.simulation.acl.outcomes import FAIL, OK, AclResult
from eximious.simulation.smtp.authenticators import Verbatim
from eximious.simulation.smtp.registry import command

if TYPE_CHECKING:
    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.simulation.smtp.authenticators import Exchange
    from eximious.simulation.smtp.session import SmtpSession


def advertised(session: SmtpSession) -> list[str]:
    """The mechanisms that EHLO offers to this client, in capital letters."""
    session.advertised_authenticators = []
    found = session.env.configuration.authenticators
    if session.connection.sender_host_authenticated:
        return []
    if not found or not session.is_host("auth_advertise_hosts"):
        return []
    for instance in found.values():
        if instance.derived.get("server") and _condition(session, instance):
            session.advertised_authenticators.append(instance)
    return [str(one.option("public_name")).upper() for one in session.advertised_authenticators]


def _condition(session: SmtpSession, instance: Instance) -> bool:
    text = instance.option("server_advertise_condition")
    return text is None or condition_met(session.ctx, text, f"{instance.name} authenticator")


def condition_met(ctx: Context, text: str, whose: str) -> bool:
    """Expand a condition; empty, 0, no and false are not met, nor is one that fails, which is logged."""
    try:
        value = expand(text, ctx)
    except ForcedFailure:
        return False
    except Failure as failure:
        log_write(ctx, f'failed to expand condition "{text}" for {whose}: {failure.message}', "main panic")
        return False
    return bool(value) and value.lower() not in ("0", "no", "false")


@command("auth", once=True)
def auth(session: SmtpSession, argument: str) -> None:
    """AUTH: begin the exchange of a mechanism."""
    connection = session.connection
    session.record.last.reason = "authentication"
    if not session.auth_advertised and not session.state.connection.allow_auth_unadvertised:
        session.protocol_error("smtp_protocol_error", 503, None, "AUTH command used when not advertised")
        return
    if connection.sender_host_authenticated:
        session.protocol_error("smtp_protocol_error", 503, None, "already authenticated")
        return
    if session.sender is not None:
        session.protocol_error("smtp_protocol_error", 503, None, "not permitted in mail transaction")
        return
    if session.has_acl("acl_smtp_auth"):
        result = session.acl("auth", "acl_smtp_auth")
        if result.outcome != OK:
            session.refuse("auth", result)
            return
    end = 0
    while end < len(argument) and (argument[end].isalnum() or argument[end] in "-_"):
        end += 1
    if end < len(argument) and argument[end] not in " \t":
        session.protocol_error(
            "smtp_syntax_error", 501, None, "invalid character in authentication mechanism name"
        )
        return
    mechanism, initial = argument[:end], argument[end:].lstrip(" \t")
    instance = _find(session, mechanism)
    if instance is None:
        message = f"{mechanism} authentication mechanism not supported"
        session.protocol_error("smtp_protocol_error", 504, None, message)
        return
    from eximious.simulation.smtp.authenticators import begin

    begin(session, instance, initial)


def _find(session: SmtpSession, mechanism: str) -> Instance | None:
    found: dict[str, Instance] = session.env.configuration.authenticators
    for instance in found.values():
        if not instance.derived.get("server"):
            continue
        known = instance in session.advertised_authenticators
        if str(instance.option("public_name")).lower() == mechanism.lower() and (
            known or session.state.connection.allow_auth_unadvertised
        ):
            return instance
    return None


# ---- the exchange


class Dialogue:
    """An exchange that waits for the client's next line."""

    def __init__(self, instance: Instance, exchange: Exchange, verbatim: bool) -> None:
        self.instance, self.exchange, self.verbatim = instance, exchange, verbatim

    def line(self, session: SmtpSession, text: str) -> None:
        """Take a line of the client's."""
        session.dialogue = None
        if self.verbatim:
            go_on(session, self.instance, self.exchange, text)
            return
        if text == "*":
            finish(session, self.instance, "cancelled")
            return
        try:
            data = decode(text)
        except ValueError:
            finish(session, self.instance, "bad64")
            return
        go_on(session, self.instance, self.exchange, data)


def decode(text: str) -> str:
    """Base64 as it is sent: raises ValueError for what is none."""
    try:
        return base64.b64decode(text.encode("latin-1"), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        raise ValueError(text) from None


def go_on(session: SmtpSession, instance: Instance, exchange: Exchange, data: str | None) -> None:
    """Hand data on to an exchange: it asks for more, or has a result."""
    try:
        challenge = exchange.send(data)
    except StopIteration as stop:
        finish(session, instance, str(stop.value))
        return
    verbatim = isinstance(challenge, Verbatim)
    session.say(f"334 {challenge if verbatim else base64.b64encode(challenge.encode('latin-1')).decode()}")
    session.dialogue = Dialogue(instance, exchange, verbatim)


def finish(session: SmtpSession, instance: Instance, outcome: str) -> None:
    """Answer what an exchange came to (manual 33.3): ok, fail, defer, error, cancelled, bad64, unexpected."""
    connection = session.connection
    set_id = _set_id(session, instance)
    if outcome == "ok":
        if set_id:
            connection.authenticated_id = Tainted(set_id)
        connection.sender_host_authenticated = instance.name
        connection.authentication_failed = 0
        connection.authenticated_fail_id = ""
        connection.received_protocol = session.protocol()
        session.say("235 Authentication succeeded")
        _forget(session)
        return
    connection.authentication_failed = 1
    if set_id:
        connection.authenticated_fail_id = Tainted(set_id)
    shown = f" (set_id={set_id})" if set_id else ""
    why = ""
    if outcome == "bad64":
        reply = "501 Invalid base64 data"
    elif outcome == "cancelled":
        reply = "501 Authentication cancelled"
    elif outcome == "unexpected":
        reply = "553 Initial data not expected"
    elif outcome == "fail":
        reply, why = "535 Incorrect authentication data", f"535 Incorrect authentication data{shown}"
    elif outcome.startswith("defer"):
        message = outcome[len("defer") :].lstrip(": ")
        reply = "435 Unable to authenticate at present"
        why = f"{reply}{shown}" + (f": {message}" if message else "")
        if session.options.get("smtp_return_error_details") and message:
            reply = f"{reply}: {message}"
    else:
        reply, why = (
            "435 Internal error",
            f"435 Internal error{shown}: return {outcome} from authentication check",
        )
    why = why or reply
    session.say(reply)
    session.log(f"{instance.name} authenticator failed for {session.host()}: {why}", "main reject")
    _forget(session)


def _set_id(session: SmtpSession, instance: Instance) -> str:
    text = instance.option("server_set_id")
    if not text:
        return ""
    try:
        return str(expand(text, session.ctx))
    except Failure:
        return ""


def _forget(session: SmtpSession) -> None:
    session.ctx.captures = []
    session.connection.auth = []


def mail_auth(session: SmtpSession, value: str) -> None:
    """``AUTH=`` on MAIL: who the message is from in truth (manual 33.2). Raises Wrong."""
    from eximious.interpreter.operators.encodings import xtextd
    from eximious.interpreter.outcomes import ExpansionError
    from eximious.simulation.smtp.envelope import Wrong

    if value == "<>":
        return
    connection = session.connection
    try:
        connection.authenticated_sender = Tainted(str(xtextd(value)))
    except ExpansionError:
        session.protocol_error("smtp_syntax_error", 501, None, "invalid data for AUTH")
        raise Wrong from None
    why = "client not authenticated"
    if session.has_acl("acl_smtp_mailauth"):
        result = session.acl("mailauth", "acl_smtp_mailauth")
        session.mailauth_message = result.user
        why = "rejected by ACL"
    else:
        result = AclResult(OK if connection.sender_host_authenticated else FAIL, None, None)
    if result.outcome == OK:
        instance = session.env.configuration.authenticators.get(connection.sender_host_authenticated)
        condition = instance.option("server_mail_auth_condition") if instance is not None else None
        if condition is None or condition_met(
            session.ctx, condition, f"{connection.sender_host_authenticated} authenticator"
        ):
            return
        why = "server_mail_auth_condition failed"
        if connection.authenticated_id:
            why += f': authenticated ID="{connection.authenticated_id}"'
    elif result.outcome != FAIL:
        session.refuse("mailauth", result)
        raise Wrong
    connection.authenticated_sender = ""
    session.log(f"ignoring AUTH={value} from {client(session.ctx)} ({why})")
