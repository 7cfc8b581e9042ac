"""Runs ACLs: statements in order, their steps, messages, results (manual 44.3 to 44.6, 44.18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.result import ListPanic
from eximious.interpreter.engine import expand
from eximious.interpreter.logs import log_write
from eximious.interpreter.operators.text import escape
from eximious.interpreter.outcomes import Defer, Failure, ForcedFailure
from eximious.interpreter.text import Tainted, follow
from eximious.simulation.acl.outcomes import (
    DEFER,
    DISCARD,
    DROP,
    ERROR,
    FAIL,
    OK,
    AclResult,
)
from eximious.simulation.acl.phases import MESSAGE_PHASES, NAMES, QUIT_PHASES
from eximious.simulation.acl.program import AclTextError, Program
from eximious.simulation.acl.state import state_of

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.simulation.acl.program import Statement
    from eximious.simulation.acl.state import AclState

#: ACLs inside each other
MAX_LEVEL = 20
#: arguments of an ACL
MAX_ARGUMENTS = 9

#: verb -> the results of its conditions for which its messages are used (manual 44.20)
_MESSAGE_RESULTS = {
    "accept": (OK, FAIL, DROP),
    "defer": (OK,),
    "deny": (OK,),
    "discard": (OK, FAIL, DROP),
    "drop": (OK,),
    "require": (FAIL, DROP),
    "warn": (OK,),
}
#: result of a statement's conditions -> how traces call it
_TESTS = ("succeeded", "failed", "deferred", "error", 'yielded "discard"', 'yielded "drop"')
#: what ``!`` makes of a condition's result
_NEGATED = {OK: FAIL, FAIL: OK, DROP: OK}
#: the verbs after which the next statement follows where the conditions are not met (accept and discard: no endpass)
_GOES_ON = frozenset(("accept", "discard", "deny", "defer", "drop"))
#: verb -> the result of the ACL where its conditions are met
_DECISIONS = {"defer": DEFER, "deny": FAIL, "drop": DROP}


class Recipient:
    """The recipient that an ACL for RCPT is about. ``caseful`` and ``caseless``: its local part as received
    and in lower case (equal where a nested ${acl} looks at it)."""

    __slots__ = ("address", "caseful", "caseless", "domain")

    def __init__(self, address: str, domain: str, caseful: str, caseless: str) -> None:
        self.address, self.domain = address, domain
        self.caseful, self.caseless = caseful, caseless


class Evaluation:
    """One ACL being run, the ACLs that its ``acl =`` conditions call included.

    ``user`` and ``log`` are the messages in hand: for the client and for the log, None where there is none.
    ``search_error``: why a list could not be decided. ``callout_defer``: a callout deferred.
    """

    __slots__ = (
        "callout_defer", "ctx", "log", "log_is_users", "phase", "recipient", "search_error", "state",
        "temp_details", "user",
    )  # fmt: skip

    def __init__(self, ctx: Context, state: AclState, recipient: Recipient | None) -> None:
        self.ctx, self.state, self.recipient = ctx, state, recipient
        self.phase = state.phase
        self.user: str | None = None
        self.log: str | None = None
        self.search_error: str | None = None
        self.callout_defer = self.temp_details = False
        #: the log's message is the user's, because there was none for the log
        self.log_is_users = False

    # ---- what conditions use

    @property
    def where(self) -> str:
        """The phase as Exim's messages call it."""
        return NAMES[self.phase]

    def error(self, message: str) -> int:
        """Leave a log message and give ERROR."""
        self.log = message
        return ERROR

    def trace(self, line: str) -> None:
        """Tell what is done, in the words of Exim's debugging output, to whoever listens."""
        listener = self.ctx.listener
        if listener is not None:
            listener(line)

    def write(self, line: str, logs: str = "main") -> None:
        """Write a line to logs."""
        log_write(self.ctx, line, logs)

    # ---- finding an ACL

    def run(self, text: str) -> int:
        """Run the ACL that ``text``, expanded already, names or is. Gives one of the six results."""
        state = self.state
        if state.level > MAX_LEVEL:
            return self.error("ACL nested too deep: possible loop")
        name = text.lstrip(" \t\n\v\f\r")
        if type(text) is Tainted and self.ctx.env.version >= (4, 94):
            self.write(f'attempt to use tainted ACL text "{name}"', "main panic")
            return self.error("internal configuration error")
        try:
            program = self._find(name)
        except AclTextError as problem:
            return self.error(problem.message)
        shown = "inline ACL" if program.name is None else f'ACL "{program.name}"'
        for statement in program.statements:
            decided = self._statement(statement, shown)
            if decided is not None:
                return decided
        if state.trace is not None and (program.statements or program.name is None):
            self.trace(f"end of {shown}: implicit DENY")
        return FAIL

    def _find(self, name: str) -> Program:
        """Give the ACL of that name, or the one the text is (manual 44.4). Raises AclTextError."""
        env = self.ctx.env
        kept: dict[str, Program] = env.kept.setdefault("acls", {})
        program = kept.get(name)
        if program is not None:
            self._trace_found(program)
            return program
        from eximious.simulation.acl.program import TEXTS_KEPT, compile_acl, parse_text

        if " " not in name and name in env.acls:
            program = compile_acl(env.acls[name], env.catalogue)
            self._trace_found(program)
        elif " " not in name and name.startswith("/"):
            text = self._read(name)
            self.trace(f"read ACL from file {name}")
            program = Program(name, parse_text(text, env.catalogue, name))
        else:
            program = Program(None, parse_text(name, env.catalogue))
            texts: list[str] = env.kept.setdefault("acl texts", [])
            texts.append(name)
            if len(texts) > TEXTS_KEPT:
                kept.pop(texts.pop(0), None)
        kept[name] = program
        return program

    def _trace_found(self, program: Program) -> None:
        if self.state.trace is None or program.name is None:
            return
        if program.statements:
            self.trace(f'using ACL "{program.name}"')
        else:
            self.trace(f'ACL "{program.name}" is empty: implicit DENY')

    def _read(self, path: str) -> str:
        try:
            with self.ctx.env.doors.files.open(path) as file:
                return file.read().decode("latin-1")
        except IsADirectoryError:
            raise AclTextError(f'failed to read ACL file "{path}": Is a directory') from None
        except OSError as problem:
            raise AclTextError(f'failed to open ACL file "{path}": {problem.strerror}') from None

    # ---- statements

    def _statement(self, statement: Statement, shown: str) -> int | None:
        """Carry one statement out; None: go on with the next."""
        self.user = self.log = None
        self.log_is_users = False
        self.temp_details = self.callout_defer = False
        self.search_error = None
        searches = self.ctx.env.searches
        if searches is not None:
            searches.error = None
        verb = statement.verb
        state = self.state
        listening = state.trace is not None
        if listening:
            self.trace(f'processing "{verb}" ({self._place(statement)})')
        result, endpass = self._conditions(statement)
        observe = state.observe
        if observe is not None:
            observe(statement, result)
        if listening:
            self.trace(f"{verb}: condition test {_TESTS[result]} in {shown}")
        elif result == FAIL and not endpass and verb in _GOES_ON:  # the usual end
            return None
        if result == ERROR:
            return ERROR
        if result == DEFER:
            self._deferred()
            if verb != "warn":
                return DEFER
            self._skipped_warning()
            return None
        if verb == "warn":
            if result == OK:
                self._warn()
            self.log = self.user = None
            return None
        decision = self._decide(verb, result, endpass)
        if listening and decision is not None:
            self._trace_end(verb, result, decision, shown)
        return decision

    def _place(self, statement: Statement) -> str:
        """File and line of a statement as traces have them.

        For ACLs that are no part of the configuration it is the configuration's last line.
        """
        source, env = statement.node.source, self.ctx.env
        file, line = getattr(source, "file", ""), getattr(source, "line", 0)
        if statement.foreign:
            file, line = (
                env.config_file,
                env.configuration.reader.sources.texts.get(env.config_file, "").count("\n"),
            )
        return f"{file} {line}"

    def _trace_end(self, verb: str, result: int, decision: int, shown: str) -> None:
        if verb in ("accept", "discard") and result not in (OK, DISCARD):
            self.trace(f"{verb}: endpass encountered - denying access")
        else:
            self.trace(f"end of {shown}: {'not OK' if verb == 'require' else verb.upper()}")

    def _decide(self, verb: str, result: int, endpass: bool) -> int | None:
        if verb in ("accept", "discard"):
            if result in (OK, DISCARD):
                if verb == "accept":
                    return result
                return self._unless_quitting(verb, DISCARD)
            return result if endpass else None
        if verb == "require":
            return None if result == OK else self._unless_quitting(verb, result)
        if result != OK:
            return None
        decision = self._unless_quitting(verb, _DECISIONS[verb])
        if decision == DEFER:
            self.temp_details = True
        return decision

    def _unless_quitting(self, verb: str, decision: int) -> int:
        """The decision, unless the ACL is one that may not fail (manual 44.2)."""
        if self.state.level == 0 and self.phase in QUIT_PHASES:
            self.log_is_users = False
            return self.error(f"QUIT or not-QUIT toplevel ACL may not fail ('{verb}' verb used incorrectly)")
        return decision

    def _deferred(self) -> None:
        """The message of a deferral is the last search's error, if a search it was."""
        if self.callout_defer:
            self.temp_details = True
            return
        error = self.search_error
        if not error:
            searches = self.ctx.env.searches
            error = searches.error if searches is not None else None
        if error:
            self.log = error
        if self.ctx.env.options.get("smtp_return_error_details"):
            self.temp_details = True

    # ---- warnings

    def _skipped_warning(self) -> None:
        from eximious.interpreter.variables.clock import log_selected

        if log_selected(self.ctx.env, "acl_warn_skipped", default=True):
            why = f": {self.log}" if self.log is not None else ""
            self.write(
                f'{client(self.ctx)} Warning: ACL "warn" statement skipped: condition test deferred{why}'
            )
        self.log = self.user = None

    def _warn(self) -> None:
        """What a warning with messages does: one log line a message, and header lines (manual 44.20)."""
        from eximious.simulation.acl.headers import add_headers

        log, user = self.log, self.user
        if log is not None and not self.log_is_users:
            line = f"{client(self.ctx)} Warning: {printing(self.ctx, log)}"
            warned = self.state.message.warned
            if line not in warned:
                self.write(line)
                warned.add(line)
        if user is None:
            return
        if self.phase not in MESSAGE_PHASES:
            self.write(
                f'ACL "warn" with "message" setting found in a non-message ({self.where}) ACL: '
                "cannot specify header lines here: message ignored",
                "main panic",
            )
            return
        add_headers(self.ctx, self.state, user)

    # ---- conditions

    def _conditions(self, statement: Statement) -> tuple[int, bool]:
        """Run the steps of a statement; gives their result, and whether endpass was passed."""
        message: str | None = None
        log_message: str | None = None
        endpass = False
        result = OK
        ctx, state, phase = self.ctx, self.state, self.phase
        observe = state.observe_steps
        listening = state.trace is not None
        for step in statement.steps:
            if step.later:
                name = step.name
                if name == "message":
                    message = step.argument
                    if listening:
                        self.trace(f"  message: {message}")
                elif name == "log_message":
                    log_message = step.argument
                    if listening:
                        self.trace(f"l_message: {log_message}")
                else:
                    endpass = True
                continue
            value = step.argument
            if step.varies:
                try:
                    state.forced = False
                    value = (step.run or step.prepare(ctx))(ctx)
                except ForcedFailure:
                    state.forced = True
                    continue
                except ListPanic:
                    raise
                except Failure as failure:
                    self.log = f'failed to expand ACL string "{step.argument}": {failure.message}'
                    return (DEFER if isinstance(failure, Defer) else ERROR), endpass
            if listening:
                shown = f"check {step!r} "
                self.trace(f"{shown}= {step.argument}")
                if step.varies and state.trace is not None:  # this line alone is not indented
                    state.trace(f"{'':{len(shown)}}= {value}")
            allowed = step.phases.get(phase)
            if not (step.allowed(phase) if allowed is None else allowed):
                what = "use" if step.is_modifier else "test"
                return self.error(f"cannot {what} {step.name} condition in {self.where} ACL"), endpass
            result = step.call(self, value, step)
            if result > FAIL:
                if result == DISCARD and step.name == "acl" and statement.verb not in ("accept", "discard"):
                    return self.error(
                        f'nested ACL returned "discard" for "{statement.verb}" command '
                        '(only allowed with "accept" or "discard")'
                    ), endpass
                if result == ERROR and step.is_modifier:
                    return ERROR, endpass
            if self.user is not None and step.name == "verify" and statement.verb == "warn":
                self.user = None
            if step.negated:
                result = _NEGATED.get(result, result)
            if observe is not None:
                observe(step, value, result)
            if result:  # whatever is not OK
                break
        if endpass and result == OK:
            message = None
        if result in _MESSAGE_RESULTS[statement.verb]:
            if message is None and log_message is None and self.user is None and self.log is None:
                self.log_is_users = True
            else:
                self._messages(statement.verb, result, message, log_message)
        ctx.message.acl_verify_message = ""
        return result, endpass

    def _messages(self, verb: str, result: int, message: str | None, log_message: str | None) -> None:
        """Let ``message`` and ``log_message`` take effect; only now are they expanded (manual 44.20)."""
        old_user = self.user
        old_log = self.log if self.log is not None else old_user
        if verb == "warn" or (result == OK and verb in ("accept", "discard")):
            self.user = self.log = None
        if message is not None:
            text = self._expanded_message(message, old_user)
            if text:
                self.user = text
        if log_message is not None:
            text = self._expanded_message(log_message, old_log)
            if text:
                self.log = text if self.log is None else f"{text}: {self.log}"
        self.log_is_users = self.log is None
        if self.log is None:
            self.log = self.user

    def _expanded_message(self, message: str, earlier: str | None) -> str | None:
        self.ctx.message.acl_verify_message = earlier or ""
        if "$" in message or "\\" in message:
            self.state.forced = False
        try:
            return expand(message, self.ctx)
        except ForcedFailure:
            self.state.forced = True
            return None
        except ListPanic:
            raise
        except Failure as failure:
            self.write(f'failed to expand ACL message "{message}": {failure.message}', "main panic")
            return None


def client(ctx: Context) -> str:
    """How log lines about a statement name the client: ``H=…`` with address, or ``U=…`` where it is local."""
    session = ctx.session
    if not session.sender_fullhost:
        return f"U={session.sender_ident}"
    from eximious.interpreter.variables.clock import log_selected

    interface = ""
    if session.received_ip_address and log_selected(ctx.env, "incoming_interface"):
        interface = f" I=[{session.received_ip_address}]:{session.received_port}"
    ident = f" U={session.sender_ident}" if session.sender_ident else ""
    return f"H={session.sender_fullhost}{interface}{ident}"


def tls_items(ctx: Context) -> str:
    """What log lines say of TLS: `` X=… CV=… DN="…" SNI=…``, as ``log_selector`` has it (manual 53.4)."""
    tls = ctx.session.tls_in
    if not tls.active:
        return ""
    from eximious.interpreter.variables.clock import log_selected

    items = [f" X={tls.cipher}"] if log_selected(ctx.env, "tls_cipher", True) and tls.cipher else []
    if log_selected(ctx.env, "tls_certificate_verified", True) and tls.cipher:
        items.append(f" CV={'yes' if tls.certificate_verified else 'no'}")
    if log_selected(ctx.env, "tls_peerdn") and tls.peerdn:
        items.append(f' DN="{printing(ctx, tls.peerdn)}"')
    if log_selected(ctx.env, "tls_sni") and tls.sni:
        items.append(f' SNI="{printing(ctx, tls.sni)}"')
    return "".join(items)


def printing(ctx: Context, text: str) -> str:
    """Give text as log lines show it: non-printing characters escaped."""
    return escape(ctx, text)


# ---- arguments

_ARGUMENTS = tuple(f"acl_arg{number}" for number in range(1, MAX_ARGUMENTS + 1))


class Arguments:
    """``$acl_arg1``… and ``$acl_narg`` while an ACL runs; the caller's come back at the end of a ``with``."""

    __slots__ = ("_ctx", "_given", "_saved")

    def __init__(self, ctx: Context, given: list[str]) -> None:
        self._ctx, self._given = ctx, given
        self._saved: dict[str, object] = {}

    def __enter__(self) -> None:
        scratch, given = self._ctx.scratch, self._given
        self._saved = {name: scratch.pop(name) for name in _ARGUMENTS if name in scratch}
        self._saved["acl_narg"] = scratch.get("acl_narg")
        scratch.update(zip(_ARGUMENTS, given))
        scratch["acl_narg"] = len(given)

    def __exit__(self, *_: object) -> None:
        scratch = self._ctx.scratch
        for name in _ARGUMENTS[: len(self._given)]:
            scratch.pop(name, None)
        scratch.update(self._saved)


# ---- entries


def run_from_expansion(ctx: Context, name: str, arguments: list[str]) -> tuple[str, str]:
    """Run an ACL for ``${acl{name}{argument}…}`` or the condition ``acl`` (manual 11.5, 11.8).

    Gives its result (accept, deny, defer, error, discard, drop; "forced " before the last three where the last thing
    that was expanded in it was forced to fail, which Exim then takes for the failure of the expansion) and the
    message for the client, empty where there is none; with a result other than accept and deny, what Exim calls the
    ACL. ``name`` is a name, a path or an ACL as text, expanded. Raises NotEvaluated where a condition cannot be
    answered here.
    """
    state = state_of(ctx)
    state.new_command()
    evaluation = Evaluation(ctx, state, _present_recipient(ctx, state))
    kept = state.kept_domains, state.kept_local_parts
    state.new_recipient()  # for Exim it is another address
    state.level += 1
    try:
        with Arguments(ctx, arguments[:MAX_ARGUMENTS]):
            outcome = evaluation.run(name)
    finally:
        state.level -= 1
        state.kept_domains, state.kept_local_parts = kept
    word = AclResult(outcome, None, None).word
    if outcome not in (OK, FAIL, DEFER) and state.forced:
        word = f"forced {word}"
    return word, (evaluation.user or "") if outcome in (OK, FAIL) else _called(ctx, name)


def _called(ctx: Context, name: str) -> str:
    """How Exim names an ACL after it ran: of one given as text, its reader left the first line."""
    text = name.lstrip(" \t\n\v\f\r")
    if type(name) is Tainted and ctx.env.version >= (4, 94):
        return name  # nothing was read
    if "\n" not in text or (" " not in text and (text in ctx.env.acls or text.startswith("/"))):
        return name
    from eximious.simulation.acl.inline import first_line

    return follow(first_line(name), name)


def _present_recipient(ctx: Context, state: AclState) -> Recipient | None:
    if state.phase != "rcpt":
        return None
    local_part, domain = ctx.address.local_part, ctx.address.domain
    return Recipient(follow(f"{local_part}@{domain}", local_part, domain), domain, local_part, local_part)


def run_hook(ctx: Context, phase: str, text: str, recipient: Recipient | None = None) -> AclResult:
    """Run the ACL of a hook (``acl_smtp_rcpt``…) in its phase (manual 44.2).

    ``text``: the option's value, expanded here. ``recipient``: for the phase ``rcpt``. The client's message
    comes split into lines of bearable length. Raises what the doors raise, and NotEvaluated.
    """
    state = state_of(ctx)
    saved = state.phase, state.level
    state.phase, state.level = phase, 0
    state.new_command()
    evaluation = Evaluation(ctx, state, recipient)
    try:
        outcome = _run_top(evaluation, text)
    finally:
        state.phase, state.level = saved
    where = NAMES[phase]
    if outcome == DISCARD and (phase not in MESSAGE_PHASES or phase == "predata"):
        evaluation.write(f'"discard" verb not allowed in {where} ACL', "main panic")
        outcome = ERROR
    if outcome == DROP and phase == "mailauth":
        evaluation.write(f'"drop" verb not allowed in {where} ACL', "main panic")
        outcome = ERROR
    user, log = evaluation.user, evaluation.log
    if user is not None:
        from eximious.simulation.acl.replies import split_message

        user = split_message(user)
        if evaluation.log_is_users and evaluation.log is evaluation.user == user:
            log = user  # still one and the same text (see replies.own_code)
    return AclResult(outcome, user, log, evaluation.temp_details)


def _run_top(evaluation: Evaluation, text: str) -> int:
    try:
        name = expand(text, evaluation.ctx)
    except ForcedFailure:
        return OK
    except ListPanic:
        raise
    except Failure as failure:
        return evaluation.error(f'failed to expand ACL string "{text}": {failure.message}')
    return evaluation.run(name)
