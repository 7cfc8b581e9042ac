"""``dnslists =``: whether lists in the DNS name the client or other keys (manual 44.30-44.33)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.dns import NODATA, NOMATCH, SUCCEED, basic_lookup
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.listsplit import split_list
from eximious.interpreter.logs import log_write
from eximious.interpreter.outcomes import Failure, ForcedFailure
from eximious.interpreter.text import follow, untaint
from eximious.simulation.acl.outcomes import DEFER, FAIL, OK
from eximious.simulation.acl.registry import condition

if TYPE_CHECKING:
    from eximious.interpreter.context import Context
    from eximious.simulation.acl.engine import Evaluation
    from eximious.simulation.acl.program import Step

#: words in the list -> what a list that cannot be asked counts as from there on
_ON_DEFER = {"+include_unknown": OK, "+exclude_unknown": FAIL, "+defer_unknown": DEFER}
_SAID = {OK: "assumed in list", FAIL: "assumed not in list", DEFER: "returned DEFER"}
_STRANGE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 255  #: a longer name is not asked
#: what is shown of a TXT record's first string
_TEXT = 511


class Wanted:
    """One item of the list: ``domain`` to ask, ``text_domain`` for the TXT record, and its conditions.

    ``values``: addresses that are wanted, or their bits (``bits``); None: any in 127.0.0.0/8. ``every``: all
    records must be so. ``negated``: they must not. ``keys``: what is looked up in place of the client.
    """

    __slots__ = ("bits", "domain", "every", "keys", "negated", "text_domain", "values")

    def __init__(self, item: str) -> None:
        head, slash, keys = item.partition("/")
        self.keys = follow(keys, item) if slash else None
        self.values: list[str] | None = None
        self.bits = self.every = self.negated = False
        # an equals sign counts wherever it stands; only without one does an ampersand
        at = head.find("=")
        at = head.find("&") if at < 0 else at
        if at >= 0:
            self.negated = head[at - 1 : at] == "!" and at > 0
            rest = head[at + 1 :]
            self.bits = head[at] == "&"
            if not self.bits and rest[:1] in ("=", "&") and rest:
                self.bits, self.every, rest = rest[0] == "&", True, rest[1:]
            self.values = split_list(rest, ",")
            head = head[: at - 1] if self.negated else head[:at]
        text, comma, domain = head.partition(",")
        self.text_domain = text
        self.domain = domain if comma else text

    def matches(self, address: str) -> bool:
        """Whether one address is, or has the bits of, one that is wanted."""
        assert self.values is not None
        if not self.bits:
            return address in self.values
        have = parse_ip(address)
        # other addresses count as without any bits
        bits = have[1] if have is not None and address.startswith("127.") else 0
        for value in self.values:
            mask = parse_ip(value)
            if mask is not None and mask[0] == 32 and bits & mask[1] == mask[1]:
                return True
        return False


@condition("dnslists", section="44.30")
def dnslists(evaluation: Evaluation, argument: str, step: Step) -> int:
    """Ask list after list; the first that has the client, or a key given with it, decides.

    Sets ``$dnslist_domain``, ``$dnslist_matched``, ``$dnslist_value`` and ``$dnslist_text``.
    """
    ctx = evaluation.ctx
    on_defer = FAIL
    if not step.varies:
        # from 4.99 on it is a list that is expanded when it is searched, as the others are
        from eximious.interpreter.engine import expand

        try:
            argument = expand(argument, ctx)
        except ForcedFailure:
            return FAIL
        except Failure as failure:
            evaluation.log = f'failed to expand "{argument}" while checking a list: {failure.message}'
            return DEFER
    for item in split_list(argument):
        if item.startswith("+"):
            found = _ON_DEFER.get(item.lower())
            if found is None:
                evaluation.write(f"unknown item in dnslist (ignored): {item}", "main panic")
            else:
                on_defer = found
            continue
        wanted = Wanted(item)
        for domain in dict.fromkeys((wanted.domain, wanted.text_domain)):
            if _STRANGE.search(domain):
                evaluation.write(f'dnslists domain "{domain}" contains strange characters - is this right?')
        if wanted.keys is not None:
            outcome = _by_keys(ctx, wanted, wanted.keys, on_defer)
        elif evaluation.phase in ("notsmtp", "notsmtp_start"):
            return evaluation.error(f"cannot test auto-keyed dnslists condition in {evaluation.where} ACL")
        elif not ctx.session.sender_host_address:
            return FAIL
        else:
            outcome = _ask(ctx, wanted, ctx.session.sender_host_address, on_defer)
        if outcome != FAIL:
            return outcome
    return FAIL


def _by_keys(ctx: Context, wanted: Wanted, keys: str, on_defer: int) -> int:
    deferred = False
    for key in split_list(keys):
        outcome = _ask(ctx, wanted, key, on_defer)
        if outcome == OK:
            return OK
        deferred = deferred or outcome == DEFER
    return DEFER if deferred else FAIL


def _ask(ctx: Context, wanted: Wanted, key: str, on_defer: int) -> int:
    """Ask one list about one key."""
    outcome = _one(ctx, wanted, wanted.domain, key, on_defer)
    if outcome == OK:
        ctx.session.dnslist_domain = wanted.text_domain
        ctx.session.dnslist_matched = key
    return outcome


def _one(ctx: Context, wanted: Wanted, domain: str, key: str, on_defer: int) -> int:
    query = untaint(f"{_reversed(key)}.{domain}")
    if len(query) > _LONGEST:
        log_write(ctx, f"dnslist query is too long (ignored): {query}...", "main panic")
        return FAIL
    first = domain == wanted.domain
    answer = basic_lookup(ctx, query, "A")
    addresses = [str(record.data[0]) for record in answer.of("A")]
    if answer.outcome in (NOMATCH, NODATA) or (answer.outcome == SUCCEED and not addresses):
        return FAIL
    if answer.outcome != SUCCEED:
        from eximious.interpreter.variables.clock import log_selected

        if log_selected(ctx.env, "dnslist_defer", default=True):
            log_write(ctx, f"DNS list lookup defer (probably timeout) for {query}: {_SAID[on_defer]}")
        return on_defer
    if first and wanted.values is not None:
        if _matched(ctx, wanted, addresses, key, domain) is wanted.negated:
            return FAIL
    elif not _listed(ctx, addresses, key, domain):
        return FAIL
    if domain != wanted.text_domain:
        return _one(ctx, wanted, wanted.text_domain, key, on_defer)
    ctx.session.dnslist_value = ", ".join(addresses)
    ctx.session.dnslist_text = _text(ctx, query)
    return OK


def _matched(ctx: Context, wanted: Wanted, addresses: list[str], key: str, domain: str) -> bool:
    """Whether one of the addresses, or every one, is as wanted; it ends with the first that decides."""
    for address in addresses:
        if wanted.bits and not address.startswith("127.") and ":" not in address:
            _discarded(ctx, address, key, domain)
        if wanted.matches(address) is not wanted.every:
            return not wanted.every
    return wanted.every


def _discarded(ctx: Context, address: str, key: str, domain: str) -> None:
    log_write(ctx, f"DNS list lookup for {key} at {domain} returned {address}; not in 127.0/8 and discarded")


def _listed(ctx: Context, addresses: list[str], key: str, domain: str) -> bool:
    """Whether an address is one with which lists answer; others are logged."""
    good = False
    for address in addresses:
        if address.startswith("127."):
            good = True
        else:
            _discarded(ctx, address, key, domain)
    return good


def _text(ctx: Context, query: str) -> str:
    answer = basic_lookup(ctx, query, "TXT")
    for record in answer.of("TXT"):
        return str(record.data[0])[:_TEXT]
    return ""


def _reversed(key: str) -> str:
    """An address with its parts in reverse; anything else as it is."""
    parsed = parse_ip(key)
    if parsed is None:
        return key
    if parsed[0] == 32:
        return ".".join(reversed(key.split(".")))
    return ".".join(reversed(f"{parsed[1]:032x}"))
