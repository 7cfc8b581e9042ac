"""Programs, sockets and verdicts of a described world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.backends.described import entry_text, failure, flag, lines, pattern
from eximious.interpreter.outcomes import ExpansionError, Unanswered

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from typing import Any

    from eximious.backends.described import World
    from eximious.backends.described_yaml import Node

#: drivers of authenticators whose verdict others give: a question is the mechanism and what the client sent
AUTHENTICATORS = ("cyrus_sasl", "dovecot", "gsasl", "heimdal_gssapi")

#: kinds whose questions hold a password, and which of its parts may be shown
SECRET = {
    "pam": (0,),
    "radius": (0,),
    "saslauthd": (0, 2, 3),
    "pwcheck": (0,),
    "ldapauth": (0, 2),
    **dict.fromkeys(AUTHENTICATORS, (0,)),
}
#: kinds whose questions hold no password
OPEN = ("perl", "dlfunc", "spf", "dkim", "dmarc", "arc", "dcc", "bmi", "malware", "spam")

#: kind -> an answer in the form that is understood, for examples
EXAMPLES: dict[str, Any] = {
    **dict.fromkeys(SECRET, True),
    "spf": "none",
    "dkim": "pass",
    "dmarc": "none",
    "arc": "pass",
    "dcc": "A",
    "malware": False,
    "spam": {"score": 0.5, "threshold": 5.0, "report": "..."},
}


def shown_parts(kind: str, question: Sequence[str]) -> Container[int]:
    """Which parts of a question may be shown and written down; the others may hold a password."""
    secret = SECRET.get(kind)
    if secret is None:
        return range(len(question))
    if kind in AUTHENTICATORS and len(question) == 4:
        return (0, 2)  # what PLAIN sends: the second of three parts is the user
    return secret


class DescribedProcesses:
    """Programs that are not run: their exit codes and output are described."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known = world.items("commands")

    def run(
        self, argv: Sequence[str], stdin: str, timeout: float, environ: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """See :class:`eximious.interpreter.protocols.Processes`. Raises Unanswered."""
        exact = [node for node in self._known if _same(node.get("run"), argv) and _stdin(node, stdin)]
        found = exact or self._matching(" ".join(argv), stdin)
        if not found:
            example: dict[str, Any] = {"run": list(argv)}
            if stdin:
                example["stdin"] = stdin
            example |= {"exit": 0, "output": "..."}
            raise Unanswered("run", f"what {' '.join(argv)} writes", lines({"commands": [example]}))
        node = self._world.take_turn(found)
        if flag(node, "timeout"):
            raise TimeoutError
        code = node.get("exit")
        return (code.value if code is not None else 0), entry_text(node, "output")

    def _matching(self, command: str, stdin: str) -> list[Node]:
        for node in self._known:
            match = node.get("match")
            if match is not None and pattern(match.value).fullmatch(command) and _stdin(node, stdin):
                return [node]
        return []


def _same(run: Node | None, argv: Sequence[str]) -> bool:
    return run is not None and [one.text for one in run.value] == list(argv)


def _stdin(node: Node, stdin: str) -> bool:
    given = node.get("stdin")
    return given is None or given.text == stdin


class DescribedConnection:
    """A connection to nobody: requests are looked up, answers come from the description."""

    def __init__(self, world: World, spec: str, known: list[Node]) -> None:
        self._world, self._spec, self._known = world, spec, known
        self._sent = b""
        self._answer = b""
        self._node: Node | None = None
        self._step = -1

    def send(self, data: bytes) -> None:
        """Take a part of a request."""
        self._sent += data

    def shutdown(self) -> None:
        """Nothing more will be sent."""

    def secure(self, sni: str) -> None:
        """A description tells what is said, inside TLS or not."""

    def close(self) -> None:
        """Nothing is open."""

    def recv(self, size: int) -> bytes:
        """A part of the answer to what was sent; empty at its end. Raises Unanswered."""
        if not self._answer:
            self._next()
        piece, self._answer = self._answer[:size], self._answer[size:]
        return piece

    def _next(self) -> None:
        request = self._sent.decode("latin-1")
        if self._node is None:
            exact = [node for node in self._known if _request(node, 0, request) == 2]
            found = exact or [node for node in self._known if _request(node, 0, request)][:1]
            if not found:
                self._unknown(request)
            self._node = self._world.take_turn(found)
        elif self._step + 1 >= len(_steps(self._node)):
            if request:
                self._unknown(request)
            self._end()
            return
        elif not _request(self._node, self._step + 1, request):
            if request:
                self._unknown(request)
            raise TimeoutError
        self._step += 1
        self._sent = b""
        step = _steps(self._node)[self._step]
        self._answer = entry_text(step, "answer").encode("latin-1") if step is not None else b""
        if not self._answer and self._step + 1 >= len(_steps(self._node)):
            self._end()

    def _end(self) -> None:
        """What happens after the last answer: the end, silence, or an error."""
        assert self._node is not None
        then = entry_text(self._node, "then", "close")
        if then == "timeout":
            raise TimeoutError
        if then != "close":
            raise failure(then)

    def _unknown(self, request: str) -> None:
        example = {"sockets": [{"connect": self._spec, "request": request, "answer": "..."}]}
        raise Unanswered("readsocket", f"what {self._spec} answers to {request!r}", lines(example))


def _steps(node: Node) -> list[Any]:
    """The requests and answers of a socket: its dialogue, or the one that stands in the item itself."""
    dialogue = node.get("dialogue")
    if dialogue is not None:
        return list(dialogue.value)
    return [node]


def _request(node: Node, number: int, request: str) -> int:
    """How a request fits a step: 0 not, 1 by a pattern (or since none is named), 2 exactly."""
    steps = _steps(node)
    if number >= len(steps):
        return 0
    wanted, match = steps[number].get("request"), steps[number].get("match")
    if wanted is not None:
        return 2 if wanted.text == request else 0
    if match is not None:
        return 1 if pattern(match.value).fullmatch(request) else 0
    return 1 if node.get("dialogue") is None or not request else 0


class DescribedSockets:
    """Sockets that are not opened."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known = world.items("sockets")

    def connect(self, spec: str, timeout: float, tls: bool = False, sni: str = "") -> DescribedConnection:
        """See :class:`eximious.interpreter.protocols.Sockets`. Raises Unanswered."""
        spec = spec.partition("\0")[0]
        known = [
            node for node in self._known if node.value["connect"].text == spec and flag(node, "tls") == tls
        ]
        if not known:
            example: dict[str, Any] = {"connect": spec, "request": "...", "answer": "..."}
            if tls:
                example["tls"] = True
            refused = f"sockets:\n  - {{connect: {spec}, fails: ECONNREFUSED}}"
            text = f"{lines({'sockets': [example]})}\nor, where nobody listens:\n{refused}"
            raise Unanswered("socket", f"who listens at {spec}", text)
        fails = [node for node in known if node.get("fails") is not None]
        if fails:
            # they are taken in turns with the connections that are made
            node = self._world.take_turn(known) if len(known) > 1 else known[0]
            fault = entry_text(node, "fails")
            if fault == "timeout":
                raise TimeoutError
            if fault == "unknown-host":
                import socket

                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            if fault:
                raise failure(fault)
        return DescribedConnection(self._world, spec, [node for node in known if node.get("fails") is None])


#: what an answer to a callout may have
CALLOUT_KEYS = ("reply", "stage", "fails", "text", "command", "logged")


class DescribedVerdicts:
    """Verdicts of a description; ``callout`` asks what other servers say."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ask(self, kind: str, *question: str, **how: Any) -> Any:
        """See :class:`eximious.interpreter.protocols.Verdicts`. Raises Unanswered.

        ``callout``: the address, the host and the sender; gives a dict of ``reply``, ``stage``, ``fails``, ``text``
        and ``command`` (see :class:`eximious.simulation.routing.peer.Said`), and ``logged`` (what logging in logged).
        """
        if kind == "callout":
            return self._callout(*question)
        if kind == "perl" and not question:
            return ""  # perl is started: there is nothing to start
        known = self._world.items("verdicts", kind)
        exact = [node for node in known if _asked(node, question)]
        found = exact or next(([node] for node in known if _fits(node, question)), [])
        if not found:
            shown = shown_parts(kind, question)
            asked = [str(part) if number in shown else "..." for number, part in enumerate(question)]
            example = {"verdicts": {kind: [{"ask": asked, "answer": EXAMPLES.get(kind, "...")}]}}
            raise Unanswered(kind, f"the verdict on {', '.join(asked) or 'nothing'}", lines(example))
        node = self._world.take_turn(found)
        if flag(node, "undefined"):
            return None
        error = node.get("error")
        if error is not None:
            if kind in ("perl", "dlfunc"):
                raise ExpansionError(error.text)
            return error.text if kind in SECRET else {"error": error.text}
        return node.value["answer"].plain()

    def _callout(self, address: str, host: str = "", sender: str = "") -> dict[str, Any]:
        known = [
            node
            for node in self._world.items("callouts")
            if entry_text(node, "host", host) == host and entry_text(node, "sender", sender) == sender
        ]
        found = [node for node in known if entry_text(node, "address") == address and node.get("address")]
        for node in known:
            match = node.get("match")
            if not found and match is not None and pattern(match.value).fullmatch(address):
                found = [node]
        if found:
            node = self._world.take_turn(found)
            return {key: node.value[key].text for key in CALLOUT_KEYS if key in node.value}
        example: dict[str, Any] = {"address": address}
        if host:
            example["host"] = host
        raise Unanswered(
            "callout", f"what is said to {address}", lines({"callouts": [example | {"reply": "250 OK"}]})
        )


def _asked(node: Node, question: tuple[str, ...]) -> bool:
    ask = node.get("ask")
    if ask is None or len(ask.value) != len(question):
        return False
    return all(_equal(part, text) for part, text in zip(ask.value, question))


def _equal(part: Node, text: str) -> bool:
    if not isinstance(part.value, dict):
        return bool(part.text == text)
    salt, _, digest = part.value["sha256"].value.partition("$")
    return digested(salt, text) == f"{salt}${digest}"


def digested(salt: str, text: str) -> str:
    """A secret part of a question as it is written down: ``salt$digest`` (SHA-256 of both)."""
    from hashlib import sha256

    return f"{salt}${sha256((salt + text).encode('latin-1', 'replace')).hexdigest()}"


def _fits(node: Node, question: tuple[str, ...]) -> bool:
    match = node.get("match")
    if match is None or len(match.value) != len(question):
        return False
    return all(pattern(part.value).fullmatch(text) for part, text in zip(match.value, question))
