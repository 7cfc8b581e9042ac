"""spf: the SPF result for a sender (the key) at an address (the place of the file); manual 9.3, RFC 7208."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.dns import AGAIN, Record, basic_lookup
from eximious.interpreter.ipaddress import parse_ip
from eximious.lookups.registry import SINGLE_KEY, Lookup, lookup

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.context import Context
    from eximious.lookups.registry import Question


@lookup("spf", style=SINGLE_KEY, section="9.3")
class Spf(Lookup):
    """Gives pass, fail, softfail, neutral, none, permerror or temperror; nothing without an address."""

    def find(self, handle: None, question: Question) -> str | None:
        address = parse_ip(question.file)
        if address is None or "%" in question.file:
            return None
        bits, number = address
        if (bits == 32 and number >> 24 == 127) or (bits == 128 and number == 1):
            return "pass"  # this machine itself
        return spf_result(question.ctx, question.file, question.key)


def spf_result(ctx: Context, address: str, sender: str) -> str:
    """Evaluate SPF with pyspf, which asks the run's resolver. RFC 7208."""
    import spf

    class Evaluation(spf.query):  # type: ignore[misc]
        """One evaluation."""

        def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:
            wanted = str(name).rstrip(".").lower()
            if not wanted or any(not 0 < len(label) < 64 for label in wanted.split(".")):
                return []
            known: list[Any] | None = self.cache.get((wanted, qtype))
            if known is not None:
                return known
            answer = basic_lookup(ctx, wanted, qtype)
            if answer.outcome == AGAIN:
                raise spf.TempError(f"DNS {answer.reason or 'timeout'}")
            found = [_value(record) for record in answer.of(qtype)]
            if not found:
                target = next((record.data[0] for record in answer.of("CNAME")), None)
                seen = {*(cnames or ()), wanted}
                if target and target.lower() not in seen:
                    if len(seen) > spf.MAX_CNAME:
                        raise spf.PermError(f"Length of CNAME chain exceeds {spf.MAX_CNAME}")
                    found = self.dns(target, qtype, seen, True)
            self.cache[wanted, qtype] = found
            if not found and not ignore_void:
                self.void_lookups += 1
                if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                    raise spf.PermError(f"Void lookup limit of {spf.MAX_VOID_LOOKUPS} exceeded")
            return found

    helo = getattr(ctx.session, "sender_helo_name", None) or ctx.env.primary_hostname
    evaluation = Evaluation(address, sender, helo, strict=True, querytime=0)
    result: str = evaluation.check()[0]
    return result


def _value(record: Record) -> Any:
    """A record's data in the form that pyspf takes."""
    if record.type == "MX":
        return record.data[0], record.data[1]
    if record.type in ("TXT", "SPF"):
        return tuple(part if isinstance(part, bytes) else str(part).encode("latin-1") for part in record.data)
    return record.data[0]
