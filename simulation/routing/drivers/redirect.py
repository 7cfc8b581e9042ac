"""The redirect router: aliases, forward files, and what they redirect to (manual 22)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.logs import log_write
from eximious.interpreter.text import follow
from eximious.simulation.routing.address import FILE, PIPE, REPLY
from eximious.simulation.routing.redirection.items import (
    BLACKHOLE,
    DEFERRED,
    DELIVERED,
    FAILED,
    NOTHING,
    Parsed,
    Rules,
    Wrong,
    parse_list,
)
from eximious.simulation.routing.redirection.source import Checks, expanded, filter_kind, looked_at, read_file
from eximious.simulation.routing.registry import router_driver
from eximious.simulation.routing.results import DECLINE, DEFER, DISCARD, FAIL, OK
from eximious.simulation.routing.run import ERRNO_BADTRANSPORT, Stop

if TYPE_CHECKING:
    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun

#: an SMTP code, perhaps an enhanced one, at the start of a message
_CODE = re.compile(r"[245][0-9][0-9]\s(?:[245]\.[0-9]{1,3}\.[0-9]{1,3}\s)?", re.A)
#: children of one address: Exim's own bound
MOST_CHILDREN = 65_535
#: what may be forbidden: kind of address -> option
_FORBIDDEN = {PIPE: "forbid_pipe", FILE: "forbid_file", REPLY: "forbid_filter_reply"}


@router_driver("redirect", section="22")
def redirect(run: RouterRun, address: RoutedAddress) -> str:
    """Replace the address by what ``data`` or the file says."""
    uid, gid, initgroups = run.user_and_group(address)
    owner = (uid, gid, initgroups)
    errors: list[tuple[str, str]] | None = [] if run.option("skip_syntax_errors") else None
    try:
        rules = _rules(run, address, errors)
        parsed = _interpret(run, address, rules, owner)
    except Wrong as wrong:
        address.message = wrong.message
        return DEFER
    if parsed is None:
        address.message = address.user_message = None
        return DECLINE
    return _apply(run, address, parsed, errors, owner)


def _rules(run: RouterRun, address: RoutedAddress, errors: list[tuple[str, str]] | None) -> Rules:
    ctx = run.ctx
    domain: str | None = None
    if run.option("qualify_preserve_domain"):
        domain = address.domain
    elif run.option("qualify_domain") is not None:
        domain = run.expand_data(address, run.option("qualify_domain"))
        if domain is None:
            raise Stop(DECLINE)
    rules = Rules(ctx, address.domain, domain)
    rules.errors = errors
    rules.allow_defer, rules.allow_fail = bool(run.option("allow_defer")), bool(run.option("allow_fail"))
    rules.forbid_blackhole = bool(run.option("forbid_blackhole"))
    rules.forbid_include = bool(run.option("forbid_include"))
    rules.include_directory = run.option("include_directory")
    rules.rewrite = bool(run.option("rewrite") and ctx.env.configuration.rewrite)
    return rules


def _interpret(
    run: RouterRun, address: RoutedAddress, rules: Rules, owner: tuple[int | None, int | None, bool]
) -> Parsed | None:
    """Get the text and take it apart; None: there is no such file. Raises Wrong."""
    ctx = run.ctx
    data, file = run.option("data"), run.option("file")
    if run.trace is not None:
        what, said = ("string", data) if file is None else ("file", file)
        run.trace(f"rda_interpret ({what}): '{said}'")
    text = expanded(ctx, file if file is not None else data)
    if text is None:
        return Parsed()
    if run.trace is not None:
        run.trace(f"expanded: '{text}'")
    if file is not None and not text.startswith("/"):
        raise Wrong(f'"{text}" is not an absolute path')
    if owner[0] is not None and _needs_process(str(text), file is not None):
        trouble = looked_at(ctx, text) if file is not None else ""
        if trouble is None:
            return None
        if not run.privileged:
            _cannot_change_user(run, address, owner[0], trouble)
    if file is not None:
        contents = read_file(ctx, text, _checks(run, owner))
        if contents is None:
            return None
        text = contents
    kind = filter_kind(str(text))
    what = "data" if file is None else "file"
    if kind and _is_filter(run, kind, rules, what):
        from eximious.simulation.acl.outcomes import NotEvaluated

        place = f"{run.name} router: {'data' if file is None else file}"
        raise NotEvaluated(place, f"it is {kind} filter, and filters are not run yet")
    if kind and rules.errors:
        return Parsed()
    try:
        return parse_list(text, rules)
    except Wrong as wrong:
        raise Wrong(f"error in redirect {what}: {wrong.message}") from None


def _needs_process(text: str, is_file: bool) -> bool:
    """Whether Exim interprets a text in a process of the user's: one that makes it read files."""
    return is_file or ":include:" in text or bool(filter_kind(text))


def _cannot_change_user(run: RouterRun, address: RoutedAddress, uid: int, trouble: str) -> None:
    """Exim is no longer root, which it is not while it verifies: it cannot become the user, and defers (manual 22.2).

    ``trouble``: what was found wrong with the file before.
    """
    env = run.ctx.env
    own = env.exim_uid
    if own is None:
        own = env.options.get("exim_user")
    if own == uid:
        return
    message = (
        f"internal problem in {run.name} router (recipient is {address.address}): failure to transfer data "
        f"from subprocess: status=0100 readerror='{trouble.rpartition('(')[2].rstrip(')') or 'Success'}'"
    )
    # without trouble of its own, what another router has left
    said = trouble or address.message
    if said:
        message += f": error={said}"
    log_write(run.ctx, message, "main panic")
    raise run.stop(address, DEFER, message)


def _is_filter(run: RouterRun, kind: str, rules: Rules, what: str) -> bool:
    """Whether a text that looks like a filter is run as one; where that is not enabled it is an error."""
    if not run.option("allow_filter"):
        message = "filtering not enabled"
    elif kind == "an Exim" and run.option("forbid_exim_filter"):
        message = "Exim filtering not enabled"
    elif kind == "a Sieve" and run.option("forbid_sieve_filter"):
        message = "Sieve filtering not enabled"
    else:
        return True
    if rules.errors is None:
        raise Wrong(f"error in filter {what}: {message}")
    rules.errors.append((message, ""))
    return False


def _checks(run: RouterRun, owner: tuple[int | None, int | None, bool]) -> Checks:
    """What the file is asked for. Owner and group are checked where options say so, or who the local user is."""
    checks = Checks()
    checks.modemask = run.option("modemask")
    checks.ignore_eacces, checks.ignore_enotdir = (
        bool(run.option("ignore_eacces")),
        bool(run.option("ignore_enotdir")),
    )
    uid, gid, _ = owner
    if uid is not None:
        checks.user = (uid, gid if gid is not None else 0)
    local = bool(run.option("check_local_user"))
    owners, groups = run.option("owners"), run.option("owngroups")
    check_owner = run.option("check_owner") if run.router.is_set("check_owner") else local or bool(owners)
    check_group = (
        run.option("check_group")
        if run.router.is_set("check_group")
        else (local and not checks.modemask & 0o020) or bool(groups)
    )
    if check_owner:
        checks.owners = set(owners or ()) | ({run.user.pw_uid} if run.user is not None else set())
    if check_group:
        checks.groups = set(groups or ()) | ({run.user.pw_gid} if run.user is not None else set())
    return checks


# ---- what became of it


def _apply(
    run: RouterRun,
    address: RoutedAddress,
    parsed: Parsed,
    errors: list[tuple[str, str]] | None,
    owner: tuple[int | None, int | None, bool],
) -> str:
    outcome = parsed.outcome
    if outcome in (DEFERRED, FAILED):
        if outcome == FAILED:
            add_children(run, address, parsed.addresses, owner)
        return _special_message(run, address, parsed, FAIL if outcome == FAILED else DEFER)
    if outcome == BLACKHOLE:
        run.say("address :blackhole:d")
        parsed.addresses, outcome = [], DELIVERED
    if errors:
        for message, item in errors:
            shown = f'{message} in "{item}"' if item else message
            log_write(run.ctx, f"{run.name} router: skipped error: {shown}")
        if not parsed.addresses:
            address.message = "syntax error in redirection data"
            return DECLINE
    if outcome == NOTHING:
        return DECLINE
    if parsed.addresses:
        add_children(run, address, parsed.addresses, owner)
    elif not run.verifying and not run.testing:
        log_write(run.ctx, f"=> :blackhole: <{address.address}> R={run.name}")
        run.queues.succeeded.append(address)
        return DISCARD
    run.queues.succeeded.append(address)
    return OK


def _special_message(run: RouterRun, address: RoutedAddress, parsed: Parsed, result: str) -> str:
    message = parsed.message
    if message is None:
        address.message = "forced rejection" if result == FAIL else "forced defer"
        return result
    if run.option("forbid_smtp_code"):
        code = _CODE.match(message)
        if code is not None:
            run.say("SMTP code at start of error message is ignored because forbid_smtp_code is set")
            message = follow(message[code.end() :], message)
    address.message = address.user_message = message
    address.pass_message = True
    return result


def add_children(
    run: RouterRun,
    address: RoutedAddress,
    children: list[RoutedAddress],
    owner: tuple[int | None, int | None, bool],
) -> None:
    """Let the children be routed; pipes and files get their transports at once."""
    errors_to = run.errors_address(address)
    added, removed = run.munge_headers(address)
    one_time, hide, check_ancestor = (
        run.option("one_time"),
        run.option("hide_child_in_errmsg"),
        run.option("check_ancestor"),
    )
    if address.child_count + len(children) > MOST_CHILDREN:
        line = (
            f"{run.name} router generated more than {MOST_CHILDREN} child addresses for <{address.address}>"
        )
        log_write(run.ctx, line, "main panic")
        raise run.stop(address, DEFER, line)
    ancestors = _ancestors(address) if check_ancestor else None
    for child in children:
        child.parent = address
        child.start_router = run.redirect_router
        child.inherit(address)
        child.errors_to, child.extra_headers, child.removed_headers = errors_to, added, removed
        if one_time:
            child.onetime_parent = address.first.address
        child.hide_child = child.hide_child or bool(hide)
        if ancestors is not None and _is_ancestor(child.address, ancestors):
            run.say("generated parent replaced by child")
            child.address = address.address
        if child.kind:
            _special_transport(run, address, child, owner)
        if run.trace is not None:
            run.trace(f"{run.name} router generated {child.address}")
    specials = tuple(child for child in children if child.kind)
    if specials:
        address.special_children = (*address.special_children, *specials)
    address.child_count += len(children)
    run.queues.new.extendleft(reversed(children))


def _ancestors(address: RoutedAddress) -> tuple[set[str], set[str]]:
    """The ancestors' texts: those that are compared with their case, and the others in lower case."""
    caseful, caseless = set(), set()
    one: RoutedAddress | None = address
    while one is not None:
        if one.router is not None and one.router.option("caseful_local_part"):
            caseful.add(str(one.address))
        else:
            caseless.add(str(one.address).lower())
        one = one.parent
    return caseful, caseless


def _is_ancestor(text: str, ancestors: tuple[set[str], set[str]]) -> bool:
    return str(text) in ancestors[0] or str(text).lower() in ancestors[1]


def _special_transport(
    run: RouterRun,
    address: RoutedAddress,
    child: RoutedAddress,
    owner: tuple[int | None, int | None, bool],
) -> None:
    """Find the transport of a pipe or file; what is wrong with it stays with the child."""
    child.router = run.router
    child.uid, child.gid, child.initgroups = owner
    home = run.option("transport_home_directory")
    if home is not None:
        child.home_dir = home
    elif run.user is not None:
        child.home_dir = f"\\N{run.user.pw_dir}\\N"
    elif run.option("router_home_directory") is not None:
        child.home_dir = address.home
    child.current_dir = run.option("transport_current_directory")
    text = str(child.address)
    if child.kind == PIPE:
        option = "pipe_transport"
        address.address_pipe = child.address
    elif child.kind == REPLY:
        option = "reply_transport"
    else:
        option = "directory_transport" if text.endswith("/") else "file_transport"
        address.address_file = child.address
    try:
        if run.option(option) is None:
            child.errno = ERRNO_BADTRANSPORT
            child.message = f"{option} unset in {run.name} router"
        else:
            child.transport = run.transport(child, option)
    except Stop:
        child.errno = ERRNO_BADTRANSPORT  # the child has the message
    finally:
        address.address_pipe = address.address_file = ""
    forbidden = run.option(_FORBIDDEN[child.kind]) or (child.kind != REPLY and run.option("one_time"))
    if forbidden and child.errno != ERRNO_BADTRANSPORT:
        child.message = f"delivery to {child.kind} forbidden"
