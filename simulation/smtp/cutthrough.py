"""Cutthrough delivery (manual 44.18): each recipient that an ACL accepts goes through the routers at once.

Nothing is delivered. Where the recipient is not accepted on the way, neither is the RCPT.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import DEFER, FAIL, OK, AclResult

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession

_REPLY = re.compile(r"(?s).*?([0-9]{3}[^0-9]*)")
_OUTCOMES = {"ok": OK, "fail": FAIL, "defer": DEFER}
_NO_CALLOUT = "Cannot do callout: neither router nor transport provided a host list, or transport is not smtp"


def tried(session: SmtpSession, address: str, accepted: AclResult) -> AclResult:
    """The result for a recipient that an ACL accepted: ``accepted``, or that of the routers and of the host asked."""
    from eximious.simulation.routing.run import RECIPIENT
    from eximious.simulation.routing.traces import host_checking
    from eximious.simulation.routing.verify import Verification

    ctx = session.ctx
    callout = None
    if session.state.callouts:
        from eximious.simulation.routing.callouts import Caller, CalloutOptions

        options = CalloutOptions()
        options.use_sender = options.no_cache = True
        callout = Caller(ctx, options, RECIPIENT).ask
    saved = ctx.address, ctx.captures, ctx.value
    listener = ctx.listener
    kept = session.state.kept_domains, session.state.kept_local_parts
    if listener is not None:
        listener(
            f"----------- {'start' if ctx.message.rcpt_count == 1 else 'more'} cutthrough setup ------------"
        )
    try:
        verified = Verification(
            ctx, RECIPIENT, callout=callout, trace=host_checking(ctx), kept=kept, wants_callout=True
        ).ask(address)
    finally:
        ctx.address, ctx.captures, ctx.value = saved
    if listener is not None:
        listener("----------- end cutthrough setup ------------")
    outcome = _OUTCOMES[verified.outcome]
    if verified.several:
        session.state.message.cutthrough = False
    if outcome == OK:
        return accepted
    session.state.message.cutthrough = False
    if outcome == DEFER and not session.state.connection.cutthrough_defer_pass:
        return accepted
    user = accepted.user
    if outcome == DEFER:
        user = _last_reply(verified.message or "") or user
    return AclResult(outcome, user, accepted.log, temp_details=outcome == DEFER)


def _last_reply(message: str) -> str:
    """What Exim takes for the other server's reply: from the last digit's number on, if that has three digits."""
    found = _REPLY.fullmatch(message)
    return found[1] if found is not None else ""
