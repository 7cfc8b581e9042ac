"""dnsdb: the DNS as a database (manual 9.10 to 9.13)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.interpreter.dns import NODATA, NOMATCH, SUCCEED, Asking, is_secure, reverse_name, special_lookup
from eximious.interpreter.ipaddress import parse_ip
from eximious.interpreter.listsplit import SPACE, split_list
from eximious.lookups.registry import QUERY, Lookup, SearchDefer, lookup

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.dns import Answer, Record
    from eximious.lookups.registry import Question

#: record type as written -> type of the records wanted
TYPES = {
    "A": "A",
    "A+": "A",
    "AAAA": "AAAA",
    "CNAME": "CNAME",
    "CSA": "SRV",
    "MX": "MX",
    "MXH": "MX",
    "NS": "NS",
    "PTR": "PTR",
    "SOA": "SOA",
    "SPF": "SPF",
    "SRV": "SRV",
    "TLSA": "TLSA",
    "TXT": "TXT",
    "ZNS": "NS",
}

#: between the fields of a record where the query does not say
FIELD_SEPARATORS = {"SPF": "", "SRV": " ", "MX": " ", "TLSA": " "}

_STRICTNESS = ("strict", "lax", "never")
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+))?")
_TIME = re.compile(r"(?:[0-9]+[wdhms])+(?=,|\Z)")
_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


class Query:
    """A query taken apart: separators, modifiers, type, and the text of the list of names."""

    __slots__ = ("defer", "dnssec", "field_separator", "names", "retrans", "retry", "separator", "type")

    def __init__(self, text: str) -> None:
        self.separator = "\n"
        self.field_separator: str | None = None
        self.defer = self.dnssec = "lax"
        self.retrans = self.retry = 0
        self.type = "TXT"
        text = self._separators(text.lstrip(SPACE))
        text = self._modifiers(text)
        self.names = self._type(text)
        if self.field_separator is None:
            self.field_separator = FIELD_SEPARATORS.get(self.type)

    def _separators(self, text: str) -> str:
        if not text.startswith(">"):
            return text
        self.separator, text = text[1:2], text[2:]
        if text.startswith(","):
            self.field_separator, text = text[1:2], text[2:]
        elif text.startswith(";"):
            self.field_separator, text = "", text[1:]
        return text.lstrip(SPACE)

    def _modifiers(self, text: str) -> str:
        while True:
            word = text[:8].lower()
            if word.startswith("defer_"):
                self.defer, text = self._strictness(text[6:], "defer")
            elif word.startswith("dnssec_"):
                self.dnssec, text = self._strictness(text[7:], "dnssec")
            elif word == "retrans_":
                found = _TIME.match(text[8:])
                seconds = 0 if found is None else _seconds(found[0])
                if seconds <= 0:
                    raise SearchDefer("unsupported dnsdb timeout value")
                self.retrans = seconds
                comma = text.find(",")
                text = text[comma:] if comma >= 0 else ""
            elif word.startswith("retry_"):
                match = _NUMBER.match(text[6:])
                assert match is not None
                value = _c_number(match[1]) if match[1] else 0
                if value < 0:
                    raise SearchDefer("unsupported dnsdb retry count")
                self.retry, text = value, text[6 + match.end() if match[1] else 6 :]
            else:
                return text
            text = text.lstrip(SPACE)
            if not text.startswith(","):
                raise SearchDefer("dnsdb modifier syntax error")
            text = text[1:].lstrip(SPACE)

    def _strictness(self, text: str, what: str) -> tuple[str, str]:
        for word in _STRICTNESS:
            if text[: len(word)].lower() == word:
                return word, text[len(word) :]
        raise SearchDefer(f"unsupported dnsdb {what} behaviour")

    def _type(self, text: str) -> str:
        before, equals, after = text.partition("=")
        if not equals:
            return text
        type_ = before.rstrip(SPACE).upper()
        if type_ not in TYPES:
            raise SearchDefer("unsupported DNS record type")
        self.type = type_
        return after.lstrip(SPACE)

    def items(self) -> list[str]:
        """The names to ask for; one IPv6 address after ``ptr=`` is not taken for a list."""
        if self.type == "PTR" and not self.names.startswith("<") and parse_ip(self.names) is not None:
            return [self.names]
        return split_list(self.names)


def _seconds(text: str) -> int:
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([wdhms])", text))


def _c_number(text: str) -> int:
    """A number as strtol reads it with base 0, cut to an int."""
    digits = text.lstrip("+-")
    base = (
        16
        if digits[:2].lower() == "0x"
        else 8
        if digits.startswith("0") and digits.strip("01234567") == ""
        else 10
    )
    value = int(digits, base)
    return -value if text.startswith("-") else value


@lookup("dnsdb", style=QUERY, section="9.10")
class DnsDb(Lookup):
    """Records of names in the DNS, one value a record, joined by a separator."""

    def find(self, handle: Any, question: Question) -> str | None:
        """Give the records found; None if there are none for any of the names."""
        ctx = question.ctx
        query = Query(question.key)
        asking = Asking(dnssec=query.dnssec != "never", retrans=query.retrans, retry=query.retry)
        result = ""
        deferred = False
        for item in query.items():
            name = item
            if query.type in ("PTR", "CSA") and parse_ip(item) is not None:
                name = reverse_name(item)
            for type_ in ("AAAA", "A") if query.type == "A+" else (query.type,):
                answer, found = special_lookup(ctx, name, type_, asking)
                secure = is_secure(ctx, answer)
                ctx.scratch["lookup_dnssec_authenticated"] = (
                    "" if query.dnssec == "never" else "yes" if secure else "no"
                )
                if answer.outcome in (NOMATCH, NODATA):
                    continue
                if answer.outcome != SUCCEED or (query.dnssec == "strict" and not secure):
                    if query.defer == "strict":
                        raise SearchDefer("")
                    deferred = deferred or query.defer == "lax"
                    continue
                wanted = type_ if query.type == "A+" else TYPES[query.type]
                ttls = [record.ttl for record in answer.of(wanted)]
                if ttls:
                    lowest = min(ttls)
                    question.keep = lowest if question.keep is None else min(question.keep, lowest)
                for value in _values(query, wanted, answer, found == name):
                    # no separator behind nothing: values that are empty at the start leave no trace
                    result = f"{result}{query.separator}{value}" if result else value
        if result:
            return result.partition("\0")[0]
        if deferred:
            raise SearchDefer("")
        return None


def _values(query: Query, wanted: str, answer: Answer, own: bool) -> list[str]:
    """The values of an answer's records. ``own``: a CSA record is the name's own, not a parent's."""
    found = []
    for record in answer.of(wanted):
        value = _value(query, record, own)
        if value is not None:
            found.append(value)
    return found


def _value(query: Query, record: Record, own: bool) -> str | None:
    between = query.field_separator
    data = record.data
    if query.type in ("TXT", "SPF"):
        return str(data[0]) if between is None else between.join(data)
    if query.type == "MXH":
        return str(data[1])
    if query.type == "CSA":
        return _csa_value(data, own)
    if query.type == "SOA" and between is None:
        return str(data[0])
    if not between and query.type in ("SRV", "TLSA", "SOA"):
        # Exim writes a NUL between the fields then, which ends its numbers, or all of its text
        return f"{data[0]}{data[3]}" if query.type == "SRV" else f"{data[0]}" + "\0" * (query.type == "SOA")
    return (between or "").join(map(str, data))


def _csa_value(data: tuple[Any, ...], own: bool) -> str | None:
    """Authorization code and host of a CSA record (manual 9.12)."""
    priority, weight, port, target = data
    if priority != 1:
        return None
    if not own:
        return f"{'X' if port & 1 else '?'} {target}"
    if weight > 3:
        return None
    return f"{'NNY?'[weight]} {target}"
