"""Redirection lists: addresses, pipes, files and special items (manual 22.4 to 22.6)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from eximious.interpreter.addresses import Syntax, parse_extract_address, parse_find_address_end
from eximious.interpreter.text import Tainted, follow
from eximious.simulation.routing.address import FILE, PIPE, RoutedAddress
from eximious.simulation.routing.children import make_address

if TYPE_CHECKING:
    from eximious.interpreter.context import Context

SPACE = " \t\n\v\f\r"
#: bytes of a file that is read: Exim's own bound
LARGEST = 1 << 20
#: files included by each other; a bound of ours (Exim goes on until its memory is used up)
DEPTH = 40
#: files included for one list; a bound of ours, too
INCLUDED = 20_000
#: items that have a message
_MESSAGES = (":defer:", ":blackhole:", ":fail:")
#: characters of the name of an included file
NAME_LIMIT = 255

# what a list comes to
DELIVERED, NOTHING, BLACKHOLE, DEFERRED, FAILED = "delivered", "nothing", "blackhole", "defer", "fail"


class Wrong(Exception):
    """A list that cannot be used; ``message`` in Exim's words."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Rules:
    """What a list may hold, and how its addresses become whole.

    ``domain``: the incoming address's. ``qualifier``: the domain for addresses that have none, None: as Exim
    qualifies recipients. ``rewrite``: whether the global rules rewrite addresses. ``errors``: gets (what is wrong,
    item) of items that are skipped; None: they are errors. ``include_directory``: where included files must be,
    None: anywhere.
    """

    __slots__ = (
        "allow_defer", "allow_fail", "ctx", "domain", "errors", "forbid_blackhole", "forbid_include",
        "include_directory", "included", "qualifier", "rewrite",
    )  # fmt: skip

    def __init__(self, ctx: Context, domain: str, qualifier: str | None) -> None:
        self.ctx, self.domain, self.qualifier = ctx, domain, qualifier
        self.allow_defer = self.allow_fail = self.forbid_blackhole = self.forbid_include = False
        self.include_directory: str | None = None
        self.rewrite = False
        self.included = 0
        self.errors: list[tuple[str, str]] | None = None

    @property
    def syntax(self) -> Syntax:
        """What is allowed in addresses; read from the options once."""
        kept = self.ctx.env.kept
        found: Syntax | None = kept.get("syntax")
        if found is None:
            found = kept["syntax"] = Syntax.of(self.ctx.env.options)
        return found

    def qualify(self, text: str) -> str:
        """Give an address the domain that it lacks."""
        if self.qualifier is None:
            from eximious.interpreter.variables.computed import qualify_recipient

            self.qualifier = qualify_recipient(self.ctx)
        return follow(f"{text}@{self.qualifier}", text, self.qualifier)


class Parsed:
    """What a list came to: ``outcome`` (DELIVERED, NOTHING, BLACKHOLE, DEFERRED, FAILED), the addresses in the order
    in which they stand, and the message of a special item."""

    __slots__ = ("addresses", "message", "outcome")

    def __init__(self) -> None:
        self.outcome = NOTHING
        self.addresses: list[RoutedAddress] = []
        self.message: str | None = None


def parse_list(text: str, rules: Rules, into: Parsed | None = None, depth: int = 0) -> Parsed:
    """Take a redirection list apart. Raises Wrong with Exim's message."""
    parsed = into or Parsed()
    plain = str(text)
    before = len(parsed.addresses)
    at, end = 0, len(plain)
    while True:
        at = _past_comments(plain, at)
        if at >= end:
            break
        if plain.startswith(_MESSAGES, at):
            _special(plain[at:], rules, parsed, text)
            return parsed
        stop = min(parse_find_address_end(plain, at, True), end)
        item = plain[at:stop].rstrip(SPACE)
        quoted = len(item) > 1 and item[0] == '"' and item[-1] == '"'
        inside = item
        if quoted:
            inside = item[1:-1].strip(SPACE)
        following = stop
        if inside and ":unknown:".startswith(inside[: len(":unknown:")]) and len(inside) <= len(":unknown:"):
            at = following
            continue
        if inside.startswith(_MESSAGES):
            _special(plain[plain.index(inside, at) :], rules, parsed, text, inside)
            return parsed
        if inside.startswith(":include:"):
            _include(follow(inside[len(":include:") :], text), rules, parsed, depth)
            if parsed.outcome not in (NOTHING, DELIVERED):
                return parsed
        else:
            address = _address(follow(inside, text), quoted, rules)
            if address is not None:
                parsed.addresses.append(address)
        at = following
    if len(parsed.addresses) > before or rules.errors or parsed.addresses:
        parsed.outcome = DELIVERED
    return parsed


def _past_comments(text: str, at: int) -> int:
    """The offset of the next item: behind blanks, commas and comments."""
    end = len(text)
    while at < end:
        if text[at] in SPACE or text[at] == ",":
            at += 1
        elif text[at] == "#":
            newline = text.find("\n", at)
            at = end if newline < 0 else newline
        else:
            break
    return at


def _special(rest: str, rules: Rules, parsed: Parsed, source: str, item: str | None = None) -> None:
    """A special item, which takes everything behind it, commas included, as its message."""
    if rest.startswith(":defer:"):
        word, outcome, allowed = ":defer:", DEFERRED, rules.allow_defer
    elif rest.startswith(":blackhole:"):
        word, outcome, allowed = ":blackhole:", BLACKHOLE, not rules.forbid_blackhole
    else:
        word, outcome, allowed = ":fail:", FAILED, rules.allow_fail
    if not allowed:
        if item is None:
            item = rest[: parse_find_address_end(rest, 0, True)].rstrip(SPACE)
        raise Wrong(f'"{item}" is not permitted')
    message = rest[len(word) :].lstrip(SPACE).rstrip("\n")
    parsed.outcome, parsed.message = outcome, follow(message, source)


# ---- files


def _include(name: str, rules: Rules, parsed: Parsed, depth: int) -> None:
    path = follow(str(name).lstrip(SPACE), name)
    if not path:
        raise Wrong("file name missing after :include:")
    if len(path) > NAME_LIMIT:
        raise Wrong(f'included file name "{path}" is too long')
    if not path.startswith("/"):
        raise Wrong(f'included file "{path}" is not an absolute path')
    if rules.forbid_include:
        raise Wrong("included files not permitted")
    if type(path) is Tainted and rules.ctx.env.version >= (4, 94):
        raise Wrong(f"Tainted name '{path}' for included file  not permitted\n")
    if depth >= DEPTH:
        raise Wrong(f"failed to open included file {path}: Too many open files")
    rules.included += 1
    if rules.included > INCLUDED:
        raise Wrong(f"more than {INCLUDED} included files")
    if rules.include_directory is not None:
        _check_directory(path, rules.include_directory, rules.ctx)
    text = read_included(rules.ctx, path, rules.include_directory)
    parse_list(text, rules, parsed, depth + 1)


def _check_directory(path: str, directory: str, ctx: Context) -> None:
    folder = directory.rstrip("/")
    if not path.startswith(folder + "/"):
        raise Wrong(f"included file {path} is not in directory {directory}")
    # no part below the folder may be a symbolic link
    at = folder
    for part in path[len(folder) + 1 :].split("/"):
        at = f"{at}/{part}"
        try:
            entry = ctx.env.doors.files.stat(at, follow_symlinks=False)
        except OSError:
            raise Wrong(f"failed to open {at} (component of included file); could be symbolic link") from None
        if stat.S_ISLNK(entry.st_mode):
            raise Wrong(f"failed to open {at} (component of included file); could be symbolic link")


def read_included(ctx: Context, path: str, directory: str | None) -> str:
    """Read an included file. Raises Wrong."""
    files = ctx.env.doors.files
    try:
        entry = files.stat(path)
        if directory is not None and not stat.S_ISREG(entry.st_mode):
            raise Wrong(f"included file {path} is not a regular file in the {directory} directory")
        if entry.st_size > LARGEST:
            raise Wrong(f"included file {path} is too big (max {LARGEST})")
        with files.open(path) as stream:
            data = stream.read(LARGEST + 1)
    except IsADirectoryError:
        raise Wrong(f"error while reading included file {path}: Is a directory") from None
    except OSError as problem:
        reason = os.strerror(problem.errno) if problem.errno else str(problem)
        raise Wrong(f"failed to open included file {path}: {reason}") from None
    return data.decode("latin-1").partition("\0")[0]


# ---- addresses, pipes, files


def _address(item: str, quoted: bool, rules: Rules) -> RoutedAddress | None:
    """Make the address an item is; None for an empty one and for one that is skipped. Raises Wrong."""
    recipient: str | None = None
    has_domain = False
    error = ""
    if item.startswith("\\"):
        found = parse_extract_address(item[1:], False, rules.syntax)
        if found.address and not found.domain:
            recipient, has_domain = follow(f"{found.address}@{rules.domain}", item, rules.domain), True
    if recipient is None:
        found = parse_extract_address(item, False, rules.syntax)
        if found.address:
            recipient, has_domain = follow(found.address, item), bool(found.domain)
        else:
            error = found.error
    if item[:1] in ("|", "/") and (recipient is None or not has_domain):
        return _special_address(item, quoted)
    if recipient is None:
        if error == "empty address":
            return None
        if rules.errors is not None:
            rules.errors.append((error, item))
            return None
        raise Wrong(f'{error} in "{item}"')
    if not has_domain:
        recipient = rules.qualify(recipient)
    if rules.rewrite:
        from eximious.simulation.rewriting.addresses import rewrite_address

        recipient = rewrite_address(rules.ctx, recipient, is_recipient=True)
    return make_address(recipient)


def _special_address(item: str, quoted: bool) -> RoutedAddress:
    """A pipe or a file; in a quoted item backslashes protect what follows them."""
    text = str(item)
    if quoted and "\\" in text:
        out = []
        at = 0
        while at < len(text):
            if text[at] == "\\":
                at += 1
            out.append(text[at : at + 1])
            at += 1
        text = "".join(out)
    address = make_address(follow(text, item))
    address.kind = PIPE if text.startswith("|") else FILE
    return address
