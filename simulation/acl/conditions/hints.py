"""``ratelimit`` and ``seen``: conditions on what happened before (manual 44.38, 44.39).

What they remember lasts as long as the environment; it begins empty, where the real one's begins with the hints
databases in its spool directory. The time is the clock's.
"""

from __future__ import annotations

import re
from math import exp
from typing import TYPE_CHECKING

from eximious.grammar.config_values import parse_time
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.text import follow
from eximious.simulation.acl.outcomes import FAIL, OK
from eximious.simulation.acl.registry import condition
from eximious.simulation.acl.state import hints_of

if TYPE_CHECKING:
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

_NUMBER = re.compile(
    r"[ \t\n\v\f\r]*(?:([+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?)"
    r"|([+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))(?:(?<=n)\([0-9a-z_]*\))?)",
    re.I,
)
_FACTORS = {"k": 1024.0, "m": 1024.0**2, "g": 1024.0**3}

#: phases after which a message has its recipients, and those with a message at all
_WITH_RECIPIENTS = frozenset(("predata", "mime", "dkim", "data", "prdr", "notsmtp"))
_WITH_MESSAGE = _WITH_RECIPIENTS | {"rcpt", "mail"}
#: mode -> how long a rate that was computed holds
_HOLDS = {"per_conn": "connection", "per_mail": "message", "per_rcpts": "message"}


class Rate:
    """A rate that was measured: events in a period, smoothed. ``seen``: the events of ``unique``."""

    __slots__ = ("epoch", "rate", "seen", "time")

    def __init__(self, rate: float, time: float) -> None:
        self.rate, self.time, self.epoch = rate, time, time
        self.seen: set[str] = set()


def number(text: str) -> tuple[float, str]:
    """Read a number as C's strtod() does: gives it, 0 where there is none, and what follows it."""
    match = _NUMBER.match(text)
    if match is None:
        return 0.0, text
    return float.fromhex(match[1]) if match[1] else float(match[2]), text[match.end() :]


class _Options:
    """The options of a rate limit."""

    __slots__ = ("bad_phase", "conflict", "count", "key", "mode", "unique", "updates")

    def __init__(self) -> None:
        self.mode = ""
        self.conflict = self.bad_phase = False
        self.updates: set[str] = set()
        self.count = 1.0
        self.key: str | None = None
        self.unique: str | None = None

    def set_mode(self, mode: str, bad_phase: bool = False) -> None:
        """Say what is counted; only one may be said."""
        self.conflict = self.conflict or bool(self.mode)
        self.mode = mode
        self.bad_phase = self.bad_phase or bad_phase


@condition("ratelimit", section="44.39")
def ratelimit(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the rate of events is at or over a limit; ``$sender_rate`` is the rate.

    It is an exponentially weighted moving average over the period, but never below the size of one event.
    """
    session = evaluation.ctx.session
    words = split_list(argument, "/")
    if not words:
        return _error(evaluation, "sender rate limit not set")
    limit_text = words[0]
    limit, rest = number(limit_text)
    if rest and rest[0].lower() in _FACTORS:
        limit *= _FACTORS[rest[0].lower()]
        rest = rest[1:]
    if limit < 0 or rest:
        return _error(evaluation, f'"{limit_text}" is not a positive number')
    session.sender_rate_limit = limit_text
    period_text = words[1] if len(words) > 1 else "NULL"
    period = parse_time(period_text)
    if period <= 0:
        return _error(evaluation, f'"{period_text}" is not a time value')
    session.sender_rate_period = period_text
    options = _Options()
    for word in words[2:]:
        problem = _option(evaluation, options, word)
        if problem:
            return _error(evaluation, problem)
    updates = options.updates
    shown_mode = "per_rcpt" if options.mode == "per_rcpts" else options.mode or "?"
    if options.conflict:
        return _error(evaluation, "conflicting per_* options")
    if len(updates & {"leaky", "strict", "readonly"}) > 1:
        return _error(evaluation, "conflicting update modes")
    if options.bad_phase and updates & {"leaky", "strict"} and "noupdate" not in updates:
        return _error(
            evaluation,
            f'"{shown_mode}" must not have /leaky or /strict option, or cannot be used in {evaluation.where} ACL',
        )
    readonly = bool(updates & {"noupdate", "readonly"}) or options.bad_phase
    strict = "strict" in updates and not readonly
    mode = options.mode or "per_mail"
    key = options.key if options.key is not None else session.sender_host_address
    unique = "" if options.unique is None else "unique/"
    full_key = f"{period_text}/{'per_rcpt' if mode == 'per_rcpts' else mode}/{unique}{key}"
    known = evaluation.state.rates("command" if readonly else _HOLDS.get(mode, "command"))
    rate = known.get(full_key)
    count = 0.0 if readonly else options.count
    evaluation.trace(f"ratelimit condition count={count:.0f} {limit:.1f}/{full_key}")
    if rate is not None:
        evaluation.trace(f"ratelimit found pre-computed rate {rate:.1f}")
    else:
        rate = _measure(evaluation, full_key, period, count, options.unique, readonly, limit, strict)
        known[full_key] = rate
        evaluation.trace(f"ratelimit computed rate {rate:.1f}")
    session.sender_rate = f"{rate:.1f}"
    return FAIL if rate < limit else OK


def _error(evaluation: Evaluation, problem: str) -> int:
    return evaluation.error(f'error in arguments to "ratelimit" condition: {problem}')


def _option(evaluation: Evaluation, options: _Options, word: str) -> str:
    """Obey one option, or add to the key; gives what is wrong with it."""
    phase, ctx = evaluation.phase, evaluation.ctx
    lower = word.lower()
    if lower in ("leaky", "strict", "noupdate", "readonly"):
        options.updates.add(lower)
    elif lower == "per_cmd":
        options.set_mode("per_cmd")
    elif lower == "per_conn":
        options.set_mode("per_conn", phase in ("notsmtp", "notsmtp_start"))
    elif lower == "per_mail":
        options.set_mode("per_mail", phase not in _WITH_MESSAGE)
    elif lower == "per_rcpt":
        if phase in _WITH_RECIPIENTS:
            options.set_mode("per_rcpts")
            options.count = float(len(ctx.message.recipients))
        else:
            options.set_mode("per_rcpt", phase != "rcpt")
    elif lower == "per_byte":
        options.set_mode("per_mail", phase not in _WITH_MESSAGE)
        options.count = float(max(ctx.message.message_size, 0))
    elif lower == "per_addr":
        options.set_mode("per_rcpt", phase != "rcpt")
        address = ctx.address
        options.unique = "*" if phase != "rcpt" else f"{address.local_part}@{address.domain}"
    elif lower.startswith("count="):
        options.count, rest = number(word[len("count=") :])
        if options.count < 0 or rest:
            return f'"{word}" is not a positive number'
    elif lower.startswith("unique="):
        options.unique = word[len("unique=") :]
    else:
        options.key = word if options.key is None else follow(f"{options.key}/{word}", options.key, word)
    return ""


def _measure(
    evaluation: Evaluation,
    key: str,
    period: int,
    count: float,
    unique: str | None,
    readonly: bool,
    limit: float,
    strict: bool,
) -> float:
    """The rate with this event, which is kept where the mode of update says so."""
    rates: dict[str, Rate] = hints_of(evaluation.ctx).setdefault("ratelimit", {})
    now = evaluation.ctx.env.doors.clock.now()
    old = rates.get(key)
    new = Rate(count, now)
    if old is not None:
        new.seen, new.epoch = old.seen, old.epoch
        evaluation.trace("ratelimit found key in database")
    else:
        evaluation.trace(f"ratelimit creating new {'rate data block' if unique is None else 'Bloom filter'}")
    if unique is not None:
        if now > new.epoch + period:
            new.seen, new.epoch = set(), now
            evaluation.trace("ratelimit discarding old Bloom filter")
        if unique != "*":  # it stands for what cannot be known here
            evaluation.trace(f"ratelimit checking uniqueness of {unique}")
        if unique in new.seen:
            count = 0.0
            evaluation.trace("ratelimit event found in Bloom filter")
        elif not readonly:
            new.seen = new.seen | {unique}
            evaluation.trace("ratelimit event added to Bloom filter")
    if old is None:
        evaluation.trace("ratelimit initializing new key's rate data")
    else:
        interval = max(now - old.time, 1e-9)
        share = interval / period
        weight = exp(-share)
        new.rate = max((1 - weight) * count / share + weight * old.rate, count)
    if strict or (new.rate < limit and not readonly):
        rates[key] = new
        evaluation.trace("ratelimit db updated")
    else:
        why = "readonly mode" if readonly else "over the limit, but leaky"
        evaluation.trace(f"ratelimit db not updated: {why}")
    return new.rate


@condition("seen", section="44.38")
def seen(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Whether the key was seen within an interval, or (with a minus sign) longer ago than that."""
    ctx = evaluation.ctx
    words = split_list(argument, "/")
    first = words[0] if words else ""
    before = first.startswith("-")
    interval = parse_time(first.removeprefix("-"))
    if interval < 0:
        return evaluation.error(f"failed to parse '{argument}'")
    key, mode, refresh = ctx.session.sender_host_address, "", 10 * 86400
    for word in words[1:]:
        if word.startswith("key="):
            key = word[len("key=") :]
        elif word in ("readonly", "write"):
            mode = word
        elif word.startswith("refresh="):
            refresh = parse_time(word[len("refresh=") :])
            if refresh < 0:
                return evaluation.error(f"failed to parse '{argument}'")
        else:
            return evaluation.error(f"unrecognised option '{word}' in '{argument}'")
    times: dict[str, int] = hints_of(ctx).setdefault("seen", {})
    now = int(ctx.env.doors.clock.now())
    last = times.get(key)
    outcome = FAIL
    if last is not None:
        age, how = now - last, "update"
        outcome = OK if (age >= interval if before else age < interval) else FAIL
        update = mode == "write" or (not before if outcome == FAIL or not before else age >= refresh)
        if update and before and outcome == OK:
            how = "refresh"
    else:
        update, how = True, "create"
    if update and mode != "readonly":
        times[key] = now
        evaluation.trace(f"seen db written ({how})")
    elif update:
        evaluation.trace("seen db not written (readonly)")
    return outcome
