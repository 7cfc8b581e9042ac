"""Text values: bytes as one character each, and taint.

Exim's strings are bytes. Inside, a byte is one character (latin-1), so lengths, case folding and
regular expressions count bytes. Taint is the type: a value that came from outside the
configuration is a :class:`Tainted`, everything else a plain ``str``. ``str`` methods and
concatenation give plain ``str``; whoever builds text out of parts decides (see :func:`follow`).
"""

from __future__ import annotations


class Tainted(str):
    """Text from outside (Exim >= 4.93): a header, an envelope address, a host name a client sent."""

    __slots__ = ()


def taint(text: str) -> str:
    """Give ``text`` marked as tainted (the same object if it already is)."""
    return text if type(text) is Tainted else Tainted(text)


def untaint(text: str) -> str:
    """Give ``text`` without its mark: only for what Exim itself de-taints."""
    return str.__str__(text) if type(text) is not Tainted else "".join((text,))


def is_tainted(text: str) -> bool:
    """Say whether ``text`` came from outside."""
    return type(text) is Tainted


def follow(result: str, *sources: str) -> str:
    """Give ``result``, tainted if one of ``sources`` is."""
    for source in sources:
        if type(source) is Tainted:
            return Tainted(result)
    return result


def to_text(data: bytes) -> str:
    """Bytes from outside as text (one character a byte)."""
    return data.decode("latin-1")


def to_bytes(text: str) -> bytes:
    """Text as the bytes it stands for."""
    return text.encode("latin-1")
