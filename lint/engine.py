"""Runs the rules over a configuration.

A rule gets a :class:`Subject`: the configuration as it was read, and its sites, that is every text in it that
Exim expands, matches or looks up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_errors import Refusal
from eximious.lint.registry import RULES, load_rules
from eximious.lint.sites import all_sites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from eximious.grammar.config_model import Configuration
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.interpreter.language import Language
    from eximious.lint.context import Context
    from eximious.lint.sites import Site

    Problems = tuple[tuple[int, str], ...]


class Subject:
    """What the rules look at: ``configuration``, ``language``, ``sites`` in no special order."""

    def __init__(self, configuration: Configuration, language: Language) -> None:
        self.configuration, self.language = configuration, language
        self.sites: tuple[Site, ...] = tuple(all_sites(configuration, language))
        self._problems: dict[str, Problems] = {}
        self._contexts: dict[int, Context] | None = None

    def complete(self, kind: str) -> bool:
        """Say whether all that defines names of a kind was read (``kind``: list, acl, transports).

        It was not if a file is missing, or a section has a name that nobody knows.
        """
        codes = {found.code for found in self.configuration.diagnostics}
        if "include-open" in codes or "read-limit" in codes:
            return False
        return kind == "list" or "section-unknown" not in codes

    def context(self, finding: Diagnostic) -> Context:
        """Give the place of a finding: its section and driver."""
        from eximious.lint.context import context_of, contexts_of

        if self._contexts is None:
            self._contexts = contexts_of(self.configuration)
        return context_of(finding, self._contexts)

    def problems(self, site: Site) -> Problems:
        """What Exim finds wrong with a text that it expands, as it reads: offsets and messages."""
        text = site.text
        found = self._problems.get(text)
        if found is None:
            from eximious.interpreter.compiler import Compiler

            compiler = Compiler(self.language, text)
            compiler.expansion(site.tree(self.language))
            found = self._problems[text] = tuple(dict.fromkeys(compiler.problems))
        return found


def run_rules(
    configuration: Configuration, language: Language, rules: Iterable[str] | None = None
) -> list[Diagnostic]:
    """Give what reading the configuration found wrong, and what the rules find.

    ``language``: that of the configuration's catalogue; ``rules``: the codes of the rules to run (None: all).
    What Exim refuses comes first, in Exim's order; then the rest in the order of the text. Findings that
    reading made get a hint where there is one.
    """
    from eximious.lint.hints import with_hints

    load_rules()
    subject = Subject(configuration, language)
    refused = [found for found in configuration.diagnostics if found.fatal]
    others = [found for found in configuration.diagnostics if not found.fatal]
    wanted = None if rules is None else frozenset(rules)
    for rule in RULES.values():
        if wanted is None or rule.code in wanted:
            others += rule.check(subject)
    places = {_place(found) for found in refused if isinstance(found, Refusal) and found.code == "expansion"}
    if places:  # what is expanded while reading was refused there already
        others = [found for found in others if _place(found) not in places]
    others.sort(key=_order(configuration))
    return with_hints(subject, refused + others)


def _place(found: Diagnostic) -> Any:
    position = found.position
    return position and (position.file, position.line)


def _order(configuration: Configuration) -> Callable[[Diagnostic], tuple[int, int, int]]:
    files = {file: number for number, file in enumerate(configuration.reader.sources.texts)}

    def key(found: Diagnostic) -> tuple[int, int, int]:
        position = found.position
        if position is None:
            return len(files), 0, 0
        return files.get(position.file, len(files)), position.line, position.column

    return key
