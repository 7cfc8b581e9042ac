"""How much is in a mailbox of separate files: counted, or taken from a maildirsize file (manual 26.2, 26.7).

Nothing is written: where Exim makes or renews a maildirsize file, only what it would have in it is worked out.
"""

from __future__ import annotations

import re
import stat
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.regex import Regex

#: folders inside each other, and entries in all of them, that are looked at
DEPTH, MOST = 40, 1_000_000
#: a maildirsize file of this size or more is not used
LONGEST = 5120
#: seconds after which one that says "too much" is not believed
OLD = 15 * 60

_SPACES = r"[ \t\n\v\f\r]*"
_FLOAT = re.compile(
    rf"(?ai){_SPACES}([+-]?(?:0x[0-9a-f]+(?:\.[0-9a-f]*)?(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|nan))"
)
_INTEGER = re.compile(rf"(?a){_SPACES}([+-]?\d+)")


def measured(files: Any, folder: str, pattern: Regex | None) -> tuple[int, int]:
    """Bytes and entries below a folder, folders among them; ``pattern`` finds the size of an entry in its name."""
    size = count = 0
    pending = [(folder, 0)]
    while pending and count < MOST:
        place, depth = pending.pop()
        for name in _names(files, place):
            count += 1
            groups = pattern.search(name) if pattern is not None else None
            if groups is not None and len(groups) > 1 and groups[1].isdigit():
                size += int(groups[1])
                continue
            try:
                found = files.stat(f"{place}/{name}")
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode):
                size += found.st_size // max(1, found.st_nlink)
            elif stat.S_ISDIR(found.st_mode) and depth < DEPTH:
                pending.append((f"{place}/{name}", depth + 1))
    return size, count


def measured_maildir(
    files: Any, folder: str, pattern: Regex | None, wanted: Regex, depth: int = 0
) -> tuple[int, int]:
    """The same of a maildir: the folders in it whose names ``wanted`` finds; those with a dot are maildirs again."""
    size = count = 0
    for name in _names(files, folder):
        place = f"{folder}/{name}"
        if wanted.search(name) is None or not is_folder(files, place):
            continue
        if not name.startswith("."):
            more = measured(files, place, pattern)
        elif depth < DEPTH:
            more = measured_maildir(files, place, pattern, wanted, depth + 1)
        else:
            continue
        size, count = size + more[0], count + more[1]
    return size, count


def is_folder(files: Any, path: str) -> bool:
    """Whether there is a folder of that name."""
    try:
        return stat.S_ISDIR(files.stat(path).st_mode)
    except OSError:
        return False


def _names(files: Any, folder: str) -> list[str]:
    try:
        names: list[str] = files.listdir(folder)
    except OSError:
        return []
    return names


class Limits:
    """A quota (0 entries: any number), and what the message at hand adds to a mailbox."""

    __slots__ = ("count", "more", "one", "size")

    def __init__(self, size: int, count: int, more: int, one: int) -> None:
        self.size, self.count, self.more, self.one = size, count, more, one

    def exceeded(self, size: int, count: int) -> bool:
        """Whether a mailbox has no room for the message."""
        return size + self.more > self.size or bool(self.count and count + self.one > self.count)


def kept(files: Any, folder: str, limits: Limits, now: float) -> tuple[int, int] | None:
    """What the maildirsize file of a folder says, None where Exim would count anew. Raises OSError."""
    path = f"{folder}/maildirsize"
    try:
        found = files.stat(path)
        with files.open(path) as file:
            data = file.read(LONGEST)
    except FileNotFoundError:
        return None
    text = data.decode("latin-1")
    if len(data) >= LONGEST or "\0" in text:
        return None
    quota = _quota(text)
    if quota is None or quota[:2] != (limits.size, limits.count):
        return None
    totals = _totals(text[quota[2] :])
    if totals is None:
        return None
    size, count, lines = totals
    if size < 0 or count < 0:
        return None
    if limits.exceeded(size, count) and (lines > 1 or found.st_mtime + OLD < now):
        return None
    return size, count


def _quota(text: str) -> tuple[int, int, int] | None:
    """The quota of the first line (``10S,5C``), and where the next line begins; None: it is none."""
    size = count = at = 0
    while True:
        value, at = _float(text, at)
        letter, at = text[at : at + 1], at + 1
        if not letter or not isfinite(value):
            return None
        if letter == "S":
            size = int(value)
        elif letter == "C":
            count = int(value)
        if at >= len(text) or text[at] == "\n":
            return size, count, at + 1
        if text[at] != ",":
            return None
        at += 1


def _totals(text: str) -> tuple[int, int, int] | None:
    """The sums of the lines (size, blank, number of files), and how many there are; None: one of them is wrong."""
    size = count = lines = at = 0
    while at < len(text):
        value, at = _float(text, at)
        if not isfinite(value):
            return None
        size, lines = size + int(value), lines + 1
        if at >= len(text):
            break
        if text[at] != " ":
            return None
        at += 1
        rest = "\n" in text[at:]
        number = _INTEGER.match(text, at)
        if number is not None:
            count, at = count + int(number[1]), number.end()
        if not rest:
            break  # Exim does not look at what else a last line has that does not end
        if text[at : at + 1] != "\n":
            return None
        at += 1
    return size, count, lines


def _float(text: str, at: int) -> tuple[float, int]:
    """A number as C reads it, and where it ends; 0 where there is none."""
    match = _FLOAT.match(text, at)
    if match is None:
        return 0.0, at
    word = match[1]
    return float.fromhex(word) if "x" in word.lower() else float(word), match.end()
