"""``verify =``: its items and their options (manual 44.22, 44.34-44.40).

The items about addresses are in :mod:`eximious.simulation.acl.conditions.addresses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import split_list
from eximious.simulation.acl.conditions import addresses
from eximious.simulation.acl.engine import printing
from eximious.simulation.acl.headercheck import bad_address
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.acl.phases import allows
from eximious.simulation.acl.registry import VERIFIES, condition, verify_item

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

#: items that take no options
_BARE = frozenset(("certificate", "helo", "header_syntax", "header_names_ascii"))


@condition("verify")
def verify(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Find the item that the argument begins with, and ask it, if it may be used in this phase."""
    outcome = _verify(evaluation, argument, step)
    if evaluation.user is not None:
        evaluation.ctx.message.acl_verify_message = evaluation.user
    return outcome


def _verify(evaluation: Evaluation, argument: str, step: Step) -> int:
    words = split_list(argument, "/")
    first = words[0].lower() if words else ""
    name = "sender" if first.startswith("sender") else first
    row = evaluation.ctx.env.catalogue.acl_row("verify", name)
    if row is None:
        return evaluation.error(addresses.EXPECTED.format(argument))
    if name in _BARE and "/" in argument:
        return evaluation.error(f"unexpected '/' found in \"{argument}\" (this verify item has no options)")
    if not allows(row, evaluation.phase):
        return evaluation.error(f"cannot verify {name} in ACL for {evaluation.where}")
    return VERIFIES[name].call(evaluation, argument, step)


@verify_item("certificate")
def certificate(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the client's certificate was verified when TLS was started."""
    if evaluation.ctx.session.tls_in.certificate_verified:
        return OK
    evaluation.user = "no verified certificate"
    return FAIL


@verify_item("reverse_host_lookup")
def reverse_host_lookup(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the client has a name that leads back to its address; ``defer_ok`` takes a deferral for one."""
    outcome = _reverse(evaluation)
    if outcome == DEFER and any(word.lower() == "defer_ok" for word in split_list(argument, "/")[1:]):
        return OK
    return outcome


def _reverse(evaluation: Evaluation) -> int:
    from eximious.interpreter.fullhost import build_sender_fullhost
    from eximious.interpreter.hosts import look_up_name

    ctx = evaluation.ctx
    session = ctx.session
    if not session.sender_host_address or session.sender_host_name:
        return OK
    if session.host_lookup_failed:
        evaluation.log = f"host lookup failed{session.host_lookup_msg}"
        return FAIL
    if look_up_name(ctx):
        build_sender_fullhost(ctx)
        return OK
    if session.host_lookup_deferred:
        evaluation.log = "host lookup deferred for reverse lookup check"
        return DEFER
    evaluation.log = f"host lookup failed for reverse lookup check{session.host_lookup_msg}"
    return FAIL


@verify_item("helo")
def helo(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the name in HELO is the client's: by its name, its aliases, or the name's addresses."""
    connection = evaluation.state.connection
    if connection.helo_verified is None:
        connection.helo_verified = verify_helo(evaluation.ctx)
    return OK if connection.helo_verified else FAIL


def helo_is_verified(ctx: Context) -> tuple[bool, bool]:
    """Check the client's HELO name; gives whether it is good, and whether that may change."""
    verified = verify_helo(ctx)
    return verified, not verified and bool(ctx.session.host_lookup_deferred)


def verify_helo(ctx: Context) -> bool:
    """Check the client's HELO name (manual 14, helo_verify_hosts)."""
    from eximious.interpreter.dns import Asking
    from eximious.interpreter.hosts import Host, look_up_name, set_addresses

    session = ctx.session
    name, address = session.sender_helo_name, session.sender_host_address
    tell = ctx.listener or _nobody
    if not name:
        tell("no EHLO/HELO command was issued")
        return False
    tell(f'verifying EHLO/HELO argument "{name}"')
    if not address:
        return True
    if name.startswith("["):
        inside = name[1:]
        if inside.startswith(address):
            tell("matched host address")
            return True
        return address.lower().startswith("::ffff:") and inside.startswith(address[7:])
    if session.sender_host_name is None and not session.host_lookup_failed:
        look_up_name(ctx)
    known = [session.sender_host_name or "", *session.sender_host_aliases]
    for at, one in enumerate(known):
        if one and name.lower() == one.lower():
            tell(f"matched alias {one}" if at else "matched host name")
            return True
    tell(f"getting IP address for {name}")
    if ctx.listener is not None:
        from eximious.conditions.lists.match import match_domain

        for wanted in ("", "*"):  # whether DNSSEC is required, and whether it is asked for
            match_domain(ctx, name, wanted)
    found = set_addresses(ctx, Host(name), None, Asking())
    return any(host.address == address for host in found.hosts)


def _nobody(line: str) -> None:
    """Nobody listens."""


# ---- the message's header lines


def _rejected(evaluation: Evaluation) -> None:
    if evaluation.ctx.env.options.get("smtp_return_error_details"):
        evaluation.user = f"Rejected after DATA: {evaluation.log}"


@verify_item("header_names_ascii")
def header_names_ascii(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the names of all header lines are of visible ASCII characters."""
    from eximious.simulation.acl.headercheck import bad_name

    name = bad_name(evaluation.ctx)
    if name is None:
        return OK
    evaluation.log = f'Invalid character in header "{name}" found'
    _rejected(evaluation)
    return FAIL


@verify_item("header_syntax")
def header_syntax(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether all addresses in the header lines that have some are well formed and qualified."""
    problem = bad_address(evaluation.ctx)
    if problem is None:
        return OK
    evaluation.log = printing(evaluation.ctx, problem)
    if evaluation.ctx.env.options.get("smtp_return_error_details"):
        _rejected(evaluation)
    else:
        evaluation.ctx.message.acl_verify_message = evaluation.log
    return FAIL


@verify_item("not_blind")
def not_blind(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether every recipient stands in a To: or Cc: line."""
    from eximious.simulation.acl.headercheck import is_blind

    caseless = False
    for word in split_list(argument, "/")[1:]:
        if word.lower() != "case_insensitive":
            return evaluation.error(f'unknown option "{word}" in ACL condition "verify {argument}"')
        caseless = True
    if not is_blind(evaluation.ctx, caseless):
        return OK
    evaluation.log = "bcc recipient detected"
    _rejected(evaluation)
    return FAIL
