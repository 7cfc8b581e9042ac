"""The language of one Exim: which names exist in a version and a build, and what they are.

A :class:`Catalogue` answers from the tables in ``grammar/tables`` (facts, see NOTICE.md there), filtered
by version and by what is compiled in. It is immutable and made lazily: asking for one name reads one
table, once for the process. It knows nothing of the configuration being read.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module

from eximious.grammar.build import EVERYTHING, Build, read_bv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

NEWEST = (4, 99)
#: the versions the tables tell apart
VERSIONS = ((4, 80), (4, 82), (4, 84), (4, 86), *((4, minor) for minor in range(88, 100)))
#: the release that stands for a version where nothing else is said: what it was compared with
RELEASES = {(4, 99): "4.99.1"}
SUPPORTED = tuple(version for version in VERSIONS if version >= (4, 92))  #: what the project promises


def versions() -> tuple[tuple[int, int], ...]:
    """Give the versions that the project answers for, oldest first."""
    return SUPPORTED


def parse_version(text: str) -> tuple[int, int]:
    """Give (4, 96) for "4.96", "4.96.2" or "4.96-RC1". Raises ValueError for anything else."""
    match = re.match(r"(\d+)\.(\d+)(?![0-9])", text)
    if not match:
        raise ValueError(f"not an Exim version: {text}")
    return int(match[1]), int(match[2])


class _Row:
    """A row of a table as one version has it. ``columns`` names its attributes in order."""

    columns: tuple[str, ...] = ()

    def __init__(self, *cells: Any) -> None:
        self.__dict__.update(zip(self.columns, cells))

    def __repr__(self) -> str:
        cells = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({cells})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash(self.__dict__[self.columns[0]])


class Option(_Row):
    """An option of the main section or of a driver.

    ``type``: how Exim's parser reads it; ``default``: in this version, None if unset or not fixed, and then
    ``note`` says what it is; ``expanded``: None if the manual does not say; ``repeatable``: "condition" or
    "string" if it may be given twice (how the values join); ``driver``: "" for main options, "generic" for
    those of all drivers.
    """

    columns = (
        *("name", "driver", "type", "default", "note"),
        *("expanded", "hidden", "repeatable", "precondition"),
    )

    name: str
    driver: str
    type: str
    default: Any
    note: str | None
    expanded: bool | None
    hidden: bool
    repeatable: str | None
    precondition: bool


class Variable(_Row):
    """An expansion variable. ``tainted``: yes, no or when; ``in_table``: False for patterns."""

    columns = ("name", "kind", "tainted", "in_table")

    name: str
    kind: str
    tainted: str
    in_table: bool


class Operator(_Row):
    """An expansion operator. ``takes_argument``: whether text after an underscore is an argument."""

    columns = ("name", "underscore_in_name", "takes_argument")

    name: str
    underscore_in_name: bool
    takes_argument: bool | None


class Lookup(_Row):
    """A lookup type. ``options``: its own options, as (text, first version or None)."""

    columns = ("name", "style", "options")

    name: str
    style: str
    options: tuple[tuple[str, int | None], ...]


class AclRow(_Row):
    """A verb, condition, modifier, control, verify type, callout option or hook of ACLs."""

    columns = (
        *("name", "kind", "allowed_in", "is_modifier", "expanded_at"),
        *("negatable", "has_option", "phase", "when_unset"),
    )

    name: str
    kind: str
    allowed_in: Any
    is_modifier: bool | None
    expanded_at: str | None
    negatable: bool | None
    has_option: bool | None
    phase: str | None
    when_unset: str | None


class LogSelector(_Row):
    """A word of log_selector."""

    columns = ("name", "default_on")

    name: str
    default_on: bool


@cache
def _table(module: str) -> Any:
    return import_module(f".tables._{module}", __package__)


@cache
def facts_rows(name: str) -> tuple[dict[str, Any], ...]:
    """Give the rows of one facts file as they came (``upgrade_changes`` and others have no faster form)."""
    import json
    from importlib.resources import files

    return tuple(json.loads(files(f"{__package__}.tables").joinpath(f"{name}.json").read_bytes())["rows"])


class Catalogue:
    """The names of one version and build. All mappings are to be treated as read-only."""

    __slots__ = ("_found", "build", "version")

    def __init__(self, version: tuple[int, int] = NEWEST, build: Build = EVERYTHING) -> None:
        self.version, self.build = version, build
        self._found: dict[str, Any] = {}

    @property
    def release(self) -> str:
        """The version as ``$version_number`` has it: of the build that was described, or the one it was proven with."""
        described = self.build.lines.get("version")
        return described or RELEASES.get(self.version, f"{self.version[0]}.{self.version[1]}")

    def __repr__(self) -> str:
        return f"Catalogue({self.version[0]}.{self.version[1]})"

    # -- rows ------------------------------------------------------------------------------------------

    def _cells(self, columns: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any] | None:
        """Give the cells of a row as this version has them, or None if it has not the row."""
        minor = self.version[1]
        cells = dict(zip(columns, row))
        history = cells["history"]
        if (cells["since"] or 0) > minor or (cells["until"] or 999) < minor:
            return None
        if history:
            for column, steps in history.items():
                value = steps[0][1]
                for since, step in steps:
                    if since <= minor:
                        value = step
                cells[column] = value
        return cells if self.build.allows(cells.get("guard")) else None

    def _one(self, module: str, name: str, *place: str) -> dict[str, Any] | None:
        table = _table(module)
        rows = table.ROWS
        for key in place:
            rows = rows.get(key, {})
        row = rows.get(name)
        return None if row is None else self._cells(table.COLUMNS, row)

    def _names(self, module: str, *place: str) -> Iterable[str]:
        rows = _table(module).ROWS
        for key in place:
            rows = rows.get(key, {})
        names: Iterable[str] = rows
        return names

    def _all(self, key: str, names: Iterable[str], one: Any) -> Any:
        found = self._found.get(key)
        if found is None:
            found = {}
            for name in names:
                row = one(name)
                if row is not None:
                    found[name] = row
            self._found[key] = found
        return found

    def has(self, module: str, name: str) -> bool:
        """Say whether a flat table ("items", "operators", "conditions", "variables"...) has the name here."""
        return self._one(module, name) is not None

    # -- options ---------------------------------------------------------------------------------------

    def option(self, kind: str, name: str, driver: str = "") -> Option | None:
        """Give an option. ``kind``: main, router, transport, auth; ``driver``: "generic" or a name."""
        kept: dict[tuple[str, str, str], Option] = self._found.setdefault("option", {})
        found = kept.get((kind, name, driver))
        if found is not None:
            return found
        cells = self._one(f"{kind}_options", name, *(() if kind == "main" else (driver,)))
        if cells is None:
            return None
        found = kept[kind, name, driver] = Option(
            name,
            driver,
            cells["type"],
            cells["default"],
            cells["default_note"],
            cells["expanded"],
            cells["hidden"],
            cells["repeatable"],
            bool(cells["precondition"]),
        )
        return found

    def options(self, kind: str, driver: str = "") -> Mapping[str, Option]:
        """Give all options of the main section, or of one driver ("generic": those of all drivers)."""
        found: Mapping[str, Option] = self._all(
            f"{kind} {driver}",
            self._names(f"{kind}_options", *(() if kind == "main" else (driver,))),
            lambda name: self.option(kind, name, driver),
        )
        return found

    @property
    def main_options(self) -> Mapping[str, Option]:
        """All options of the main section."""
        return self.options("main")

    def drivers(self, kind: str) -> frozenset[str]:
        """Give the names of the drivers of a kind: router, transport or auth."""
        found: frozenset[str] = self._found.get(f"drivers {kind}") or frozenset(
            name for name in self._names("drivers", kind) if self._one("drivers", name, kind) is not None
        )
        self._found[f"drivers {kind}"] = found
        return found

    # -- expansions ------------------------------------------------------------------------------------

    def variable(self, name: str) -> Variable | None:
        """Give a variable of the name table; patterns such as $acl_m0 and $h_x: are not names."""
        cells = self._one("variables", name)
        return cells and Variable(name, cells["kind"], cells["tainted"], cells["in_table"])  # type: ignore[return-value]

    @property
    def variables(self) -> Mapping[str, Variable]:
        """All variables, patterns included (``in_table`` tells)."""
        found: Mapping[str, Variable] = self._all("variables", self._names("variables"), self.variable)
        return found

    def operator(self, name: str) -> Operator | None:
        """Give an operator by its name without argument."""
        cells = self._one("operators", name)
        return cells and Operator(name, cells["underscore_in_name"], cells["takes_argument"])  # type: ignore[return-value]

    @property
    def operators(self) -> Mapping[str, Operator]:
        """All operators."""
        found: Mapping[str, Operator] = self._all("operators", self._names("operators"), self.operator)
        return found

    @property
    def items(self) -> frozenset[str]:
        """The names of all expansion items."""
        return frozenset(self._all("items", self._names("items"), lambda name: self._one("items", name)))

    @property
    def conditions(self) -> frozenset[str]:
        """The names of all expansion conditions."""
        return frozenset(
            self._all("conditions", self._names("conditions"), lambda name: self._one("conditions", name))
        )

    # -- the rest --------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Lookup | None:
        """Give a lookup type."""
        cells = self._one("lookups", name)
        return cells and Lookup(name, cells["style"], tuple(cells["own_options"]))  # type: ignore[return-value]

    @property
    def lookups(self) -> Mapping[str, Lookup]:
        """All lookup types."""
        found: Mapping[str, Lookup] = self._all("lookups", self._names("lookups"), self.lookup)
        return found

    def acl_row(self, kind: str, name: str) -> AclRow | None:
        """Give a row of the ACL tables. ``kind``: verb, condition, modifier, control, verify, hook..."""
        kept: dict[tuple[str, str], AclRow] = self._found.setdefault("acl row", {})
        found = kept.get((kind, name))
        if found is not None:
            return found
        cells = self._one("acl", name, kind)
        if cells is None:
            return None
        found = kept[kind, name] = AclRow(
            name,
            kind,
            cells["allowed_in"],
            cells["is_modifier"],
            cells["expanded_at"],
            cells["negatable"],
            cells["has_option"],
            cells["phase"],
            cells["when_unset"],
        )
        return found

    def acl(self, kind: str) -> Mapping[str, AclRow]:
        """Give all rows of one kind of the ACL tables."""
        found: Mapping[str, AclRow] = self._all(
            f"acl {kind}", self._names("acl", kind), lambda name: self.acl_row(kind, name)
        )
        return found

    def log_selector(self, name: str) -> LogSelector | None:
        """Give a log selector."""
        cells = self._one("log_selectors", name)
        return cells and LogSelector(name, cells["default_on"])  # type: ignore[return-value]

    @property
    def log_selectors(self) -> Mapping[str, LogSelector]:
        """All log selectors."""
        found: Mapping[str, LogSelector] = self._all(
            "log_selectors", self._names("log_selectors"), self.log_selector
        )
        return found

    @property
    def malware_types(self) -> frozenset[str]:
        """The scanner types of av_scanner."""
        return frozenset(
            self._all("malware", self._names("malware_types"), lambda name: self._one("malware_types", name))
        )

    @property
    def event_names(self) -> frozenset[str]:
        """The names of events."""
        return frozenset(
            self._all("events", self._names("event_names"), lambda name: self._one("event_names", name))
        )

    def result_words(self, area: str) -> frozenset[str]:
        """Give the result words of an area ("spf", "dkim", "dmarc", "arc"...), over all their holders."""
        return frozenset(
            name
            for holder, rows in _table("result_values").ROWS.get(area, {}).items()
            for name in rows
            if self._one("result_values", name, area, holder) is not None
        )

    def describe(self, facts: str, name: str, **where: str) -> dict[str, Any] | None:
        """Give the whole row of a facts file ("variables", "main_options"...), prose included, as it came.

        ``where`` picks among rows of the same name (``driver="smtp"``). Reads JSON: for help texts only.
        """
        for row in facts_rows(facts):
            if row["name"] == name and all(row.get(key) == value for key, value in where.items()):
                return row
        return None

    def predefined_macros(self) -> Iterable[tuple[str, str]]:
        """Give the predefined macros in Exim's order, with their values."""
        from eximious.grammar.predefined import predefined_macros

        return predefined_macros(self)

    @classmethod
    def from_bv(cls, text: str, version: tuple[int, int] | None = None) -> Catalogue:
        """Make the catalogue that the output of a real ``exim -bV`` describes.

        The text of ``exim -bP macros`` may follow; it shows settings that ``-bV`` does not. ``version``
        overrides the one in the text. Raises ValueError if the text is no such output.
        """
        found, build = read_bv(text)
        return cls(version or found, build)
