"""MAIL and RCPT: the envelope (manual 44, 48; RFC 5321, 1870, 3461, 4954, 6531)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax, parse_extract_address
from eximious.interpreter.engine import expand
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.text import Tainted, follow
from eximious.interpreter.variables.computed import log_directory, spool_directory
from eximious.simulation.acl.engine import Recipient, client
from eximious.simulation.acl.outcomes import DEFER, DISCARD, DROP, FAIL, OK, AclResult
from eximious.simulation.rewriting.addresses import qualify, rewrite_at_smtp_time
from eximious.simulation.routing.children import make_address, split_address
from eximious.simulation.routing.results import DEFER as WAIT
from eximious.simulation.smtp.policing import slow_down
from eximious.simulation.smtp.registry import command

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession

LARGEST = 2**31 - 1
#: bytes of disk that are counted beside the message itself
OVERHEAD = 5000


class Wrong(Exception):
    """An option of MAIL or RCPT that is refused; the session has answered."""


@command("mail from:", mail=True, pipelined=True)
def mail(session: SmtpSession, argument: str) -> None:
    """MAIL FROM: a transaction begins."""
    session.mail_count += 1
    session.rejected_mail = True
    ctx = session.ctx
    if not session.helo_seen and (session.helo_verify_required or session.is_host("hosts_require_helo")):
        session.log(f"rejected MAIL from {session.host()}: no HELO/EHLO given", "main reject")
        session.record.last.reason = "sequence"
        session.say("503 HELO or EHLO required")
        return
    if session.sender is not None:
        session.protocol_error("smtp_protocol_error", 503, None, "sender already given")
        return
    if not argument:
        session.protocol_error("smtp_protocol_error", 501, None, "MAIL must have an address operand")
        return
    limit = mail_limit(session)
    if 0 < limit < session.mail_count:
        session.record.last.reason = "limit"
        session.say("421 too many messages in this connection")
        session.log(
            f"rejected MAIL command {client(ctx)}: too many messages in one connection", "main reject"
        )
        return
    session.reset()
    session.too_many = False
    ctx = session.ctx
    session.mailauth_message = None
    try:
        rest = session.data = _mail_options(session, argument) if session.esmtp else argument
    except Wrong:
        return
    slow_down(session, "mail", session.mail_count)
    raw = rewrite_at_smtp_time(ctx, Tainted(rest), is_recipient=False)
    found = parse_extract_address(raw, True, Syntax.of(session.options))
    if found.address is None:
        session.protocol_error("smtp_syntax_error", 501, rest, found.error)
        return
    sender = session.raw_sender = Tainted(found.address) if found.address else ""
    ctx.message.sender_address = sender
    session.sender = sender
    if not _fits(session) or not _qualified_sender(session, rest, bool(found.domain)):
        session.sender = None
        ctx.message.sender_address = ""
        return
    result = AclResult(OK, session.mailauth_message, None)
    if session.has_acl("acl_smtp_mail"):
        result = session.acl("mail", "acl_smtp_mail")
    else:
        session.record.last.reason = "no acl"
    if result.outcome not in (OK, DISCARD):
        session.refuse("mail", result)
        session.sender = None
        ctx.message.sender_address = ""
        return
    prdr = ", PRDR Requested" if ctx.message.prdr_requested else ""
    if result.user:
        session.user_message("250", AclResult(OK, follow(f"{result.user}{prdr}", result.user), result.log))
    else:
        session.say(f"250 OK{prdr}")
    session.all_discarded = result.outcome == DISCARD
    session.rejected_mail = False


#: what C takes for white space
BLANK = " \t\n\v\f\r"
#: what has none of these has no option at its end
_MAY_BE_OPTION = re.compile(f'[{BLANK}"=]').search


def take_option(text: str) -> tuple[str, str, str] | None:
    """Take the last ``NAME=value`` (or ``NAME``) off; gives what is before it, name and value. None: there is none."""
    text = text.rstrip(BLANK)
    if _MAY_BE_OPTION(text) is None:
        return None
    at = len(text) - 1
    while at > 0 and text[at] != "=" and text[at] not in BLANK:
        if text[at] == '"':
            at -= 1
            while at > 0 and text[at] != '"':
                at -= 1
            if at <= 0:
                return None
        at -= 1
    if at <= 0:
        return None
    if text[at] == "=":
        start = at
        while start > 0 and text[start - 1].isascii() and text[start - 1].isalpha():
            start -= 1
        if start <= 0 or text[start - 1] not in BLANK:
            return None
        return text[: start - 1], text[start:at], text[at + 1 :]
    name = text[at + 1 :]
    # Exim takes the name for the value where there is none
    return (text[:at], name, name) if name else None


def _mail_options(session: SmtpSession, text: str) -> str:
    """Read the options behind the address; gives the rest of the argument. Raises Wrong."""
    while True:
        found = take_option(text)
        if found is None:
            return text
        before, name, value = found
        handler = _MAIL_OPTIONS.get(name.upper())
        if handler is None:
            # Exim puts a space back, whatever the white space was
            return f"{before} {text[len(before) + 1 :]}"
        if value or name.upper() not in _NEEDS_VALUE:
            handler(session, value)
        text = before


def _syntax(session: SmtpSession, message: str) -> Wrong:
    session.protocol_error("smtp_syntax_error", 501, None, message)
    return Wrong()


def _size(session: SmtpSession, value: str) -> None:
    number = re.fullmatch(r"[+]?([0-9]{1,30})|-[0-9]+", value.strip())
    if number is not None:
        # what is below zero wraps around
        session.ctx.message.message_size = min(int(number[1]), LARGEST) if number[1] else LARGEST


def _body(session: SmtpSession, value: str) -> None:
    if not session.options.get("accept_8bitmime"):
        return
    kinds = {"8BITMIME": 8, "7BIT": 7}
    if value.upper() not in kinds:
        session.body_8bitmime = 0
        raise _syntax(session, "invalid data for BODY")
    session.body_8bitmime = kinds[value.upper()]


def _ret(session: SmtpSession, value: str) -> None:
    if session.dsn:
        if session.dsn_ret:
            raise _syntax(session, "RET can be specified once only")
        if value.upper() not in ("HDRS", "FULL"):
            raise _syntax(session, "Value for RET is invalid")
        session.dsn_ret = value.upper()


def _envid(session: SmtpSession, value: str) -> None:
    if session.dsn:
        if session.dsn_envid:
            raise _syntax(session, "ENVID can be specified once only")
        session.dsn_envid = value


def _auth(session: SmtpSession, value: str) -> None:
    from eximious.simulation.smtp.auth import mail_auth

    mail_auth(session, value)


def _prdr(session: SmtpSession, value: str) -> None:
    if session.options.get("prdr_enable"):
        session.ctx.message.prdr_requested = True


def _smtputf8(session: SmtpSession, value: str) -> None:
    if not session.smtputf8:
        raise _syntax(session, "SMTPUTF8 used when not advertised")
    session.ctx.message.message_smtputf8 = True
    connection = session.connection
    if not connection.received_protocol.startswith("utf8"):
        connection.received_protocol = f"utf8{connection.received_protocol}"


_MAIL_OPTIONS = {
    "SIZE": _size,
    "BODY": _body,
    "AUTH": _auth,
    "PRDR": _prdr,
    "RET": _ret,
    "ENVID": _envid,
    "SMTPUTF8": _smtputf8,
}
_NEEDS_VALUE = frozenset(("SIZE", "BODY", "AUTH", "RET", "ENVID"))


def _fits(session: SmtpSession) -> bool:
    """Whether the size that the client says is permitted, and there is room for it."""
    message, limit = session.ctx.message, session.size_limit
    if 0 < limit < message.message_size:
        session.record.last.reason = "limit"
        session.say("552 Message size exceeds maximum permitted")
        if session.logs("size_reject"):
            more = ">" if message.message_size == LARGEST else ""
            session.log(
                f"rejected MAIL FROM:<{message.sender_address}> {client(session.ctx)}: message too big: "
                f"size{more}={message.message_size} max={limit}",
                "main reject",
            )
        return False
    full = _full_disk(session)
    if full:
        session.record.last.reason = "limit"
        session.log(full)
        session.say("452 Space shortage, please try later")
        return False
    return True


def _full_disk(session: SmtpSession) -> str:
    """What is logged where there is too little room for a message, "" where there is enough (manual 14).

    The machine is asked only where the configuration sets one of the four options: the defaults are next to nothing.
    Exim adds what the client announces to the space that is free, instead of taking it off, and only for the spool.
    """
    options, given = session.options, session.env.configuration.settings.values
    size = session.ctx.message.message_size
    announced = (size + OVERHEAD) // 1024 if size >= 0 and options.get("smtp_check_spool_space") else 0
    for kind, folder in (("spool", spool_directory), ("log", log_directory)):
        names = f"check_{kind}_space", f"check_{kind}_inodes"
        place = folder(session.ctx) if any(name in given for name in names) else ""
        free = session.env.doors.machine.disk(place) if place else None
        if free is None:
            continue
        space, inodes = free
        least, fewest = (int(options.get(name) or 0) for name in names)
        if kind == "spool":
            least -= announced
        if 0 <= space < least or 0 <= inodes < fewest:
            return f"{kind} directory space check failed: space={space} inodes={inodes}"
    return ""


def _qualified_sender(session: SmtpSession, rest: str, has_domain: bool) -> bool:
    message = session.ctx.message
    sender = message.sender_address
    if has_domain or not sender:
        return True
    if session.unqualified_sender or session.state.connection.unqualified_sender:
        message.sender_address = session.sender = qualify(session.ctx, sender, False)
        return True
    session.record.last.reason = "syntax"
    session.say(f"501 {rest}: sender address must contain a domain")
    if session.logs("smtp_syntax_error"):
        more = session.connection.host_lookup_msg
        session.log(f"unqualified sender rejected: <{sender}> {client(session.ctx)}{more}", "main reject")
    return False


def mail_limit(session: SmtpSession) -> int:
    """smtp_accept_max_per_connection; 0: none. It is expanded once for a session."""
    if session.mailmax is None:
        session.mailmax = _expanded_number(session, "smtp_accept_max_per_connection", 1000)
    return session.mailmax


def recipients_limit(session: SmtpSession) -> int:
    """recipients_max; 0: none."""
    return _expanded_number(session, "recipients_max", 0)


def _expanded_number(session: SmtpSession, option: str, otherwise: int) -> int:
    value = session.options.get(option)
    if value is None:
        return otherwise
    if isinstance(value, int):
        return value
    try:
        return int(str(expand(str(value), session.ctx)).strip() or 0)
    except ValueError:
        return otherwise
    except Failure:
        session.log(f"failed to expand {option}", "panic")
        return otherwise


# ---- RCPT


@command("rcpt to:", mail=True, pipelined=True)
def rcpt(session: SmtpSession, argument: str) -> None:
    """RCPT TO: one more recipient."""
    ctx, message = session.ctx, session.ctx.message
    message.rcpt_count += 1
    session.was_rcpt = session.rcpt_in_progress = True
    if session.sender is None:
        if session.pipelining and session.last_rejected_mail:
            session.record.last.reason = "sequence"
            session.say("503 sender not yet given")
            session.rejected_mail = True
        else:
            session.protocol_error("smtp_protocol_error", 503, None, "sender not yet given")
            session.was_rcpt = False
        message.rcpt_fail_count += 1
        return
    if not argument:
        session.protocol_error("smtp_syntax_error", 501, None, "RCPT must have an address operand")
        message.rcpt_fail_count += 1
        return
    wanted: dict[str, str] = {}
    try:
        rest = session.data = _rcpt_options(session, argument, wanted) if session.esmtp else argument
    except Wrong:
        return
    raw = rewrite_at_smtp_time(ctx, Tainted(rest), is_recipient=True)
    found = parse_extract_address(raw, False, Syntax.of(session.options))
    if not found.address:
        session.protocol_error("smtp_syntax_error", 501, rest, found.error)
        message.rcpt_fail_count += 1
        return
    address = Tainted(found.address)
    if not found.domain:
        qualified = qualified_recipient(session, address, rest, "recipient")
        if qualified is None:
            message.rcpt_fail_count += 1
            return
        address = Tainted(qualified)
    if _too_many(session):
        return
    slow_down(session, "rcpt", message.rcpt_count)
    result = _rcpt_acl(session, address)
    if result.outcome == OK:
        if result.user:
            session.user_message("250", result)
        else:
            session.say("250 Accepted")
        session.recipients.append({"address": str(address), **wanted})
        message.recipients.append(address)
    elif result.outcome == DISCARD:
        if result.user:
            session.user_message("250", result)
        else:
            session.say("250 Accepted")
        message.rcpt_fail_count += 1
        session.discarded = True
        which = "MAIL" if session.all_discarded else "RCPT"
        why = f": {result.log}" if result.log else ""
        session.log(
            f"{client(ctx)} F=<{message.sender_address}> RCPT {argument}: discarded by {which} ACL{why}",
            "main reject",
        )
    else:
        if result.outcome in (FAIL, DROP):
            message.rcpt_fail_count += 1
        else:
            message.rcpt_defer_count += 1
        session.refuse("rcpt", result)


def _rcpt_acl(session: SmtpSession, address: str) -> AclResult:
    if session.all_discarded:
        return AclResult(DISCARD, None, session.last_log)
    result = address_acl(session, "rcpt", "acl_smtp_rcpt", address)
    if session.host_checking and session.callouts:
        return result  # with -bhc the real one does nothing about cutthrough delivery
    if result.outcome == OK and session.state.message.cutthrough:
        from eximious.simulation.smtp.cutthrough import tried

        return tried(session, address, result)
    if session.state.message.cutthrough and session.ctx.listener is not None:
        session.ctx.listener("ignore cutthrough request; ACL did not accept")
    return result


def address_acl(session: SmtpSession, phase: str, option: str, address: str) -> AclResult:
    """Run an ACL that is about an address: ``$local_part`` and ``$domain`` are its."""
    ctx = session.ctx
    routed = make_address(address)
    if split_address(ctx, routed) == WAIT:
        return AclResult(DEFER, None, "defer in percent_hack_domains check")
    session.state.new_recipient()
    recipient = Recipient(address, routed.domain, routed.caseful, routed.caseless)
    ctx.address.domain, ctx.address.local_part = routed.domain, routed.caseless
    try:
        return session.acl(phase, option, recipient)
    finally:
        ctx.address.domain = ctx.address.local_part = ""
        ctx.address.domain_data = ""  # and $local_part_data stays, until there is a new transaction


def _rcpt_options(session: SmtpSession, text: str, wanted: dict[str, str]) -> str:
    """Read ORCPT and NOTIFY; any other option leaves the text as it is, and so the address malformed."""
    while True:
        found = take_option(text)
        if found is None:
            return text
        before, name, value = found
        upper = name.upper()
        if not session.dsn or upper not in ("ORCPT", "NOTIFY"):
            # Exim puts back what it took apart, and an option without a value gets its sign in the wrong place
            return (
                f"{before} {name}={value}"
                if text.rstrip(BLANK).endswith(f"{name}={value}")
                else f"{before}={name}"
            )
        key = upper.lower()
        if key in wanted:
            raise _syntax(session, f"{upper} can be specified once only")
        if upper == "NOTIFY" and value and value.upper() != "NEVER":
            for word in value.split(","):
                if word.upper() not in ("SUCCESS", "FAILURE", "DELAY"):
                    raise _syntax(session, "Invalid value for NOTIFY parameter")
        wanted[key] = value
        text = before


def qualified_recipient(session: SmtpSession, address: str, shown: str, what: str) -> str | None:
    """Give an address without domain one where that is permitted (always for postmaster); None: it is refused."""
    permitted = session.unqualified_recipient or session.state.connection.unqualified_recipient
    if permitted or address.lower() == "postmaster":
        return qualify(session.ctx, address, True)
    session.record.last.reason = "syntax"
    session.say(f"501 {shown}: recipient address must contain a domain")
    if session.logs("smtp_syntax_error"):
        more = session.connection.host_lookup_msg
        session.log(f"unqualified {what} rejected: <{address}> {client(session.ctx)}{more}", "main reject")
    return None


def _too_many(session: SmtpSession) -> bool:
    limit = recipients_limit(session)
    message = session.ctx.message
    if not 0 < limit < message.rcpt_count:
        return False
    session.record.last.reason = "limit"
    where = f"sender=<{message.sender_address}> {client(session.ctx)}"
    if session.options.get("recipients_max_reject"):
        message.rcpt_fail_count += 1
        session.say("552 too many recipients")
        line = f"too many recipients: message rejected: {where}"
    else:
        message.rcpt_defer_count += 1
        session.say("452 too many recipients")
        line = f"too many recipients: excess temporarily rejected: {where}"
    if not session.too_many:
        session.log(line, "main reject")
    session.too_many = True
    return True
