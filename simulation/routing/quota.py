"""``verify = recipient/quota``: whether the mailbox that an address leads to has room (manual 44.49, 26.2).

As in 4.96 only mailboxes of separate files (``directory``) are looked at, and only where the address leads to one.
"""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.engine import expand
from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.outcomes import Failure
from eximious.interpreter.regex import Regex, compile_regex
from eximious.simulation.routing.callout_cache import ACCEPT, REJECT, Cache, Record
from eximious.simulation.routing.callouts import Caller, CalloutOptions
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
#: folders inside each other, and files in all of them, that are looked at
DEPTH, MOST = 40, 1_000_000
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
    if not _is_folder(files, directory):
        return False
    if not checked:
        checked = directory
        if transport.option("maildir_format") and _exists(files, f"{directory}/maildirfolder"):
            checked = directory.rpartition("/")[0] or "/"
    size, count = known, known_files
    if size is None or (count is None and files_limit):
        pattern = transport.option("quota_size_regex")
        measured = _measured(files, checked, compile_regex(str(pattern)) if pattern else None)
        size = measured[0] if size is None else size
        count = measured[1] if count is None else count
    own, one = (0, 0)
    if transport.option("quota_is_inclusive") is not False:
        own, one = max(0, int(ctx.message.message_size)), 1
    return size + own > limit or bool(files_limit and (count or 0) + one > files_limit)


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


def _is_folder(files: Any, path: str) -> bool:
    try:
        return stat.S_ISDIR(files.stat(path).st_mode)
    except OSError:
        return False


def _measured(files: Any, folder: str, pattern: Regex | None) -> tuple[int, int]:
    """Bytes and files below a folder; ``pattern`` finds the size of a file in its name."""
    size = count = 0
    pending = [(folder, 0)]
    while pending and count < MOST:
        place, depth = pending.pop()
        try:
            names = files.listdir(place)
        except OSError:
            continue
        for name in names:
            groups = pattern.search(name) if pattern is not None else None
            if groups is not None and len(groups) > 1 and groups[1].isdigit():
                size, count = size + int(groups[1]), count + 1
                continue
            try:
                found = files.stat(f"{place}/{name}")
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode):
                size, count = size + found.st_size // max(1, found.st_nlink), count + 1
            elif stat.S_ISDIR(found.st_mode) and depth < DEPTH:
                pending.append((f"{place}/{name}", depth + 1))
    return size, count
