"""Variables by name: a name is resolved once, when an expansion is compiled, to a function of the context.

Owns which state object each variable of the language facts shows (:mod:`.table`), what is computed
(:mod:`.computed`, :mod:`.clock`) and how a variable is set from outside (:mod:`.setting`). Values come
from the four state objects; nothing here reaches outside except through the environment's doors.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.variables.table import PLACES

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.grammar.catalogue import Catalogue
    from eximious.interpreter.context import Context

    Run = Callable[[Context], str]

_NUMBER = re.compile(r"[0-9]+", re.A)
_AUTH = re.compile(r"auth0*([1-9])")
_REGEX = re.compile(r"regex0*([1-9])")
_ACL = re.compile(r"acl_[cm](?![A-Za-z])")

STRICT = "strict_acl_vars is set"
ACL_SIXTH = "6th character of a user-defined ACL variable must be a digit or underscore"
ACL_START = "user-defined ACL variables must start acl_c or acl_m"


class UnknownVariable(ExpansionError):
    """A variable that exists by its name but not now: only known when the text is expanded.

    ``name`` is the variable's; the message is that of ``$name``. Whoever knows that it was written in
    braces or behind ``def:`` replaces it (:func:`unknown_variable_message`).
    """

    def __init__(self, name: str) -> None:
        super().__init__(unknown_variable_message(name, False))
        self.name = name


# ---- messages


def unknown_variable_message(name: str, braced: bool) -> str:
    """Give Exim's message for ``$name`` or ``${name}`` that is no variable."""
    return (f'unknown variable in "${{{name}}}"' if braced else f'unknown variable name "{name}"') + hint(
        name
    )


def hint(name: str) -> str:
    """Give what Exim adds to any message about an unknown variable: a space and a remark, or nothing."""
    if not name.startswith("acl_"):
        return ""
    if name[4:5] not in ("c", "m"):
        return f" ({ACL_START})"
    return f" ({ACL_SIXTH if name[5:6].isalpha() else STRICT})"


# ---- resolving


def resolver_for(name: str, catalogue: Catalogue | None, version: tuple[int, int]) -> Run | None:
    """Give the function that gives a variable's value, or None if the version or build has no such name.

    ``name`` is without ``$`` and braces; digits mean a capture. ``catalogue``: None for everything that any
    version has. The function may raise UnknownVariable (an unset ACL variable while strict_acl_vars is set; a
    filter's accumulator outside of a filter), Refused or Unanswered. Manual 11.9.
    """
    if _ACL.match(name):
        return _user_variable(name, "session" if name[4] == "c" else "message", f"acl_{name[4]}")
    if name.startswith("r_") and version >= (4, 93):
        return _user_variable(name, "address", "router_variables")
    if _NUMBER.fullmatch(name):
        return _element("captures", int(name) & 0xFFFFFFFF)
    if name.startswith("auth") and (match := _AUTH.fullmatch(name)):
        number = int(match[1])
        if number <= (4 if version >= (4, 95) else 3):
            return _element("session.auth", number - 1)
    elif name.startswith("regex") and version >= (4, 88) and (match := _REGEX.fullmatch(name)):
        return _element("message.regex", int(match[1]) - 1)
    if name not in PLACES or (catalogue is not None and catalogue.variable(name) is None):
        return None
    return named(name)


def named(name: str) -> Run:
    """Give the function for a variable of the name table, whatever the version. Raises KeyError."""
    letter, _, place = PLACES[name].partition(" ")
    if letter == "s":
        return attrgetter(place)
    if letter == "i":
        return _number(attrgetter(place))
    if letter == "b":
        return _yes_no(attrgetter(place))
    if letter == "c":
        return _certificate(attrgetter(place))
    if letter == "x":
        key, _, default = place.partition(" ")
        return _left_behind(key, default)
    if letter == "o":
        key, _, default = place.partition(" ")
        return _option(key, default)
    if letter == "a":
        return named(place)
    if letter == "n":
        which, _, digit = place.partition(" ")
        return _accumulator(name, attrgetter(f"message.{which}"), int(digit))
    if letter == "t":
        incoming, outgoing = place.split(" ")
        return _either(named(incoming), named(outgoing))
    return _function(place)


def defined_for(
    name: str, catalogue: Catalogue | None, version: tuple[int, int]
) -> Callable[[Context], bool] | None:
    """Give the function for ``def:name``, or None for an unknown name: whether the value is not empty.

    Digits are no variable here, unlike behind a dollar. Manual 11.7.
    """
    if _NUMBER.fullmatch(name):
        return None
    run = resolver_for(name, catalogue, version)
    if run is None:
        return None
    if name == "sender_host_name":
        # asking whether there is one looks nothing up
        return lambda ctx: bool(ctx.session.sender_host_name)
    return lambda ctx: run(ctx) != ""


def certificate_for(name: str) -> Callable[[Context], Any] | None:
    """Give the function that gives the certificate itself (PEM text or None); None for other variables."""
    letter, _, place = PLACES.get(name, "").partition(" ")
    return attrgetter(place) if letter == "c" else None


def unset_is_unknown(name: str) -> bool:
    """Say whether the variable is unknown while it has no value and strict_acl_vars is set.

    Exim finds that out even where the text is skipped, so such a name is worth a call there, too. (The
    other names that may turn out unknown, ``$n0`` and ``$recipients``, are not looked at then.)
    """
    return _ACL.match(name) is not None or name.startswith("r_")


def header_value(ctx: Context, kind: str, name: str, exists_only: bool = False) -> str | None:
    """See :func:`eximious.interpreter.headers.header_value`."""
    from eximious.interpreter import headers

    return headers.header_value(ctx, kind, name, exists_only)


def set_variable(
    ctx: Context, name: str, value: str, tainted: bool | None = None, catalogue: Catalogue | None = None
) -> None:
    """See :func:`eximious.interpreter.variables.setting.set_variable`."""
    from eximious.interpreter.variables import setting

    setting.set_variable(ctx, name, value, tainted, catalogue)


# ---- the functions


def _user_variable(name: str, owner: str, store: str) -> Run:
    values = attrgetter(f"{owner}.{store}")

    def run(ctx: Context) -> str:
        found: str | None = values(ctx).get(name)
        if found is None:
            if ctx.env.options.get("strict_acl_vars"):
                raise UnknownVariable(name)
            return ""
        return found

    return run


def _element(place: str, index: int) -> Run:
    values = attrgetter(place)

    def run(ctx: Context) -> str:
        found: list[str] = values(ctx)
        return found[index] if index < len(found) else ""

    return run


def _number(get: Callable[[Context], int]) -> Run:
    return lambda ctx: str(get(ctx))


def _yes_no(get: Callable[[Context], bool]) -> Run:
    return lambda ctx: "yes" if get(ctx) else "no"


def _certificate(get: Callable[[Context], object]) -> Run:
    return lambda ctx: "<cert>" if get(ctx) is not None else ""


def _left_behind(key: str, default: str) -> Run:
    def run(ctx: Context) -> str:
        found = ctx.scratch.get(key)
        if found is None:
            return default
        return found if isinstance(found, str) else str(found)

    return run


def _option(key: str, default: str) -> Run:
    def run(ctx: Context) -> str:
        found = ctx.env.options.get(key)
        return default if found is None else str(found)

    return run


def _accumulator(name: str, get: Callable[[Context], list[int]], digit: int) -> Run:
    def run(ctx: Context) -> str:
        if not ctx.message.filter_running:
            raise UnknownVariable(name)
        return str(get(ctx)[digit])

    return run


def _either(incoming: Run, outgoing: Run) -> Run:
    return lambda ctx: (outgoing if ctx.address.tls_out.active else incoming)(ctx)


def _function(name: str) -> Run:
    run: Run
    if name.startswith("tod_"):
        from eximious.interpreter.variables import clock

        run = getattr(clock, name)
    else:
        from eximious.interpreter.variables import computed

        run = getattr(computed, name)
    return run


__all__ = [
    "UnknownVariable",
    "certificate_for",
    "defined_for",
    "header_value",
    "hint",
    "named",
    "resolver_for",
    "set_variable",
    "unknown_variable_message",
    "unset_is_unknown",
]
