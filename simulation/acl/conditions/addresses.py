"""``verify = sender``, ``recipient`` and ``header_sender``: addresses through the routers (manual 44.34 to 44.40)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_values import parse_time
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.interpreter.text import follow
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.acl.registry import verify_item

if TYPE_CHECKING:
    from eximious.conditions.lists.program import Kept
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step
    from eximious.simulation.routing.callouts import CalloutOptions
    from eximious.simulation.routing.quota import Lives
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
_OUTCOMES = {"ok": OK, "fail": FAIL, "defer": DEFER}


class SenderVerified:
    """What the verification of a sender came to; kept while the message lasts.

    ``address``: as it was verified. ``outcome``, ``message`` and ``user_message``: of all of it; ``routed``: whether
    the routers took it; ``callout``: whether a callout was part of it. ``kind``: "", postmaster or null sender;
    ``told``: the client knows already; ``from_callout``: it was a callout that deferred.
    """

    __slots__ = (
        "address", "address_data", "callout", "from_callout", "kind", "message", "outcome", "routed", "told",
        "user_message",
    )  # fmt: skip

    def __init__(self, address: str, told: bool, callout: bool) -> None:
        self.address, self.told, self.callout = address, told, callout
        self.outcome, self.routed, self.from_callout = OK, True, False
        self.message: str | None = None
        self.user_message: str | None = None
        self.address_data = self.kind = ""

    @property
    def deferred(self) -> bool:
        """Whether it could not be decided."""
        return self.outcome == DEFER


class _Wanted:
    """The options of one ``verify``."""

    __slots__ = ("callout", "callout_defer_ok", "defer_ok", "no_details", "quota", "success_on_redirect")

    def __init__(self) -> None:
        self.callout: CalloutOptions | None = None
        self.defer_ok = self.callout_defer_ok = self.no_details = self.success_on_redirect = False
        self.quota: Lives | None = None

    def make_callout(self) -> CalloutOptions:
        """Want a callout, with Exim's options to begin with."""
        if self.callout is None:
            from eximious.simulation.routing.callouts import CalloutOptions

            self.callout = CalloutOptions()
        return self.callout

    @property
    def calls(self) -> bool:
        """Whether there is a callout: not with a time limit of 0."""
        return self.callout is not None and self.callout.seconds > 0


@verify_item("header_sender")
@verify_item("recipient")
@verify_item("sender")
def address(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Read the item's options, and verify the address or addresses that it is about."""
    words = split_list(argument, "/")
    first = words[0]
    name = first.lower()
    given: str | None = None
    if name.startswith("sender"):
        name = "sender"
        rest = first[6:].lstrip(SPACE)
        if first[6:] and not rest.startswith("="):
            return evaluation.error(EXPECTED.format(argument))
        if first[6:]:
            given = follow(rest[1:].lstrip(SPACE), argument)
    wanted = _Wanted()
    for word in words[1:]:
        outcome = _option(evaluation, argument, word, wanted, name)
        if outcome != OK:
            return outcome
    callout = wanted.callout
    if callout is not None and callout.use_sender and callout.use_postmaster:
        return evaluation.error(
            "only one of use_sender and use_postmaster can be set for a recipient callout"
        )
    if wanted.quota:
        if name != "recipient":
            return evaluation.error("can only verify quota of recipient")
        return _quota(evaluation, wanted)
    if name == "header_sender":
        wanted.success_on_redirect = False
        outcome, deferring = _header_sender(evaluation, wanted)
    elif name == "recipient":
        outcome, deferring = _recipient(evaluation, wanted)
    else:
        if callout is not None and (callout.use_sender or callout.use_postmaster):
            return evaluation.error("use_sender or use_postmaster cannot be used for a sender verify callout")
        return _sender(evaluation, wanted, given)
    if _overridden(wanted, outcome, deferring):
        return OK
    evaluation.callout_defer = outcome == DEFER and deferring
    return outcome


def _overridden(wanted: _Wanted, outcome: int, from_callout: bool) -> bool:
    """Whether a deferral counts as success. ``from_callout``: it was a callout that deferred."""
    return outcome == DEFER and (wanted.defer_ok or (wanted.callout_defer_ok and from_callout))


# ---- options


def _option(evaluation: Evaluation, argument: str, word: str, wanted: _Wanted, name: str) -> int:
    lower = word.lower()
    if lower == "defer_ok":
        wanted.defer_ok = True
    elif lower == "no_details":
        wanted.no_details = True
    elif lower == "success_on_redirect":
        wanted.success_on_redirect = True
    elif lower == "callout_defer_ok":
        wanted.make_callout()
        wanted.callout_defer_ok = True
    elif lower == "check_postmaster":
        wanted.make_callout().postmaster = ""
    elif lower.startswith("callout"):
        rest = word[len("callout") :].lstrip(SPACE)
        wanted.make_callout()
        if rest and not rest.startswith("="):
            return evaluation.error(f'\'=\' expected after "callout" in ACL condition "{argument}"')
        for option in split_list(rest[1:].lstrip(SPACE), ",") if rest else ():
            outcome = _callout_option(evaluation, argument, option, wanted, name)
            if outcome != OK:
                return outcome
    elif lower.startswith("quota"):
        return _quota_option(evaluation, argument, word, wanted)
    else:
        return evaluation.error(f'unknown option "{word}" in ACL condition "verify {argument}"')
    return OK


def _quota_option(evaluation: Evaluation, argument: str, word: str, wanted: _Wanted) -> int:
    """``quota``, perhaps with how long what is found holds; what else is behind the equals sign counts for nothing."""
    from eximious.simulation.routing.quota import Lives

    wanted.quota = Lives()
    for option in split_list(word.partition("=")[2].lstrip(SPACE), ","):
        name, equals, value = option.partition("=")
        kind = {"cachepos": "positive", "cacheneg": "negative"}.get(name.strip(SPACE).lower())
        if kind is None or not equals:
            continue
        seconds = parse_time(value.lstrip(SPACE))
        if seconds < 0:
            return evaluation.error(f'bad time value in ACL condition "verify {argument}"')
        setattr(wanted.quota, kind, seconds)
    return OK


def _callout_option(evaluation: Evaluation, argument: str, option: str, wanted: _Wanted, item: str) -> int:
    """One part of ``callout=``: a word counts for the first option whose name it begins with, or is a time."""
    known = evaluation.ctx.env.catalogue.acl("callout_option")
    name = next((one for one in CALLOUT if option.lower().startswith(one) and one in known), "")
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
    if name == "mailfrom" and item != "header_sender":
        return evaluation.error(
            '"mailfrom" is allowed as a callout option only for verify=header_sender '
            f'(detected in ACL condition "{argument}")'
        )
    callout = wanted.make_callout()
    if name == "defer_ok":
        wanted.callout_defer_ok = True
    elif name in ("no_cache", "random", "use_sender", "use_postmaster", "use_tptsender"):
        setattr(callout, name, True)
    elif name in ("postmaster", "fullpostmaster"):
        callout.postmaster = ""
        callout.full_postmaster = callout.full_postmaster or name == "fullpostmaster"
    elif name == "postmaster_mailfrom":
        callout.postmaster = value
    elif name == "mailfrom":
        callout.mailfrom = value
    elif name == "maxwait":
        callout.overall = seconds
    elif name == "connect":
        callout.connect = seconds
    elif not name:
        callout.seconds = seconds
    return OK


# ---- the three items


def _ask(
    evaluation: Evaluation,
    text: str,
    mode: str,
    wanted: _Wanted,
    own_sender: bool = False,
    kept: tuple[Kept, Kept] | None = None,
) -> Verified:
    """Ask the routers, and the hosts they find where a callout is wanted."""
    from eximious.simulation.routing.traces import host_checking
    from eximious.simulation.routing.verify import Verification

    ctx = evaluation.ctx
    callout = None
    if wanted.calls and evaluation.state.callouts:
        from eximious.simulation.routing.callouts import Caller

        assert wanted.callout is not None
        callout = Caller(ctx, wanted.callout, mode).ask
    saved = ctx.address, ctx.captures, ctx.value
    listener = ctx.listener
    try:
        verification = Verification(
            ctx,
            mode,
            callout=callout,
            success_on_redirect=wanted.success_on_redirect,
            own_sender=own_sender,
            trace=host_checking(ctx),
            kept=kept,
            wants_callout=wanted.calls,
        )
        verified = verification.ask(text)
    finally:
        ctx.address, ctx.captures, ctx.value = saved
    if listener is not None:
        listener("----------- end verify ------------")
    if verified.several:
        evaluation.state.message.cutthrough = False
    # the variables of what was routed last stay to be seen
    ctx.address.router_variables = verified.last.router_variables
    return verified


def _quota(evaluation: Evaluation, wanted: _Wanted) -> int:
    """Whether the recipient's mailbox has room; defer_ok and its like have no effect."""
    from eximious.simulation.routing.quota import verify_quota

    recipient = evaluation.recipient
    assert recipient is not None and wanted.quota is not None, "the phases say where this may be used"
    outcome, why, verified = verify_quota(evaluation.ctx, str(recipient.address), wanted.quota)
    if why is None and verified is not None and outcome != "ok":
        told = verified.failed if verified.failed is not None else verified.last
        why = told.message
    evaluation.log = why
    if outcome == "fail":
        routing = verified.failure if verified is not None and verified.outcome != "ok" else ""
        evaluation.ctx.message.recipient_verify_failure = routing or "quota"
    return _OUTCOMES[outcome]


def _recipient(evaluation: Evaluation, wanted: _Wanted) -> tuple[int, bool]:
    """Gives the outcome, and whether a callout deferred."""
    from eximious.simulation.routing.run import RECIPIENT

    recipient = evaluation.recipient
    assert recipient is not None, "the phases say where this may be used"
    kept = evaluation.state.kept_domains, evaluation.state.kept_local_parts
    verified = _ask(evaluation, recipient.address, RECIPIENT, wanted, kept=kept)
    failed = verified.failed
    told = failed if failed is not None else verified.last
    evaluation.log = told.message
    evaluation.user = told.user_message if told.user_message is not None else told.message
    if told.pass_message:
        evaluation.temp_details = True
    evaluation.ctx.message.recipient_verify_failure = verified.failure
    evaluation.ctx.address.address_data = verified.address.address_data
    return _OUTCOMES[verified.outcome], _by_callout(verified)


def _by_callout(verified: Verified) -> bool:
    from eximious.simulation.routing.callouts import ERRNO_CALLOUTDEFER

    return verified.failed is not None and verified.failed.errno == ERRNO_CALLOUTDEFER


def _sender(evaluation: Evaluation, wanted: _Wanted, given: str | None) -> int:
    """The message's sender, or one that the item has of its own."""
    ctx, effects = evaluation.ctx, evaluation.state.message
    text = ctx.message.sender_address if given is None else given
    found = next((one for one in effects.verified_senders if one.address == text), None)
    if found is not None and not wanted.calls:
        outcome = OK if found.routed else found.outcome
        from_callout = not found.routed and found.from_callout
        evaluation.trace("using cached sender verify result")
    else:
        found = _verified_sender(evaluation, wanted, text, given is None)
        outcome, from_callout = found.outcome, found.from_callout
        effects.verified_senders.insert(0, found)
    ctx.address.sender_address_data = found.address_data
    if outcome == OK or _overridden(wanted, outcome, from_callout):
        return OK
    if outcome == FAIL:
        evaluation.log = evaluation.user = "Sender verify failed"
    elif not from_callout:
        evaluation.log = evaluation.user = "Could not complete sender verify"
    else:
        evaluation.log = evaluation.user = "Could not complete sender verify callout"
        if ctx.env.options.get("smtp_return_error_details"):
            evaluation.user = found.user_message
        evaluation.callout_defer = True
    effects.sender_failure = found
    return outcome


def _verified_sender(evaluation: Evaluation, wanted: _Wanted, text: str, own: bool) -> SenderVerified:
    """Verify a sender anew; the empty one, of bounces, always verifies."""
    from eximious.simulation.routing.run import SENDER

    ctx = evaluation.ctx
    found = SenderVerified(text, wanted.no_details, wanted.calls)
    if not text:
        return found
    data = ctx.address.address_data
    verified = _ask(evaluation, text, SENDER, wanted, own_sender=own)
    ctx.address.address_data = data
    ctx.message.sender_verify_failure = verified.failure
    if own:
        evaluation.state.message.sender_rewritten = True
    found.address = verified.address.address
    found.address_data = verified.address.address_data
    found.outcome, found.routed = _OUTCOMES[verified.outcome], verified.routed
    failed = verified.failed
    if failed is not None:
        found.message, found.user_message = failed.message, failed.user_message
        found.from_callout = _by_callout(verified)
        if failed is verified.address:
            found.kind = failed.callout_failure
    return found


def _header_sender(evaluation: Evaluation, wanted: _Wanted) -> tuple[int, bool]:
    """One of the addresses in Sender:, Reply-To: and From: has to verify (manual 44.37)."""
    from eximious.interpreter.addresses import Groups, Syntax, parse_extract_address
    from eximious.interpreter.header_addresses import header_items
    from eximious.simulation.routing.run import SENDER

    ctx, state = evaluation.ctx, evaluation.state
    syntax = Syntax.of(ctx.env.options)
    details = bool(ctx.env.options.get("smtp_return_error_details"))
    yielded, from_callout = FAIL, False
    for type_ in ("S", "R", "F"):
        for header in ctx.message.headers or ():
            if header.type != type_ or header.deleted:
                continue
            colon = header.text.index(":")
            name = header.text[: colon + 1]
            groups = Groups()
            for item, _ in header_items(header.text, colon + 1):
                written = item.strip(SPACE + ",")
                if not written:
                    continue
                known = next((one for one in state.message.verified_senders if one.address == written), None)
                if known is not None and (not wanted.calls or known.callout):
                    outcome, failed_address, why = known.outcome, known.address, known.message
                    from_callout = known.from_callout
                else:
                    found = parse_extract_address(written, False, syntax, groups)
                    if not found.address:
                        if found.error == "empty address":
                            continue
                        evaluation.log = (
                            f"syntax error in '{name}' header when scanning for sender: "
                            f'{found.error} in "{written}"'
                        )
                        outcome = FAIL
                        if details:
                            evaluation.user = f"Rejected after DATA: {evaluation.log}"
                        return outcome, False
                    verified = _ask(evaluation, follow(found.address, header.text), SENDER, wanted)
                    ctx.message.sender_verify_failure = verified.failure
                    outcome = _OUTCOMES[verified.outcome]
                    failed_address = verified.address.address
                    why = verified.failed.message if verified.failed is not None else None
                    from_callout = _by_callout(verified)
                if outcome == OK:
                    return OK, False
                if details:
                    evaluation.user = (
                        f'Rejected after DATA: could not verify "{name}" header address\n'
                        f"{failed_address}: {'NULL' if why is None else why}"
                    )
                if outcome == DEFER:
                    yielded = DEFER
    if yielded == FAIL:
        evaluation.log = "there is no valid sender in any header line"
    else:
        evaluation.log = "all attempts to verify a sender in a header line deferred"
        if details:
            evaluation.temp_details = True
    if details and evaluation.user is None:
        evaluation.user = f"Rejected after DATA: {evaluation.log}"
    return yielded, from_callout
