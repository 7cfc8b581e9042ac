"""``verify = sender``, ``recipient`` and ``header_sender``: addresses through the routers (manual 44.34 to 44.40)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_values import parse_time
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.interpreter.text import follow
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.acl.registry import verify_item

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step
    from eximious.simulation.routing.verify import Verified

EXPECTED = (
    'expected "sender[=address]", "recipient", "helo", "header_syntax", "header_sender", '
    '"header_names_ascii" or "reverse_host_lookup" at start of ACL condition "verify {}"'
)

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
#: seconds that a callout may take where nothing is said
CALLOUT_SECONDS = 30


class SenderFailure:
    """Why a sender did not verify. ``kind``: "", postmaster or null sender; ``told``: the client knows already."""

    __slots__ = ("address", "deferred", "kind", "message", "told", "user_message")

    def __init__(self, address: str, message: str | None, user_message: str | None, deferred: bool) -> None:
        self.address, self.message, self.user_message = address, message, user_message
        self.deferred, self.kind, self.told = deferred, "", False


class Wanted:
    """The options of one ``verify``: what is asked about an address, and how a callout is made."""

    __slots__ = (
        "callout", "callout_defer_ok", "connect", "defer_ok", "mailfrom", "no_cache", "no_details", "options",
        "overall", "postmaster", "quota", "random", "success_on_redirect",
    )  # fmt: skip

    def __init__(self) -> None:
        self.callout = 0
        self.connect = self.overall = -1
        self.defer_ok = self.callout_defer_ok = self.no_details = self.success_on_redirect = False
        self.no_cache = self.random = False
        self.mailfrom: str | None = None
        #: the sender of the postmaster check, None: there is none
        self.postmaster: str | None = None
        self.quota = False
        self.options: set[str] = set()


@verify_item("header_sender")
@verify_item("recipient")
@verify_item("sender")
def address(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Read the item's options, and verify the address or addresses that it is about."""
    words = split_list(argument, "/")
    first = words[0]
    of_its_own = ""
    if first[:6].lower() == "sender" and first[6:]:
        rest = first[6:].lstrip(SPACE)
        if not rest.startswith("="):
            return evaluation.error(EXPECTED.format(argument))
        of_its_own = follow(rest[1:].lstrip(SPACE), argument)
    wanted = Wanted()
    for word in words[1:]:
        outcome = _option(evaluation, argument, word, wanted)
        if outcome != OK:
            return outcome
    if {"use_sender", "use_postmaster"} <= wanted.options:
        return evaluation.error(
            "only one of use_sender and use_postmaster can be set for a recipient callout"
        )
    name = first.lower()
    if name == "header_sender":
        return _header_sender(evaluation, argument, wanted)
    if name == "recipient":
        return _recipient(evaluation, wanted)
    return _sender(evaluation, wanted, of_its_own)


def _option(evaluation: Evaluation, argument: str, word: str, wanted: Wanted) -> int:
    lower = word.lower()
    if lower == "defer_ok":
        wanted.defer_ok = True
    elif lower == "no_details":
        wanted.no_details = True
    elif lower == "success_on_redirect":
        wanted.success_on_redirect = True
    elif lower == "callout_defer_ok":
        wanted.callout = wanted.callout or CALLOUT_SECONDS
        wanted.callout_defer_ok = True
    elif lower == "check_postmaster":
        wanted.postmaster = ""
    elif lower.startswith("callout"):
        wanted.callout = wanted.callout or CALLOUT_SECONDS
        return _callout_options(evaluation, argument, word[len("callout") :].lstrip(SPACE), wanted)
    elif lower.startswith("quota"):
        wanted.quota = True
    else:
        return evaluation.error(f'unknown option "{word}" in ACL condition "verify {argument}"')
    return OK


def _callout_options(evaluation: Evaluation, argument: str, rest: str, wanted: Wanted) -> int:
    if not rest:
        return OK
    if not rest.startswith("="):
        return evaluation.error(f'\'=\' expected after "callout" in ACL condition "{argument}"')
    for option in split_list(rest[1:].lstrip(SPACE), ","):
        name = next((one for one in CALLOUT if option.lower().startswith(one)), "")
        wanted.options.add(name)
        has_value, is_time = CALLOUT.get(name, (False, True))
        value = option
        if has_value:
            value = option[len(name) :].lstrip(SPACE)
            if not value.startswith("="):
                return evaluation.error(f'\'=\' expected after "{name}" in ACL verify condition "{argument}"')
            value = value[1:].lstrip(SPACE)
        seconds = parse_time(value) if is_time else 0
        if seconds < 0:
            return evaluation.error(f'bad time value in ACL condition "verify {argument}"')
        if name == "mailfrom" and not argument.lower().startswith("header_sender"):
            return evaluation.error(
                '"mailfrom" is allowed as a callout option only for verify=header_sender '
                f'(detected in ACL condition "{argument}")'
            )
        _take(wanted, name, value, seconds)
    return OK


def _take(wanted: Wanted, name: str, value: str, seconds: int) -> None:
    if name == "connect":
        wanted.connect = seconds
    elif name == "maxwait":
        wanted.overall = seconds
    elif name == "":
        wanted.callout = seconds
    elif name == "mailfrom":
        wanted.mailfrom = value
    elif name == "postmaster_mailfrom":
        wanted.postmaster = value
    elif name in ("postmaster", "fullpostmaster"):
        wanted.postmaster = ""
    elif name == "defer_ok":
        wanted.callout_defer_ok = True
    elif name == "no_cache":
        wanted.no_cache = True
    elif name == "random":
        wanted.random = True


# ---- what is verified


def _ask(evaluation: Evaluation, text: str, mode: str, wanted: Wanted, qualify: bool = False) -> Verified:
    """Ask the routers, and the hosts they find where a callout is wanted."""
    from eximious.simulation.routing.callouts import caller_for
    from eximious.simulation.routing.verify import Verification

    ctx = evaluation.ctx
    callout = caller_for(ctx, wanted, mode) if wanted.callout else None
    saved = ctx.address, ctx.captures, ctx.value
    try:
        verification = Verification(
            ctx,
            mode,
            callout=callout,
            success_on_redirect=wanted.success_on_redirect,
            qualify=qualify,
            trace=evaluation.state.trace,
        )
        return verification.ask(text)
    finally:
        ctx.address, ctx.captures, ctx.value = saved


def _recipient(evaluation: Evaluation, wanted: Wanted) -> int:
    from eximious.simulation.routing.run import RECIPIENT

    recipient = evaluation.recipient
    if recipient is None:
        return evaluation.error("cannot verify recipient outside an ACL for RCPT")
    message = evaluation.ctx.message
    verified = _ask(evaluation, recipient.address, RECIPIENT, wanted)
    outcome = _outcome(verified)
    failed = verified.failed
    if failed is not None:
        evaluation.log = failed.message
        evaluation.user = failed.user_message
        if evaluation.user is None and failed.pass_message:
            evaluation.user = failed.message
        message.recipient_verify_failure = verified.failure
    else:
        message.recipient_verify_failure = ""
    _keep_address_data(evaluation, verified, "recipient")
    return _decided(evaluation, wanted, verified, outcome)


def _sender(evaluation: Evaluation, wanted: Wanted, of_its_own: str) -> int:
    from eximious.simulation.routing.run import SENDER

    ctx, effects = evaluation.ctx, evaluation.state.message
    text = of_its_own or ctx.message.sender_address
    if not text:
        return OK
    known = effects.verified_senders.get(str(text))
    if known is None or (wanted.callout and not known[1]):
        verified = _ask(evaluation, text, SENDER, wanted)
        known = verified, bool(wanted.callout)
        effects.verified_senders[str(text)] = known
    verified = known[0]
    outcome = _outcome(verified)
    if not of_its_own:
        _rewrite_sender(evaluation, verified)
    failed = verified.failed
    ctx.message.sender_verify_failure = verified.failure if failed is not None else ""
    _keep_address_data(evaluation, verified, "sender")
    if failed is not None:
        failure = effects.sender_failure
        if failure is None or failure.address != str(verified.address.address):
            failure = SenderFailure(
                str(verified.address.address),
                failed.message,
                str(failed.user_message or ""),
                outcome == DEFER,
            )
            failure.kind = getattr(verified, "kind", "")
            effects.sender_failure = failure
        if wanted.no_details:
            failure.told = True
        evaluation.log = "Sender verify failed"
        if outcome == DEFER:
            evaluation.log = "Could not complete sender verify"
        evaluation.user = evaluation.log
    return _decided(evaluation, wanted, verified, outcome)


def _rewrite_sender(evaluation: Evaluation, verified: Verified) -> None:
    """A sender that is verified is rewritten from then on (manual 31.2)."""
    message = evaluation.ctx.message
    if verified.address.address != message.sender_address and verified.failure != "qualify":
        message.sender_address = verified.address.address
    evaluation.state.message.sender_rewritten = True


def _keep_address_data(evaluation: Evaluation, verified: Verified, whose: str) -> None:
    """What routers set as address_data stays as ``$sender_address_data`` or ``$address_data``."""
    data = verified.address.address_data
    address = evaluation.ctx.address
    if whose == "sender":
        address.sender_address_data = data
    else:
        address.address_data = data


def _outcome(verified: Verified) -> int:
    return {"ok": OK, "fail": FAIL, "defer": DEFER}[verified.outcome]


def _decided(evaluation: Evaluation, wanted: Wanted, verified: Verified, outcome: int) -> int:
    """Let the options on deferrals have their say."""
    if outcome == DEFER:
        from_callout = verified.failure not in ("route", "qualify")
        if wanted.defer_ok or (wanted.callout_defer_ok and from_callout):
            evaluation.log = evaluation.user = None
            return OK
        if from_callout:
            evaluation.callout_defer = True
    return outcome


def _header_sender(evaluation: Evaluation, argument: str, wanted: Wanted) -> int:
    """One of the addresses in Sender:, Reply-To: and From: has to verify (manual 44.37)."""
    from eximious.interpreter.addresses import Groups, Syntax, parse_extract_address
    from eximious.interpreter.header_addresses import header_items
    from eximious.simulation.rewriting.addresses import qualify
    from eximious.simulation.routing.run import SENDER

    ctx = evaluation.ctx
    details = bool(ctx.env.options.get("smtp_return_error_details"))
    syntax = Syntax.of(ctx.env.options)
    yielded = FAIL
    seen_defer = found_any = False
    for type_ in ("S", "R", "F"):
        for header in ctx.message.headers or ():
            if header.type != type_ or header.deleted:
                continue
            name = str(header.text).partition(":")[0]
            for item, _ in header_items(header.text, header.text.index(":") + 1):
                found = parse_extract_address(item, False, syntax, Groups())
                if not found.address:
                    if found.error == "empty address":
                        continue
                    where = f"syntax error in '{name}:' header when scanning for sender"
                    evaluation.log = f'{where}: {found.error} in "{item.strip()}"'
                    if details:
                        what = f'Rejected after DATA: could not verify "{name}" header address'
                        evaluation.user = f"{what}\n{found.error}: {item}"
                    return FAIL
                found_any = True
                text = follow(found.address, header.text)
                if not found.domain:
                    text = qualify(ctx, text, False)
                verified = _ask(evaluation, text, SENDER, wanted, qualify=True)
                outcome = _outcome(verified)
                if outcome == OK:
                    return OK
                if outcome == DEFER:
                    seen_defer = True
                    yielded = DEFER
                if verified.failed is not None and details and verified.failed.user_message:
                    evaluation.user = (
                        f'Rejected after DATA: could not verify "{name}" header address\n'
                        f"{text}: {verified.failed.user_message}"
                    )
    if not found_any or not seen_defer:
        evaluation.log = "there is no valid sender in any header line"
        yielded = FAIL
    else:
        evaluation.log = "all attempts to verify a sender in a header line deferred"
        if wanted.defer_ok or wanted.callout_defer_ok:
            evaluation.log = evaluation.user = None
            return OK
    return yielded
