"""``control =``: what each control does to the connection or the message (manual 44.21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.text import follow
from eximious.simulation.acl.outcomes import ERROR, OK
from eximious.simulation.acl.phases import allows
from eximious.simulation.acl.registry import CONTROLS, control

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.grammar.catalogue import AclRow, Catalogue
    from eximious.simulation.acl.engine import Evaluation

_KEPT = 1_000  #: arguments of which it is kept which control they name
FAKE_TEXT = (
    "Your message has been rejected but is being kept for evaluation.\n"
    "If it was a legitimate message, it may still be delivered to the target recipient(s)."
)


def _syntax(evaluation: Evaluation, argument: str) -> int:
    return evaluation.error(f'syntax error in "control={argument}"')


def _connection(name: str, attribute: str, value: bool) -> None:
    """Register a control that sets one thing for the connection."""

    def run(evaluation: Evaluation, rest: str, argument: str) -> int:
        setattr(evaluation.state.connection, attribute, value)
        return OK

    run.__doc__ = f"Set {attribute} for the connection."
    control(name)(run)


def _message(name: str, attribute: str, value: bool) -> None:
    """Register a control that sets one thing for the message."""

    def run(evaluation: Evaluation, rest: str, argument: str) -> int:
        setattr(evaluation.state.message, attribute, value)
        return OK

    run.__doc__ = f"Set {attribute} for the message."
    control(name)(run)


_connection("allow_auth_unadvertised", "allow_auth_unadvertised", True)
_connection("enforce_sync", "enforce_sync", True)
_connection("no_enforce_sync", "enforce_sync", False)
_connection("no_callout_flush", "callout_flush", False)
_connection("no_delay_flush", "delay_flush", False)
_connection("no_multiline_responses", "multiline_responses", False)
_connection("no_pipelining", "pipelining", False)
_message("bmi_run", "bmi_run", True)
_message("dkim_disable_verify", "dkim_disable_verify", True)
_message("dmarc_disable_verify", "dmarc_disable_verify", True)
_message("dmarc_enable_forensic", "dmarc_enable_forensic", True)
_message("no_mbox_unspool", "mbox_unspool", False)
_message("suppress_local_fixups", "suppress_local_fixups", True)


def _local_part(name: str) -> Callable[[Evaluation, str, str], int]:
    def run(evaluation: Evaluation, rest: str, argument: str) -> int:
        """Show the recipient's local part in this case from here on."""
        recipient = evaluation.recipient
        if recipient is not None:
            evaluation.ctx.address.local_part = getattr(recipient, name)
        return OK

    return run


control("caseful_local_part")(_local_part("caseful"))
control("caselower_local_part")(_local_part("caseless"))


@control("cutthrough_delivery")
def cutthrough_delivery(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Ask for cutthrough delivery; it is ignored for a second recipient and for held messages."""
    message, envelope = evaluation.state.message, evaluation.ctx.message
    ignored = (
        envelope.prdr_requested
        or message.deliver_freeze
        or message.queue_only
        or message.fake == "reject"
        or envelope.rcpt_count != 1
        or message.cutthrough
    )
    if not ignored:
        message.cutthrough = True
        for option in rest.split("/")[1:]:
            if option.startswith("defer=pass"):
                evaluation.state.connection.cutthrough_defer_pass = True  # for all messages that follow
    return OK


@control("debug")
def debug(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Note that debugging output was asked for; none is written."""
    evaluation.state.connection.debug.append(rest[1:])
    return OK


@control("dscp")
def dscp(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Note the DSCP value for the connection."""
    if not rest.startswith("/"):
        return _syntax(evaluation, argument)
    evaluation.state.connection.dscp = rest[1:]
    return OK


def _fake(kind: str) -> Callable[[Evaluation, str, str], int]:
    def run(evaluation: Evaluation, rest: str, argument: str) -> int:
        """Answer the message so, but go on with it; the text is the default or follows a slash."""
        message = evaluation.state.message
        message.fake = kind
        message.fake_text = follow(rest[1:], argument) if rest.startswith("/") else FAKE_TEXT
        return OK

    return run


control("fakereject")(_fake("reject"))
control("fakedefer")(_fake("defer"))


@control("freeze")
def freeze(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Freeze the message once it is received."""
    message = evaluation.state.message
    message.deliver_freeze = message.freeze_tell = True
    if rest.startswith("/no_tell"):
        rest = rest[len("/no_tell") :]
        message.freeze_tell = False
    if rest:
        return _syntax(evaluation, argument)
    message.cutthrough = False
    return OK


@control("queue")
@control("queue_only")
def queue(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Only queue the message; ``first_pass_route`` has it routed before."""
    message = evaluation.state.message
    message.queue_only = True
    while rest.startswith("/"):
        if rest.startswith("/only"):
            rest, message.queue_smtp = rest[len("/only") :], False
        elif rest.startswith("/first_pass_route"):
            rest, message.queue_smtp = rest[len("/first_pass_route") :], True
        else:
            break
    message.cutthrough = False
    return OK


@control("requiretls")
def requiretls(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Ask for TLS all the way of the message."""
    evaluation.ctx.message.requiretls = True
    return OK


@control("submission")
def submission(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Treat the message as submitted: fix up its headers (manual 48.1)."""
    message = evaluation.state.message
    message.submission_mode = True
    while rest.startswith("/"):
        if rest.startswith("/sender_retain"):
            rest, message.sender_retain = rest[len("/sender_retain") :], True
        elif rest.startswith("/domain="):
            text, slash, behind = rest[len("/domain=") :].partition("/")
            message.submission_domain, rest = follow(text, argument), slash + behind
        elif rest.startswith("/name="):
            from eximious.interpreter.submission import fix_phrase

            message.submission_name, rest = follow(fix_phrase(rest[len("/name=") :]), argument), ""
        else:
            break
    return _syntax(evaluation, argument) if rest else OK


@control("utf8_downconvert")
def utf8_downconvert(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Convert the message's internationalised addresses: 1 yes, 0 no, -1 if needed."""
    message = evaluation.state.message
    for text, value in (("", 1), ("/1", 1), ("/0", 0), ("/-1", -1)):
        if rest == text or (text and rest.startswith(text)):
            message.utf8_downconvert = value
            return OK
    evaluation.log = "bad option value for control=utf8_downconvert"
    return ERROR


@control("wellknown")
def wellknown(evaluation: Evaluation, rest: str, argument: str) -> int:
    """Name the file that the client of XWELLKNOWN gets."""
    if not rest.startswith("/"):
        return _syntax(evaluation, argument)
    evaluation.state.message.wellknown = follow(rest[1:], argument)
    return OK


def _named(catalogue: Catalogue, argument: str) -> tuple[str, AclRow] | None:
    """The control with the longest name that the argument begins with."""
    found = None
    for name in CONTROLS:
        if argument.startswith(name) and (found is None or len(name) > len(found[0])):
            row = catalogue.acl_row("control", name)
            if row is not None:
                found = name, row
    return found


def run_control(evaluation: Evaluation, argument: str) -> int:
    """Find the control that the argument names, and do it if it may be used in this phase."""
    env = evaluation.ctx.env
    kept: dict[str, tuple[str, AclRow] | None] = env.kept.setdefault("controls", {})
    if argument not in kept:
        if len(kept) >= _KEPT:
            kept.clear()
        kept[str(argument)] = _named(env.catalogue, argument)
    named = kept[argument]
    if named is None:
        return _syntax(evaluation, argument)
    found, found_row = named
    rest = argument[len(found) :]
    if found == "queue" and rest.startswith("_only"):
        rest = ""  # the old name, still known; what follows it is not looked at
    if rest and not (found_row.has_option and rest.startswith("/")):
        return _syntax(evaluation, argument)
    if not allows(found_row, evaluation.phase):
        return evaluation.error(f'cannot use "control={found}" in {evaluation.where} ACL')
    return CONTROLS[found].call(evaluation, rest, argument)
