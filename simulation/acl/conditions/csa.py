"""``verify = csa``: client SMTP authorization by SRV records (manual 44.52)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import NODATA, NOMATCH, SUCCEED, lookup, special_lookup
from eximious.interpreter.ipaddress import parse_ip
from eximious.simulation.acl.outcomes import FAIL, OK
from eximious.simulation.acl.registry import verify_item

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

#: result -> (status, how messages call it)
_WORDS = {
    "unknown": ("unknown", "unknown"),
    "ok": ("ok", "ok"),
    "no srv": ("defer", "deferred (SRV lookup failed)"),
    "no address": ("defer", "deferred (target address lookup failed)"),
    "explicit": ("fail", "failed (explicit authorization required)"),
    "domain": ("fail", "failed (host name not authorized)"),
    "none": ("fail", "failed (no authorized addresses)"),
    "mismatch": ("fail", "failed (client address mismatch)"),
}


@verify_item("csa")
def csa(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the client may send mail under its name: false only where that is denied."""
    ctx = evaluation.ctx
    status, reason = _WORDS[_check(ctx, argument.partition("/")[2])]
    ctx.session.csa_status = status
    evaluation.user = evaluation.log = f"client SMTP authorization {reason}"
    return FAIL if status == "fail" else OK


def _check(ctx: Context, domain: str) -> str:
    session = ctx.session
    name = str(domain.lstrip(" \t\n\v\f\r") or session.sender_helo_name or session.sender_host_address)
    if not session.sender_host_address:
        return "unknown"
    if name.startswith("["):
        name = name[(name.find(":") if ":" in name else 0) + 1 : -1]
    if parse_ip(name) is not None:
        reverse = ctx.env.options.get("dns_csa_use_reverse")
        if reverse is not None and not reverse:
            return "unknown"
        from eximious.interpreter.dns import reverse_name

        name = reverse_name(name)
    known: dict[str, str] = ctx.env.kept.setdefault("csa", {})
    if name not in known:
        known[name] = _asked(ctx, name)
    return known[name]


def _asked(ctx: Context, name: str) -> str:
    answer, found = special_lookup(ctx, name, "CSA")
    if answer.outcome in (NOMATCH, NODATA):
        return "unknown"
    if answer.outcome != SUCCEED:
        return "no srv"
    for record in answer.of("SRV"):
        priority, weight, port, target = record.data
        if priority != 1:
            continue
        if found != name:
            # a parent's: it may say that all below it have records of their own
            return "explicit" if port & 1 else "unknown"
        if weight < 2:
            return "domain"
        if weight == 2:
            return _addresses(ctx, str(target))
    return "unknown"


def _addresses(ctx: Context, target: str) -> str:
    """Whether the client's address is one of the target's."""
    if target in ("", "."):
        return "none"
    # texts are compared, so an IPv6 address that is written otherwise is another
    client = ctx.session.sender_host_address.lower()
    kind = "AAAA" if ":" in ctx.session.sender_host_address else "A"
    answer, _ = lookup(ctx, target, kind)
    if answer.outcome in (NOMATCH, NODATA):
        return "none"
    if answer.outcome != SUCCEED:
        return "no address"
    addresses = [str(record.data[0]).lower() for record in answer.of(kind)]
    if client in addresses:
        return "ok"
    return "mismatch" if addresses else "none"
