"""The item that writes an Authentication-Results: header line (manual 11.5; RFC 8601).

What it says comes from the state objects: whoever verified something left it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.registry import OWN, item
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context


@item("authresults", section="11.5", args=(1, 1), taint=OWN)
def authresults(ctx: Context, args: list[Any]) -> str:
    """``${authresults{hostname}}``: the header line with the results collected so far."""
    signatures = [_signature(ctx, one) for one in ctx.message.dkim_signatures] or [_dkim(ctx)]
    parts = [_iprev(ctx), _auth(ctx), _spf(ctx), *signatures, _dmarc(ctx), _arc(ctx)]
    line = f"Authentication-Results: {args[0]}" + "".join(f";\n\t{part}" for part in parts if part)
    return Tainted(line) if any(type(text) is Tainted for text in (args[0], *parts)) else line


def _iprev(ctx: Context) -> str:
    session = ctx.session
    if session.sender_host_name:
        result = f"iprev=pass ({session.sender_host_name})"
    elif session.host_lookup_deferred:
        result = "iprev=temperror"
    elif session.host_lookup_failed:
        result = "iprev=fail"
    else:
        return ""
    return f"{result} smtp.remote-ip={session.sender_host_address}" if session.sender_host_address else result


def _auth(ctx: Context) -> str:
    session = ctx.session
    mechanism = session.sender_host_authenticated
    if not mechanism:
        return ""
    if mechanism == "tls":
        who = f" x509.auth={session.authenticated_id}" if session.authenticated_id else " reason=x509.auth"
        result = f"auth=pass (tls){who}"
    elif session.authenticated_id:
        result = f"auth=pass ({mechanism}) smtp.auth={session.authenticated_id}"
    else:
        result = f"auth=pass ({mechanism}, no id saved)"
    return (
        f"{result} smtp.mailfrom={session.authenticated_sender}" if session.authenticated_sender else result
    )


def _spf(ctx: Context) -> str:
    message = ctx.message
    if not message.spf_result:
        return ""
    domain = message.sender_address.rpartition("@")[2]
    result = f"spf={message.spf_result}"
    if message.spf_result_guessed:
        result += " (best guess record for domain)"
    return (
        f"{result} smtp.mailfrom={domain}" if domain else f"{result} smtp.helo={ctx.session.sender_helo_name}"
    )


#: reason -> result and comment
_REASONS = {
    "pubkey_unavailable": "tmperror (pubkey unavailable)",
    "pubkey_dns_syntax": "neutral (public key record import problem)",
    "pubkey_der_syntax": "neutral (public key record import problem)",
    "bodyhash_mismatch": "fail (body hash mismatch; body probably modified in transit)",
    "signature_incorrect": "fail (signature did not verify; headers probably modified in transit)",
}
_UNSPECIFIED = {"invalid": "permerror (unspecified problem)", "fail": "fail (unspecified reason)"}


def _signature(ctx: Context, signature: Any) -> str:
    """What was found of one signature."""
    message = ctx.message
    status, reason = signature.status, signature.reason
    if signature.overridden:
        result = f"dkim=policy ({message.dkim_verify_status} - {message.dkim_verify_reason})"
    elif status in _UNSPECIFIED:
        result = f"dkim={_REASONS.get(reason, _UNSPECIFIED[status])}\n\t\t"
    else:
        result = f"dkim={status}"
    for label, value in (
        ("header.d", signature.domain),
        ("header.i", signature.identity),
        ("header.s", signature.selector),
        ("header.a", signature.algo),
    ):
        if value:
            result += f" {label}={value}"
    return Tainted(result)


def _dkim(ctx: Context) -> str:
    message = ctx.message
    status = message.dkim_verify_status
    if not status:
        return ""
    result = f"dkim={status}"
    if message.dkim_verify_reason:
        result += f" ({message.dkim_verify_reason})"
    for label, value in (
        ("header.d", message.dkim_domain),
        ("header.i", message.dkim_identity),
        ("header.s", message.dkim_selector),
        ("header.a", message.dkim_algo),
    ):
        if value:
            result += f" {label}={value}"
    return result


def _dmarc(ctx: Context) -> str:
    message = ctx.message
    if not message.dmarc_status or not message.dmarc_used_domain:
        return ""
    return f"dmarc={message.dmarc_status} header.from={message.dmarc_used_domain}"


def _arc(ctx: Context) -> str:
    message = ctx.message
    if not message.arc_state:
        return ""
    result = f"arc={message.arc_state}"
    if message.arc_state_reason:
        result += f" ({message.arc_state_reason})"
    return result
