"""Random addresses, most of them nearly right, as people and programs write them."""

from __future__ import annotations

import random
import re

_PIECES = [
    "good", "x", "one", "two", "@", "@test.ex", "test.ex", ".", "..", '"', "\\", "(", ")", "<", ">", ",", ";", ":",
    " ", "  ", "\t", "%", "!", "/", "|", "a", "B", "\xe9", "\x01", "\x7f", "[127.0.0.1]", "[", "IPv6:", "::1", "]",
    "-", "_", "+", "real-", "hack.ex", "=", "$", "{", "}", "`", "'", "*", "root", "postmaster", "remote", "defer",
    "fail", "x@y", "@a.b:", "#", "\xc3\xa9", "xn--x", "A" * 40, "group: ", '""', '\\"', "\\\\", "other.ex", "mixed",
    "dup", "deep",
]  # fmt: skip
_LOCAL_PARTS = [
    "good", "one", "x y", '"q q"', "two", "Some One <good", "<one", "pipe", "nobody", "rw", "good%test.ex",
]  # fmt: skip
_DOMAINS = [
    "@test.ex", "@TEST.ex", "@other.ex", "@hack.ex", "", "@[127.0.0.1]", "@test.ex>", "@test..ex", "@.ex", "@-x.ex",
    "@x_y.ex", "@test.ex.",
]  # fmt: skip
#: what 4.96 dies of: a percent sign in an address literal
_FATAL = re.compile(r"\[[^\]]*%")


def random_addresses(seed: int, count: int) -> list[str]:
    """Give lines for ``-bt``, none of which ends in a backslash or kills the real Exim."""
    chance = random.Random(seed)
    found: list[str] = []
    while len(found) < count:
        text = _one(chance)
        if not _FATAL.search(text) and not text.rstrip().endswith("\\"):
            found.append(text)
    return found


def _one(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return "".join(chance.choice(_PIECES) for _ in range(chance.randint(1, 7)))
    text = chance.choice(_LOCAL_PARTS) + chance.choice(_DOMAINS)
    for _ in range(chance.randint(0, 2)):
        at = chance.randint(0, len(text))
        text = text[:at] + chance.choice(_PIECES) + text[at + chance.randint(0, 1) :]
    return text
