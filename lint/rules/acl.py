"""Rules on the values of ACL conditions and modifiers, and on where they may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_ast import AclCondition
from eximious.grammar.config_values import parse_time
from eximious.grammar.diagnostics import ERROR, Diagnostic
from eximious.grammar.listspans import split_spans
from eximious.grammar.patterns import compiled
from eximious.lint import uses
from eximious.lint.registry import rule
from eximious.lint.rules.references import possible
from eximious.lint.static import HOLE
from eximious.lint.suggest import did_you_mean, looks_like_macro, macro_hint, version_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from eximious.grammar.catalogue import Catalogue
    from eximious.lint.engine import Subject
    from eximious.lint.sites import Site

    Found = tuple[str, int, int, str | None]

#: what messages call the phases
PHASES = {
    "connect": "connection",
    "helo": "EHLO or HELO",
    "notsmtp": "non-SMTP",
    "notsmtp_start": "non-SMTP-start",
}
#: the old name is still read (4.94 and later)
_OLD_CONTROLS = frozenset(("queue_only",))
_VERIFY_EXPECTED = (
    'expected "sender[=address]", "recipient", "helo", "header_syntax", "header_sender", '
    '"header_names_ascii" or "reverse_host_lookup" at start of ACL condition "verify {}"'
)
#: options after the slash, beside those that begin with callout and quota
_VERIFY_OPTIONS = frozenset(("defer_ok", "no_details", "success_on_redirect", "case_insensitive"))
_VERIFY_WITH_OPTIONS = frozenset(("sender", "recipient", "header_sender"))
_CONDITION_WORDS = frozenset(("yes", "no", "true", "false", "on", "off"))
_NUMBER = r"[0-9]+(?:\.[0-9]*)?[KMG]?|\.[0-9]+[KMG]?"


def _values(subject: Subject, name: str) -> Iterator[tuple[Site, str]]:
    """Give the sites of a condition or modifier with what is known of their texts."""
    for site in subject.sites:
        if site.section == "acl" and site.name == name and not site.inner and site.use == uses.TEXT:
            yield site, site.known(subject.language).text


def _report(
    code: str, subject: Subject, name: str, check: Callable[[str, Catalogue], Found | None]
) -> Iterator[Diagnostic]:
    """Check the values of one condition or modifier."""
    catalogue = subject.language.catalogue
    for site, text in _values(subject, name):
        found = check(text, catalogue)
        if found is not None:
            message, start, end, hint = found
            yield Diagnostic(code, ERROR, message, site.known_span(subject.language, start, end), hint=hint)


@rule("bad-control")
def bad_control(subject: Subject) -> Iterator[Diagnostic]:
    """A control that does not exist, or that takes no options and has some.

    Exim reads the words of ``control`` only when the statement runs; the command is then answered with a
    temporary error.

    Example::

        begin acl
        check_data:
          warn control = freezee

    Write ``control = freeze``.
    """
    yield from _report("bad-control", subject, "control", _control)


def _control(text: str, catalogue: Catalogue) -> Found | None:
    name, slash, _ = text.partition("/")
    if HOLE in name or not name:
        return None
    row = catalogue.acl_row("control", name)
    if row is not None and (row.has_option or not slash):
        return None
    if row is None and name in _OLD_CONTROLS:
        return None
    message = f'syntax error in "control={text.replace(HOLE, "...")}"'
    if row is not None:
        return message, len(name), len(text), f"{name} takes no options"
    if looks_like_macro(name):
        return message, 0, len(name), macro_hint(name)
    hint = version_hint(lambda other: other.acl_row("control", name) is not None, catalogue)
    hint = hint or did_you_mean(name, catalogue.acl("control")) or "there is no such control"
    return message, 0, len(name), hint


@rule("bad-verify")
def bad_verify(subject: Subject) -> Iterator[Diagnostic]:
    """A ``verify`` condition of a kind that does not exist, or with an option that does not.

    The kind comes first (``sender``, ``recipient``, ``helo``…), options follow after slashes, and those of a
    callout after ``callout=``, separated by commas. Exim finds out when the statement runs, and defers.

    Example::

        begin acl
        check_mail:
          require verify = sender/callot=30s,use_sendr

    Write ``verify = sender/callout=30s``; ``use_sender`` is for recipients.
    """
    yield from _report("bad-verify", subject, "verify", _verify)


def _verify(text: str, catalogue: Catalogue) -> Found | None:
    if HOLE in text or not text:
        return None
    kinds = catalogue.acl("verify")
    parts = split_spans(text, "/")
    first, start, end = parts[0]
    kind = first.partition("=")[0].strip().lower()
    if kind not in kinds:
        hint = version_hint(lambda other: other.acl_row("verify", kind) is not None, catalogue)
        hint = hint or (macro_hint(first) if looks_like_macro(first) else did_you_mean(kind, kinds))
        hint = hint or f"it verifies one of {', '.join(sorted(kinds))}"
        return _VERIFY_EXPECTED.format(text), start, end, hint
    if kind not in _VERIFY_WITH_OPTIONS:
        return None
    for option, start, end in parts[1:]:
        name = option.partition("=")[0].strip()
        if name == "callout":
            bad = _callout(option, start, catalogue)
            if bad is not None:
                return f'bad time value in ACL condition "verify {text}"', *bad
        elif not name.startswith(("callout", "quota")) and name not in _VERIFY_OPTIONS:
            known = sorted([*_VERIFY_OPTIONS, "callout", "callout_defer_ok"])
            hint = did_you_mean(name, known) or f"the options are {', '.join(known)}"
            return f'unknown option "{option}" in ACL condition "verify {text}"', start, end, hint
    return None


def _callout(option: str, start: int, catalogue: Catalogue) -> tuple[int, int, str] | None:
    """The first part of ``callout=…`` that is neither a time nor an option."""
    head, equals, rest = option.partition("=")
    if not equals:
        return None
    offset = start + len(head) + 1
    known = catalogue.acl("callout_option")
    for part, begin, end in split_spans(rest, ","):
        name = part.partition("=")[0].strip()
        if name not in known and parse_time(part) < 0:
            hint = did_you_mean(name, known) or "a callout takes a time such as 30s, and options"
            return offset + begin, offset + end, hint
    return None


@rule("bad-acl-value")
def bad_acl_value(subject: Subject) -> Iterator[Diagnostic]:
    """A value of an ACL condition or modifier that Exim cannot read when the statement runs.

    ``delay`` takes a time such as ``30s``; ``condition`` a number or one of yes, no, true, false;
    ``ratelimit`` begins with a number and a time; ``log_reject_target`` names logs, separated by colons. The
    command is answered with a temporary error.

    Example::

        begin acl
        check_mail:
          warn ratelimit = 100 / 1 hour / strict / $sender_host_address

    Write ``100 / 1h / strict / $sender_host_address``.
    """
    for name, check in (
        ("delay", _delay),
        ("condition", _condition),
        ("ratelimit", _ratelimit),
        ("log_reject_target", _logs),
    ):
        yield from _report("bad-acl-value", subject, name, check)


def _delay(text: str, catalogue: Catalogue) -> Found | None:
    if HOLE in text or parse_time(text) >= 0:
        return None
    message = f'syntax error in argument for "delay" modifier: "{text}" is not a time value'
    return message, 0, len(text), "a time is a number and one of the letters s, m, h, d, w: 30s, 1m30s"


def _condition(text: str, catalogue: Catalogue) -> Found | None:
    word = text.strip()
    if not compiled(r"[A-Za-z_]\w*").fullmatch(word) or word.lower() in _CONDITION_WORDS:
        return None
    hint = (
        macro_hint(word) if looks_like_macro(word) else "write a number, yes, no, true or false; or ${if ...}"
    )
    return f'invalid "condition" value "{text}"', 0, len(text), hint


def _ratelimit(text: str, catalogue: Catalogue) -> Found | None:
    parts = split_spans(text, "/")
    if len(parts) < 2:
        return None
    for (part, start, end), kind in zip(parts, ("a positive number", "a time value")):
        if HOLE in part or not part:
            return None
        good = parse_time(part) > 0 if kind == "a time value" else compiled(_NUMBER).fullmatch(part)
        if not good:
            message = f'error in arguments to "ratelimit" condition: "{part}" is not {kind}'
            return message, start, end, "it reads: number / time / options / key"
    return None


def _logs(text: str, catalogue: Catalogue) -> Found | None:
    for item, start, end in split_spans(text):
        if HOLE not in item and item not in ("main", "reject", "panic", ""):
            message = f'unknown log name "{item}" in "log_reject_target"'
            return message, start, end, "the logs are main, reject and panic, separated by colons"
    return None


@rule("acl-phase")
def acl_phase(subject: Subject) -> Iterator[Diagnostic]:
    """A condition, modifier, control or verb in an ACL that runs at a time when it is not allowed.

    Which ACL runs when is set in the main section (``acl_smtp_rcpt = …``), and ACLs run others by
    ``acl = …``. There are no recipients at HELO, and no message at RCPT: such a statement is answered with a
    temporary error each time. Reported where none of the times at which the ACL runs allow it.

    Example::

        acl_smtp_helo = check_helo
        begin acl
        check_helo:
          deny recipients = postmaster@example.com

    Move the statement to the ACL for RCPT.
    """
    catalogue = subject.language.catalogue
    for name, phases in _phases(subject).items():
        for statement in subject.configuration.acls[name].statements:
            verb = catalogue.acl_row("verb", statement.verb)
            if verb is not None and not _allowed(verb.allowed_in, phases):
                message = f'"{statement.verb}" verb not allowed in {_shown(phases)} ACL'
                yield Diagnostic("acl-phase", ERROR, message, statement.span, hint=_when(verb.allowed_in))
            for part in statement.body:
                if type(part) is AclCondition:
                    yield from _condition_phase(part, phases, catalogue)


def _condition_phase(
    node: AclCondition, phases: frozenset[str], catalogue: Catalogue
) -> Iterator[Diagnostic]:
    row = catalogue.acl_row("condition", node.name) or catalogue.acl_row("modifier", node.name)
    where = _shown(phases)
    if row is not None and not _allowed(row.allowed_in, phases):
        message = f"cannot {'use' if row.is_modifier else 'test'} {node.name} condition in {where} ACL"
        yield Diagnostic("acl-phase", ERROR, message, node.span, hint=_when(row.allowed_in))
        return
    if node.value is None:
        return
    word = compiled(r"[a-z_]*").match(node.value.raw.lower())
    assert word is not None
    if node.name not in ("control", "verify"):
        return
    row = catalogue.acl_row(node.name, word.group())
    if row is not None and not _allowed(row.allowed_in, phases):
        if node.name == "control":
            message = f'cannot use "control={word.group()}" in {where} ACL'
        else:
            message = f"cannot verify {word.group()} in ACL for {where}"
        yield Diagnostic("acl-phase", ERROR, message, node.value.span, hint=_when(row.allowed_in))


def _allowed(allowed: object, phases: Iterable[str]) -> bool:
    return allowed == "all" or any(phase in allowed for phase in phases)  # type: ignore[operator]


def _shown(phases: Iterable[str]) -> str:
    first = min(phases)
    return PHASES.get(first, first.upper())


def _when(allowed: Iterable[str]) -> str:
    names = [PHASES.get(phase, phase.upper()) for phase in allowed]
    return f"it may stand in ACLs for {', '.join(names)}"


def _phases(subject: Subject) -> dict[str, frozenset[str]]:
    """When each ACL runs, those excepted of which that is not known or that no option names."""
    hooks = subject.language.catalogue.acl("hook")
    acls = subject.configuration.acls
    found: dict[str, set[str]] = {}
    calls: dict[str, set[str]] = {}
    elsewhere: set[str] = set()
    for site in subject.sites:
        if site.use != uses.ACL:
            continue
        for name, _ in possible(site, subject):
            if name not in acls:
                continue
            if site.section == "acl":
                calls.setdefault(site.owner, set()).add(name)
            elif site.section == "main" and site.name in hooks and not site.inner:
                found.setdefault(name, set()).add(hooks[site.name].phase or "")
            else:
                elsewhere.add(name)
    work = list(found)
    while work:
        name = work.pop()
        for called in calls.get(name, ()):
            before = found.setdefault(called, set())
            if not found[name] <= before:
                before |= found[name]
                work.append(called)
    while elsewhere:
        name = elsewhere.pop()
        if name in found:
            del found[name]
            elsewhere |= calls.get(name, set())
    return {name: frozenset(phases) for name, phases in found.items()}
