"""A message that has come in: its header, what Exim adds, the ACLs about it, the last reply (manual 44.2, 47, 48)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.result import ListPanic
from eximious.interpreter.engine import expand
from eximious.interpreter.headers import Header
from eximious.interpreter.logs import ROOM, stamp_end
from eximious.interpreter.message_file import MessageAbandoned, MessageReader, message_id, take_sender
from eximious.interpreter.operators.time import format_interval
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.submission import REMOVED
from eximious.interpreter.text import Tainted, follow
from eximious.interpreter.variables.clock import full_date
from eximious.simulation.acl.engine import client, printing, tls_items
from eximious.simulation.acl.outcomes import DEFER, DISCARD, OK, AclResult
from eximious.simulation.mime.mailbox import unspool
from eximious.simulation.rewriting.addresses import rewrite_address
from eximious.simulation.rewriting.headers import rewrite_headers
from eximious.simulation.smtp.header_changes import apply_changes
from eximious.simulation.smtp.submitted import fix_submission

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession


def received(session: SmtpSession, data: bytes, size: int, chunk: int | None = None) -> None:
    """Take a whole message (dots undone): check it, run its ACLs, answer, and forget the transaction.

    ``size``: bytes as they came. ``chunk``: the size of the last BDAT.
    """
    session.begin_event("received", "")
    try:
        if not _received(session, data, size, chunk):
            session.ctx.message.message_exim_id = ""
    finally:
        unspool(session.ctx)
        session.reset()
        session.discarded = False
        session.counted_once &= {"AUTH"}


def _passes_from_line(session: SmtpSession) -> bool:
    """Whether a ``From `` line before the header counts as nothing (manual 14, ignore_fromline_hosts)."""
    if session.connection.sender_host_address:
        return session.is_host("ignore_fromline_hosts")
    return bool(session.options.get("ignore_fromline_local"))


def _received(session: SmtpSession, data: bytes, size: int, chunk: int | None) -> bool:
    """Gives whether there is something to deliver."""
    ctx, message = session.ctx, session.ctx.message
    message.received_time = int(ctx.env.doors.clock.now())
    limit = session.size_limit
    reader = MessageReader(
        data.decode("latin-1"), ctx, dot_ends=False, from_line=lambda: _passes_from_line(session)
    )
    try:
        reader.read_headers()
    except MessageAbandoned as abandoned:
        _header_too_large(session, abandoned.message)
        return False
    message.message_exim_id = message.message_exim_id or message_id(ctx)
    for line in reader.from_lines:
        take_sender(ctx, line, True)
    message.headers = reader.headers
    if 0 < limit < size:
        session.record.last.reason = "limit"
        session.say("552 Message size exceeds maximum permitted")
        if session.logs("size_reject"):
            session.log(
                f"rejected from <{message.sender_address}>{_whence(session)}: message too big: "
                f"read={size} max={limit}",
                "main reject",
            )
        return False
    body = _body(session, reader)
    message.received_count = 1 + sum(1 for header in reader.headers if header.type == "P")
    session.arrival.message_id = _header_id(session)
    _fix(session)
    _rewrite(session)
    _add_received(session)
    _measure(session, reader, body)
    counted = message.message_size
    apply_changes(ctx, session.state)
    message.enable_dollar_recipients = True
    result = _acls(session)
    message.enable_dollar_recipients = False
    if result is None:
        return False
    apply_changes(ctx, session.state)
    sizes = None
    if chunk is not None:
        # what Exim has counted while it read, with the carriage returns
        sizes = chunk, counted + message.message_linecount if data else 2
    _accept(session, result, sizes)
    return result.outcome != DISCARD and bool(session.recipients)


def _whence(session: SmtpSession) -> str:
    """How log lines about a message name where it came from."""
    full = session.connection.sender_fullhost
    ident = session.connection.sender_ident
    host = f" H={full}" if full else ""
    return f"{host}{f' U={ident}' if ident else ''}"


def header_refused(session: SmtpSession, data: bytes) -> bool:
    """Refuse a message that broke off, if its header was too large before; says whether it was."""
    limits = (int(session.options.get(name) or 0) for name in ("header_maxsize", "header_line_maxsize"))
    if not any(0 < limit < len(data) for limit in limits):
        return False
    try:
        MessageReader(data.decode("latin-1"), session.ctx, dot_ends=False, from_line=bool).read_headers()
    except MessageAbandoned:
        received(session, data, len(data))
        return True
    return False


def _header_too_large(session: SmtpSession, why: str) -> None:
    session.record.last.reason = "limit"
    shown = why.replace("received from NULL", f"received from {session.host()}")
    if "overlong" in why:
        session.say("552 A message header line is too long")
    else:
        session.say("552 Message header is ridiculously long")
    session.log(shown)


def _body(session: SmtpSession, reader: MessageReader) -> str:
    """The body with its lines ended by newlines, however they came."""
    text = reader.first_of_body + reader.before_body + reader.text[reader.at :]
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            # for DKIM such a character ends no line
            session.state.message.longest_line = max(map(len, text.split("\n")))
            text = text.replace("\r", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    return text


def _fix(session: SmtpSession) -> None:
    """Take out what does not belong on a received message; what control = submission adds (manual 47)."""
    for header in session.ctx.message.headers or ():
        option = REMOVED.get(header.text.partition(":")[0].rstrip(" \t").lower())
        if option is not None and session.options.get(option) is not False:
            header.deleted = True
    effects = session.state.message
    if effects.submission_mode:  # suppress_local_fixups is about messages that are no submissions
        fix_submission(session)


def _rewrite(session: SmtpSession) -> None:
    """Rewrite the envelope and the header lines (manual 31.2); the sender first."""
    ctx, message = session.ctx, session.ctx.message
    rules = ctx.env.configuration.rewrite
    if message.sender_address and rules and not session.state.message.sender_rewritten:
        message.sender_address = rewrite_address(ctx, message.sender_address, is_recipient=False)
    if rules:
        message.recipients = [rewrite_address(ctx, one, is_recipient=True) for one in message.recipients]
        for one, address in zip(session.recipients, message.recipients):
            one["address"] = str(address)
    controls = session.state.connection
    rewrite_headers(
        ctx,
        qualify_sender=session.unqualified_sender or controls.unqualified_sender,
        qualify_recipient=session.unqualified_recipient or controls.unqualified_recipient,
    )


def _add_received(session: SmtpSession) -> None:
    """Put the Received: line before all others (option received_header_text)."""
    ctx, message = session.ctx, session.ctx.message
    text = session.options.get("received_header_text")
    clock = ctx.env.doors.clock
    date = full_date(clock.localtime(clock.now()))
    if len(message.recipients) == 1:
        message.received_for = message.recipients[0]
    try:
        value = expand(str(text), ctx) if text else ""
    except Failure as failure:
        # the real one ends its process
        raise ListPanic(f'Expansion of "{text}" (received_header_text) failed: {failure.message}') from None
    finally:
        message.received_for = ""
    assert message.headers is not None
    line = follow(f"{value};\n\t{date}\n", value) if value else f"Received: ;\n\t{date}\n"
    header = Header(line)
    header.deleted = not value
    message.headers.insert(0, header)


def _measure(session: SmtpSession, reader: MessageReader, body: str) -> None:
    message = session.ctx.message
    message.body = body.encode("latin-1")
    message.body_linecount = body.count("\n")
    message.body_zerocount = body.count("\0") + reader.zeros
    message.message_body_size = len(body)
    # as it came, without what is added; the line about its arrival has it with that
    message.message_size = reader.size + len(body) - len(reader.first_of_body) if reader.text else 0
    # Received: is not counted, and a line that ended the header is counted with both
    message.message_linecount = (reader.lines if reader.text else 0) + message.body_linecount
    longest = max((len(line) for line in body.split("\n")), default=0)
    message.max_received_linelength = max(reader.longest, longest)


# ---- ACLs


def _acls(session: SmtpSession) -> AclResult | None:
    """Run the ACLs about a message; None where it was refused (and answered)."""
    ctx = session.ctx
    arrival = session.arrival
    arrival.recipients = [one["address"] for one in session.recipients]
    if not session.recipients:
        arrival.prdr = bool(ctx.message.prdr_requested)
        return AclResult(OK, None, None)  # nobody is to have it: no ACL is asked
    if not session.state.message.dkim_disable_verify:
        result = _dkim(session)
        if result is not None and result.outcome not in (OK, DISCARD):
            session.refuse("dkim", result)
            return None
        if result is not None and result.outcome == DISCARD:
            arrival.discarding = "DKIM ACL"
            return result
    if session.has_acl("acl_smtp_mime"):
        from eximious.simulation.mime.walk import run_mime_acl

        session.begin_event("mime", "")
        result = run_mime_acl(ctx, str(session.options.get("acl_smtp_mime")))
        session.record.last.acl = str(session.options.get("acl_smtp_mime"))
        if result.outcome == DISCARD:
            arrival.discarding = "MIME ACL"
            return AclResult(DISCARD, None, None)  # its messages are nobody's
        if result.outcome != OK:
            session.refuse("mime", result)
            return None
        session.begin_event("received", "")
    arrival.prdr = (
        bool(ctx.message.prdr_requested)
        and len(session.recipients) > 1
        and session.has_acl("acl_smtp_data_prdr")
    )
    if arrival.prdr:
        arrival.last_reply = _prdr(session)
        if not arrival.last_reply:
            return None
    if not session.has_acl("acl_smtp_data"):
        session.record.last.reason = "no acl"
        return AclResult(OK, None, None)
    result = session.acl("data", "acl_smtp_data")
    if result.outcome in (OK, DISCARD):
        return result
    session.refuse("data", result)
    return None


def _dkim(session: SmtpSession) -> AclResult | None:
    from eximious.simulation.acl.signers import run_dkim_acl

    text = session.options.get("acl_smtp_dkim")
    return run_dkim_acl(session.ctx, None if text is None else str(text))


#: what the PRDR ACL came to -> code, word
_PRDR = {
    OK: ("250", "acceptance"),
    DISCARD: ("250", "acceptance"),
    DEFER: ("450", "temporary refusal"),
}


def _prdr(session: SmtpSession) -> str:
    """Ask the PRDR ACL about each recipient, and answer each (manual 44.2.6).

    Gives the last reply if the message goes on to the DATA ACL and is accepted there; "" where it does not go on,
    which is answered already.
    """
    from eximious.simulation.acl.replies import own_code
    from eximious.simulation.smtp.envelope import address_acl

    session.say("353 PRDR content analysis beginning")
    message = session.ctx.message
    outcomes = []
    for one in list(session.recipients):
        address = one["address"]
        result = address_acl(session, "prdr", "acl_smtp_data_prdr", Tainted(address))
        outcomes.append(result.outcome)
        code, word = _PRDR.get(result.outcome, ("550", "refusal"))
        if written := result.log or result.user:
            first, _, _ = str(written).partition("\n")
            session.log(f"PRDR {address} {first}")
        else:
            session.log(f"PRDR R=<{address}> {word}")
        if result.user:
            code, enhanced, text, _ = own_code(session.ctx, code, result)
            session.respond(code, str(text), enhanced)
        else:
            session.respond(code, f"PRDR R=<{address}> {word}")
        if result.outcome != OK:
            at = session.recipients.index(one)
            del session.recipients[at], message.recipients[at]
    start = f"id={message.message_exim_id} message"
    if not any(outcome in (OK, DEFER) for outcome in outcomes):
        session.say(f"550 {start} rejected for all recipients")
        return ""
    last = (
        f"250 {start} accepted{'' if all(outcome == OK for outcome in outcomes) else ' for some recipients'}"
    )
    if session.recipients:
        return last
    session.say(last)
    return ""


# ---- the end


def _accept(session: SmtpSession, result: AclResult, sizes: tuple[int, int] | None) -> None:
    message, effects = session.ctx.message, session.state.message
    # header lines that ACLs have added and removed count
    head = sum(len(header.text) for header in message.headers or () if not header.deleted)
    message.message_size = head + 1 + message.message_body_size
    _log_arrival(session, chunked=sizes is not None)
    by = "ACL" if session.arrival.recipients else "NULL"
    if effects.deliver_freeze:
        session.log(f"frozen by {by}")
    if effects.queue_only:
        where = f" in {message.queue_name}" if message.queue_name else ""
        session.log(f"no immediate delivery: queued{where} by {by}")
    blackholed = result.outcome == DISCARD or not session.recipients
    session.record.messages.append(described(session, result))
    identity = message.message_exim_id
    if effects.fake:
        from eximious.simulation.acl.replies import split_message

        text = str(effects.fake_text)
        session.respond(
            "450" if effects.fake == "defer" else "550", text if blackholed else split_message(text)
        )
    elif session.arrival.last_reply:
        session.say(session.arrival.last_reply)
    elif result.user:
        session.user_message("250", result)
    elif sizes is not None:
        session.say(f"250- {sizes[0]} byte chunk, total {sizes[1]}")
        session.say(f"250 OK id={identity}")
    else:
        session.say(f"250 OK id={identity}")
    if session.host_checking and not session.arrival.last_reply:
        session.raw("\n**** SMTP testing: that is not a real message id!\n\n")
    if blackholed:
        by = session.arrival.blackholed_by(result, session.all_discarded)
        why = f": {result.log}" if result.outcome == DISCARD and result.log else ""
        session.log(f"=> blackhole ({by} discarded recipients){why}")
        session.log("Completed")


def _log_arrival(session: SmtpSession, chunked: bool) -> None:
    """The line ``<=`` of the main log (manual 53.4)."""
    ctx, message, connection = session.ctx, session.ctx.message, session.connection
    mark = "(=" if session.state.message.fake == "reject" else "<="
    parts = [f"{mark} {message.sender_address or '<>'}"]
    full = client(ctx)
    parts.append(full)
    if connection.received_protocol:
        parts.append(f"P={connection.received_protocol}")
    if session.pipelining and session.logs("pipelining"):
        offered = "." if session.pipe_connect_offered else ""
        parts.append(f"L{offered}{'' if session.pipelining_used else '-'}")
    if connection.tls_in.active:
        parts += tls_items(ctx).split(" ", 1)[1:]
    if connection.proxy_session and session.logs("proxy"):
        parts.append(f"PRX={connection.proxy_local_address}")
    if connection.sender_host_authenticated:
        authenticated = f"A={connection.sender_host_authenticated}"
        if connection.authenticated_id:
            authenticated += f":{connection.authenticated_id}"
            if session.logs("smtp_mailauth") and connection.authenticated_sender:
                authenticated += f":{connection.authenticated_sender}"
        parts.append(authenticated)
    if session.arrival.prdr:
        parts.append("PRDR")
    if chunked:
        parts.append("K")
    parts.append(f"S={message.message_size}")
    if session.logs("8bitmime"):
        parts.append(f"M8S={session.body_8bitmime}")
    if session.logs("receive_time"):
        taken = max(ctx.env.doors.clock.now() - session.arrival.started, 0.0)
        parts.append(
            f"RT={taken:.3f}s"
            if session.logs("millisec") and taken < 60
            else f"RT={format_interval(int(taken))}"
        )
    if message.queue_name:
        parts.append(f"Q={message.queue_name}")
    if session.logs("msg_id"):
        if session.arrival.message_id:
            parts.append(f"id={session.arrival.message_id}")
        elif session.logs("msg_id_created") and (made := _header_id(session)):
            parts.append(f"id*={made}")
    if session.logs("subject"):
        from eximious.interpreter.headers import header_value

        subject = header_value(ctx, "h", "subject") or ""
        named = (header.text.partition(":")[0].rstrip(" \t").lower() for header in message.headers or ())
        if "subject" in named:  # one that was removed counts, and shows nothing
            parts.append(f'T="{printing(ctx, subject)}"')
    if session.logs("received_sender"):
        parts.append(f"from <{session.raw_sender}>")
    if session.logs("received_recipients") and session.arrival.recipients:
        parts.append("for")
        room = (
            ROOM - len(stamp_end(ctx)) - len(message.message_exim_id) - 1 - sum(len(one) + 1 for one in parts)
        )
        for recipient in session.arrival.recipients:
            room -= len(recipient) + 1
            if room < -1 and ctx.env.version < (4, 99):
                break  # only those that fit into the buffer
            parts.append(recipient)
    session.log(" ".join(parts))


def _header_id(session: SmtpSession) -> str:
    for header in session.ctx.message.headers or ():
        if header.type == "I" and not header.deleted:
            value = header.text.partition(":")[2].strip(" \t\n")
            return value[1:-1] if value.startswith("<") and value.endswith(">") else value
    return ""


def described(session: SmtpSession, result: AclResult) -> dict[str, object]:
    """What became of a message, as plain values."""
    message, effects = session.ctx.message, session.state.message
    fate = "discarded" if result.outcome == DISCARD or not session.recipients else "accepted"
    if effects.fake:
        fate = f"accepted, but answered as if {effects.fake}ed"
    most = int(session.options.get("received_headers_max") or 0)
    if fate == "accepted" and message.received_count > most:  # counted when it is to be delivered (manual 14)
        fate = 'accepted, but its delivery will fail: too many "Received" headers - suspected mail loop'
    return {
        "id": str(message.message_exim_id),
        "sender": str(message.sender_address),
        "recipients": [one["address"] for one in session.recipients],
        "fate": fate,
        "frozen": effects.deliver_freeze,
        "queued": effects.queue_only,
        "headers": [str(header.text) for header in message.headers or () if not header.deleted],
        "size": message.message_size,
    }
