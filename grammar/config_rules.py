"""The lines of the rewrite and retry sections: their parts, and what Exim refuses in them (manual 31, 32).

The readers give offsets into the line, for the tree; :class:`Rewriting` and :class:`Retrying` are the rules
as Exim uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_values import LONG_MAX, ValueProblem, parse_time, word_or_quoted, wrap32
from eximious.grammar.listspans import SPACE
from eximious.grammar.patterns import compiled

if TYPE_CHECKING:
    from eximious.grammar.config_ast import RetryRule, RewriteRule

    Place = tuple[int, int]

HEADER_FLAGS = "bcfrsth"
ENVELOPE_FLAGS = "EFTS"  #: not for headers_rewrite of a transport
FLAGS = HEADER_FLAGS + ENVELOPE_FLAGS + "qQRw"

_GRAPH = r"[^\x00-\x20\x7f]+"
_ARGUMENT = r"[0-9A-Za-z]*"
_FIXED_ARGUMENT = r"[0-9A-Za-z.]*"
_FIXED = r"([0-9]+)(?:\.([0-9]*))?"
_SMTP_ERROR = r"(?i)(mail|rcpt|data)_4"
_SMTP_CODE = r"(?:xx|[0-9]x|[0-9][0-9])\Z"

#: error names that Exim wants whole, and those of which it takes any beginning
EXACT_ERRORS = ("*", "auth_failed", "refused", "timeout", "quota")
SHORTENED_ERRORS = ("lookup", "lost_connection", "tls_required")


def skip(text: str, at: int) -> int:
    """Give the offset of the first character from ``at`` on that is no white space."""
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


# -- rewriting -----------------------------------------------------------------------------------------


class _Record:
    """A few fields with equality."""

    __slots__: tuple[str, ...] = ()

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in type(self).__slots__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Record) and type(self) is type(other) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._fields()))})"


class Rewriting(_Record):
    """A rewriting rule: pattern and replacement with quotes and escapes resolved, its flag letters."""

    __slots__ = ("flags", "pattern", "replacement")

    def __init__(self, pattern: str, replacement: str, flags: str) -> None:
        self.pattern, self.replacement, self.flags = pattern, replacement, flags


def rewrite_parts(text: str) -> tuple[Place, Place, Place | None]:
    """Give (start, end) of pattern, replacement and flags of a rewriting rule. Raises ValueProblem."""
    pattern, end = word_or_quoted(text, 0)
    start = skip(text, end)
    if start == len(text):
        raise ValueProblem("rewrite-replacement", "missing rewrite replacement string", len(text))
    _, stop = word_or_quoted(text, start)
    flags = skip(text, stop)
    check_flags(text, flags, pattern)
    return (0, end), (start, stop), (flags, len(text)) if flags < len(text) else None


def check_flags(text: str, at: int, pattern: str) -> None:
    """Check the flags of a rule from offset ``at`` on. Raises ValueProblem."""
    for offset in range(at, len(text)):
        flag = text[offset]
        if flag in " \t":
            continue
        if flag not in FLAGS:
            raise ValueProblem(
                "rewrite-flag",
                f"unknown rewrite flag character '{flag}' (could be missing quotes round replacement item)",
                offset,
            )
        if flag == "S" and not pattern.startswith(("^", "\\N^")):
            raise ValueProblem(
                "rewrite-smtp", "rewrite rule has the S flag but is not a regular expression", offset
            )


def rewriting(text: str) -> Rewriting:
    """Read a rewriting rule from its text. Raises ValueProblem."""
    pattern, end = word_or_quoted(text, 0)
    start = skip(text, end)
    if start == len(text):
        raise ValueProblem("rewrite-replacement", "missing rewrite replacement string", len(text))
    replacement, stop = word_or_quoted(text, start)
    check_flags(text, stop, pattern)
    return Rewriting(pattern, replacement, "".join(text[stop:].split()))


def rewriting_of(rule: RewriteRule) -> Rewriting:
    """Give what a rule of the tree means."""
    flags = "".join(rule.flags.raw.split()) if rule.flags is not None else ""
    return Rewriting(
        word_or_quoted(rule.pattern.raw, 0)[0], word_or_quoted(rule.replacement.raw, 0)[0], flags
    )


# -- retry ---------------------------------------------------------------------------------------------


class RetryStepMeaning(_Record):
    """One step: ``algorithm`` F, G or H; ``until`` and ``interval`` in seconds; ``factor`` in thousandths."""

    __slots__ = ("algorithm", "factor", "interval", "until")

    def __init__(self, algorithm: str, until: int, interval: int, factor: int) -> None:
        self.algorithm, self.until, self.interval, self.factor = algorithm, until, interval, factor


class Retrying(_Record):
    """A retry rule with quotes and escapes resolved; ``error``: the full name in lower case."""

    __slots__ = ("error", "pattern", "senders", "steps")

    def __init__(
        self, pattern: str, error: str, senders: str | None, steps: tuple[RetryStepMeaning, ...]
    ) -> None:
        self.pattern, self.error, self.senders, self.steps = pattern, error, senders, steps


class RetryParts:
    """Offsets of the parts of a retry rule; a step is (algorithm's offset, (start, end) of arguments)."""

    __slots__ = ("error", "pattern", "senders", "steps")

    def __init__(
        self,
        pattern: Place,
        error: Place,
        senders: Place | None,
        steps: tuple[tuple[int, tuple[Place, ...]], ...],
    ) -> None:
        self.pattern, self.error, self.senders, self.steps = pattern, error, senders, steps


def retry_parts(text: str) -> RetryParts:
    """Give the parts of a retry rule, checked in Exim's order. Raises ValueProblem."""
    _, end = word_or_quoted(text, 0)
    start = skip(text, end)
    match = compiled(_GRAPH).match(text, start)
    if match is None:
        raise ValueProblem("retry-error-missing", "missing error type in retry rule", start)
    retry_error(match.group(), start)
    at = skip(text, match.end())
    senders = None
    if text.startswith("senders", at):
        at = skip(text, at + 7)
        if text[at : at + 1] != "=":
            raise ValueProblem("retry-senders", '"=" expected after "senders" in retry rule', at)
        begin = skip(text, at + 1)
        _, at = word_or_quoted(text, begin)
        senders = (begin, at)
        at = skip(text, at)
    steps = []
    while at < len(text):
        step, at = _retry_step(text, at)
        steps.append(step)
    return RetryParts((0, end), match.span(), senders, tuple(steps))


def _retry_step(text: str, at: int) -> tuple[tuple[int, tuple[Place, ...]], int]:
    """Read one step; gives it and the offset of the next."""
    begin = at
    letter = text[at].upper()
    until = _retry_argument(text, at + 1, _ARGUMENT)
    if letter not in "FGH":
        raise ValueProblem("retry-letter", "unknown retry rule letter", begin)
    interval = _retry_argument(text, until[1], _ARGUMENT)
    arguments = [until, interval]
    if letter != "F":
        arguments.append(_retry_argument(text, interval[1], _FIXED_ARGUMENT))
    values = step_values(letter, [text[start:end] for start, end in arguments])
    if values.until <= 0 or values.interval <= 0 or (letter != "F" and values.factor < 1000):
        raise ValueProblem("retry-parameters", "bad parameters for retry rule", begin)
    at = skip(text, arguments[-1][1])
    if at < len(text):
        if text[at] != ";":
            raise ValueProblem("retry-semicolon", "semicolon expected", at)
        at = skip(text, at + 1)
    return (begin, tuple(arguments)), at


def _retry_argument(text: str, at: int, shape: str) -> Place:
    """Find the argument after a comma; gives its offsets."""
    if text[at : at + 1] != ",":
        raise ValueProblem("retry-comma", "comma expected", at)
    match = compiled(shape).match(text, skip(text, at + 1))
    assert match is not None
    end = match.end()
    if end < len(text) and text[end] not in SPACE and text[end] not in ",;":
        raise ValueProblem("retry-comma", "comma or semicolon expected", end)
    return match.span()


def step_values(letter: str, arguments: list[str]) -> RetryStepMeaning:
    """Give the meaning of a step; -1 stands for what is no number."""
    factor = fixed_argument(arguments[2]) if len(arguments) > 2 else 0
    return RetryStepMeaning(letter.upper(), parse_time(arguments[0]), parse_time(arguments[1]), factor)


def fixed_argument(text: str) -> int:
    """Read a factor such as 1.5, in thousandths; -1 if it is none."""
    match = compiled(_FIXED).fullmatch(text)
    if match is None:
        return -1
    whole = int(match[1]) if len(match[1]) < 40 else LONG_MAX
    return wrap32(wrap32(min(whole, LONG_MAX)) * 1000 + int(((match[2] or "") + "000")[:3]))


def retry_error(word: str, offset: int = 0) -> tuple[str, tuple[str, ...]]:
    """Give the full name of an error in lower case, and notes. Raises ValueProblem.

    Case does not matter, and Exim takes the beginnings of some names and of what follows ``_``, even
    nothing: ``lost``, ``timeout_con``, ``refused_``.
    """
    lower = word.lower()
    if lower in EXACT_ERRORS:
        return lower, ()
    for name in SHORTENED_ERRORS:
        if name.startswith(lower):
            return name, ()

    def wrong(message: str) -> ValueProblem:
        return ValueProblem("retry-error", message, offset)

    base, underscore, rest = lower.partition("_")
    if underscore and base == "refused":
        for detail in ("a", "mx"):
            if detail.startswith(rest):
                return f"refused_{detail}", ()
        raise wrong('A or MX expected after "refused"')
    if underscore and base == "timeout":
        for detail in ("a", "mx", "connect", "connect_a", "connect_mx"):
            if detail.startswith(rest):
                return f"timeout_{detail}", ()
        if "dns".startswith(rest):
            return "timeout", (
                '"timeout_dns" is no longer available in retry rules (it has never worked) - '
                'treated as "timeout"',
            )
        raise wrong('"A", "MX", or "connect" expected after "timeout"')
    if underscore and base == "quota":
        if parse_time(word[6:]) < 0:
            raise wrong("bad time value")
        return lower, ()
    match = compiled(_SMTP_ERROR).match(word)
    if match:
        if not compiled(_SMTP_CODE).match(word, match.end()):
            raise wrong(
                f"{word[:4]}_4 must be followed by xx, dx, or dd, where x is literal and d is any digit"
            )
        return lower, ()
    raise wrong(f'unknown or malformed retry error "{word}"')


def retrying_of(rule: RetryRule) -> Retrying:
    """Give what a rule of the tree means."""
    return Retrying(
        word_or_quoted(rule.pattern.raw, 0)[0],
        retry_error(rule.error.raw)[0],
        word_or_quoted(rule.senders.raw, 0)[0] if rule.senders is not None else None,
        tuple(
            step_values(step.algorithm, [argument.raw for argument in step.arguments]) for step in rule.steps
        ),
    )
