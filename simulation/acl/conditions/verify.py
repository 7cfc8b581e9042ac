"""``verify =``: its items and their options (manual 44.22, 44.34-44.40).

Whether an address can be routed is for the router chain, which is not here: those items are checked as far as
Exim checks them before it routes, and then refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_values import parse_time
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK, NotEvaluated
from eximious.simulation.acl.phases import allows
from eximious.simulation.acl.registry import VERIFIES, condition, place, verify_item

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

#: items that take no options
_BARE = frozenset(("certificate", "helo", "header_syntax", "header_names_ascii"))
_EXPECTED = (
    'expected "sender[=address]", "recipient", "helo", "header_syntax", "header_sender", '
    '"header_names_ascii" or "reverse_host_lookup" at start of ACL condition "verify {}"'
)


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
        return evaluation.error(_EXPECTED.format(argument))
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
    if not name:
        return False
    if not address:
        return True
    if name.startswith("["):
        inside = name[1:]
        if inside.startswith(address):
            return True
        return address.lower().startswith("::ffff:") and inside.startswith(address[7:])
    if session.sender_host_name is None and not session.host_lookup_failed:
        look_up_name(ctx)
    known = [session.sender_host_name or "", *session.sender_host_aliases]
    if name.lower() in (one.lower() for one in known if one):
        return True
    found = set_addresses(ctx, Host(name), None, Asking())
    return any(host.address == address for host in found.hosts)


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
    from eximious.simulation.acl.engine import printing
    from eximious.simulation.acl.headercheck import bad_address

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


# ---- addresses

#: options of a callout -> whether a value follows an equals sign, and whether that is a time
CALLOUT = {
    "defer_ok": (False, False),
    "no_cache": (False, False),
    "random": (False, False),
    "use_sender": (False, False),
    "use_postmaster": (False, False),
    "use_tptsender": (False, False),
    "postmaster_mailfrom": (True, False),
    "postmaster": (False, False),
    "fullpostmaster": (False, False),
    "mailfrom": (True, False),
    "maxwait": (True, True),
    "connect": (True, True),
    "hold": (False, False),
}


@verify_item("header_sender")
@verify_item("recipient")
@verify_item("sender")
def address(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Check the item's options as Exim does, and say that nothing is routed here."""
    words = split_list(argument, "/")
    first = words[0]
    if first[:6].lower() == "sender" and first[6:] and not first[6:].lstrip(SPACE).startswith("="):
        return evaluation.error(_EXPECTED.format(argument))
    used: set[str] = set()
    for word in words[1:]:
        lower = word.lower()
        if lower in ("defer_ok", "no_details", "success_on_redirect", "callout_defer_ok", "check_postmaster"):
            continue
        if lower.startswith("quota"):
            continue
        if not lower.startswith("callout"):
            return evaluation.error(f'unknown option "{word}" in ACL condition "verify {argument}"')
        outcome = _callout(evaluation, argument, word[len("callout") :].lstrip(SPACE), used)
        if outcome != OK:
            return outcome
    if {"use_sender", "use_postmaster"} <= used:
        return evaluation.error(
            "only one of use_sender and use_postmaster can be set for a recipient callout"
        )
    raise NotEvaluated(place(step), f"verify = {first} needs the router chain")


def _callout(evaluation: Evaluation, argument: str, rest: str, used: set[str]) -> int:
    if not rest:
        return OK
    if not rest.startswith("="):
        return evaluation.error(f'\'=\' expected after "callout" in ACL condition "{argument}"')
    for option in split_list(rest[1:].lstrip(SPACE), ","):
        name = next((one for one in CALLOUT if option.lower().startswith(one)), "")
        used.add(name)
        has_value, is_time = CALLOUT.get(name, (False, True))
        value = option
        if has_value:
            value = option[len(name) :].lstrip(SPACE)
            if not value.startswith("="):
                return evaluation.error(f'\'=\' expected after "{name}" in ACL verify condition "{argument}"')
            value = value[1:].lstrip(SPACE)
        if is_time and parse_time(value) < 0:
            return evaluation.error(f'bad time value in ACL condition "verify {argument}"')
        if name == "mailfrom" and not argument.lower().startswith("header_sender"):
            return evaluation.error(
                '"mailfrom" is allowed as a callout option only for verify=header_sender '
                f'(detected in ACL condition "{argument}")'
            )
    return OK
