"""``verify = recipient/quota``: whether the mailbox that an address leads to has room (manual 44.49, 26.2).

As in 4.96 only mailboxes of separate files (``directory``) are looked at, and only where the address leads to one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.regex import compile_regex
from eximious.simulation.routing.callout_cache import ACCEPT, REJECT, Cache, Record
from eximious.simulation.routing.callouts import Caller, CalloutOptions
from eximious.simulation.routing.mailboxes import Limits, is_folder, kept, measured, measured_maildir
from eximious.simulation.routing.results import FAIL, OK
from eximious.simulation.routing.run import RECIPIENT
from eximious.simulation.routing.verify import Verification, Verified

if TYPE_CHECKING:
    from typing import Any

    from eximious.grammar.config_model import Instance
    from eximious.interpreter.context import Context

_SIZE = re.compile(
    r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMG]?)[ \t\n\v\f\r]*(?:(/).*)?\Z", re.S
)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
OVER = "Over quota"
BEFORE = "Previous (cached) quota verification failure"


class Lives:
    """How long what was found holds, in seconds: ``quota=cachepos=…,cacheneg=…``."""

    __slots__ = ("negative", "positive")

    def __init__(self) -> None:
        self.positive, self.negative = 300, 3600


def verify_quota(ctx: Context, address: str, lives: Lives) -> tuple[str, str | None, Verified | None]:
    """Ask about a recipient: OK, FAIL or DEFER, why, and what routing gave (None: it was not asked).

    Raises what the doors raise where a mailbox may not be looked at, or is not described.
    """
    tell = ctx.listener or (lambda line: None)
    cache = Cache(ctx)
    found = cache.address(address, (lives.positive, lives.negative))
    if found is not None:
        tell(f"callout cache: found address record for {address}")
        tell(f"quota cache: address record is {'positive' if found.result == ACCEPT else 'negative'}")
        return (OK, None, None) if found.result == ACCEPT else (FAIL, BEFORE, None)
    tell(f"callout cache: no address record found for {address}")
    saved = ctx.address, ctx.captures, ctx.value
    acl, listening = ctx.session.acl, None
    if acl is not None:  # another process does this, and tells nobody
        acl.trace, listening = None, acl.trace
    try:
        verified = Verification(ctx, RECIPIENT, callout=Caller(ctx, CalloutOptions(), RECIPIENT).ask).ask(
            address
        )
        if verified.outcome != OK:
            return verified.outcome, None, verified
        over = False
        transport = verified.last.transport
        if not verified.several and transport is not None and transport.driver == "appendfile":
            ctx.address = verified.last
            over = _is_over(ctx, transport)
    finally:
        ctx.address, ctx.captures, ctx.value = saved
        if acl is not None:
            acl.trace = listening
    record = Record()
    record.result = REJECT if over else ACCEPT
    cache.keep("address", address, record)
    tell(f"wrote {'negative' if over else 'positive'} quota cache record for {address}")
    return (FAIL, OVER, verified) if over else (OK, None, verified)


def _is_over(ctx: Context, transport: Instance) -> bool:
    """Whether a mailbox is full. What cannot be expanded, and a mailbox that is not there, has room."""
    try:
        directory = _text(ctx, transport, "directory")
        limit, files_limit = _number(ctx, transport, "quota"), _number(ctx, transport, "quota_filecount")
        checked = _text(ctx, transport, "quota_directory")
        known, known_files = (
            _number(ctx, transport, "mailbox_size"),
            _number(ctx, transport, "mailbox_filecount"),
        )
    except (Failure, ValueError):
        return False
    if not directory or not limit:
        return False
    files = ctx.env.doors.files
    if not is_folder(files, directory):
        return False
    if not checked:
        checked = directory
        if transport.option("maildir_format") and _exists(files, f"{directory}/maildirfolder"):
            checked = directory.rpartition("/")[0] or "/"
    size, count = known, known_files
    more, one = (0, 0)
    if transport.option("quota_is_inclusive") is not False:
        more, one = max(0, int(ctx.message.message_size)), 1
    limits = Limits(limit, files_limit or 0, more, one)
    if size is None or (count is None and files_limit):
        try:
            found = _found(ctx, transport, checked, limits, own=checked == directory)
        except (Failure, OSError):
            return False
        size = found[0] if size is None else size
        count = found[1] if count is None else count
    return limits.exceeded(size, count or 0)


def _found(ctx: Context, transport: Instance, folder: str, limits: Limits, own: bool) -> tuple[int, int]:
    """Bytes and entries of a mailbox; ``own``: it is the one delivered to. Raises Failure, OSError."""
    files = ctx.env.doors.files
    text = transport.option("quota_size_regex")
    pattern = compile_regex(str(text)) if text else None
    if not _uses_file(ctx, transport):
        return measured(files, folder, pattern)
    wanted = compile_regex(str(transport.option("maildir_quota_directory_regex")))
    found = kept(files, folder, limits, ctx.env.doors.clock.now())
    if found is not None:
        return found
    if not own and not is_folder(files, f"{folder}/tmp"):
        raise FileNotFoundError(folder)  # where the new file would be written first
    return measured_maildir(files, folder, pattern, wanted)


def _uses_file(ctx: Context, transport: Instance) -> bool:
    value = transport.option("maildir_use_size_file")
    if not isinstance(value, str):
        return bool(value)
    from eximious.simulation.smtp.auth import condition_met

    return condition_met(ctx, value, f"`maildir_use_size_file` in transport {transport.name}")


def _text(ctx: Context, transport: Instance, name: str) -> str:
    text = transport.option(name)
    return "" if text is None else str(expand(str(text), ctx))


def _number(ctx: Context, transport: Instance, name: str) -> int | None:
    """A size, None where there is none or it is not to be checked; raises ValueError for what is no number."""
    text = _text(ctx, transport, name).strip(SPACE)
    if not text:
        return None
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(text)
    if match[3] and "no_check" in text:
        return None
    return int(float(match[1]) * _UNITS[match[2]])


def _exists(files: Any, path: str) -> bool:
    try:
        files.stat(path)
    except OSError:
        return False
    return True
