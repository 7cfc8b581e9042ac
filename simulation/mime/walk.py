"""Walks through the parts of a message and runs the MIME ACL for each (manual 45.4).

The walk is Exim's: a part's boundary ends where the *innermost* multipart's boundary stands, those further out are not
looked for; what a boundary line goes on with does not matter; messages inside are walked through afterwards, one by
one. Nothing is recursive here, so depth costs nothing; each character is read once unless an ACL looks at the parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.logs import log_write
from eximious.simulation.acl.engine import run_hook
from eximious.simulation.acl.outcomes import DEFER, OK, AclResult
from eximious.simulation.mime.header import HEADER_MAX, read_header, take_header
from eximious.simulation.mime.lines import skip_to_boundary
from eximious.simulation.mime.mailbox import Scan, Stream, scan_of

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

#: what the parts of a multipart are to it: all part of the cover letter, the first only, none
_ALL, _FIRST, _ATTACHMENT = range(3)
#: messages inside that can be waiting to be walked through
_INNER_MAX = 127


class _Level:
    """A multipart that is being walked through."""

    __slots__ = ("boundary", "kind")

    def __init__(self, boundary: str, kind: int) -> None:
        self.boundary, self.kind = boundary, kind


def run_mime_acl(ctx: Context, text: str) -> AclResult:
    """Run a MIME ACL (the text of acl_smtp_mime or acl_not_smtp_mime) for each part of the message in hand.

    A message without a Content-Type: line is accepted unseen. Gives the first result that is not accept, else accept.
    Raises what the doors raise, and OverBudget where parts are read over and over. Manual 45.4.
    """
    message = ctx.message
    if not any(
        not header.deleted and header.text[:13].lower() == "content-type:" for header in message.headers or ()
    ):
        return AclResult(OK, None, None)
    scan = scan_of(ctx)
    message.mime_is_rfc822 = 0
    message.mime_part_count = -1
    walk = _Walk(ctx, scan, text)
    result = walk.parts(Stream(scan.text(ctx)))
    counted = message.mime_part_count
    while result.outcome == OK and walk.inner:
        inner = walk.inner.pop(min(walk.inner))
        message.mime_is_rfc822 = 1
        message.mime_part_count = -1
        result = walk.parts(Stream(*inner))
        message.mime_part_count = counted
    return result


class _Walk:
    """``inner``: the attached messages that wait, by the number of their files, as (text, start, end)."""

    def __init__(self, ctx: Context, scan: Scan, acl: str) -> None:
        self.ctx, self.scan, self.acl = ctx, scan, acl
        self.inner: dict[int, tuple[str, int, int]] = {}
        self.check_length = bool(ctx.env.options.get("check_rfc2047_length", True))

    def parts(self, stream: Stream) -> AclResult:
        """Walk through one message."""
        result = AclResult(OK, None, None)
        levels: list[_Level] = []
        try:
            while True:
                _reset(self.ctx)
                while levels:
                    more = skip_to_boundary(stream, levels[-1].boundary, HEADER_MAX - 1)
                    if more:
                        break
                    # its last boundary, or the end of the text: on with the multipart that it is in
                    levels.pop()
                    if not levels:
                        return result
                    self._next(levels)
                result = self._part(stream, levels)
                if result.outcome != OK or not levels:
                    return result
        finally:
            _reset(self.ctx)

    def _part(self, stream: Stream, levels: list[_Level]) -> AclResult:
        ctx, scan = self.ctx, self.scan
        message = ctx.message
        while (line := read_header(stream)) is not None:
            take_header(message, line, self.check_length)
        kind = message.mime_content_type
        multipart = kind.startswith("multipart")
        boundary = message.mime_boundary
        level = levels[-1] if levels else None
        message.mime_is_multipart = int(multipart)
        message.mime_is_coverletter = int(level is None or level.kind != _ATTACHMENT)
        message.mime_part_count += 1
        scan.stream, scan.boundary = stream, level.boundary if level is not None else None
        try:
            result = run_hook(ctx, "mime", self.acl)
        finally:
            scan.stream = scan.boundary = None
        if result.outcome != OK:
            return result
        if multipart and boundary:
            if level is not None and level.kind == _ATTACHMENT:
                inside = _ATTACHMENT
            else:
                inside = _ALL if kind in ("multipart/alternative", "multipart/related") else _FIRST
            levels.append(_Level(boundary, inside))
            return result
        if kind.startswith("message/rfc822"):
            result = self._keep(stream, level, result)
        self._next(levels)
        return result

    @staticmethod
    def _next(levels: list[_Level]) -> None:
        """A part is over: what follows it in its multipart is no longer the first."""
        if levels and levels[-1].kind == _FIRST:
            levels[-1].kind = _ATTACHMENT

    def _keep(self, stream: Stream, level: _Level | None, result: AclResult) -> AclResult:
        """Decode an attached message, to be walked through later."""
        number = next((one for one in range(_INNER_MAX) if one not in self.inner), None)
        if number is None:
            return result
        from eximious.simulation.mime.decode import decoded

        self.scan.boundary = level.boundary if level is not None else None
        try:
            self.inner[number] = decoded(self.ctx.message, self.scan, stream)
        except MemoryError:
            log_write(
                self.ctx, "MIME acl condition warning - could not decode RFC822 MIME part to file.", "main"
            )
            return AclResult(DEFER, None, None)
        finally:
            self.scan.boundary = None
        return result


def _reset(ctx: Context) -> None:
    """Set the variables of a part to what they are before its header is read."""
    message = ctx.message
    message.mime_anomaly_level = message.mime_is_multipart = message.mime_content_size = 0
    message.mime_anomaly_text = message.mime_boundary = message.mime_charset = ""
    message.mime_decoded_filename = message.mime_filename = message.mime_content_description = ""
    message.mime_content_disposition = message.mime_content_id = message.mime_content_transfer_encoding = ""
    message.mime_content_type = ""
