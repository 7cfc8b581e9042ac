"""``spf``, ``dkim_…``, ``dmarc_status``, ``dcc``, ``atrn_domains``: verdicts on the client, the sender, the message.

The verdicts come from the door of verdicts (the described world's, so far); what the conditions make of them is here.
Manual 58.3, 58.4, 58.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_domain, match_local_part
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.outcomes import Unanswered
from eximious.interpreter.text import Tainted
from eximious.simulation.acl.conditions.lists import conclude
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK, NotEvaluated
from eximious.simulation.acl.registry import condition, place, verify_item

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

SPF = ("invalid", "neutral", "pass", "fail", "softfail", "none", "temperror", "permerror")
DMARC = ("accept", "reject", "quarantine", "none", "norecord", "nofrom", "temperror", "off")
#: result of SPF -> what its comment says of the domain and the address
_SPF_COMMENTS = {
    "pass": "domain of {0} designates {1} as permitted sender",
    "fail": "domain of {0} does not designate {1} as permitted sender",
    "softfail": "transitioning domain of {0} does not designate {1} as permitted sender",
    "neutral": "{1} is neither permitted nor denied by domain of {0}",
    "none": "domain of {0} does not provide an SPF record",
}


def asked(ctx: Context, kind: str, *question: str) -> Any:
    """Ask for a verdict, once for a message."""
    from eximious.simulation.acl.state import state_of

    known = state_of(ctx).message.verdicts
    if (kind, *question) not in known:
        known[kind, *question] = ctx.env.doors.verdicts.ask(kind, *question)
    return known[kind, *question]


def mapping(kind: str, answer: Any, first: str, names: tuple[str, ...], example: str) -> dict[str, Any]:
    """Give an answer as a mapping; a text alone is what ``first`` names. Raises Unanswered for another form."""
    said = {first: answer} if isinstance(answer, str) else answer
    if not isinstance(said, dict) or first not in said or set(said) - {first, *names}:
        raise Unanswered(kind, "the verdict, in a form that is known", f"verdicts:\n  {kind}:\n{example}")
    return said


# ---- SPF


@condition("spf", section="58.4")
def spf(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the client may send for the sender's domain: the result is one of those listed."""
    return _spf(evaluation, argument, False)


@condition("spf_guess", section="58.4")
def spf_guess(evaluation: Evaluation, argument: str, step: Step) -> int:
    """The same, with the record of the option spf_guess for domains that have none."""
    return _spf(evaluation, argument, True)


def _spf(evaluation: Evaluation, argument: str, guess: bool) -> int:
    ctx = evaluation.ctx
    session, message = ctx.session, ctx.message
    result = "permerror"
    if session.sender_host_address:
        address = _compressed(session.sender_host_address)
        question = (address, session.sender_helo_name, message.sender_address)
        result = _spf_result(ctx, question)
        if guess and result == "none":
            record = str(ctx.env.options.get("spf_guess") or "v=spf1 a/24 mx/24 ptr ?all")
            message.spf_result_guessed = True
            result = _spf_result(ctx, (*question, record))
    for item in split_list(argument):
        if item.startswith("!"):
            if item[1:] != result:
                return OK
        elif item == result:
            return OK
    return FAIL


def _compressed(address: str) -> str:
    """An address as libraries write it, which for IPv6 is shorter than ``-bh`` has it."""
    if ":" not in address:
        return address
    from ipaddress import ip_address

    try:
        return Tainted(ip_address(address).compressed)
    except ValueError:
        return address


def _spf_result(ctx: Context, question: tuple[str, ...]) -> str:
    """Ask, and set the variables by the answer: what it does not give is what libspf2 says of such a result."""
    names = ("header_comment", "smtp_comment", "received", "reason")
    example = (
        f"    - ask: [{', '.join(repr(str(part)) for part in question)}]\n"
        f"      answer: pass   # or one of {', '.join(SPF)}; or {{result: fail, header_comment: …}}\n"
    )
    said = mapping("spf", asked(ctx, "spf", *question), "result", names, example)
    result = str(said["result"])
    if result not in SPF:
        raise Unanswered("spf", f"a result of SPF ({result} is none)", f"verdicts:\n  spf:\n{example}")
    message = ctx.message
    address, helo, sender = question[:3]
    sender = sender or f"postmaster@{helo}"
    comment = said.get("header_comment")
    if comment is None:
        text = _SPF_COMMENTS.get(result)
        if text is None and result != "invalid":
            raise Unanswered(
                "spf", f"the header_comment of the result {result}", f"verdicts:\n  spf:\n{example}"
            )
        comment = ""
        if text is not None:
            comment = f"{ctx.env.primary_hostname}: {text.format(sender.rpartition('@')[2], address)}"
    received = said.get("received")
    if received is None:
        received = ""
        if comment:
            received = f"Received-SPF: {result} ({comment}) client-ip={address}; envelope-from={sender}; helo={helo};"
    message.spf_result = "(invalid)" if result == "invalid" else result
    message.spf_header_comment = Tainted(comment)
    message.spf_received = Tainted(received)
    message.spf_smtp_comment = Tainted(_smtp_comment(ctx, result, said, example))
    return result


def _smtp_comment(ctx: Context, result: str, said: dict[str, Any], example: str) -> str:
    given = said.get("smtp_comment")
    if given is not None:
        return str(given)
    if result not in ("fail", "softfail", "neutral"):
        return ""
    template = str(
        ctx.env.options.get("spf_smtp_comment_template") or "Please%_see%_http://www.open-spf.org/Why"
    )
    if "$" in template or "%{" in template:
        raise Unanswered(
            "spf", "the smtp_comment that a template of its own gives", f"verdicts:\n  spf:\n{example}"
        )
    reason = said.get("reason", "mechanism")
    return f"{template.replace('%_', ' ').replace('%%', '%')} : Reason: {reason}"


# ---- DKIM


@condition("dkim_signers", section="58.3")
def dkim_signers(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the signer for whom the ACL runs is in the list."""
    signer = evaluation.ctx.message.dkim_cur_signer
    return conclude(evaluation, match_domain(evaluation.ctx, signer, argument)) if signer else FAIL


@condition("dkim_status", section="58.3")
def dkim_status(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether what was found of the signature is in the list; outside the DKIM ACL, of any of the signatures."""
    ctx = evaluation.ctx
    status = ctx.message.dkim_verify_status
    if ctx.env.version < (4, 98):
        return conclude(evaluation, match_local_part(ctx, status, argument))
    outcome = FAIL
    for one in split_list(status or "none"):
        outcome = conclude(evaluation, match_local_part(ctx, one, argument))
        if outcome == OK:
            break
    return outcome


# ---- DMARC


@condition("dmarc_status", section="58.6")
def dmarc_status(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether what DMARC recommends is in the list. Asked once; not for clients that have authenticated."""
    ctx = evaluation.ctx
    message, session = ctx.message, ctx.session
    if evaluation.state.message.dmarc_disable_verify:
        return conclude(evaluation, match_local_part(ctx, "off", argument))
    if not session.sender_host_address or session.sender_host_authenticated or not _dmarc_is_set_up(ctx):
        return conclude(evaluation, match_local_part(ctx, message.dmarc_status or "none", argument))
    domain = _from_domain(ctx)
    question = (domain, message.sender_address, _compressed(session.sender_host_address))
    example = (
        f"    - ask: [{', '.join(repr(str(part)) for part in question)}]\n"
        f"      answer: accept   # or one of {', '.join(DMARC)}; or {{status: reject, domain_policy: reject, …}}\n"
    )
    names = ("status_text", "used_domain", "domain_policy", "alignment_spf", "alignment_dkim")
    said = mapping("dmarc", asked(ctx, "dmarc", *question), "status", names, example)
    status = str(said["status"])
    if status not in DMARC:
        raise Unanswered("dmarc", f"a status of DMARC ({status} is none)", f"verdicts:\n  dmarc:\n{example}")
    message.dmarc_status = status
    message.dmarc_status_text = str(said.get("status_text", ""))
    message.dmarc_used_domain = Tainted(str(said.get("used_domain", domain)))
    message.dmarc_domain_policy = str(said.get("domain_policy", ""))
    message.dmarc_alignment_spf = str(said.get("alignment_spf", ""))
    message.dmarc_alignment_dkim = str(said.get("alignment_dkim", ""))
    return conclude(evaluation, match_local_part(ctx, status, argument))


def _dmarc_is_set_up(ctx: Context) -> bool:
    """From 4.94 on there is no DMARC without a list of top-level domains."""
    return ctx.env.version < (4, 94) or bool(ctx.env.options.get("dmarc_tld_file"))


def _from_domain(ctx: Context) -> str:
    """The domain of the address in the From: line; empty where there is none."""
    from eximious.interpreter.engine import expand

    return Tainted(expand("${domain:${address:$h_from:}}", ctx).lower())


# ---- ARC

ARC = ("none", "pass", "fail")


@verify_item("arc")
def arc(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the state of the message's ARC chain is one of those listed; none and pass are, without a list."""
    words = split_list(argument, "/")
    state = _arc_state(evaluation.ctx)
    return OK if state in (split_list(words[1]) if len(words) > 1 else ("none", "pass")) else FAIL


def _arc_state(ctx: Context) -> str:
    """Ask what the chain is worth, and set the variables; a message without one is not asked about."""
    message = ctx.message
    seals: dict[int, str] = {}
    for header in message.headers or ():
        if not header.deleted and header.text[:9].lower() == "arc-seal:":
            tags = dict(part.partition("=")[::2] for part in "".join(header.text[9:].split()).split(";"))
            seals[int(tags["i"]) if tags.get("i", "").isdecimal() else 0] = tags.get("d", "")
    if not seals:
        message.arc_state = "none"
        return "none"
    domains = ":".join(seals[number] for number in sorted(seals))
    example = (
        f"    - ask: ['{domains}']\n"
        "      answer: pass   # or none, fail; or {state: fail, reason: '…', oldest_pass: 1}\n"
    )
    said = mapping("arc", asked(ctx, "arc", domains), "state", ("reason", "oldest_pass", "domains"), example)
    state = str(said["state"])
    if state not in ARC:
        raise Unanswered("arc", f"a state of an ARC chain ({state} is none)", f"verdicts:\n  arc:\n{example}")
    message.arc_state = state
    message.arc_state_reason = str(said.get("reason", ""))
    message.arc_domains = Tainted(str(said.get("domains", domains if state == "pass" else "")))
    message.arc_oldest_pass = int(said.get("oldest_pass", 0))
    return state


# ---- the others


@condition("dcc", section="44.26")
def dcc(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether DCC accepts the message: A and S do, R and G do not, anything else defers. Asked once."""
    ctx = evaluation.ctx
    words = split_list(argument, "/")
    wanted = words[0] if words else ""
    if wanted in ("", "0") or wanted.lower() == "false":
        return FAIL
    message = ctx.message
    address = _compressed(ctx.session.sender_host_address)
    question = (address, ctx.session.sender_helo_name, message.sender_address)
    example = (
        f"    - ask: [{', '.join(repr(str(part)) for part in question)}]\n"
        "      answer: A   # or S, R, G, T; or {result: R, header: 'X-DCC-…'}\n"
    )
    answer = asked(ctx, "dcc", *question)
    if isinstance(answer, dict) and "error" in answer:
        from eximious.interpreter.logs import log_write

        log_write(ctx, str(answer["error"]), "main")
        result = "T"
    else:
        said = mapping("dcc", answer, "result", ("header",), example)
        result = str(said["result"])[:1]
        message.dcc_header = Tainted(str(said.get("header", "")))
    message.dcc_result = "A" if result == "S" else result if result in "ARG" else "T"
    outcome = {"A": OK, "R": FAIL, "G": FAIL}.get(message.dcc_result, DEFER)
    if outcome == DEFER and any(word.lower() == "defer_ok" for word in words[1:]):
        return FAIL
    return outcome


@condition("atrn_domains", section="44.26")
def atrn_domains(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether all the domains that the client of ATRN asked for are in the list; sets ``$domain_data`` by the last."""
    ctx = evaluation.ctx
    wanted = ctx.session.smtp_command_argument
    if not wanted:
        raise NotEvaluated(place(step), "a client that asks for no domains gets those of atrn_domains")
    outcome = FAIL
    for domain in split_list(wanted, ","):
        outcome = conclude(evaluation, match_domain(ctx, domain, argument))
        if outcome != OK:
            return outcome
    return outcome
