"""``eximious lint``: check configurations without running anything.

The JSON form (``--format json``) is described in docs/lint.md.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eximious.options import EXIT_DONE, EXIT_FINDINGS, EXIT_USAGE

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from eximious.grammar.diagnostics import Diagnostic
    from eximious.linting import Checked
    from eximious.secrets import Secrets

NAME = "eximious lint"
FORMAT = 1
SEVERITIES = ("error", "warning", "note")


def main(argv: list[str]) -> int:
    """Run the command; gives its exit code: 0 clean, 1 findings, 2 wrong usage or nothing to read."""
    options = _parser().parse_args(argv)
    from eximious.assembly import Unreadable, catalogue_for

    try:
        catalogue = catalogue_for(options.exim_version, options.build)
    except Unreadable as problem:
        sys.stderr.write(f"{NAME}: {problem}\n")
        return EXIT_USAGE
    output = _Json(catalogue.version, options.explain) if options.format == "json" else _Text(options.explain)
    code = EXIT_DONE
    for path in options.files:
        code = max(code, _one(path, options, output))
    output.end()
    return code


def _parser() -> argparse.ArgumentParser:
    import argparse

    from eximious.options import lint_options

    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Check Exim configurations for what Exim would refuse, or fail at when mail comes.",
        epilog="Exit codes: 0 clean, 1 findings (notes do not count), 2 wrong usage or nothing to read.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a configuration file, or Debian's folder (/etc/exim4), its conf.d or its exim4.conf.template",
    )
    parser.add_argument("--explain", action="store_true", help="say of each kind of finding why it matters")
    lint_options(parser)
    return parser


def _one(path: str, options: argparse.Namespace, output: _Json | _Text) -> int:
    """Check one configuration and write what is found; gives the exit code that it calls for."""
    from eximious.assembly import Unreadable
    from eximious.linting import check

    try:
        checked = check(
            path,
            version=options.exim_version,
            build=options.build,
            defines=options.defines,
            allow=[word for given in options.allow for word in given.replace(",", " ").split()],
            root=options.root,
        )
    except Unreadable as problem:
        output.unreadable(path, str(problem))
        return EXIT_USAGE
    secrets = None
    if not options.show_secrets and checked.findings:
        from eximious.secrets import Secrets

        secrets = Secrets(checked.configuration, checked.place)
        for finding in checked.findings:
            _hide(finding, secrets)
    output.checked(checked, secrets)
    return EXIT_DONE if checked.clean else EXIT_FINDINGS


def _hide(finding: Diagnostic, secrets: Secrets) -> None:
    """Take secrets out of what a finding says."""
    position = finding.position
    file, line = (position.file, position.line) if position is not None else ("", 0)
    finding.message = secrets.hide_at(file, line, finding.message)
    if finding.hint:
        finding.hint = secrets.hide_at(file, line, finding.hint)


def explain(checked: Checked, explained: dict[str, str]) -> None:
    """Put what the reference says of the findings into ``explained``, by code."""
    from eximious.lint.registry import explanation

    for finding in checked.findings:
        if finding.code not in explained:
            explained[finding.code] = explanation(finding.code)


class _Text:
    """Writes for people."""

    def __init__(self, explain: bool) -> None:
        self.explain = explain
        self.explained: dict[str, str] = {}

    def checked(self, checked: Checked, secrets: Secrets | None) -> None:
        """Write the findings of a configuration and how many there are."""
        sources: Any = checked.sources
        if secrets is not None:
            from eximious.secrets import HiddenLines

            sources = HiddenLines(checked.sources, secrets)
        for finding in checked.findings:
            self.line(finding.render(sources))
        if self.explain:
            explain(checked, self.explained)
        counts = [(checked.count(severity), severity) for severity in SEVERITIES]
        words = [f"{count} {severity}{'s' * (count != 1)}" for count, severity in counts if count]
        self.line(f"{_shown(checked.path)}: {', '.join(words) or 'clean'}")

    def unreadable(self, path: str, problem: str) -> None:
        """Say why there is nothing to check."""
        sys.stdout.flush()
        sys.stderr.write(f"{NAME}: {_shown(problem)}\n")

    def end(self) -> None:
        """Say why the findings matter, each kind once."""
        for code, text in sorted(self.explained.items()):
            body = "\n".join(f"    {line}".rstrip() for line in text.replace("::\n", ":\n").split("\n"))
            self.line(f"\n{code}\n{body}")

    @staticmethod
    def line(text: str) -> None:
        """Write text of one character a byte; it goes out as it came in."""
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:
            sys.stdout.write(text + "\n")
            return
        data = b"".join(
            char.encode("latin-1") if char <= "\xff" else char.encode("utf-8", "replace") for char in text
        )
        stream.write(data + b"\n")


class _Json:
    """Gathers what there is to say, and writes it as one object."""

    def __init__(self, version: tuple[int, int], explain: bool) -> None:
        self.version = f"{version[0]}.{version[1]}"
        self.explain = explain
        self.explained: dict[str, str] = {}
        self.configurations: list[dict[str, Any]] = []

    def checked(self, checked: Checked, secrets: Secrets | None) -> None:
        """Keep the findings of a configuration."""
        if self.explain:
            explain(checked, self.explained)
        self.configurations.append(
            {
                "path": _shown(checked.path),
                "kind": checked.kind,
                "readable": True,
                "findings": [finding.to_dict() for finding in checked.findings],
            }
        )

    def unreadable(self, path: str, problem: str) -> None:
        """Keep why there is nothing to check."""
        self.configurations.append(
            {"path": _shown(path), "readable": False, "error": _shown(problem), "findings": []}
        )

    def end(self) -> None:
        """Write the object."""
        import json

        found = [finding for entry in self.configurations for finding in entry["findings"]]
        counts = {
            f"{severity}s": sum(entry["severity"] == severity for entry in found) for severity in SEVERITIES
        }
        whole = {
            "format": FORMAT,
            "exim_version": self.version,
            "configurations": self.configurations,
            **counts,
            "unreadable": sum(not entry["readable"] for entry in self.configurations),
            **({"explanations": self.explained} if self.explain else {}),
        }
        json.dump(whole, sys.stdout, indent=2)
        sys.stdout.write("\n")


def _shown(text: str) -> str:
    """A path or message fit for output: bytes that are no UTF-8 as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
