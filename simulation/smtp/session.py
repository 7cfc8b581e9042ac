"""One SMTP session: bytes in, bytes out; what is known of it, and the commands in their turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_host
from eximious.conditions.lists.result import ListPanic
from eximious.interpreter.fullhost import build_sender_fullhost
from eximious.interpreter.logs import fitted, stamp_end
from eximious.interpreter.state import Address, Message
from eximious.interpreter.text import Tainted, follow
from eximious.simulation.acl.engine import client, printing, run_hook
from eximious.simulation.acl.outcomes import FAIL, OK, AclResult
from eximious.simulation.acl.state import state_of
from eximious.simulation.smtp.arrival import Arrival
from eximious.simulation.smtp.connection import greet
from eximious.simulation.smtp.policing import sent_too_soon, too_many
from eximious.simulation.smtp.record import Record
from eximious.simulation.smtp.registry import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.simulation.acl.engine import Recipient
    from eximious.simulation.smtp.content import Receiving

#: bytes of a command line that are taken
LINE_LIMIT = 16_384
LONG_LINE = 7_000  #: log lines that are longer may not fit into Exim's buffer
SPACE = " \t\n\v\f\r"
#: command -> the phase of its ACL, where they differ
PHASES = {"ehlo": "helo", "data": "predata", "bdat": "predata", "received": "data"}
#: commands that ``$smtp_command_history`` remembers
HISTORY = 20


class SmtpSession:
    """A session with one client; ``ctx.session`` says who that is (address, port, interface).

    ``host_checking``: as ``-bh``: callouts are left out unless ``callouts``. ``enforce_sync``: whether a client that
    sends too early is refused (manual 13, smtp_enforce_sync); off where input is a file. ``explain``: keep the
    steps of ACLs in the record. Answers are bytes as they go out.
    """

    def __init__(
        self,
        ctx: Context,
        *,
        host_checking: bool = True,
        callouts: bool = False,
        enforce_sync: bool = False,
        explain: bool = False,
        record: bool = True,
        log: Any = None,
    ) -> None:
        self.ctx = ctx
        #: values of $tls_in_… with which STARTTLS succeeds; None: it is not possible
        self.described_tls: dict[str, str] | None = None
        #: the one phase whose ACL is run, "" for all
        self.only_phase = ""
        self.env, self.options = ctx.env, ctx.env.options
        self.connection = ctx.session
        self.state = state_of(ctx)
        self.host_checking, self.callouts = host_checking, callouts
        self.state.callouts = callouts or not host_checking
        self.enforce_sync = enforce_sync
        self.record = Record(explain)
        self.recording = record
        self._log = log
        self._out: list[str] = []
        self._input = b""
        self.closed = self.panicked = False
        #: what takes the next input instead of a command: a message, an AUTH exchange
        self.receiving: Receiving | None = None
        self.dialogue: Any = None
        # ---- the connection
        self.active_hostname = ""
        self.helo_seen = self.esmtp = False
        self.pipelining = self.chunking = self.tls_advertised = self.auth_advertised = False
        self.dsn = self.smtputf8 = False
        self.advertised_authenticators: list[Any] = []
        self.helo_verify_required = self.helo_verify = self.helo_accept_junk = False
        self.unqualified_sender = self.unqualified_recipient = False
        self.synprot_errors = self.unknown_commands = self.nonmail_commands = self.mail_count = 0
        self.mailmax: int | None = None
        self.count_nonmail: bool | None = None
        self.counted_once: set[str] = set()
        self.history: list[str] = []
        self.commands_lost = False
        self.notquit_done = False
        self.pipe_connect = False  # from the greeting until the first message
        self.pipe_connect_offered = self.pipelining_used = False
        self.greeted_esmtp = (
            False  # by the last greeting that was accepted; ``esmtp``: by the last one at all
        )
        self.arrival = Arrival(0.0)
        self.proxy_failed = self.closed_down = False
        #: called when it is certain that there will be a session
        self.introduce: Callable[[], Any] | None = None
        # ---- the transaction
        self.sender: str | None = None
        #: what the ACL of AUTH= leaves to be said where MAIL has no ACL
        self.mailauth_message: str | None = None
        self.raw_sender = ""  # as it was given: without what qualifying and rewriting make of it
        self.discarded = self.all_discarded = self.too_many = False
        self.last_log: str | None = None  # what the ACL that ran last would have logged
        self.rejected_mail = self.last_rejected_mail = False
        self.was_rcpt = self.last_was_rcpt = False
        self.rcpt_in_progress = False
        #: how long the next MAIL or RCPT waits (smtp_ratelimit_…)
        self.waits: dict[str, float] = {}
        self.rcpt_response: str | None = None
        self.rcpt_response_same = True
        self.dsn_ret = self.dsn_envid = ""
        self.body_8bitmime = 0  # what one BODY says holds until the next
        self.recipients: list[dict[str, str]] = []
        self.line = ""
        self.data = ""
        self.size_limit = 0
        self.started = 0.0
        ctx.env.log = self.write_log
        ctx.message.enable_dollar_recipients = False
        self.state.observe = self.record.take_statement if record else None
        if record and explain:
            self.state.observe_steps, self.state.trace = self.record.take_step, self.record.take_trace
        self._selectors: dict[str, bool] = ctx.env.kept.setdefault("log selectors", {})

    # ---- what others see

    def start(self) -> bytes:
        """Begin: check who connects, and greet; gives what is sent."""
        self.started = self.env.doors.clock.now()
        self.record.begin("connect", "")
        return self._carefully(self._greet)

    def feed(self, data: bytes) -> bytes:
        """Take what the client sends; gives what is answered."""
        if self.closed:
            return b""
        self._input = self._input + data if self._input else data
        return self._carefully(self._take)

    def end(self) -> bytes:
        """The client is gone; gives what would still be sent."""
        return self._carefully(self._end)

    def _carefully(self, work: Callable[[], None]) -> bytes:
        """Do a piece of work; gives what is sent.

        A described world stands still meanwhile. A list that makes the real Exim end its process ends the session,
        without a word to the client.
        """
        files: Any = self.env.doors.files
        described = hasattr(files, "hold")
        if described:
            files.hold()
        try:
            work()
        except ListPanic as panic:
            self.log(panic.message, "main panic")
            self.closed = self.panicked = True
        finally:
            if described:
                files.release()
        return self._flush()

    def _greet(self) -> None:
        greet(self)

    def _take(self) -> None:
        self._work()
        if self.closed:
            self._finish()

    def _end(self) -> None:
        if not self.closed:
            if self.receiving is not None:
                self.receiving.lost(self)
                if not self.closed:
                    self._end_of_input()
            else:
                while self.dialogue is not None:
                    # Exim takes what there is for the answer, and nothing for those behind it
                    text, self._input = self._input.decode("latin-1"), b""
                    self.dialogue.line(self, text.rstrip("\r"))
                self._end_of_input()  # a last line without an end is no command
            self._finish()

    def _finish(self) -> None:
        """Log a session in which nothing was sent (log selector smtp_no_mail)."""
        if self.mail_count or self.closed_down or not self.logs("smtp_no_mail"):
            return
        had = self.commands()
        commands = f" C={had}" if had else ""
        name, user = self.connection.sender_host_authenticated, self.connection.authenticated_id
        authenticated = f" A={name}{f':{user}' if user else ''}" if name else ""
        self.log(f"no MAIL in {self.connection_info()} D={self.duration()}{authenticated}{commands}")

    # ---- the loop

    def _work(self) -> None:
        while not self.closed:
            if self.receiving is not None:
                rest = self.receiving.take(self, self._input)
                if rest is None:
                    self._input = b""
                    return
                self._input = rest
                continue
            end = self._input.find(b"\n")
            if end < 0 and len(self._input) <= LINE_LIMIT:
                return
            cut = end < 0 or end > LINE_LIMIT
            if cut:
                end = LINE_LIMIT
            line = self._input[:end].decode("latin-1")
            self._input = self._input[end + 1 :]
            if self.dialogue is not None:
                self.dialogue.line(self, line.rstrip("\r"))
                continue
            self.command(line, cut)

    def command(self, raw: str, cut: bool = False) -> None:
        """Carry one command out; what was cut because no line may be so long is none."""
        line = raw.rstrip(SPACE)
        self.last_rejected_mail, self.rejected_mail = self.rejected_mail, False
        self.last_was_rcpt, self.was_rcpt = self.was_rcpt, False
        self.line = line
        self.ctx.session.smtp_command = Tainted(line)
        if "\0" in line and not cut:
            self.begin_event("", line)
            self.ctx.session.smtp_command = self.line = Tainted(line.replace("\0", "?"))
            self.protocol_error("smtp_syntax_error", 0, None, "NUL character(s) present (shown as '?')")
            self.say("501 NUL characters are not allowed in SMTP commands")
            return
        found = None if cut else find(line, self.env.version)
        if self.proxy_failed and (found is None or found[0].name != "QUIT"):
            self.begin_event("", line)
            self.say("503 Command refused, required Proxy negotiation failed")
            return
        if found is None:
            self.begin_event("", line)
            self._unknown()
            return
        command, rest = found
        argument = rest.lstrip(SPACE)
        self.data = argument
        self.ctx.session.smtp_command_argument = Tainted(argument)
        if too_many(self, command):
            return
        self.begin_event(command.name.lower(), line)
        if sent_too_soon(self, command):
            return
        if argument and not command.arguments:
            self.protocol_error("smtp_syntax_error", 501, None, "unexpected argument data")
            return
        self.history.append(command.name)
        if len(self.history) > HISTORY:
            del self.history[0]
            self.commands_lost = True
        self.ctx.session.smtp_command_history = tuple(self.history)
        if self._input and self.pipelining and command.pipelined and not self.host_checking:
            self.pipelining_used = True
        command.answer(self, argument)

    def _unknown(self) -> None:
        self.record.last.reason = "syntax"
        self.unknown_commands += 1
        if self.unknown_commands <= int(self.options.get("smtp_max_unknown_commands") or 0):
            self.protocol_error("smtp_syntax_error", 500, None, "unrecognized command")
            return
        if self.logs("smtp_syntax_error"):
            self.log(
                f'SMTP syntax error in "{printing(self.ctx, self.line)}" {client(self.ctx)} unrecognized command'
            )
        self.incomplete("unrecognized command")
        self.notquit("bad-commands", "500", "Too many unrecognized commands")
        self.closed = True
        self.log(
            f"SMTP call from {self.host()} dropped: too many unrecognized commands "
            f'(last was "{printing(self.ctx, self.line)}")',
            "main reject",
        )

    def _end_of_input(self) -> None:
        """The connection is lost where a command was expected."""
        self.begin_event("", "")
        self.incomplete("connection lost")
        self.notquit("connection-lost", "421", f"{self.active_hostname} lost input connection")
        if self.sender is not None or self.recipients:
            if self.logs("lost_incoming_connection"):
                self.log(
                    "unexpected disconnection while reading SMTP command from "
                    f"{self.host()} D={self.duration()}"
                )
        elif self.logs("smtp_connection"):
            self.log(f"{self.connection_info()} lost D={self.duration()}")
        self.closed = True

    def commands(self) -> str:
        """The commands that the client gave, as log lines have them: the last ones of many."""
        return ("..." if self.commands_lost else "") + ",".join(self.history)

    # ---- answers

    def say(self, line: str) -> None:
        """Send one line, its end not included."""
        if self.rcpt_in_progress:
            self._note_rcpt_response(line + "\r\n")
        self._send(line + "\r\n")

    def _send(self, text: str) -> None:
        self._out.append(text)
        if self.recording:
            self.record.last.reply.append(text.rstrip("\r\n"))

    def raw(self, text: str) -> None:
        """Send text as it is."""
        self._out.append(text)
        if self.recording:
            self.record.last.reply += text.rstrip("\r\n").split("\r\n")

    def respond(self, code: str, text: str, enhanced: str = "", final: bool = True) -> None:
        """Send a text of one or more lines with a code; ``final`` False: more lines follow."""
        one_line = not self.state.connection.multiline_responses
        if not final and one_line:
            return
        if self.rcpt_in_progress:
            self._note_rcpt_response(text)
        separator = " " if final else "-"
        rest = text
        while True:
            line, newline, behind = rest.partition("\n")
            if not newline or not behind or one_line:
                self._send(f"{code}{separator}{enhanced}{line}\r\n")
                return
            self._send(f"{code}-{enhanced}{line}\r\n")
            rest = behind.lstrip(SPACE)

    def _note_rcpt_response(self, text: str) -> None:
        """Remember what RCPTs were answered, as long as it was always the same (manual 48.6)."""
        if self.rcpt_response is None:
            self.rcpt_response = text
        elif self.rcpt_response != text:
            self.rcpt_response_same = False
        self.rcpt_in_progress = False

    def user_message(self, code: str, result: AclResult) -> None:
        """Send an ACL's message with an acceptance; it may begin with a code of its own."""
        from eximious.simulation.acl.replies import own_code

        code, enhanced, user, _ = own_code(self.ctx, code, result)
        self.respond(code, user or "", enhanced)

    def protocol_error(self, selector: str, code: int, data: str | None, message: str) -> None:
        """Complain of a command; too many complaints end the session (manual 14, smtp_max_synprot_errors)."""
        self.record.last.reason = "syntax" if selector == "smtp_syntax_error" else "sequence"
        kind = "syntax" if selector == "smtp_syntax_error" else "protocol"
        if self.logs(selector):
            self.log(f'SMTP {kind} error in "{printing(self.ctx, self.line)}" {client(self.ctx)} {message}')
        self.synprot_errors += 1
        too_many = self.synprot_errors > int(self.options.get("smtp_max_synprot_errors") or 0)
        if too_many:
            self.dropped_for_errors()
        if code > 0:
            shown = f"{data}: {message}" if data is not None else message
            self.say(f"{code}{'-' if too_many else ' '}{shown}")
            if too_many:
                self._send(f"{code} Too many syntax or protocol errors\r\n")

    def dropped_for_errors(self) -> None:
        """End the session for too many errors."""
        self.closed = True
        had = self.commands()
        self.log(
            f"SMTP call from {self.host()} dropped: too many syntax or protocol errors "
            f'(last command was "{printing(self.ctx, self.line)}",  C={had})',
            "main reject",
        )

    def _flush(self) -> bytes:
        data = "".join(self._out).encode("latin-1", "replace")
        self._out.clear()
        return data

    # ---- ACLs

    def acl(self, phase: str, option: str, recipient: Recipient | None = None) -> AclResult:
        """Run the ACL that an option names; without one the result is a refusal without a message.

        Whoever accepts without an ACL asks :meth:`has_acl` first.
        """
        text = self.options.get(option)
        if not text:
            listener = self.ctx.listener
            if listener is not None:
                listener("ACL is NULL: implicit DENY" if text is None else "end of inline ACL: implicit DENY")
            self.state.log_reject_target = ("main", "reject")
            self.record.last.reason = "no acl" if text is None else "acl"
            return AclResult(FAIL, None, None)
        if self.only_phase and phase != self.only_phase:
            return AclResult(OK, None, None)
        event = self.record.last
        event.acl, event.reason = str(text), "acl"
        before = dict(self.connection.acl_c), dict(self.ctx.message.acl_m)
        headers = len(self.state.message.added_headers)
        removed = self.state.message.removed_headers
        result = run_hook(self.ctx, phase, str(text), recipient)
        self.last_log = result.log
        if self.recording:
            self._note_effects(before, headers, removed)
        return result

    def has_acl(self, option: str) -> bool:
        """Whether an option names an ACL."""
        return self.options.get(option) is not None  # an empty one is an ACL that denies

    def _note_effects(
        self, before: tuple[dict[str, str], dict[str, str]], headers: int, removed: str
    ) -> None:
        event = self.record.last
        for old, new in zip(before, (self.connection.acl_c, self.ctx.message.acl_m)):
            for name, value in new.items():
                if old.get(name) != value:
                    event.variables[name] = value
        event.added += [str(one.text) for one in self.state.message.added_headers[headers:]]
        now = self.state.message.removed_headers
        if now != removed:
            event.removed.append(now[len(removed) :].lstrip(":"))

    def refuse(self, phase: str, result: AclResult) -> None:
        """Answer what an ACL did not accept, and log it (manual 44.6)."""
        from eximious.simulation.smtp.refusing import refuse

        refuse(self, phase, result)

    def notquit(self, reason: str, code: str, text: str) -> None:
        """Run ``acl_smtp_notquit``, and say a last line: the ACL's message, or ``code`` and ``text`` (manual 44.2)."""
        if self.notquit_done:
            self.log(f"smtp_notquit_exit() called more than once ({reason})", "panic")
        self.notquit_done = True
        user: AclResult | None = None
        if self.has_acl("acl_smtp_notquit"):
            self.connection.smtp_notquit_reason = reason
            event = self.record.begin("notquit", "") if self.recording else self.record.last
            result = self.acl("notquit", "acl_smtp_notquit")
            if result.outcome not in (OK, FAIL):
                pass
            if result.word == "error":
                self.log(f"ACL for not-QUIT returned ERROR: {result.log}", "main panic")
            if result.user and code:
                user = result
            event.acl = str(self.options.get("acl_smtp_notquit"))
        # a connection that is lost has nobody to tell it to, but in tests it is shown
        if not code:
            return
        if user is not None:
            self.respond(code, str(user.user))
        else:
            self._send(f"{code} {text}\r\n")

    # ---- what is known of the client

    def has_option(self, name: str) -> bool:
        """Whether this version and build have a main option."""
        return self.env.catalogue.option("main", name) is not None

    def is_host(self, option: str) -> bool:
        """Whether the client is in a host list of the main section."""
        text = self.options.get(option)
        if self.state.trace is None and (not text or text == "*"):  # most options are one of the two
            return text == "*"
        return match_host(self.ctx, text, label=option).matched

    def is_no_host(self, option: str) -> bool:
        """Whether it is certain that the client is not in a host list."""
        text = self.options.get(option)
        if self.state.trace is None and (not text or text == "*"):
            return not text
        result = match_host(self.ctx, text, label=option)
        return not result.matched and not result.deferred

    def host(self) -> str:
        """How log lines name the client where no ``H=`` stands before it."""
        text = client(self.ctx)
        return text[2:] if text.startswith(("H=", "U=")) else text

    def connection_info(self) -> str:
        """How log lines name the connection."""
        full = self.connection.sender_fullhost or "local process"
        return f"SMTP connection from {full}"

    def rebuild_fullhost(self) -> None:
        """Work ``$sender_fullhost`` out anew."""
        build_sender_fullhost(self.ctx)

    def duration(self) -> str:
        """How long the session has lasted, as log lines have it."""
        return f"{max(int(self.env.doors.clock.now() - self.started), 0)}s"

    # ---- logs

    def log(self, line: str, where: str = "main") -> None:
        """Write a line to logs."""
        self.write_log(line, where)

    def write_log(self, line: str, where: str) -> None:
        """Take a line that is logged: what belongs to a message begins with its id."""
        identity = self.ctx.message.message_exim_id
        if len(line) > LONG_LINE:
            line = fitted(self.ctx, identity, line)
        elif identity:
            line = f"{identity} {line}"
        if self.recording:
            self.record.last.logs.append((where, str(line)))
        if self._log is not None:
            # host checking shows what stands behind the first twenty characters of the stamp
            self._log(f"{stamp_end(self.ctx)}{line}", where)

    def logs(self, selector: str) -> bool:
        """Whether a log selector is on: as log_selector says, or else by its default (manual 53.16)."""
        found = self._selectors.get(selector)
        if found is None:
            from eximious.interpreter.variables.clock import log_selected

            row = self.env.catalogue.log_selector(selector)
            default = row is not None and bool(row.default_on)
            found = self._selectors[selector] = log_selected(self.env, selector, default)
        return found

    def unselect(self, selector: str) -> None:
        """Do not log what a log selector stands for, whatever log_selector says."""
        self._selectors[selector] = False

    def incomplete(self, what: str) -> None:
        """Log a transaction that is given up (log selector smtp_incomplete_transaction)."""
        if self.sender is None or not self.logs("smtp_incomplete_transaction"):
            return
        to = "".join(f" {one['address']}" for one in self.recipients[:100])
        more = f" for{to}" if to else ""
        self.log(f"{client(self.ctx)} incomplete transaction ({what}) from <{self.raw_sender}>{more}")

    # ---- transactions

    def begin_event(self, phase: str, command: str) -> None:
        """Begin the record of a command."""
        if self.recording:
            shown = printing(self.ctx, command)
            if phase == "auth":  # what follows the mechanism is a secret
                words = shown.split(None, 2)
                shown = " ".join([*words[:2], *(["…"] if len(words) > 2 else [])])
            self.record.begin(PHASES.get(phase, phase), shown)
        elif self.record.events:
            event = self.record.events[-1]
            event.logs.clear()
            event.tried.clear()

    def reset(self) -> None:
        """Forget the transaction (RSET, a new EHLO, the end of a message)."""
        self.sender = None
        self.all_discarded = False  # ``discarded`` stays until a message has come, RSET or not
        self.recipients = []
        self.rcpt_response, self.rcpt_response_same = None, True
        self.rcpt_in_progress = False
        self.waits.pop("rcpt", None)
        self.dsn_ret = self.dsn_envid = ""
        before, self.ctx.message = self.ctx.message, Message()
        self.ctx.message.message_size = -1  # not known yet
        self.ctx.message.enable_dollar_recipients = False
        self.ctx.message.queue_name = before.queue_name  # set for one, kept for all that come
        if self.host_checking:
            # Exim keeps the id of the last message until there is another
            self.ctx.message.message_exim_id = before.message_exim_id
        self.ctx.address = Address()
        self.ctx.captures = []
        self.ctx.value = None
        self.state.new_message()
        self.connection.authenticated_sender = ""
        self.connection.dnslist_domain = self.connection.dnslist_matched = ""
        self.connection.dnslist_text = self.connection.dnslist_value = ""

    def protocol(self) -> str:
        """The value of ``$received_protocol`` (manual 11.9) as long as no SMTPUTF8 puts ``utf8`` before it."""
        name = "esmtp" if self.greeted_esmtp else "smtp"
        local = "" if self.connection.sender_host_address else "local-"
        secure = "s" if self.connection.tls_in.active else ""
        authenticated = "a" if self.greeted_esmtp and self.connection.sender_host_authenticated else ""
        return f"{local}{name}{secure}{authenticated}"

    def tainted(self, text: str) -> str:
        """Text of the client's."""
        return follow(text, Tainted(""))
