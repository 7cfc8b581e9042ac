"""Hints for the findings that reading a configuration makes; see the modules ``rules/reading_*``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.diagnostics import NOTE, Diagnostic
from eximious.lint.registry import EXPLANATIONS

if TYPE_CHECKING:
    from eximious.lint.engine import Subject

#: what this machine lacks, and the server may have
_OF_THE_MACHINE = frozenset(("no-user", "no-group"))


def with_hints(subject: Subject, found: list[Diagnostic]) -> list[Diagnostic]:
    """Give the findings with hints where reading made them without one.

    A user or group that this machine does not know is a note: the configuration may be for another one.
    """
    return [_with_hint(subject, finding) for finding in found]


def _with_hint(subject: Subject, finding: Diagnostic) -> Diagnostic:
    explanation = EXPLANATIONS.get(finding.code)
    if explanation is None:
        return finding
    severity = NOTE if finding.code in _OF_THE_MACHINE else finding.severity
    hint = explanation.hint(finding, subject) or finding.hint
    if hint == finding.hint and severity == finding.severity:
        return finding
    return Diagnostic(
        finding.code,
        severity,
        finding.message,
        finding.where,
        hint=hint,
        related=finding.related,
        exim_place=finding.exim_place,
        fatal=finding.fatal,
    )
