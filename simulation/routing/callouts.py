"""Callouts: asking the host of an address whether it would take mail for it (manual 44.38 to 44.41).

The question goes through the verdicts door, kind ``callout``: a described world answers it, or it is really asked over
a socket where that is allowed. The answers are kept as Exim keeps them in its callout cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.text import Tainted
from eximious.simulation.routing.results import DEFER, FAIL, OK
from eximious.simulation.routing.run import LOCAL_TRANSPORTS, SENDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.interpreter.hosts import Host
    from eximious.interpreter.state import Doors
    from eximious.simulation.acl.conditions.addresses import Wanted
    from eximious.simulation.routing.address import Queues, RoutedAddress

    Callout = Callable[[RoutedAddress, Queues], str]

PREVIOUS = "Previous (cached) callout verification failure"


def caller_for(ctx: Context, wanted: Wanted, mode: str) -> Callout | None:
    """Give the function that asks about a routed address, None where callouts are left out (``-bh``)."""
    if not getattr(ctx.env, "callouts", True):
        return None
    return Caller(ctx, wanted, mode).ask


class Caller:
    """Callouts of one ``verify``."""

    def __init__(self, ctx: Context, wanted: Wanted, mode: str) -> None:
        self.ctx, self.wanted, self.mode = ctx, wanted, mode

    def ask(self, address: RoutedAddress, queues: Queues) -> str:
        """Ask about an address that was routed; gives OK, FAIL or DEFER, the reason in the address."""
        hosts = self._hosts(address)
        if not hosts:
            return OK
        sender = self._sender()
        cache = self._cache()
        domain, text = str(address.domain).lower(), str(address.address)
        known = self._known(cache, domain, text, sender)
        if known is not None:
            address.message, address.user_message = PREVIOUS, "(result of an earlier callout reused)."
            if known == FAIL:
                return FAIL
            address.message = address.user_message = None
            return OK
        outcome, answer, failed_at = self._really(hosts, address, sender)
        self._remember(cache, domain, text, sender, outcome, failed_at)
        if outcome == OK:
            return OK
        if outcome == DEFER:
            host = hosts[-1]
            address.message = f"{host.name} [{host.address}] : {answer}" if answer else None
            who = "sender" if self.mode == SENDER else "recipient"
            address.user_message = f"Could not complete {who} verify callout"
            return DEFER
        host = hosts[0]
        address.message = f'{host.name} [{host.address}] : response to "{failed_at}" was: {answer}'
        address.user_message = f"Called:   {host.address}\nSent:     {failed_at}\nResponse: {answer}"
        return FAIL

    def _hosts(self, address: RoutedAddress) -> list[Host]:
        transport = address.transport
        if transport is None or transport.driver in LOCAL_TRANSPORTS:
            return []
        return [host for host in address.hosts if host.address is not None]

    def _sender(self) -> str:
        """The sender that the callout gives: the null one for senders (manual 44.39)."""
        if self.wanted.mailfrom is not None:
            return self.wanted.mailfrom
        if "use_sender" in self.wanted.options:
            return str(self.ctx.message.sender_address)
        if "use_postmaster" in self.wanted.options:
            from eximious.interpreter.variables.computed import qualify_domain

            return f"postmaster@{qualify_domain(self.ctx)}"
        return ""

    # ---- the cache (manual 44.41)

    def _cache(self) -> dict[str, tuple[str, float]]:
        from eximious.simulation.acl.state import hints_of

        found: dict[str, tuple[str, float]] = hints_of(self.ctx).setdefault("callout", {})
        return found

    def _known(self, cache: dict[str, tuple[str, float]], domain: str, text: str, sender: str) -> str | None:
        if self.wanted.no_cache:
            return None
        now = self.ctx.env.doors.clock.now()
        options = self.ctx.env.options
        for key, good, bad in (
            (domain, "callout_domain_positive_expire", "callout_domain_negative_expire"),
            (f"{text}/<{sender}>" if sender else text, "callout_positive_expire", "callout_negative_expire"),
        ):
            found = cache.get(key)
            if found is None:
                continue
            outcome, stamp = found
            life = options.get(good if outcome == OK else bad)
            if life is not None and now - stamp > float(life):
                del cache[key]
                continue
            if key == domain and outcome == OK:
                continue
            return outcome
        return None

    def _remember(
        self,
        cache: dict[str, tuple[str, float]],
        domain: str,
        text: str,
        sender: str,
        outcome: str,
        failed_at: str,
    ) -> None:
        if self.wanted.no_cache or outcome == DEFER:
            return
        now = self.ctx.env.doors.clock.now()
        if failed_at.upper().startswith(("EHLO", "HELO", "MAIL", "INITIAL")):
            cache[domain] = FAIL, now
            return
        cache[domain] = OK, now
        cache[f"{text}/<{sender}>" if sender else text] = outcome, now

    # ---- asking

    def _really(self, hosts: list[Host], address: RoutedAddress, sender: str) -> tuple[str, str, str]:
        """Ask the hosts in turn; gives the outcome, the answer, and the command that it answered."""
        answer = failed_at = ""
        for host in hosts:
            verdict = self.ctx.env.doors.verdicts.ask(
                "callout",
                str(address.address),
                host.name,
                sender,
                needs="net",
                speak=Dialogue(host, str(address.address), sender, self.wanted, self._helo()).speak,
            )
            outcome, answer, failed_at = _read(verdict, str(address.address))
            if outcome != DEFER:
                return outcome, answer, failed_at
        return DEFER, answer, failed_at

    def _helo(self) -> str:
        from eximious.interpreter.variables.computed import primary_hostname

        return str(primary_hostname(self.ctx))


def _read(verdict: dict[str, Any], address: str) -> tuple[str, str, str]:
    """A verdict: ``reply``, the ``stage`` that it answered (connect, helo, mail, rcpt, postmaster), or ``fails``."""
    stage = str(verdict.get("stage") or "rcpt")
    command = _COMMANDS.get(stage, f"RCPT TO:<{address}>")
    if verdict.get("fails"):
        return DEFER, str(verdict["fails"]), command
    text = Tainted(str(verdict.get("reply") or "250 OK"))
    outcome = {"2": OK, "5": FAIL}.get(text[:1], DEFER)
    return outcome, text, command


_COMMANDS = {
    "connect": "initial connection",
    "helo": "EHLO",
    "mail": "MAIL FROM:<>",
    "postmaster": "RCPT TO:<postmaster>",
}


class Dialogue:
    """The real question: a short SMTP session with the host (manual 44.38)."""

    def __init__(self, host: Host, address: str, sender: str, wanted: Wanted, helo: str) -> None:
        self.host, self.address, self.sender, self.wanted, self.helo = host, address, sender, wanted, helo

    def speak(self, doors: Doors) -> dict[str, Any]:
        """Ask over the sockets door; gives what a described world would say."""
        wanted = self.wanted
        timeout = float(wanted.connect if wanted.connect > 0 else wanted.callout)
        port = self.host.port if self.host.port > 0 else 25
        at = f"[{self.host.address}]" if ":" in str(self.host.address) else self.host.address
        try:
            connection = doors.sockets.connect(f"inet:{at}:{port}", timeout)
        except OSError as problem:
            return {"fails": problem.strerror or "timed out", "stage": "connect"}
        try:
            return self._talk(connection)
        except TimeoutError:
            return {"fails": "Connection timed out", "stage": "rcpt"}
        except OSError as problem:
            return {"fails": problem.strerror or "connection lost", "stage": "rcpt"}
        finally:
            connection.close()

    def _talk(self, connection: Any) -> dict[str, Any]:
        steps = [
            ("connect", ""),
            ("helo", f"EHLO {self.helo}"),
            ("mail", f"MAIL FROM:<{self.sender}>"),
            ("rcpt", f"RCPT TO:<{self.address}>"),
        ]
        if self.wanted.postmaster is not None:
            domain = self.address.rpartition("@")[2]
            steps.append(("postmaster", f"RCPT TO:<postmaster@{domain}>"))
        reply = ""
        for stage, command in steps:
            if command:
                connection.send(f"{command}\r\n".encode("latin-1"))
            reply = _reply(connection)
            if stage == "helo" and reply.startswith("5"):
                connection.send(f"HELO {self.helo}\r\n".encode("latin-1"))
                reply = _reply(connection)
            if not reply.startswith("2"):
                return {"reply": reply, "stage": stage}
        connection.send(b"QUIT\r\n")
        return {"reply": reply, "stage": "rcpt"}


def _reply(connection: Any) -> str:
    """A whole reply; OSError where the connection ends."""
    data = b""
    while True:
        last = data.rstrip(b"\r\n").rpartition(b"\n")[2]
        if data.endswith(b"\n") and last[3:4] != b"-":
            return data.decode("latin-1").rstrip("\r\n").replace("\r\n", "\n")
        piece = connection.recv(4096)
        if not piece or len(data) > REPLY_LIMIT:
            raise ConnectionResetError(104, "connection dropped")
        data += piece


#: bytes of a reply that are taken
REPLY_LIMIT = 65_536
