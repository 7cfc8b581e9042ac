"""From the tree to the configuration: names, values and cross-checks, in the order in which Exim meets them.

It goes on after an error; what Exim would have refused is left out of the configuration. Exim reads
sequentially, so a check that waits for the end of a driver or section belongs to the line after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar import config_ast as ast
from eximious.grammar.config_errors import IN_FILE, PLAIN, Refusal
from eximious.grammar.config_lexer import SECTION_MAX
from eximious.grammar.config_model import LIST_LETTERS, TABLE_KINDS, Instance, NamedListEntry
from eximious.grammar.config_options import Context, apply_option, bare_name
from eximious.grammar.config_values import ValueProblem, read_string
from eximious.grammar.diagnostics import WARNING, Diagnostic
from eximious.grammar.reader import MACRO
from eximious.grammar.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from eximious.grammar.catalogue import Option
    from eximious.grammar.config_drivers import DriverProblem
    from eximious.grammar.config_model import Configuration, Outside
    from eximious.grammar.reader import LogicalLine

    Found = tuple[int, int, Diagnostic]

_CLASS = {ast.ROUTERS: "router", ast.TRANSPORTS: "transport", ast.AUTHENTICATORS: "authenticator"}
_LIST_NAMES = {"domain": "domain list", "host": "host list", "address": "address list"}
_LIST_NAMES["localpart"] = "local part list"
#: drivers without options of their own: Exim keeps one without a name for them
_NAMELESS = frozenset(("accept", "ipliteral"))
MOST_HINTS = 50  #: after so many findings no more names are compared
_NO_LOCAL_SCAN = "local_scan() options not supported: (LOCAL_SCAN_HAS_OPTIONS not defined in Local/Makefile)"


class Checker:
    """Fills ``configuration`` from its tree. ``lines``: all logical lines in order."""

    def __init__(self, configuration: Configuration, lines: list[LogicalLine], outside: Outside) -> None:
        self.configuration, self.lines, self.outside = configuration, lines, outside
        self.context = Context(outside.users, outside.expand)
        #: (line that Exim is at, node, finding); sorted at the end
        self.found: list[tuple[LogicalLine | None, Diagnostic]] = []
        self._main_options: dict[str, Option | None] = {}

    # -- findings --------------------------------------------------------------------------------------

    def refuse(
        self,
        code: str,
        message: str,
        node: ast.ConfigNode,
        *,
        at: LogicalLine | None,
        form: str = IN_FILE,
        start: int | None = None,
        hint: str | None = None,
    ) -> None:
        """Add an error. ``at``: the line at which Exim stops (None: the end of the file)."""
        line: Any = node.source
        where = Span(node.source, node.start if start is None else start, max(node.end, (start or 0) + 1))
        place = (line.file, line.line) if form == IN_FILE else None
        refusal = Refusal(code, message, where, form, place, hint)
        self.found.append((at, refusal))

    def similar(self, name: str, names: Callable[[], Iterable[str]]) -> str | None:
        """Give a hint if one of some names is much like an unknown one."""
        if len(self.found) > MOST_HINTS:
            return None
        from difflib import get_close_matches

        close = get_close_matches(name, names(), 1, 0.8)
        return f'did you mean "{close[0]}"?' if close else None

    def driver_names(self, kind: str, driver: str) -> list[str]:
        """Give the names of all options of a driver."""
        catalogue, table = self.configuration.catalogue, TABLE_KINDS[kind]
        return [*catalogue.options(table, "generic"), *catalogue.options(table, driver)]

    def sorted(self, earlier: list[tuple[int, Diagnostic]]) -> list[Diagnostic]:
        """Give all findings in Exim's order; ``earlier``: the reader's, with the number of their line."""
        if not self.found and not earlier:
            return []
        numbers = {id(line): number for number, line in enumerate(self.lines)}
        keyed: list[tuple[int, int, int, Diagnostic]] = [
            (number, 0, n, finding) for n, (number, finding) in enumerate(earlier)
        ]
        end = len(self.lines)
        for n, (at, finding) in enumerate(self.found):
            # a definition ends a driver before it is read itself, and the reader may have complained of it
            rank = -1 if at is not None and at.kind == MACRO else 1
            keyed.append((end if at is None else numbers[id(at)], rank, n, finding))
        keyed.sort(key=lambda entry: entry[:3])
        return [entry[3] for entry in keyed]

    # -- main ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Check the whole tree."""
        tree = self.configuration.tree
        for node in tree.main:
            if type(node) is ast.Option:
                self.option(node)
            elif type(node) is ast.NamedList:
                self.named_list(node)
            elif type(node) is ast.BadLine:
                self.bad(node)
        sections = tree.sections
        self.after_main(_line(sections[0]) if sections else None)
        seen: set[str] = set()
        for number, section in enumerate(sections):
            following = _line(sections[number + 1]) if number + 1 < len(sections) else None
            self.section(section, following, seen)

    def bad(self, node: ast.BadLine) -> None:
        """Report a line that the lexer refused."""
        if node.message:
            hint = self.acl_hint(node) if node.code == "acl-syntax" else None
            self.refuse(node.code, node.message, node, at=_line(node), hint=hint)

    def acl_hint(self, node: ast.BadLine) -> str | None:
        """Give a hint for a word of an ACL that does not exist."""
        catalogue = self.configuration.catalogue
        words = node.text[node.start :].lstrip("! \t").split(None, 1)
        word = words[0].partition("=")[0] if words else ""
        if node.message.startswith("error in ACL: unknown ACL verb"):
            return self.similar(word, lambda: catalogue.acl("verb"))
        if node.message.startswith("error in ACL: unknown ACL condition"):
            names = [*catalogue.acl("condition"), *catalogue.acl("modifier")]
            return self.similar(word, lambda: names)
        return None

    def option(self, node: ast.Option) -> None:
        """Take over a main option."""
        name = bare_name(node.name)
        known = self._main_options
        if name not in known:
            option = self.configuration.catalogue.option("main", name)
            known[name] = None if option is None or option.type == "named-list" else option
        option = known[name]
        if option is None:
            hint = self.similar(name, lambda: self.configuration.catalogue.main_options)
            message = f'main option "{node.name}" unknown'
            self.refuse("option-unknown", message, node, at=_line(node), hint=hint)
            return
        self.apply(node, option, self.configuration.settings)

    def apply(self, node: ast.Option, option: Option, settings: Any) -> None:
        """Take over an option that exists; report what is wrong with it."""
        try:
            apply_option(node, option, settings, self.context)
        except ValueProblem as problem:
            about: ast.ConfigNode = node
            start = None
            if problem.offset >= 0 and node.value is not None:
                about, start = node.value, node.value.start + problem.offset
            self.refuse(problem.code, problem.message, about, at=_line(node), start=start)

    def named_list(self, node: ast.NamedList) -> None:
        """Take over a named list."""
        known = self.configuration.lists[LIST_LETTERS[node.kind]]
        line = _line(node)
        if node.name in known:
            message = f'duplicate name "{node.name}" for a named {_LIST_NAMES[node.kind]}'
            self.refuse("list-repeated", message, node, at=line)
            return
        if node.value is None:
            self.refuse("missing-equals", f"missing '=' after \"{node.name}\"", node, at=line)
            return
        try:
            text = read_string(node.value.raw, node.name)
        except ValueProblem as problem:
            start = node.value.start + problem.offset
            self.refuse(problem.code, problem.message, node.value, at=line, start=start)
            return
        known[node.name] = NamedListEntry(node.kind, node.name, text, node.cache, node.hide, node)

    def after_main(self, at: LogicalLine | None) -> None:
        """Do what Exim does after the main section. ``at``: the line at which it is then."""
        self.names()
        configuration = self.configuration
        if not configuration.settings.seen:
            return
        from eximious.grammar.config_main import MainProblem, main_checks

        for check in main_checks(configuration):
            try:
                check(configuration, self.outside)
            except MainProblem as problem:
                nodes = configuration.settings.nodes.get(problem.option)
                where = nodes[-1].span if nodes else None
                self.found.append((at, Refusal(problem.code, problem.message, where, problem.form)))

    def names(self) -> None:
        """Work out the names of the host and the domain where they are not set."""
        values, computed = self.configuration.settings.values, self.configuration.computed
        name = values.get("primary_hostname")
        if name is None:
            name = computed["primary_hostname"] = self.outside.hostname
        domain = values.get("qualify_domain")
        if domain is None:
            domain = computed["qualify_domain"] = name
        if values.get("qualify_recipient") is None:
            computed["qualify_recipient"] = domain

    # -- sections --------------------------------------------------------------------------------------

    def section(self, section: ast.Section, following: LogicalLine | None, seen: set[str]) -> None:
        """Check one section; ``following``: the line of the next one."""
        line = _line(section)
        kind = section.kind
        word = section.word[:SECTION_MAX]
        if kind == ast.UNKNOWN:
            message = f'"{word}" is not a known configuration section name'
            hint = self.similar(word.lower(), lambda: _CLASS.keys() | {"acl", "rewrite", "retry"})
            self.refuse("section-unknown", message, section, at=line, hint=hint)
            return
        if kind in seen:
            message = f'"{word}" section is repeated in the configuration file'
            self.refuse("section-repeated", message, section, at=line)
        seen.add(kind)
        if kind == ast.LOCAL_SCAN:
            self.refuse("local-scan", _NO_LOCAL_SCAN, section, at=line)
            return
        for node in section.leading:
            if type(node) is ast.BadLine:
                self.bad(node)
        if kind in _CLASS:
            self.drivers(section, _CLASS[kind], following)
        elif kind == ast.ACL:
            self.acls(section)
        else:
            self.rules(section)

    def acls(self, section: ast.Section) -> None:
        """Take over the ACLs."""
        known = self.configuration.acls
        for acl in section.items:
            if type(acl) is not ast.Acl:
                continue
            if acl.name in known:
                message = f'there are two ACLs called "{acl.name}"'
                self.refuse("acl-repeated", message, acl, at=_line(acl))
            else:
                known[acl.name] = acl
            for node in acl.leading:
                if type(node) is ast.BadLine:
                    self.bad(node)
            for statement in acl.statements:
                for part in statement.body:
                    if type(part) is ast.BadLine:
                        self.bad(part)

    def rules(self, section: ast.Section) -> None:
        """Take over rewriting or retry rules."""
        from eximious.grammar.config_rules import retrying_of, rewriting_of

        rewrite, retry = [], []
        for node in section.items:
            if type(node) is ast.BadLine:
                self.bad(node)
            elif type(node) is ast.RewriteRule:
                rewrite.append(rewriting_of(node))
            elif type(node) is ast.RetryRule:
                retry.append(retrying_of(node))
                self.retry_notes(node)
        if section.kind == ast.REWRITE:
            self.configuration.rewrite += tuple(rewrite)
        else:
            self.configuration.retry += tuple(retry)

    def retry_notes(self, node: ast.RetryRule) -> None:
        """Report what Exim only remarks on."""
        if node.error.raw[:8].lower() == "timeout_":
            from eximious.grammar.config_rules import retry_error

            for note in retry_error(node.error.raw)[1]:
                self.found.append((_line(node), Diagnostic("retry-error", WARNING, note, node.error.span)))

    # -- drivers ---------------------------------------------------------------------------------------

    def drivers(self, section: ast.Section, kind: str, following: LogicalLine | None) -> None:
        """Take over the instances of one kind."""
        configuration = self.configuration
        known = configuration.drivers(kind)
        current: Instance | None = None
        for node in section.items:
            if type(node) is not ast.Driver:
                continue
            line = _line(node)
            if current is not None:
                self.finish(current, line)
            current = Instance(configuration, kind, node.name, node)
            if node.name in known:
                message = f'there are two {kind}s called "{node.name}"'
                self.refuse("driver-repeated", message, node, at=line, form=PLAIN)
            else:
                known[node.name] = current
            open_ = True
            for part in node.lines:
                if type(part) is ast.BadLine:
                    self.bad(part)
                elif type(part) is ast.Option:
                    self.driver_option(part, current, kind)
                elif type(part) is ast.Macro and open_:
                    self.finish(current, _line(part))
                    open_ = False
            if not open_:
                current = None
        if current is not None:
            self.finish(current, following)
        self.after_drivers(kind, following)

    def driver_option(self, node: ast.Option, instance: Instance, kind: str) -> None:
        """Take over an option of an instance."""
        configuration = self.configuration
        name = bare_name(node.name)
        option = configuration.private_option(kind, "generic", name)
        line = _line(node)
        if option is not None:
            before = instance.settings.values.get("driver")
            self.apply(node, option, instance.settings)
            if name == "driver" and before is None and "driver" in instance.settings.values:
                self.driver_name(node, instance, kind)
            return
        if "driver" not in instance.settings.values:
            first = "hide" if node.hide else node.name
            message = f'option "{first}" unknown ("driver" must be specified before any private options)'
            self.refuse("option-before-driver", message, node, at=line)
            return
        driver = instance.driver
        if driver is None:
            return  # the driver is unknown, and so are its options
        if not name and driver in _NAMELESS:
            from eximious.grammar.catalogue import Option

            option = Option("", driver, "string", None, None, None, True, None, False)
        else:
            option = configuration.private_option(kind, driver, name)
        if option is None:
            hint = self.similar(name, lambda: self.driver_names(kind, driver))
            self.refuse("option-unknown", f'option "{node.name}" unknown', node, at=line, hint=hint)
            return
        self.apply(node, option, instance.settings)

    def driver_name(self, node: ast.Option, instance: Instance, kind: str) -> None:
        """Look up the driver of an instance."""
        name = instance.settings.values["driver"]
        if name in self.configuration.catalogue.drivers(TABLE_KINDS[kind]):
            instance.driver = name
            return
        message = f'{kind} {instance.name}: cannot find {kind} driver "{name}"'
        hint = self.similar(name, lambda: self.configuration.catalogue.drivers(TABLE_KINDS[kind]))
        self.refuse("driver-unknown", message, node.value or node, at=_line(node), hint=hint)

    def finish(self, instance: Instance, at: LogicalLine | None) -> None:
        """Do what Exim does when an instance is complete."""
        if "driver" not in instance.settings.values:
            message = f'no driver defined for {instance.kind} "{instance.name}"'
            self.refuse("driver-missing", message, instance.node, at=at, form=PLAIN)
            return
        from eximious.grammar.config_drivers import DriverProblem, initialise

        try:
            initialise(instance)
        except DriverProblem as problem:
            self.problem(instance, problem, at)

    def problem(self, instance: Instance, problem: DriverProblem, at: LogicalLine | None) -> None:
        """Report a failed check of an instance, at the option it is about if that is given."""
        nodes = instance.settings.nodes.get(problem.option)
        node = nodes[-1] if nodes else instance.node
        self.refuse(problem.code, problem.message, node, at=at, form=problem.form)

    def after_drivers(self, kind: str, at: LogicalLine | None) -> None:
        """Do what Exim does after a section of drivers."""
        from eximious.grammar.config_drivers import (
            DriverProblem,
            finish_authenticator,
            finish_router,
            finish_transport,
        )

        configuration = self.configuration
        instances = list(configuration.drivers(kind).values())
        for number, instance in enumerate(instances):
            if instance.driver is None:
                continue
            try:
                if kind == "router":
                    finish_router(instance, configuration, number)
                elif kind == "transport":
                    finish_transport(instance)
                else:
                    finish_authenticator(instance, instances[number + 1 :])
            except DriverProblem as problem:
                self.problem(instance, problem, at)


def _line(node: ast.ConfigNode) -> LogicalLine:
    """Give the logical line a node stands in."""
    return node.source  # type: ignore[return-value]
