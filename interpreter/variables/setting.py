"""Setting a variable by its name, from outside: ``--set``, scenarios, described verdicts."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING

from eximious.interpreter.text import taint, untaint
from eximious.interpreter.variables.table import PLACES

if TYPE_CHECKING:
    from typing import Any

    from eximious.grammar.catalogue import Catalogue
    from eximious.interpreter.context import Context

_INTEGER = re.compile(r"-?[0-9]+", re.A)
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}
_NUMBERED = re.compile(r"(auth|regex)([1-9])")

#: variables that follow from another, which is to be set instead
DERIVED = {
    "config_dir": "config_file",
    "sender_address_domain": "sender_address",
    "sender_address_local_part": "sender_address",
    "recipients_list": "recipients",
    "reply_address": "the header Reply-To: (a message)",
    "message_headers": "a message",
    "message_headers_raw": "a message",
    "load_average": "the machine",
    "pid": "the machine",
    "spool_space": "the machine",
    "spool_inodes": "the machine",
    "log_space": "the machine",
    "log_inodes": "the machine",
}
#: where a computed variable keeps a value that was set
_STORED = {
    "caller_gid": "env.caller_gid",
    "caller_uid": "env.caller_uid",
    "exim_gid": "env.exim_gid",
    "exim_uid": "env.exim_uid",
    "initial_cwd": "env.initial_cwd",
    "item": "item",
    "message_body": "message.message_body",
    "message_body_end": "message.message_body_end",
    "recipients_count": "message.recipients_count",
    "sender_host_name": "session.sender_host_name",
    "smtp_active_hostname": "session.smtp_active_hostname",
    "value": "value",
    "exim_version": "env.version_text",
    "version_number": "env.version_text",
}
_NUMBERS = ("caller_gid", "caller_uid", "exim_gid", "exim_uid", "recipients_count")


class SettingError(ValueError):
    """A variable that does not exist or cannot be set, or a value it cannot have; the message says why."""


def set_variable(
    ctx: Context, name: str, value: str, tainted: bool | None = None, catalogue: Catalogue | None = None
) -> None:
    """Set a variable for all evaluations in the state of ``ctx``.

    ``name``: without ``$``; digits set a capture. ``value``: text with one character a byte; a number, or
    yes or no, where the variable shows one. ``tainted``: whether the value counts as coming from
    outside; None: as such values usually are. ``catalogue``: refuse names that are not in it. ``recipients``
    takes a list as Exim writes it, ``headers_added`` lines. Raises SettingError.
    """
    name = name.removeprefix("$")
    if catalogue is not None:
        from eximious.interpreter.variables import resolver_for

        if resolver_for(name, catalogue, catalogue.version) is None:
            raise SettingError(_unknown(name))
    if tainted is None:
        tainted = usually_tainted(name)
    text = taint(value) if tainted and value else untaint(value)
    if not _pattern(ctx, name, text):
        if name not in PLACES:
            raise SettingError(_unknown(name))
        _named(ctx, name, text)


def usually_tainted(name: str) -> bool:
    """Say whether values of this variable come from outside, by the language facts."""
    from eximious.grammar.catalogue import Catalogue

    row = Catalogue().variable(name)
    return row.tainted.startswith("yes") if row is not None else name.startswith(("auth", "regex"))


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    if re.match(r"[rbl]?h(?:eader)?_", name):
        return f"${name}: is part of a message, which is given as a whole"
    close = get_close_matches(name, PLACES, 1)
    return f"${name}: there is no such variable" + (f"; did you mean ${close[0]}?" if close else "")


def _pattern(ctx: Context, name: str, text: str) -> bool:
    """Set a variable that is no row of the name table; False: it is none of those."""
    if re.match(r"acl_[cm](?![A-Za-z])", name):
        (ctx.session.acl_c if name[4] == "c" else ctx.message.acl_m)[name] = text
        return True
    if name.startswith("r_"):
        ctx.address.router_variables[name] = text
        return True
    if name.isdecimal():
        _put(ctx.captures, int(name), text)
        return True
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None:
        return False
    _put(ctx.session.auth if numbered[1] == "auth" else ctx.message.regex, int(numbered[2]) - 1, text)
    return True


def _put(values: list[str], index: int, text: str) -> None:
    if index > 99:
        raise SettingError(f"${index}: there are no more than 100 captures")
    values.extend([""] * (index + 1 - len(values)))
    values[index] = text


def _named(ctx: Context, name: str, text: str) -> None:
    letter, _, place = PLACES[name].partition(" ")
    if letter == "a":
        _named(ctx, place, text)
    elif letter == "t":
        _named(ctx, place.split(" ")[0], text)
    elif letter == "x":
        ctx.scratch[place.partition(" ")[0]] = text
    elif letter == "n":
        which, _, digit = place.partition(" ")
        getattr(ctx.message, which)[int(digit)] = _integer(name, text)
        ctx.message.filter_running = True
    elif letter == "o":
        raise SettingError(f"${name}: shows the option {place.partition(' ')[0]}, which is to be set")
    elif letter == "s":
        _store(ctx, place, text)
    elif letter == "i":
        _store(ctx, place, _integer(name, text))
    elif letter == "b":
        if text.lower() not in _YES:
            raise SettingError(f"${name}: is yes or no, not {text!r}")
        _store(ctx, place, _YES[text.lower()])
    elif letter == "c":
        _store(ctx, place, text or None)
    else:
        _computed(ctx, name, text)


def _computed(ctx: Context, name: str, text: str) -> None:
    place = _STORED.get(name)
    if place is not None:
        _store(ctx, place, _integer(name, text) if name in _NUMBERS else text)
        ctx.env.kept.pop("exim ids", None)
    elif name == "recipients":
        from eximious.interpreter.listsplit import split_list

        separated = text if text.lstrip().startswith("<") else f"<,{text}"
        items = split_list(separated)
        ctx.message.recipients = [taint(item) if type(text) is not str else item for item in items]
        ctx.message.enable_dollar_recipients = True
    elif name == "headers_added":
        ctx.message.added_headers = [text] if text else []
    elif name == "smtp_command_history":
        ctx.session.smtp_command_history = tuple(word for word in text.split(",") if word)
    elif name in ("queue_size", "regex_cachesize"):
        ctx.env.kept[name] = text
    elif name.startswith("tod_"):
        raise SettingError(f"${name}: shows the time; the clock is to be set")
    else:
        source = DERIVED.get(name, f"the option {name}")
        raise SettingError(f"${name}: follows from {source}, which is to be set instead")


def _integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise SettingError(f"${name}: is a number, not {str(text)!r}")
    return int(text)


def _store(ctx: Context, place: str, value: Any) -> None:
    owner, _, attribute = place.rpartition(".")
    setattr(attrgetter(owner)(ctx) if owner else ctx, attribute, value)


__all__ = ["DERIVED", "SettingError", "set_variable", "usually_tainted"]
