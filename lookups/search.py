"""Searching: a key or query in a source, with partial matching, defaults, kept answers and taint.

:func:`parse_type` when a lookup is read, :func:`find` (or :func:`search`, which also tells what a wild
card stood for) when it runs. The types themselves know nothing of all this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import SPACE
from eximious.interpreter.logs import log_write
from eximious.interpreter.messages import shown
from eximious.interpreter.outcomes import ExpansionError, OverBudget
from eximious.interpreter.text import Tainted, follow, untaint
from eximious.lookups.handles import Source, handles_of, tidyup
from eximious.lookups.registry import ABSFILE_QUERY, LOOKUPS, OpenFailed, Question, SearchDefer, find_type
from eximious.lookups.spec import STAR, STARAT, LookupSpec, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

__all__ = [
    "STAR",
    "STARAT",
    "Found",
    "LookupSpec",
    "OpenFailed",
    "SearchDefer",
    "find",
    "parse_type",
    "search",
    "tidyup",
]

DEPTH = 20  #: lookups that may run inside each other (a wildlsearch key may be a lookup itself)


class Found:
    """What a search found. ``wild`` and ``fixed`` are the parts of the key that a partial match or a
    default split it into (``$1`` and ``$2`` while the result is used), None without these.
    """

    __slots__ = ("value",)  # there is no __init__: the call of one would be a tenth of a lookup
    value: str
    wild: str | None = None
    fixed: str | None = None


class FoundParts(Found):
    """What a partial match or a default found."""

    __slots__ = ("fixed", "wild")

    def __init__(self, value: str, wild: str, fixed: str) -> None:
        self.value, self.wild, self.fixed = value, wild, fixed


def _found(value: str) -> Found:
    found = Found()
    found.value = value
    return found


def find(
    ctx: Context,
    spec: LookupSpec,
    key: str | None,
    file_or_query: str,
    expand: Callable[[str], str] | None = None,
) -> str | None:
    """Give what a lookup finds, None if nothing: :func:`search` for those who need no captures."""
    found = search(ctx, spec, key, file_or_query, expand)
    return None if found is None else found.value


def search(
    ctx: Context,
    spec: LookupSpec,
    key: str | None,
    file_or_query: str,
    expand: Callable[[str], str] | None = None,
) -> Found | None:
    """Look ``key`` up in a file, or put a query (``key`` None), as ``spec`` says.

    ``expand`` expands text in the state of ``ctx`` (wildlsearch keys, sqlite_dbfile, server lists).
    Raises ExpansionError with Exim's message, of which OpenFailed where the source cannot be opened, and
    SearchDefer where there is no answer now. Results are untainted except where a type says otherwise.
    """
    found: Found | None
    handles = ctx.env.searches
    if key and handles is not None and spec.plain:
        # the usual way: one key in the file that was asked last
        source = handles.last
        if (
            source is not None
            and (ask := source.ask) is not None
            and source.name == spec.name
            and source.file == file_or_query
            and type(file_or_query) is str
            and not (spec.cache_read and key in source.answers)
        ):
            try:
                value = ask(key)
            except SearchDefer:
                pass  # below it is asked again, and what is wrong is said
            else:
                handles.error = ""
                if value is not None and "\0" in value:
                    value = value[: value.index("\0")]  # results are C strings
                if spec.cache_write:
                    source.keep(key, value, spec.options_text, None)
                if value is None:
                    return None
                found = Found()
                found.value = value
                return found
    lookup = LOOKUPS.get(spec.name) or find_type(spec.name)
    if lookup is None:
        raise ExpansionError(f'unknown lookup type "{spec.name}"')
    if (key is not None) is not spec.takes_key:
        spec.check_key(key is not None)
    if expand is None:
        expand = _cannot_expand
    if key is None:
        file, key = query_parts(ctx, spec, file_or_query, expand)
    else:
        file = file_or_query
    if handles is None:
        handles = handles_of(ctx.env)
    if type(file) is Tainted:
        # Exim shows whatever its last search error was (nothing at first); the reason is in its log
        log_write(ctx, f"Tainted filename for search: '{file}'", "main panic")
        raise OpenFailed("(null)" if handles.error is None else handles.error)
    source = handles.last
    if source is None or source.file != file or source.type is not lookup or not source.is_open:
        source = handles.source(ctx, lookup, file)
    if not spec.takes_key:
        key = follow(key.lstrip(" \t\n\v\f\r"), key)
        if not key:
            return None
    handles.error = ""
    if handles.depth >= DEPTH:
        raise OverBudget("lookups inside each other", DEPTH)
    handles.depth += 1
    try:
        if spec.partial < 0 and not spec.star:
            value = _find_one(ctx, spec, source, key, expand)
            found = None if value is None else _found(value)
        else:
            found = _matched(ctx, spec, source, key, expand)
    except SearchDefer as defer:
        handles.error = defer.reason
        version = ctx.env.version
        reason = f'"{shown(defer.reason, version)}"' if version >= (4, 99) else defer.reason
        defer.message = f'lookup of "{shown_key(key, version)}" gave DEFER: {reason}'
        raise
    finally:
        handles.depth -= 1
    if found is not None and spec.ret_key:
        found.value = untaint(key)
    return found


def query_parts(ctx: Context, spec: LookupSpec, text: str, expand: Callable[[str], str]) -> tuple[str, str]:
    """Give file ("" for none) and query of a query-style lookup's text (manual 9.22)."""
    if spec.style != ABSFILE_QUERY:
        return "", text
    if spec.file is not None:
        file, query = spec.file, text
    else:
        text = follow(text.lstrip(SPACE), text)
        if text.startswith("/"):
            end = next((at for at, char in enumerate(text) if char in SPACE), len(text))
            file, query = follow(text[:end], text), follow(text[end:].lstrip(SPACE), text)
        else:
            file, query = expand(ctx.env.options.get("sqlite_dbfile") or ""), text
    if not file.startswith("/"):
        raise ExpansionError(f'absolute file name expected for "{spec.name}" lookup')
    return file, query


def shown_key(key: str, version: tuple[int, int]) -> str:
    """A key as the message of a deferred search shows it."""
    if version >= (4, 99):
        return shown(key, version)
    from eximious.lookups.values import printing

    return printing(key)


def _cannot_expand(text: str) -> str:
    if "$" in text or "\\" in text:
        raise ExpansionError(f"no expansion is possible here: {text}")
    return text


def _matched(
    ctx: Context, spec: LookupSpec, source: Source, key: str, expand: Callable[[str], str]
) -> Found | None:
    """The key as it is, then partial matches, then the defaults."""
    value = _find_one(ctx, spec, source, key, expand)
    partial = spec.partial
    if value is not None:
        return FoundParts(value, "", key) if partial >= 0 else _found(value)
    if partial >= 0:
        affix = spec.affix
        if affix:
            value = _find_one(ctx, spec, source, affix + key, expand)
            if value is not None:
                return FoundParts(value, "", key)
        dots = key.count(".")
        rest = key
        while dots >= partial:
            dots -= 1
            at = rest.find(".")
            if at < 0:
                if not affix:
                    break
                last = affix[:-1] if len(affix) > 1 and affix.endswith(".") else affix
                rest = ""
                value = _find_one(ctx, spec, source, last, expand)
            else:
                rest = rest[at + 1 :]
                value = _find_one(ctx, spec, source, affix + rest, expand)
            if value is not None:
                return FoundParts(value, key[: max(0, len(key) - len(rest) - 1)], rest)
            if at < 0:
                break
    if spec.star == STARAT:
        at = key.rfind("@")
        if at > 0:
            value = _find_one(ctx, spec, source, "*" + key[at:], expand)
            if value is not None:
                return FoundParts(value, key[:at], "")
    if spec.star:
        value = _find_one(ctx, spec, source, "*", expand)
        if value is not None:
            return FoundParts(value, key, "")
    return None


def _find_one(
    ctx: Context, spec: LookupSpec, source: Source, key: str, expand: Callable[[str], str]
) -> str | None:
    """One key in the open source, or its kept answer. An empty key is never found."""
    if not key:
        return None
    options = spec.options_text
    if spec.cache_read:
        kept = source.answers.get(key)
        if (
            kept is not None
            and kept[1] == options
            and (kept[2] is None or kept[2] > ctx.env.doors.clock.now())
        ):
            return kept[0]
    if not source.is_open:
        source = handles_of(ctx.env).source(ctx, source.type, source.file)
    if source.ask is not None:
        value = source.ask(key)
        if value is not None and "\0" in value:
            value = value[: value.index("\0")]  # results are C strings
        if spec.cache_write:
            source.keep(key, value, options, None)
        return value
    question = Question(ctx, source.file, key, spec.options, expand)
    value = source.type.find(source.handle, question)
    if value is not None and "\0" in value:
        value = value[: value.index("\0")] if type(value) is str else Tainted(value[: value.index("\0")])
    if question.keep == 0:
        source.forget_all()
    elif spec.cache_write:
        until = None if question.keep is None else ctx.env.doors.clock.now() + question.keep
        source.keep(key, value, options, until)
    return value
