"""What is known of the message that is coming in, beside what its variables say."""

from __future__ import annotations

from eximious.simulation.acl.outcomes import DISCARD, AclResult


class Arrival:
    """``started``: when it began to come; ``message_id``: of the header as it came.

    ``recipients``: as they were given, before the PRDR ACL took some away; ``prdr``: whether that was asked;
    ``last_reply``: what it leaves to be said at the end. ``discarding``: the ACL that discarded the message.
    """

    __slots__ = ("discarding", "last_reply", "message_id", "prdr", "recipients", "started")

    def __init__(self, started: float) -> None:
        self.started = started
        self.recipients: list[str] = []
        self.prdr = False
        self.last_reply = self.message_id = ""
        self.discarding = "DATA ACL"

    def blackholed_by(self, result: AclResult, by_mail: bool) -> str:
        """The ACL that left no recipients; ``by_mail``: that was the one of MAIL."""
        if result.outcome == DISCARD:
            return self.discarding
        return "MAIL ACL" if by_mail else "RCPT ACL"
