"""What happened in a session, for people and programs: an event for each reply and each decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    #: of a step: itself, its expanded argument, what came of it, what was said of lists
    Taken = tuple[Any, str | None, int, tuple[str, ...]]


class Step:
    """One condition or modifier of a statement: its text, the expanded value and what came of it.

    ``why``: of a list, which item decided ("" where there is nothing to say).
    """

    __slots__ = ("outcome", "text", "value", "why")

    def __init__(self, text: str, value: str | None, outcome: str, why: str = "") -> None:
        self.text, self.value, self.outcome, self.why = text, value, outcome, why


class Statement:
    """One statement of an ACL that was run: its place, verb, outcome and steps."""

    __slots__ = ("outcome", "place", "steps", "text", "verb")

    def __init__(self, place: str, verb: str, text: str, outcome: str, steps: list[Step]) -> None:
        self.place, self.verb, self.text, self.outcome, self.steps = place, verb, text, outcome, steps


#: statements kept of one command
MOST = 500


class Event:
    """One command, and what became of it.

    ``phase``: connect, helo, mail, rcpt, predata, data…; ``command``: what the client sent (no message data);
    ``reply``: the lines of the answer; ``acl``: the ACL that ran, "" if none did; ``statements``: those of its
    statements that were tried, the last one decided; ``reason``: one of :data:`REASONS`; ``logs``: (log, line);
    ``added`` and ``removed``: header lines; ``variables``: ``acl_…`` that were set.
    """

    __slots__ = (
        "_statements", "acl", "added", "command", "logs", "phase", "reason", "removed", "reply", "tried",
        "variables",
    )  # fmt: skip

    def __init__(self, phase: str, command: str) -> None:
        self.phase, self.command = phase, command
        self.reply: list[str] = []
        self.acl = ""
        self.reason = ""
        #: what the ACL engine told of each statement: (statement, outcome, steps); made presentable when asked for
        self.tried: list[tuple[Any, int, list[Taken] | None]] = []
        self._statements: list[Statement] = []
        self.logs: list[tuple[str, str]] = []
        self.added: list[str] = []
        self.removed: list[str] = []
        self.variables: dict[str, str] = {}

    @property
    def statements(self) -> list[Statement]:
        """The statements that were tried."""
        known = self._statements
        if len(known) < len(self.tried):
            from eximious.simulation.smtp.observing import statement_of

            known += [statement_of(*one) for one in self.tried[len(known) :]]
        return known

    @property
    def code(self) -> str:
        """The code of the reply, "" without one."""
        return self.reply[-1][:3] if self.reply else ""


#: why a reply is what it is
REASONS = (
    "acl",  #: an ACL decided
    "no acl",  #: there is no ACL for this, and what is then usual
    "syntax",  #: the command or an address in it is malformed
    "sequence",  #: the command may not come here
    "limit",  #: too many of something, or too large
    "host",  #: who the client is
    "authentication",  #: what AUTH came to
    "verification",  #: an address was asked about
    "protocol",  #: what the command always says
)


class Record:
    """The events of a session in their order, and what became of each message.

    ``messages``: what was accepted, each a dictionary of plain values. ``explain``: whether steps are kept, too.
    """

    def __init__(self, explain: bool = False) -> None:
        self.explain = explain
        self.events: list[Event] = []
        self.messages: list[dict[str, Any]] = []
        #: the steps of statements that are not at their end
        self._steps: list[Taken] = []
        #: the last lines about lists
        self._lists: list[str] = []

    def begin(self, phase: str, command: str) -> Event:
        """Begin the event of a command."""
        event = Event(phase, command)
        self.events.append(event)
        return event

    def take_statement(self, statement: Any, outcome: int) -> None:
        """Take what the ACL engine tells of a statement."""
        tried = self.events[-1].tried
        steps = self._steps
        own: list[Taken] | None = None
        if steps:
            own = []
            # the steps before belong to the statement that calls this ACL
            while steps and steps[-1][0] in statement.steps:
                own.insert(0, steps.pop())
        if len(tried) < MOST:
            tried.append((statement, outcome, own))

    def take_step(self, step: Any, value: str | None, outcome: int) -> None:
        """Take what the ACL engine tells of a condition or modifier."""
        self._steps.append((step, value, outcome, tuple(self._lists)))
        self._lists.clear()

    def take_trace(self, line: str) -> None:
        """Take a line about what is done, in Exim's words; those about lists tell why a condition is met or not."""
        if "? yes (" in line or "? no (" in line:
            self._lists.append(line.strip())
            del self._lists[:-2]

    @property
    def last(self) -> Event:
        """The event in hand."""
        return self.events[-1] if self.events else self.begin("", "")
