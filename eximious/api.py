"""The public API: load a configuration, check it, evaluate expansions in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.assembly import Assembly, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from eximious.decisions import Session, Verification
    from eximious.grammar.config_ast import ConfigurationTree
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.routing_report import Routed
    from eximious.simulating import Simulation


def load(
    path: str,
    *,
    exim_version: str = "",
    build: str = "",
    defines: Mapping[str, str] | Iterable[str] = (),
    allow: Iterable[str] = (),
    root: str = "",
    nameserver: str = "",
    world: str = "",
    live: Iterable[str] = (),
    record: str = "",
) -> Configuration:
    """Read the configuration in the file ``path``.

    ``exim_version``: the Exim to be like, such as "4.96" (default: the newest); ``build``: a file with the
    output of a real ``exim -bV``; ``defines``: macros, as a mapping or as ``NAME=VALUE`` texts; ``allow``:
    permissions (as ``--allow``); ``root``: the folder that holds the files which the configuration names;
    ``nameserver``: the only DNS server to ask; ``world``: the folder of a described world, ``live``: its doors
    that are real (as ``--live``), ``record``: the world to write answers into when the process ends.
    Errors of the configuration are no exception: see :attr:`Configuration.error` and
    :meth:`Configuration.lint`. Raises ConfigurationUnreadable where there is
    nothing to read. Manual chapter 6.
    """
    macros = [f"{name}={value}" for name, value in defines.items()] if hasattr(defines, "items") else defines
    assembly = Assembly(
        path,
        version=exim_version,
        build=build,
        defines=tuple(macros),
        allow=tuple(allow),
        root=root,
        nameserver=nameserver,
        world=world,
        live=tuple(live),
        record=record,
    )
    assembly.configuration  # noqa: B018  (reads it: what cannot be read is found now)
    return Configuration(assembly)


class Configuration:
    """A configuration that was read; made by :func:`load`."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @property
    def path(self) -> str:
        """The file it was read from."""
        return self._assembly.configuration.path

    @property
    def tree(self) -> ConfigurationTree:
        """The syntax tree, with the place of every node."""
        return self._assembly.configuration.tree

    @property
    def error(self) -> str:
        """What Exim would say when it refuses this configuration, "" if it would accept it."""
        return self._assembly.configuration_error()

    def option(self, name: str) -> Any:
        """Give the value of a main option, its default included; KeyError: there is no such option."""
        return self._assembly.configuration.option(name)

    def expand(
        self,
        text: str,
        *,
        variables: Mapping[str, str] | None = None,
        message: str = "",
        sender: str | None = None,
    ) -> str:
        """Expand ``text`` as Exim would, and give what comes of it.

        Text is one character a byte (what is read from a file as latin-1). ``variables``: values that stand
        for what came from outside, by name without the dollar; ``message``: a file with a message whose
        headers and body are known; ``sender``: the envelope sender. Every call starts from nothing.

        Raises a Failure with Exim's message (ExpansionError, ForcedFailure, Defer), Refused where a
        permission is lacking, Unanswered where the described world does not answer, OverBudget.
        Manual chapter 11.
        """
        from eximious.interpreter.engine import expand

        return expand(text, self._context(variables, message, sender)).partition("\0")[0]

    def _context(self, variables: Mapping[str, str] | None, message: str, sender: str | None) -> Any:
        from eximious.assembly import fresh_context
        from eximious.interpreter.variables import set_variable

        assembly = self._assembly
        if variables or message or sender is not None:
            # a context of its own: what is set here is not seen by the next call
            own = assembly.sibling()
            problem, _ = own.set_origin({}, sender, message)
            if problem:
                raise Unreadable(problem)
            for name, value in (variables or {}).items():
                set_variable(own.context, name, value)
            return own.context
        return fresh_context(assembly.context.env)

    def session(
        self,
        ip: str,
        *,
        port: int = 0,
        interface: str = "",
        ident: str = "",
        tls: Mapping[str, str] | None = None,
        explain: bool = False,
    ) -> Session:
        """Begin an SMTP session of a client at ``ip`` (port 0: unknown); gives it greeted.

        ``interface``: the server's own address, ``ADDRESS.PORT`` too; ``tls``: STARTTLS succeeds with these values of
        ``$tls_in_…``; ``explain``: decisions hold the steps of their statements. Raises ConfigurationUnreadable for an
        address that is none, Refused and Unanswered as :meth:`expand` does. Manual chapters 44, 48.
        """
        from eximious.decisions import Session
        from eximious.simulating import Client, Refusal, open_session

        client = Client(ip, port=port, interface=interface, ident=ident, tls=tls)
        try:
            return Session(open_session(self._assembly, client, explain=explain))
        except Refusal as problem:
            raise Unreadable(str(problem)) from None

    def simulate(
        self,
        message: bytes | str,
        *,
        sender: str,
        recipients: Iterable[str],
        ip: str,
        helo: str = "client.example",
        tls: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        explain: bool = False,
    ) -> Simulation:
        """Run the whole session for a message, from the greeting to QUIT; gives what came of it.

        ``auth``: (user, password). What the world does not answer is in ``lacking`` of the result. Manual chapter 44.
        """
        from eximious.simulating import Client, Refusal, Simulation, open_session, run, script

        client = Client(ip, helo=helo, tls=tls, auth=auth)
        try:
            session = open_session(self._assembly, client, explain=explain)
        except Refusal as problem:
            raise Unreadable(str(problem)) from None
        content = message.encode("latin-1") if isinstance(message, str) else message
        return run(Simulation(session), script(client, sender, list(recipients), content, session))

    def route(self, address: str, *, sender: str | None = None, explain: bool = False) -> Routed:
        """Route an address, without sending anything; gives what became of it and of all that came of it.

        Raises ValueError for what is no address, Refused and Unanswered as :meth:`expand` does. Manual 3.10, 15 to 22.
        """
        from eximious.routing_report import route

        return route(self._assembly, self._routing_context(sender), self._address(address), explain)

    def verify(self, address: str, *, as_sender: bool = False, sender: str | None = None) -> Verification:
        """Say whether an address verifies, as a recipient or as a sender (``-bv``, ``-bvs``). Manual 5.2, 44.34."""
        from eximious.decisions import Verification
        from eximious.simulation.routing.run import RECIPIENT, SENDER
        from eximious.simulation.routing.verify import Verification as Question

        question = Question(self._routing_context(sender), SENDER if as_sender else RECIPIENT, qualify=True)
        verified = question.ask(self._address(address))
        failed = verified.failed
        message = str(failed.message or "") if failed is not None else ""
        user = str(failed.user_message or "") if failed is not None else ""
        return Verification(address, verified.outcome, message, user)

    def rewrite(self, address: str, where: str = "env-to") -> str:
        """Give what the rewriting rules make of an address (``-brw``).

        ``where``: sender, from, to, cc, bcc, reply-to (header lines), env-from, env-to. Raises ValueError. Manual 31.
        """
        from eximious.simulation.rewriting.rules import WHERE, rewrite_one

        places = {word.rstrip(":"): letter for letter, word in WHERE.items() if not word.startswith("smtp")}
        if where not in places:
            raise ValueError(f"where is one of {', '.join(places)}, not {where!r}")
        ctx = self._routing_context(None)
        found = rewrite_one(ctx, self._address(address), places[where], self._assembly.configuration.rewrite)
        return str(found.text)

    def _address(self, text: str) -> str:
        from eximious.interpreter.addresses import Syntax, parse_extract_address
        from eximious.interpreter.text import Tainted

        found = parse_extract_address(Tainted(text), syntax=Syntax.of(self._assembly.environment.options))
        if not found.address:
            raise ValueError(f"{text!r} is no address: {found.error}")
        return Tainted(found.address)

    def _routing_context(self, sender: str | None) -> Any:
        from eximious.assembly import fresh_context
        from eximious.interpreter.text import taint

        ctx = fresh_context(self._assembly.context.env)
        if sender:
            ctx.message.sender_address = taint(sender)
        return ctx

    def lint(self) -> list[Diagnostic]:
        """Check the configuration; gives the findings in the order of the files."""
        from eximious.lint.engine import run_rules

        return run_rules(self._assembly.configuration, self._assembly.environment.language)
