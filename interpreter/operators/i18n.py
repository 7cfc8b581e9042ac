"""The operators of internationalised mail, utf8_*: domains and local parts to and from A-label form.

Manual 11.6 and 60.1. Domains go to A-labels by :mod:`eximious.interpreter.idna`; all else is bare Punycode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import split_list
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, FOLLOW, OWN, operator
from eximious.interpreter.text import follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

_PUNYCODE_TEXTS = {
    "bad input": "Invalid input",
    "big output": "Output would exceed the buffer space provided",
    "overflow": "String size limit exceeded",
}
#: the library takes these for digits, too
_ODD_DIGITS = {chr(code): code - 22 for code in range(22, 48)}


class _Bad(Exception):
    """What is wrong, in the library's words."""


def _unicode(text: str) -> str | None:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return None


def domain_to_alabel(text: str) -> str:
    """Give a domain with A-labels; plain ASCII is left as it is, mixed case too. Raises _Bad."""
    if text.isascii():
        return text
    from eximious.interpreter import idna

    domain = _unicode("".join([char.lower() if char.isascii() else char for char in text]))
    if domain is None:
        raise _Bad(idna.ENCODING)
    try:
        return idna.to_ascii(domain)
    except idna.IdnaError as problem:
        raise _Bad(problem.message) from None


def local_part_to_alabel(text: str) -> str:
    """Give a local part with 8-bit bytes as ``xn--`` and Punycode of the whole. Raises _Bad."""
    if text.isascii():
        return text
    from eximious.interpreter import punycode

    decoded = _unicode(text)
    if decoded is None:
        raise _Bad("l_u2a: bad UTF-8 input")
    try:
        return "xn--" + punycode.encode([ord(char) for char in decoded], 4 * len(decoded))
    except punycode.PunycodeError as problem:
        raise _Bad(_PUNYCODE_TEXTS[problem.kind]) from None


def local_part_from_alabel(text: str) -> str:
    """Decode what :func:`local_part_to_alabel` gives. Raises _Bad."""
    from eximious.interpreter import punycode

    if not text.startswith("xn--"):
        raise _Bad("bad alabel prefix")
    try:
        codes = punycode.decode(text[4:], len(text), _ODD_DIGITS, 0x10FFFF)
        if any(code > 0x10FFFF or 0xD800 <= code < 0xDC00 for code in codes):
            raise punycode.PunycodeError(punycode.BAD_INPUT)
    except punycode.PunycodeError as problem:
        raise _Bad(_PUNYCODE_TEXTS[problem.kind]) from None
    return "".join(map(chr, codes)).encode("utf-8", "surrogatepass").decode("latin-1")


def domain_from_alabel(text: str) -> str:
    """Decode the labels that begin with ``xn--``. Raises _Bad.

    The domain is read and written as a list with dots between its items: white space around labels goes,
    and so do single dots at either end. A domain that comes out empty ends the real Exim; here it is given.
    """
    out = ""
    copied = False
    for label in split_list(text, "."):
        if label.startswith("xn--"):
            label = local_part_from_alabel(label)
        elif label:
            copied = True
        label = label.replace(".", "..")
        out = f"{out}.{label}" if out else label
    return follow(out, text) if copied else out


def _register(name: str, function: Callable[[str], str], direction: str, taint: str, summary: str) -> None:
    def run(ctx: Context, text: str) -> str:
        try:
            return function(text)
        except _Bad as problem:
            from eximious.interpreter.operators.text import escape

            source, target = direction.split(" to ")
            raise ExpansionError(
                f"error converting {source} ({escape(ctx, text)}) to {target}: {problem}"
            ) from None

    run.__doc__ = f"{summary} Raises ExpansionError with the library's reason. Manual 11.6, 60.1."
    operator(name, section="11.6", takes="ctx", taint=taint)(run)


_TO, _FROM = "utf8 to alabel", "alabel to utf8"
# What a library made is not tainted, what Exim copied is.
_register("utf8_domain_to_alabel", domain_to_alabel, _TO, OWN, "Give a UTF-8 domain with A-labels.")
_register("utf8_domain_from_alabel", domain_from_alabel, _FROM, OWN, "Give a domain with A-labels in UTF-8.")
_register("utf8_localpart_to_alabel", local_part_to_alabel, _TO, FOLLOW, "Give a UTF-8 local part in ASCII.")
_register(
    "utf8_localpart_from_alabel", local_part_from_alabel, _FROM, CLEAN, "Give a local part in UTF-8 again."
)
