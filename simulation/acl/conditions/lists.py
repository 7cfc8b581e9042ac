"""Conditions that look for the client, the sender or the recipient in a list (manual 44.22, chapter 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_address, match_domain, match_host, match_local_part
from eximious.interpreter.text import follow
from eximious.simulation.acl.outcomes import ERROR
from eximious.simulation.acl.registry import condition

if TYPE_CHECKING:
    from eximious.conditions.lists.result import ListResult
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step


def conclude(evaluation: Evaluation, result: ListResult) -> int:
    """Take over what a match left: captures, and why it could not be decided."""
    if result.captures is not None:
        evaluation.ctx.captures = result.captures
    if result.deferred:
        evaluation.search_error = result.message
    return result.outcome


@condition("hosts")
def hosts(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the client is in a host list; ``$host_data`` is the value of the match."""
    ctx = evaluation.ctx
    known = ctx.session.sender_host_name
    result = match_host(ctx, argument, kept=evaluation.state.kept_hosts)
    if ctx.session.sender_host_name != known:  # an item had the client's name looked up
        from eximious.interpreter.fullhost import build_sender_fullhost

        build_sender_fullhost(ctx)
    if result.deferred:
        evaluation.log = result.message
    if result.touched:
        ctx.session.host_data = result.data or ""
    return conclude(evaluation, result)


@condition("senders")
def senders(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the envelope sender is in an address list; ``$sender_data`` is the value of the match."""
    ctx = evaluation.ctx
    kept = evaluation.state.message.kept_senders
    result = match_address(ctx, ctx.message.sender_address, argument, kept=kept)
    if result.touched:
        ctx.address.sender_data = result.data or ""
    return conclude(evaluation, result)


@condition("sender_domains")
def sender_domains(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the sender's domain (empty for a bounce) is in a domain list."""
    ctx = evaluation.ctx
    sender = ctx.message.sender_address
    domain = follow(sender.rpartition("@")[2], sender) if "@" in sender else ""
    return conclude(
        evaluation, match_domain(ctx, domain, argument, kept=evaluation.state.message.kept_sender_domains)
    )


@condition("domains")
def domains(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the recipient's domain is in a domain list; ``$domain_data`` is the value of the match."""
    ctx, recipient = evaluation.ctx, evaluation.recipient
    if recipient is None:
        return ERROR
    result = match_domain(ctx, recipient.domain, argument, kept=evaluation.state.kept_domains)
    ctx.address.domain_data = result.data or ""
    return conclude(evaluation, result)


@condition("local_parts")
def local_parts(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the recipient's local part is in a list, caselessly; ``$local_part_data`` is the value."""
    ctx, recipient = evaluation.ctx, evaluation.recipient
    if recipient is None:
        return ERROR
    result = match_local_part(ctx, recipient.caseful, argument, kept=evaluation.state.kept_local_parts)
    ctx.address.local_part_data = result.data or ""
    return conclude(evaluation, result)


@condition("recipients")
def recipients(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the recipient is in an address list; ``$recipient_data`` is the value of the match."""
    ctx, recipient = evaluation.ctx, evaluation.recipient
    if recipient is None:
        return ERROR
    result = match_address(ctx, recipient.address, argument)
    if result.touched:
        ctx.address.recipient_data = result.data or ""
    return conclude(evaluation, result)
