"""Logging in at another mail server, as an smtp transport wants it (manual 33.5; RFC 4954)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.simulation.routing.peer import HELO, SETUP, Ended, Said
from eximious.simulation.smtp.authenticators import Attempt, Cancelled, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context
    from eximious.interpreter.hosts import Host
    from eximious.simulation.routing.peer import Peer

#: the line with the mechanisms; the first line of a reply is none, and white space may be the end of a line
_OFFER = re.compile(r"(?a)\n250[-\s]AUTH\s+([-\w \t]+)(?:\n|\Z)")
_ENTRIES = re.compile(r"\n(?=\S+ authenticator (?:failed|cancelled authentication) H=)")
_NO_XTEXT = re.compile(r"[^!-*,-<>-~]")
#: characters of a reply that are logged
SHOWN = 500


class Login:
    """Logs in with the first authenticator that the server and the configuration agree on.

    ``matches``: whether the server is in a host list of the transport. ``spoken``: whether a server was spoken to.
    """

    def __init__(self, ctx: Context, transport: Instance, host: Host, matches: Callable[[str], bool]) -> None:
        self.ctx, self.transport, self.host = ctx, transport, host
        self.done = self.spoken = False
        self._logged: list[str] = []
        self._matches = matches
        #: what Exim's buffer holds, and what it sent last
        self._buffer = self._sent = ""

    def run(self, peer: Peer) -> Said | None:
        """Log in if that is wanted and offered; gives why the server cannot be used, None if it can."""
        self.done = False
        self._buffer, self._sent = peer.hello, peer.hello_command
        required = self._matches("hosts_require_auth")
        why = "server did not advertise AUTH support"
        offer = _OFFER.search(peer.hello)
        if offer is not None and (required or self._matches("hosts_try_auth")):
            why = "no common mechanisms were found"
            offered = offer[1].lower().split()
            for instance in self.ctx.env.configuration.authenticators.values():
                if not instance.derived.get("client") or not self._wanted(instance):
                    continue
                if str(instance.option("public_name")).lower() not in offered:
                    continue
                why = "authentication attempt(s) failed"
                problem = self._try(peer, instance)
                if problem is not None or self.done:
                    return problem
        return Said(HELO, f"authentication required but {why}", SETUP) if required else None

    def mail_parameter(self) -> str:
        """AUTH= for MAIL, with a blank before it (manual 30.4, authenticated_sender). Raises Ended."""
        option = self.transport.option
        sender = str(self.ctx.session.authenticated_sender or "")
        text = option("authenticated_sender")
        if text is not None:
            try:
                sender = str(expand(text, self.ctx)) or sender
            except ForcedFailure:
                pass
            except Failure as failure:
                message = f"failed to expand authenticated_sender: {failure.message}"
                raise Ended(SETUP, message) from None
        if not sender or not (self.done or option("authenticated_sender_force")):
            return ""
        return f" AUTH={_NO_XTEXT.sub(lambda found: f'+{ord(found[0]):02x}', sender)}"

    # ---- one authenticator

    def _wanted(self, instance: Instance) -> bool:
        text = instance.option("client_condition")
        if text is None:
            return True
        from eximious.simulation.smtp.auth import condition_met

        return condition_met(self.ctx, text, f"{instance.name} client authenticator")

    def _try(self, peer: Peer, instance: Instance) -> Said | None:
        """Run an authenticator; a server that refuses is no problem: another authenticator may do."""
        from eximious.simulation.acl.engine import printing

        where = f"H={self.host.name} [{self.host.address}]"
        self.ctx.session.auth = []
        try:
            accepted = self._exchange(peer, Attempt(self.ctx, instance))
        except Ended as ended:
            return Said(HELO, ended.reply, ended.fails, self._sent)
        except Cancelled as cancelled:
            self._buffer = str(cancelled)
            if self._buffer:
                line = f"{instance.name} authenticator cancelled authentication {where} {self._buffer}"
                self._log(line)
            return None
        except Trouble as trouble:
            return Said(HELO, str(trouble), SETUP)
        if accepted:
            self.done = True
            self._set_id(instance)
            return None
        if self._buffer.startswith("5"):
            self._log(f"{instance.name} authenticator failed {where} {self._buffer[:SHOWN]}")
            return None
        error = f"SMTP error from remote mail server after {self._sent}: {printing(self.ctx, self._buffer)}"
        return Said(HELO, error, SETUP)

    def _exchange(self, peer: Peer, attempt: Attempt) -> bool:
        lines = attempt.lines()
        try:
            line = next(lines)
            while True:
                self._sent = masked(line)
                try:
                    self._buffer = attempt.reply = peer.exchange(line)
                except Ended:
                    if line != "*":  # giving up does not fail
                        raise
                line = next(lines)
        except StopIteration as stop:
            return bool(stop.value)

    def _set_id(self, instance: Instance) -> None:
        """Expand client_set_id; a callout has no use for the value."""
        text = instance.option("client_set_id")
        if text is not None:
            with suppress(Failure):
                expand(text, self.ctx)

    def _log(self, line: str) -> None:
        self._logged.append(line)
        log_write(self.ctx, line)

    # ---- what a recording keeps

    def logged(self) -> dict[str, str]:
        """What was logged since the last time, as a part of what the server is recorded to say."""
        self.spoken = True
        lines, self._logged = self._logged, []
        return {"logged": "\n".join(lines)} if lines else {}

    def log_again(self, lines: str) -> None:
        """Log what was logged when the server was spoken to; an entry may have several lines."""
        for entry in _ENTRIES.split(lines) if lines else ():
            log_write(self.ctx, entry)


def masked(line: str) -> str:
    """A line of an exchange as messages show it: nothing that could be a password is left."""
    if line.startswith("AUTH "):
        word, name, *data = line.split(" ", 2)
        return " ".join([word, name, *("*" * len(one) for one in data)])
    return "*" * len(line)
