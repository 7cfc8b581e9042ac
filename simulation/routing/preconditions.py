"""Whether a router is for an address: its preconditions, in Exim's order (manual 3.12).

Each check gives OK, SKIP, or DEFER with the reason in the address. What lists and users leave behind
(``$domain_data``, ``$local_part_data``, ``$home``…) is set on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.conditions.lists.match import match_address, match_domain, match_local_part
from eximious.conditions.lists.result import DEFER as LIST_DEFER
from eximious.conditions.lists.result import FAIL as LIST_FAIL
from eximious.conditions.lists.result import OK as LIST_OK
from eximious.conditions.lists.result import ListResult
from eximious.interpreter.engine import expand
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Defer, Failure, ForcedFailure
from eximious.interpreter.text import follow
from eximious.simulation.routing.results import DEFER, OK, SKIP
from eximious.simulation.routing.run import EXPN, RECIPIENT, ROUTE, SENDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.conditions.lists.program import Kept
    from eximious.interpreter.context import Context
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.options import RouterOptions

    Say = Callable[[str], None]
    Explain = Callable[[str, str, str], None]

_UNSET = 0xFFFFFFFF
_NO_MATCH, _DEFERRED = ListResult(LIST_FAIL), ListResult(LIST_DEFER)


class Kepts:
    """What was found for one address, which holds while it is routed.

    ``domains`` and ``local_parts``: about named lists (manual 10.8); ``matched``: about whole lists of domains;
    ``users``: about local users.
    """

    __slots__ = ("domains", "local_parts", "matched", "users")

    def __init__(self, before: tuple[Kept, Kept] | None = None) -> None:
        """``before``: what named lists said of the domain and of the local part before it was routed."""
        domains, local_parts = before if before is not None else ({}, {})
        self.domains: Kept = dict(domains)
        self.local_parts: Kept = dict(local_parts)
        self.matched: dict[str, ListResult] = {}
        self.users: dict[str, Any] = {}


def affixes(router: RouterOptions, address: RoutedAddress) -> str | None:
    """Choose the case of the local part and take prefix and suffix off; gives what does not match, None if all does."""
    local_part = address.caseful if router.caseful_local_part else address.caseless
    if router.whole and not address.affixes_removed:
        address.local_part = local_part
        return None
    if address.affixes_removed:
        address.local_part_prefix = address.local_part_prefix_v = ""
        address.local_part_suffix = address.local_part_suffix_v = ""
        address.affixes_removed = False
    if router.local_part_prefix is not None:
        for affix in router.local_part_prefix:
            size, wild = affix.prefix_of(local_part)
            if size:
                address.local_part_prefix = follow(local_part[:size], local_part)
                address.local_part_prefix_v = follow(local_part[:wild], local_part) if wild else ""
                local_part = follow(local_part[size:], local_part)
                address.affixes_removed = True
                break
        else:
            if not router.local_part_prefix_optional:
                address.local_part = local_part
                return "prefix"
    if router.local_part_suffix is not None:
        for affix in router.local_part_suffix:
            size, wild = affix.suffix_of(local_part)
            if size:
                at = len(local_part) - size
                address.local_part_suffix = follow(local_part[at:], local_part)
                behind = len(local_part) - wild
                address.local_part_suffix_v = follow(local_part[behind:], local_part) if wild else ""
                local_part = follow(local_part[:at], local_part)
                address.affixes_removed = True
                break
        else:
            if not router.local_part_suffix_optional:
                address.local_part = local_part
                return "suffix"
    address.local_part = local_part
    return None


def mode_forbids(router: RouterOptions, mode: str, testing: bool) -> str:
    """Say why a router is not asked in this mode, "" if it is."""
    if router.verify_only and mode in (ROUTE, EXPN):
        return f"{router.name} router skipped: verify_only set"
    if testing and not router.address_test:
        return f"{router.name} router skipped: address_test is unset"
    if (mode == SENDER and not router.verify_sender) or (mode == RECIPIENT and not router.verify_recipient):
        kind = 2 if mode == SENDER else 1
        wanted = f"{int(bool(router.verify_sender))} {int(bool(router.verify_recipient))}"
        return f"{router.name} router skipped: verify {kind} {wanted}"
    if mode == EXPN and not router.expn:
        return f"{router.name} router skipped: no_expn set"
    return ""


def check(
    ctx: Context,
    router: RouterOptions,
    address: RoutedAddress,
    mode: str,
    testing: bool,
    kepts: Kepts,
    say: Say | None,
    explain: Explain | None = None,
    debug: Say | None = None,
) -> tuple[str, Any]:
    """Check all preconditions behind the affixes; gives OK, SKIP or DEFER, and the user that was found.

    ``explain`` is told of each: option, its text, what came of it. ``debug`` gets what debug_print says.
    """
    address.home = ""
    address.domain_data = address.local_part_data = ""
    address.sender_data = ""
    address.local_user_uid = address.local_user_gid = _UNSET
    ctx.captures = ctx.captures or []
    if ctx.env.searches is not None:
        ctx.env.searches.error = None
    key = (mode, testing)
    forbidden = router.forbidden.get(key)
    if forbidden is None:
        forbidden = router.forbidden[key] = mode_forbids(router, mode, testing)
    if forbidden:
        if say is not None:
            say(forbidden)
        return SKIP, None
    if router.domains is not None:
        result = _domains(ctx, router.domains, address, kepts)
        if explain is not None:
            explain("domains", str(router.domains), OK if result.matched else SKIP)
        outcome = _listed(ctx, router, address, "domains", result, say)
        if outcome != OK:
            return outcome, None
        address.domain_data = result.data or ""
    if router.local_parts is not None:
        outcome = _local_parts(ctx, router, address, kepts, say, explain)
        if outcome != OK:
            return outcome, None
    user = None
    if router.check_local_user:
        if say is not None:
            say("checking for local user")
        user = _user(ctx, address.local_part, kepts)
        if explain is not None:
            explain("check_local_user", str(address.local_part), SKIP if user is None else OK)
        if user is None:
            if say is not None:
                say(f"{router.name} router skipped: {address.local_part} is not a local user")
            return SKIP, None
        address.local_part_data = user.pw_name
        address.home = user.pw_dir
        address.local_user_uid, address.local_user_gid = user.pw_uid, user.pw_gid
    if router.router_home_directory is not None:
        try:
            address.home = expand(router.router_home_directory, ctx)
        except ForcedFailure:
            pass
        except Failure as failure:
            text = router.router_home_directory
            address.message = f'failed to expand "{text}" for router_home_directory: {failure.message}'
            return DEFER, user
    if router.senders is not None:
        sender = ctx.message.sender_address
        result = match_address(ctx, sender, router.senders)
        if explain is not None:
            explain("senders", str(router.senders), OK if result.matched else SKIP)
        outcome = _listed(ctx, router, address, "senders", result, say)
        if outcome != OK:
            return outcome, user
        address.sender_data = result.data or ""
    if router.debug_print is not None and debug is not None:
        _debug_print(ctx, router, debug)
    if router.require_files is not None:
        from eximious.simulation.routing.files import check_files

        outcome = check_files(ctx, address, router.require_files, say)
        if explain is not None:
            explain("require_files", str(router.require_files), outcome)
        if outcome != OK:
            if say is not None:
                say(f"{router.name} router {'skipped' if outcome == SKIP else 'deferred'}: file check")
            return outcome, user
    if router.condition is not None:
        outcome = _condition(ctx, router, address, say, explain)
        if outcome != OK:
            return outcome, user
    return OK, user


def _domains(ctx: Context, text: str, address: RoutedAddress, kepts: Kepts) -> ListResult:
    """Match the domain; a list that says the same whenever it is asked is asked once for an address."""
    if "$" in text:
        # as the matcher would, but without its set-up where nothing comes of it
        try:
            text = expand(text, ctx)
        except ForcedFailure:
            return _NO_MATCH
        except Failure as failure:
            line = f'failed to expand "{text}" while checking a list: {failure.message}'
            log_write(ctx, line, "main panic")
            return _DEFERRED
        return match_domain(ctx, address.domain, text, kept=kepts.domains, expand=False)
    result = kepts.matched.get(text)
    if result is None or ctx.listener is not None:
        result = match_domain(ctx, address.domain, text, kept=kepts.domains)
        if result.outcome != LIST_DEFER:
            kepts.matched[text] = result
    return result


def _user(ctx: Context, name: str, kepts: Kepts) -> Any:
    """The local user of a name, looked up once for an address."""
    users = kepts.users
    if name not in users:
        users[name] = ctx.env.doors.users.getpwnam(name)
    return users[name]


def _listed(
    ctx: Context,
    router: RouterOptions,
    address: RoutedAddress,
    what: str,
    result: ListResult,
    say: Say | None,
) -> str:
    if result.captures is not None:
        ctx.captures = result.captures
    if result.outcome == LIST_OK:
        return OK
    if result.outcome == LIST_DEFER:
        address.message = f"{what} check lookup or other defer"
        return DEFER
    if say is not None:
        say(f"{router.name} router skipped: {what} mismatch")
    return SKIP


def _local_parts(
    ctx: Context,
    router: RouterOptions,
    address: RoutedAddress,
    kepts: Kepts,
    say: Say | None,
    explain: Explain | None = None,
) -> str:
    """Match the local part as received, so that ``+caseful`` works; what named lists said is kept for whole ones."""
    local_part = address.caseful
    if address.affixes_removed:
        start, end = len(address.local_part_prefix), len(local_part) - len(address.local_part_suffix)
        local_part = follow(local_part[start:end], local_part)
    result = match_local_part(
        ctx,
        local_part,
        router.local_parts,
        caseless=not router.caseful_local_part,
        kept=None if address.affixes_removed else kepts.local_parts,
    )
    if explain is not None:
        explain("local_parts", str(router.local_parts), OK if result.matched else SKIP)
    outcome = _listed(ctx, router, address, "local_parts", result, say)
    if outcome == OK:
        address.local_part_data = result.data or ""
    return outcome


def _debug_print(ctx: Context, router: RouterOptions, say: Say) -> None:
    try:
        say(expand(str(router.debug_print), ctx))
    except Failure as failure:
        say(f'failed to expand debug_output "{router.debug_print}": {failure.message}')


def _condition(
    ctx: Context,
    router: RouterOptions,
    address: RoutedAddress,
    say: Say | None,
    explain: Explain | None = None,
) -> str:
    """The option ``condition``: empty, 0, no and false are not met; a failure to expand is not either, and logged."""
    text = str(router.condition)
    if say is not None:
        say(f'checking "condition" "{text[:80]}"...')
    try:
        value = expand(text, ctx)
    except ForcedFailure:
        value = ""
    except Defer:
        address.message = "condition check lookup defer"
        return DEFER
    except Failure as failure:
        line = f'failed to expand condition "{text}" for {router.name} router: {failure.message}'
        log_write(ctx, line, "main panic")
        value = ""
    met = bool(value) and value.lower() not in ("0", "no", "false")
    if explain is not None:
        explain("condition", f'{text} => "{value}"', OK if met else SKIP)
    if met:
        return OK
    if say is not None:
        say(f"{router.name} router skipped: condition failure")
    return SKIP
