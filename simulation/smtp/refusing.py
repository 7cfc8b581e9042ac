"""What the client and the log are told when an ACL does not accept (manual 44.6, 44.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.engine import client
from eximious.simulation.acl.outcomes import DROP, FAIL
from eximious.simulation.acl.replies import CODES, own_code, refusal

if TYPE_CHECKING:
    from eximious.simulation.acl.outcomes import AclResult
    from eximious.simulation.smtp.session import SmtpSession

_POSTMASTER = (
    "Postmaster verification failed while checking <{}>\n{}\n"
    "Several RFCs state that you are required to have a postmaster\n"
    "mailbox for each mail domain. This host does not accept mail\n"
    "from domains whose servers reject the postmaster address."
)
_NULL_SENDER = (
    "Callback setup failed while verifying <{}>\n{}\n"
    "The initial connection, or a HELO or MAIL FROM:<> command was\n"
    "rejected. Refusing MAIL FROM:<> does not help fight spam, disregards\n"
    "RFC requirements, and stops you from receiving standard bounce\n"
    "messages. This host does not accept mail from domains whose servers\n"
    "refuse bounces."
)
_PLAIN = "Verification failed for <{}>\n{}"
_TEXTS = {"postmaster": _POSTMASTER, "null sender": _NULL_SENDER}


def refuse(session: SmtpSession, phase: str, result: AclResult) -> None:
    """Send the refusal, log it, and end the session after ``drop``."""
    ctx = session.ctx
    refused = result.outcome in (FAIL, DROP)
    command = session.data if phase not in ("connect", "predata", "mime", "data", "prdr") else ""
    if phase == "auth":
        command = command.partition(" ")[0]  # what may hold a password is not logged
    failure = session.state.message.sender_failure
    if failure is not None and not failure.told:
        before = own_code(ctx, CODES.get(phase, "550") if refused else "451", result, phase != "vrfy")
        _sender_failure(session, refused, before[0], before[1])
    reply, line = refusal(ctx, phase, result, str(command))
    failed = session.state.message.sender_failure
    if (
        not refused
        and result.temp_details
        and result.user
        and failed is not None
        and session.options.get("smtp_return_error_details")
        and failed.message
    ):
        session.respond(reply.code, failed.message, reply.enhanced, final=False)
    session.respond(reply.code, str(reply.text), reply.enhanced)
    targets = session.state.log_reject_target
    if targets and (phase != "connect" or session.logs("connection_reject")):
        session.log(line, " ".join(targets))
    if result.outcome == DROP:
        if session.logs("smtp_connection"):
            session.log(f"{session.connection_info()} closed by DROP in ACL")
        session.notquit("acl-drop", "", "")
        session.closed = True


def _sender_failure(session: SmtpSession, refused: bool, code: str, enhanced: str) -> None:
    """Tell once why the sender did not verify, before the refusal itself."""
    failure = session.state.message.sender_failure
    if failure is None or failure.told:
        return
    failure.told = True
    saved, session.rcpt_in_progress = session.rcpt_in_progress, False
    if not refused or session.logs("sender_verify_fail"):
        kind = "defer" if failure.deferred else "fail"
        why = f": {failure.message}" if failure.message is not None else ""
        line = f"{client(session.ctx)} sender verify {kind} for <{failure.address}>{why}"
        session.log(line, "main reject")
    if refused and failure.user_message is not None:
        text = _TEXTS.get(failure.kind, _PLAIN).format(failure.address, failure.user_message)
        session.respond(code, text, enhanced, final=False)
    session.rcpt_in_progress = saved
