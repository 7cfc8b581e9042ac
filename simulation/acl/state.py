"""What ACLs leave behind: header lines, controls, delays, log lines, and where they are.

Everything has the life time it has in Exim: :class:`ConnectionControls` lasts as long as the connection,
:class:`MessageEffects` until the next message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.phases import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.conditions.lists.program import Kept
    from eximious.interpreter.context import Context

#: where add_header puts a line: the end, the start, behind the Received: lines, before the RFC 5322 ones
AT_END, AT_START, AFTER_RECEIVED, AT_START_RFC = "at_end", "at_start", "after_received", "at_start_rfc"


class AddedHeader:
    """A header line to be added: ``text`` with its last newline, ``position`` one of the four words."""

    __slots__ = ("position", "text")

    def __init__(self, text: str, position: str) -> None:
        self.text, self.position = text, position

    def __repr__(self) -> str:
        return f"AddedHeader({str(self.text)!r}, {self.position})"


class Delay:
    """A delay that was asked for, in seconds; nobody waits for it here."""

    __slots__ = ("phase", "seconds")

    def __init__(self, seconds: float, phase: str) -> None:
        self.seconds, self.phase = seconds, phase


class ConnectionControls:
    """Controls that last as long as the connection (manual 44.21). ``enforce_sync`` None: as configured."""

    def __init__(self) -> None:
        self.allow_auth_unadvertised = False
        self.callout_flush = True
        self.cutthrough_defer_pass = False
        self.delay_flush = True
        self.dscp = ""
        self.enforce_sync: bool | None = None
        #: whether the name in HELO is the client's; None: not looked at
        self.helo_verified: bool | None = None
        self.multiline_responses = True
        self.pipelining = True
        #: whether addresses without domain are permitted to the client
        self.unqualified_sender = False
        self.unqualified_recipient = False
        #: what control = debug asked for
        self.debug: list[str] = []


class MessageEffects:
    """What ACLs did to the message in hand.

    ``fake``: "", reject or defer, with ``fake_text``; ``freeze_tell``: whether a frozen message is told
    to freeze_tell; ``queue_smtp``: whether it is routed before it is queued. ``removed_headers``: the lists
    of names of remove_header, joined as Exim does. ``utf8_downconvert``: None, 1, 0 or -1.
    """

    removed_headers = ""
    bmi_run = False
    callout_defer = False
    cutthrough = False
    deliver_freeze = False
    dkim_disable_verify = False
    dmarc_disable_verify = False
    dmarc_enable_forensic = False
    fake = ""
    fake_text = ""
    freeze_tell = True
    mbox_unspool = True
    queue_only = False
    queue_smtp = False
    sender_retain = False
    submission_domain: str | None = None
    submission_mode = False
    submission_name: str | None = None
    #: the sender that did not verify in the ACL in hand (see eximious.simulation.acl.conditions.addresses)
    sender_failure: Any = None
    #: the sender's address has been rewritten already, for its verification
    sender_rewritten = False
    #: how many of added_headers are in the message already
    headers_in_place = 0
    suppress_local_fixups = False
    utf8_downconvert: int | None = None
    wellknown: str | None = None
    bmi_optin: str | None = None
    #: what content scanning keeps (see eximious.simulation.mime.mailbox); None: nothing was scanned
    scan: Any = None
    #: the message's DKIM signatures and who they say they are from (see .signers); None: not looked at
    signatures: Any = None

    def __init__(self) -> None:
        self.added_headers: list[AddedHeader] = []
        #: the senders that were verified, the last one first
        self.verified_senders: list[Any] = []
        #: characters of the longest line of the body as it came, where a carriage return alone stands in it
        self.longest_line = 0
        #: verdicts that were asked for, by kind and question
        self.verdicts: dict[tuple[str, ...], Any] = {}
        #: the warnings that were logged, which are logged once (manual 44.20)
        self.warned: set[str] = set()
        self.kept_senders: Kept = {}
        self.kept_sender_domains: Kept = {}


class AclState:
    """The state of the ACLs of one connection. ``phase`` and ``level``: where they are now.

    ``log_reject_target``: the logs a rejection goes to. ``udp``: what udpsend would send, as (host, port,
    text). ``trace`` gets a line for each thing done, in the words of Exim's debugging output. ``observe``:
    called with (statement, outcome), ``observe_steps``: with (step, value, outcome), where somebody wants to see.
    """

    def __init__(self) -> None:
        self.phase = UNKNOWN
        self.level = 0
        self.forced = False  # whether the last thing that an ACL expanded was forced to fail
        #: whether callouts are made; ``-bh`` leaves them out
        self.callouts = True
        self.connection = ConnectionControls()
        self.message = MessageEffects()
        self.delays: list[Delay] = []
        self.log_reject_target: tuple[str, ...] = ("main", "reject")
        self._rates: dict[str, dict[str, float]] = {}
        self.kept_hosts: Kept = {}
        self.kept_domains: Kept = {}
        self.kept_local_parts: Kept = {}
        self.udp: list[tuple[str, int, str]] = []
        self.trace: Callable[[str], None] | None = None
        self.observe: Callable[[Any, int], None] | None = None
        self.observe_steps: Callable[[Any, str | None, int], None] | None = None

    def rates(self, life: str) -> dict[str, float]:
        """Give the rates computed for as long as the ``connection``, ``message`` or ``command`` lasts."""
        return self._rates.setdefault(life, {})

    def new_command(self) -> None:
        """Begin an ACL from outside: rates are computed anew, and rejections go where they usually go."""
        self._rates.pop("command", None)
        self.message.sender_failure = None
        self.log_reject_target = ("main", "reject")

    def new_message(self) -> None:
        """Forget what belongs to one message."""
        self.message = MessageEffects()
        self._rates.pop("message", None)

    def new_recipient(self) -> None:
        """Forget what was found for the last recipient."""
        self.kept_domains, self.kept_local_parts = {}, {}


def state_of(ctx: Context) -> AclState:
    """Give the state of the connection in hand, made on first use."""
    state: AclState | None = ctx.session.acl
    if state is None:
        state = ctx.session.acl = AclState()
    return state


def hints_of(ctx: Context) -> dict[str, Any]:
    """Give what the hints databases hold (manual 5.1), by database; it lasts as long as the environment."""
    found: dict[str, Any] = ctx.env.kept.setdefault("hints", {})
    return found
