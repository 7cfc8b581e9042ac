"""An option line against the option's declaration: prefixes, repetition, and the typed value (manual 6.9).

The checks come in Exim's order, so that the first complaint is Exim's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.config_values import (
    ValueProblem,
    extra_characters,
    find_group,
    find_user,
    parse_time,
    read_bool,
    read_fixed,
    read_id_list,
    read_integer,
    read_string,
    read_time,
    read_time_list,
)
from eximious.grammar.listspans import list_separator, split_spans

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar import config_ast as ast
    from eximious.grammar.catalogue import Option
    from eximious.grammar.config_rules import Rewriting
    from eximious.grammar.config_values import Users

BOOLEANS = frozenset(("bool", "bool_verify", "bool_set", "expand_bool"))

#: options that are older names of others: they share the value
ALIASES = {
    "daemon_smtp_port": "daemon_smtp_ports",
    "return_size_limit": "bounce_return_size_limit",
    "server_param": "server_param1",
}

#: separator with which the values of an option that may be given twice are joined
_JOINERS = {"headers_add": "\n", "set": ";"}


class Settings:
    """The options set in one block (the main section, or a driver instance).

    ``values``: name -> typed value; ``nodes``: name -> the option's lines; ``hidden``: names after ``hide``.
    """

    __slots__ = ("hidden", "nodes", "seen", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.nodes: dict[str, list[ast.Option]] = {}
        self.hidden: set[str] = set()
        self.seen: set[str] = set()


class Context:
    """What reading values needs of the outside: ``users``, and ``expand`` (text -> text)."""

    __slots__ = ("expand", "users")

    def __init__(self, users: Users, expand: Callable[[str], str]) -> None:
        self.users, self.expand = users, expand


def bare_name(name: str) -> str:
    """Give the name without ``no_`` or ``not_``."""
    if name.startswith("no"):
        if name.startswith("no_"):
            return name[3:]
        if name.startswith("not_"):
            return name[4:]
    return name


def apply_option(node: ast.Option, option: Option, settings: Settings, context: Context) -> None:
    """Take over an option line whose option exists. Raises ValueProblem; the offset is from the value on."""
    shown = node.name
    name = option.name
    if name in settings.seen and not option.repeatable:
        raise ValueProblem("option-repeated", f'"{shown}" option set for the second time', -1)
    settings.seen.add(name)
    if node.hide:
        settings.hidden.add(name)
    kind = option.type
    value: Any
    if kind in BOOLEANS:
        value = _boolean(node, option)
    else:
        if shown != name:
            raise ValueProblem("negated-option", "negation prefix applied to a non-boolean option", -1)
        if node.value is None:
            if node.rest:
                raise ValueProblem("missing-equals", f'missing "=" after {shown}', -1)
            raise ValueProblem("missing-data", f"unexpected end of line (data missing) after {shown}", -1)
        text = node.value.raw
        if kind == "string":
            value = read_string(text, shown)
            if option.repeatable:
                value = _joined(name, option.repeatable, settings.values.get(name), value)
        else:
            value = _value(text, option, settings, context)
    settings.nodes.setdefault(name, []).append(node)
    if kind == "bool_verify":
        settings.values[f"{name}_sender"] = settings.values[f"{name}_recipient"] = value
    else:
        settings.values[ALIASES.get(name, name)] = value


def _boolean(node: ast.Option, option: Option) -> bool | str:
    """Read an option of a boolean type; text with a ``$`` is kept for later if the type allows it."""
    negated = node.name != option.name
    if node.value is None:
        if node.rest:
            raise extra_characters(-1, f"boolean option {node.name}")
        return not negated
    if negated:
        raise extra_characters(0, f"boolean option {node.name}")
    text = node.value.raw
    if option.type == "expand_bool" and "$" in text:
        return read_string(text, node.name)
    return read_bool(text, option.name, node.name)


def _joined(name: str, how: str, old: str | None, new: str) -> str | None:
    """Give the value of an option given again, or the first of one that may be; without items it is unset."""
    if how == "condition":
        return new if old is None else f"${{if and{{{{bool_lax{{{old}}}}}{{bool_lax{{{new}}}}}}}}}"
    joiner = _JOINERS.get(name, ":")
    separator, at = list_separator(new, joiner)
    result = old or ""
    for item, _, _ in split_spans(new[at:], separator):
        doubled = item.replace(joiner, joiner * 2)
        result = f"{result}{joiner}{doubled}" if result else doubled
    return result or None


def _value(text: str, option: Option, settings: Settings, context: Context) -> Any:
    """Read a value that is neither boolean nor string."""
    kind, name = option.type, option.name
    if kind in ("int", "mkint"):
        return read_integer(text, name)
    if kind == "time":
        return read_time(text, name)
    if kind == "func":  # smtp_receive_timeout: a time, or text to be expanded later
        if text[:1] == "$":
            return read_string(text, name)
        value = parse_time(text)
        if value < 0:
            raise ValueProblem("bad-time", f"invalid time value for {name}")
        return value
    if kind == "kint":
        return read_integer(text, name, True)
    if kind == "fixed":
        return read_fixed(text, name)
    if kind == "octal":
        return read_integer(text, name, octal=True)
    if kind == "time_list":
        return read_time_list(text, name)
    string = read_string(text, name)
    if kind in ("uidlist", "gidlist"):
        return read_id_list(string, name, kind == "gidlist", context.users, context.expand)
    if kind in ("uid", "expand_uid"):
        return _user(string, option, settings, context)
    if kind in ("gid", "expand_gid"):
        if kind == "expand_gid" and "$" in string:
            return string
        gid = find_group(string, context.users)
        if gid is None:
            raise ValueProblem("no-group", f"group {string} was not found")
        return gid
    if kind == "rewrite":
        return string, _rewrites(string)
    return string


def _user(string: str, option: Option, settings: Settings, context: Context) -> int | str:
    """Read a user; a fixed one brings its primary group along where no fixed group is set."""
    if option.type == "expand_uid" and "$" in string:
        return string
    found = find_user(string, context.users)
    if found is None:
        raise ValueProblem("no-user", f"user {string} was not found")
    uid, gid = found
    group = option.name.replace("user", "group")
    if gid is not None and not isinstance(settings.values.get(group), int):
        settings.values[group] = gid
    return uid


def _rewrites(string: str) -> tuple[Rewriting, ...]:
    """Read the rules of headers_rewrite."""
    from eximious.grammar.config_rules import ENVELOPE_FLAGS, rewriting

    rules = []
    for item, _, _ in split_spans(string):
        rule = rewriting(item)
        if any(flag in ENVELOPE_FLAGS for flag in rule.flags):
            raise ValueProblem(
                "rewrite-envelope",
                "rewrite rule specifies a non-header rewrite - not allowed at transport time -",
            )
        rules.append(rule)
    return tuple(rules)
