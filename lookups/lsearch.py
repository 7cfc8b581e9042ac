"""lsearch, iplsearch, wildlsearch, nwildlsearch: text files searched line by line (manual 9.3).

Lines are read as Exim's buffer takes them: at most 4095 bytes at a time, text ends at a NUL. A file is
never read whole; for a plain key whole blocks are searched at once and only lines that can match looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.quoting import interpret_escapes
from eximious.interpreter.text import to_bytes, to_text
from eximious.lookups.files import check_regular, not_regular, open_failed
from eximious.lookups.registry import SINGLE_KEY, Lookup, SearchDefer, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question

PIECE = 4095  #: what one read of a line gives at most
BLOCK = 262_144
SPACE = b" \t\n\v\f\r"
_KEY_END = re.compile(rb"[:\s]|\Z")
#: what a line without a key begins with
NO_KEY = b"# \t\n\v\f\r"


class Line:
    """The first piece of a line that can hold a key; ``after``: where the next piece begins in the file."""

    __slots__ = ("after", "ended", "key", "rest")

    def __init__(self, key: bytes, rest: bytes, ended: bool, after: int) -> None:
        self.key, self.rest, self.ended, self.after = key, rest, ended, after

    @property
    def data(self) -> bytes:
        """The text after the key without the white space and the one colon between them."""
        rest = self.rest.lstrip(SPACE)
        return rest[1:].lstrip(SPACE) if rest.startswith(b":") else rest


def _piece(raw: bytes) -> tuple[bytes, bool]:
    """A piece as C sees it, without the white space that ends the line, and whether the line ends."""
    nul = raw.find(b"\0")
    if nul >= 0:
        raw = raw[:nul]
    if raw.endswith(b"\n"):
        return raw.rstrip(SPACE), True
    return raw, False


def parse_line(text: bytes, ended: bool, after: int) -> Line | None:
    """Take the first piece of a line apart; None if it is empty, a comment or a continuation."""
    first = text[:1]
    if first == b'"':
        at = 1
        while at < len(text) and text[at] != 0x22:
            at += 2 if text[at] == 0x5C else 1
        at = min(at, len(text))
        key = to_bytes(interpret_escapes(to_text(text[1:at])))
        return Line(key, text[at + 1 :], ended, after)
    if not first or first in NO_KEY:
        return None
    match = _KEY_END.search(text)
    end = match.start() if match else len(text)
    return Line(text[:end], text[end:], ended, after)


def lines(file: BinaryIO) -> Iterator[Line]:
    """All lines that can hold a key."""
    base = 0
    while True:
        file.seek(base)
        block = file.read(BLOCK)
        cut = len(block) if len(block) < BLOCK else block.rfind(b"\n") + 1
        if not cut or b"\0" in block:
            yield from _lines_by_piece(file, base)
            return
        whole = block[:cut].split(b"\n")
        last = whole.pop()
        for raw in whole:
            start = base
            base += len(raw) + 1
            first = raw[:1]
            if not first or first in NO_KEY:
                continue
            if len(raw) < PIECE:
                line = parse_line(raw.rstrip(SPACE), True, base)
            else:
                line = parse_line(raw[:PIECE], False, start + PIECE)
            if line is not None:
                yield line
        if last:
            line = parse_line(last[:PIECE], False, base + min(len(last), PIECE))
            if line is not None:
                yield line
            base += len(last)


def _lines_by_piece(file: BinaryIO, base: int) -> Iterator[Line]:
    """The same for what has a NUL in it, or lines longer than a block: read as C reads it."""
    at_start = True
    file.seek(base)
    while raw := file.readline(PIECE):
        base += len(raw)
        text, ended = _piece(raw)
        if at_start:
            line = parse_line(text, ended, base)
            if line is not None:
                yield line
                file.seek(base)
        at_start = ended


def data_of(file: BinaryIO, line: Line, whole: bool) -> str:
    """The data of a line with its continuations, or with ``whole`` the key in front as it stands there.

    A continuation's white space counts as one space. The first comment or empty line ends the data,
    whatever continuations follow it (observed; the manual differs).
    """
    file.seek(line.after)
    parts = [line.key + line.rest if whole else line.data]
    ended = line.ended
    while raw := file.readline(PIECE):
        text, now_ended = _piece(raw)
        if ended:
            if not text or text[:1] not in SPACE:
                break
            text = b" " + text.lstrip(SPACE)
        ended = now_ended
        parts.append(text)
    return to_text(b"".join(parts))


def _may_hold(block: bytes, folded: bytes) -> bool:
    """Whether a key, in lower case, can stand in a block: it is there, or there are quoted keys."""
    return folded in block.lower() or block.startswith(b'"') or b'\n"' in block


def find_plain(file: BinaryIO, key: bytes) -> Line | None:
    """The first line with the key, letters of either case."""
    file.seek(0)
    folded = key.lower()
    wanted: re.Pattern[bytes] | None = None  # costs more to make than most files cost to be looked through
    base = 0  # where ``block`` begins in the file: the start of a line, unless in ``tail``
    block = b""
    tail = False
    while more := file.read(BLOCK):
        if b"\0" in more:
            return next((line for line in _lines_by_piece(file, 0) if line.key.lower() == folded), None)
        block += more
        at = 0
        if tail:
            at = block.find(b"\n") + 1
            tail = not at
        cut = len(block) if len(more) < BLOCK else block.rfind(b"\n") + 1
        if not tail:
            # of a line longer than a block only the head is looked at
            until = cut or PIECE
            if not _may_hold(block, folded):
                at = until
            elif wanted is None:
                wanted = re.compile(rb'^(?:%s(?=[:\s]|\Z)|")' % re.escape(key), re.M | re.I)
            while at < until and wanted is not None and (match := wanted.search(block, at, until)):
                start = match.start()
                end = block.find(b"\n", start) + 1 or len(block)
                end_of_piece = min(end, start + PIECE)
                line = parse_line(*_piece(block[start:end_of_piece]), base + end_of_piece)
                if line is not None and line.key.lower() == folded:
                    return line
                at = max(end - 1, start + 1)
                if at >= until:
                    break
            tail = not cut
        base += cut or len(block)
        block = block[cut:] if cut else b""
    return None


class _LineSearch(Lookup):
    """What the four types share: the open file and the form of the result."""

    def open(self, ctx: Context, file: str) -> BinaryIO:
        try:
            opened = ctx.env.doors.files.open(file)
        except IsADirectoryError:
            raise not_regular(file, "lsearch") from None
        except OSError as error:
            raise open_failed(ctx, file, "for linear search", error) from None
        check_regular(ctx, opened, file, "lsearch")
        return opened

    def close(self, handle: BinaryIO) -> None:
        handle.close()

    def find(self, handle: BinaryIO, question: Question) -> str | None:
        line = self.matching(handle, question)
        if line is None:
            return None
        return data_of(handle, line, "ret=full" in question.options and question.ctx.env.version >= (4, 95))

    def matching(self, file: BinaryIO, question: Question) -> Line | None:
        """The line that the key matches."""
        raise NotImplementedError


@lookup("lsearch", style=SINGLE_KEY, section="9.3")
class LinearSearch(_LineSearch):
    """Keys are literal, letters of either case."""

    def matching(self, file: BinaryIO, question: Question) -> Line | None:
        return find_plain(file, to_bytes(question.key))


class _WildSearch(_LineSearch):
    """Keys are items of a list of strings: patterns, regular expressions, lookups, files."""

    expanded = True

    def matching(self, file: BinaryIO, question: Question) -> Line | None:
        from importlib import import_module

        # list matching builds on the lookups, so it is found by name
        match_key = import_module("eximious.conditions.lists.keys").match_key
        folded = to_bytes(question.key).lower()
        for line in lines(file):
            if self._cannot_match(line.key, folded):
                continue
            outcome = match_key(question.ctx, question.key, to_text(line.key), self.expanded)
            if outcome == 0:
                return line
            if outcome == 2:
                raise SearchDefer("")
        return None

    def _cannot_match(self, key: bytes, folded: bytes) -> bool:
        """Whether a key is so plain that a glance shows that it does not match (most are)."""
        first = key[:1]
        if first in b"^@/+!" or b";" in key or (self.expanded and (b"$" in key or b"\\" in key)):
            return False
        plain = key.strip(SPACE).lower()
        return not folded.endswith(plain[1:]) if first == b"*" else plain != folded


@lookup("wildlsearch", style=SINGLE_KEY, section="9.3")
class WildSearch(_WildSearch):
    """Each key is expanded before it is matched."""


@lookup("nwildlsearch", style=SINGLE_KEY, section="9.3")
class UnexpandedWildSearch(_WildSearch):
    """Keys are matched as they stand."""

    expanded = False


@lookup("iplsearch", style=SINGLE_KEY, section="9.3")
class AddressSearch(_LineSearch):
    """Keys are IP addresses, some with masks; ``*`` is found by the key ``*`` only."""

    def matching(self, file: BinaryIO, question: Question) -> Line | None:
        from eximious.interpreter.ipaddress import parse_ip, parse_net, unmapped

        star = question.key == "*"
        address = None if star else parse_ip(question.key)
        if address is None and not star:
            raise SearchDefer(
                f'"{question.key}" is not a valid iplsearch key (an IP address, with optional CIDR mask, '
                "is wanted): in a host list, use net-iplsearch as the search type"
            )
        bits, number = unmapped(address) if address else (0, 0)
        for line in lines(file):
            if star or line.key == b"*":
                if star and line.key == b"*":
                    return line
                continue
            net = parse_net(to_text(line.key))
            if net is not None and net[0] == bits and number & net[2] == net[1] & net[2]:
                return line
        return None
