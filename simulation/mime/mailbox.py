"""The copy of a message that content scanning works on, and the files beside it (manual 45).

Exim writes it to ``<spool_directory>/scan/<id>/<id>.eml``. Here it is text in memory; only a scanner that is given
a path, and ``decode`` where that is allowed, need it as a file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Lacking
from eximious.simulation.acl.state import state_of

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context

#: characters that may be read for all parts of one message together
READ_MAX = 512 * 1024 * 1024

_ENVELOPE = (
    "From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\n"
    "${if def:sender_address{X-Envelope-From: <${sender_address}>\n}}"
    "${if def:recipients{X-Envelope-To: ${recipients}\n}}"
)


class Stream:
    """A text being read: it ends at ``end``, ``at`` is the place."""

    __slots__ = ("at", "end", "text")

    def __init__(self, text: str, at: int = 0, end: int = -1) -> None:
        self.text, self.at = text, at
        self.end = len(text) if end < 0 else end


class Scan:
    """What content scanning keeps for one message.

    ``stream`` and ``boundary``: the part that a MIME ACL looks at, None outside of one. ``files``: what was decoded,
    by path, as if it had been written; ``written``: what really was. ``kept``: the verdicts that are asked for only
    once, by whoever asks. ``read``: how much of the parts was read so far.
    """

    def __init__(self, ctx: Context) -> None:
        from eximious.interpreter.variables.computed import spool_directory

        self.folder = f"{spool_directory(ctx)}/scan/{ctx.message.message_exim_id}"
        self.eml = f"{self.folder}/{ctx.message.message_exim_id}.eml"
        self.stream: Stream | None = None
        self.boundary: str | None = None
        self.files: dict[str, tuple[str, int, int]] = {}
        self.written: list[str] = []
        self.kept: dict[str, Any] = {}
        self.read = 0
        self._text: str | None = None

    def text(self, ctx: Context) -> str:
        """Give the whole message with its envelope in front, made when it is first needed."""
        if self._text is None:
            self._text = _mailbox(ctx)
        return self._text

    def on_disk(self, ctx: Context) -> str:
        """Write the message to its file, if that is allowed, and give the path. Raises what the door raises."""
        if self.eml not in self.written:
            self.write(ctx, self.eml, self.text(ctx))
        return self.eml

    def owns(self, path: str) -> bool:
        """Whether a path is that of a file in the scan folder."""
        folder, _, name = path.rpartition("/")
        return folder == self.folder and name not in ("", ".", "..")

    def write(self, ctx: Context, path: str, text: str) -> None:
        """Really write a file, and make the scan folder if it is to be there; OSError, Refused."""
        local = ctx.env.doors.files.local_path(path, write=True).encode("latin-1")
        if self.owns(path):
            os.makedirs(os.path.dirname(local), 0o750, exist_ok=True)
        with open(os.open(local, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640), "wb") as file:
            file.write(text.encode("latin-1"))
        if path not in self.written:
            self.written.append(path)


def _mailbox(ctx: Context) -> str:
    from eximious.interpreter.engine import expand

    message = ctx.message
    enabled, message.enable_dollar_recipients = message.enable_dollar_recipients, True
    try:
        envelope = expand(_ENVELOPE, ctx)
    finally:
        message.enable_dollar_recipients = enabled
    headers = "".join(header.text for header in message.headers or () if not header.deleted)
    return f"{envelope}{headers}\n{message.body.decode('latin-1')}"


def scan_of(ctx: Context) -> Scan:
    """Give what scanning keeps for the message in hand, made on first use."""
    effects = state_of(ctx).message
    if effects.scan is None:
        effects.scan = Scan(ctx)
    found: Scan = effects.scan
    return found


def unspool(ctx: Context) -> None:
    """Remove what was written below the scan folder, unless ``control = no_mbox_unspool`` was met (manual 45)."""
    effects = state_of(ctx).message
    scan: Scan | None = effects.scan
    if scan is None or not scan.written or not effects.mbox_unspool:
        return
    own = [path for path in scan.written if scan.owns(path)]
    for path in own:
        with suppress(OSError, Lacking):
            os.unlink(ctx.env.doors.files.local_path(path, write=True).encode("latin-1"))
    with suppress(OSError, Lacking):
        os.rmdir(ctx.env.doors.files.local_path(scan.folder, write=True).encode("latin-1"))
    scan.written = [path for path in scan.written if path not in own]
