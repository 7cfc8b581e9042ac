"""Internationalised domain names for look-ups: UTS 46 mapping without transition, and IDNA 2008's tests.

The answers and error texts are those of libidn2, which Exim uses (manual 60.1, RFC 5891 to 5893). What the
characters are comes from :mod:`unicodedata`, with :mod:`eximious.interpreter.idna_data` for what it lacks.
Loaded on first use.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from eximious.interpreter import idna_data, punycode

_LABEL_MAX = 63
_DOMAIN_MAX = 255

ENCODING = "string encoding error"
BAD_PUNYCODE = {
    punycode.BAD_INPUT: "string contains invalid punycode data",
    punycode.BIG_OUTPUT: "punycode encoded data will be too large",
    punycode.OVERFLOW: "punycode conversion resulted in overflow",
}
TOO_BIG_DOMAIN = "domain name longer than 255 characters"
TOO_BIG_LABEL = "domain label longer than 63 characters"
NOT_NFC = "string is not in Unicode NFC format"
TWO_HYPHENS = "string contains forbidden two hyphens pattern"
HYPHEN_AT_END = "string start/ends with forbidden hyphen"
LEADING_COMBINING = "string contains a forbidden leading combining character"
DISALLOWED = "string contains a disallowed character"
CONTEXTJ = "string contains a forbidden context-j character"
UNASSIGNED = "string contains unassigned code point"
BIDI = "string has forbidden bi-directional properties"
DOT_IN_LABEL = "domain label has forbidden dot (TR46)"
INVALID = "domain label has character forbidden in non-transitional mode (TR46)"
ROUNDTRIP = "A-label roundtrip failed"

#: how UTS 46 takes a character
_VALID, _MAPPED, _STD3, _FORBIDDEN = range(4)

_IGNORED = frozenset(
    (0xAD, 0x34F, 0x200B, 0x2060, 0x2064, 0xFEFF, 0x180F, *range(0x180B, 0x180E), *range(0xFE00, 0xFE10))
) | frozenset((*range(0x1BCA0, 0x1BCA4), *range(0xE0100, 0xE01F0)))
#: characters that stay themselves in UTS 46 although they fold to something else, and full stops
_KEPT = {code: chr(code) for code in (0xDF, 0x3C2, 0x200C, 0x200D)} | dict.fromkeys(
    (0x3002, 0xFF0E, 0xFF61), "."
)
#: neither control, format, private nor unassigned characters, and yet in no name
_NEVER = frozenset((0x115F, 0x1160, 0x1680, 0x1806, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0xFFFC, 0xFFFD))
_NEVER |= {*range(0x2FF0, 0x2FFC), 0x4C0, *range(0x10A0, 0x10C6), 0x2132, 0x2183, 0x2F868, 0x2F874}
_NEVER |= {0x2F91F, 0x2F95F, 0x2F9BF, 0xFE12}
#: they come apart into an ASCII character that is none of a name's, and a mark
_STD3_VALID = frozenset((0x2260, 0x226E, 0x226F))
_EXCEPTIONS_VALID = frozenset(
    (0xB7, 0xDF, 0x375, 0x3C2, 0x5F3, 0x5F4, 0x6FD, 0x6FE, 0xF0B, 0x3007, 0x30FB, 0x200C, 0x200D)
)
_EXCEPTIONS_DISALLOWED = frozenset((0x640, 0x7FA, 0x302E, 0x302F, *range(0x3031, 0x3036), 0x303B))
_IGNORABLE_BLOCKS = ((0x20D0, 0x20FF), (0x1D100, 0x1D1FF), (0x1D200, 0x1D24F))
_JAMO_BLOCKS = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
_JOINERS = "\u200c\u200d"
_LETTER_DIGITS = frozenset(("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"))


class IdnaError(Exception):
    """A name that cannot be converted; ``message`` is the library's text."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@cache
def _ranges(text: str) -> frozenset[int]:
    codes: set[int] = set()
    for word in text.split():
        first, _, last = word.partition("-")
        codes.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(codes)


def _is_later(code: int) -> bool:
    """Whether only a newer Unicode than the library's has the character."""
    return code in _ranges(idna_data.AFTER_UNICODE_14)


def _fold(char: str) -> str:
    """Unicode's NFKC_Casefold, but for the characters that it ignores."""
    normalize = unicodedata.normalize
    return normalize("NFKC", normalize("NFKC", normalize("NFKC", char).casefold()).casefold())


@lru_cache(maxsize=4096)
def _status(code: int) -> tuple[int, str]:
    """Say how UTS 46 takes a character, and what it becomes."""
    char = chr(code)
    if code < 0x80:
        if char in "-.0123456789abcdefghijklmnopqrstuvwxyz":
            return _VALID, char
        return (_MAPPED, char.lower()) if char.isupper() else (_STD3, char)
    kept = _KEPT.get(code)
    if kept is not None:
        return (_VALID if kept == char else _MAPPED), kept
    if code in _IGNORED:
        return _MAPPED, ""
    if code in _NEVER or _is_later(code):
        return _FORBIDDEN, ""
    mapped = _fold(char)
    category = unicodedata.category(char)
    if category in ("Cn", "Co", "Cs", "Cc", "Zl", "Zp") or (category == "Cf" and mapped == char):
        return _FORBIDDEN, ""
    if mapped == char:
        return (_STD3 if code in _STD3_VALID else _VALID), char
    if "." in mapped:
        return _FORBIDDEN, ""
    if any(ord(one) < 0x80 and _status(ord(one))[0] == _STD3 for one in mapped):
        return _STD3, mapped
    return _MAPPED, mapped


@lru_cache(maxsize=4096)
def _disallowed(code: int) -> bool:
    """The derived property DISALLOWED of RFC 5892."""
    char = chr(code)
    if code in _EXCEPTIONS_VALID:
        return False
    if code in _EXCEPTIONS_DISALLOWED:
        return True
    if code < 0x80:
        return char not in "-0123456789abcdefghijklmnopqrstuvwxyz"
    category = unicodedata.category(char)
    if category == "Cn":
        return (code & 0xFFFE) == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if code in _ranges(idna_data.AFTER_UNICODE_12):
        return False
    if _fold(char) != char or category not in _LETTER_DIGITS or code in _IGNORED or code in _NEVER:
        return True
    return any(first <= code <= last for first, last in _IGNORABLE_BLOCKS + _JAMO_BLOCKS)


def _unassigned(code: int) -> bool:
    if code in _ranges(idna_data.AFTER_UNICODE_12) or _is_later(code):
        return True
    return unicodedata.category(chr(code)) == "Cn"


def _transparent(char: str) -> bool:
    """Joining type T (Unicode, ArabicShaping)."""
    if char in _JOINERS:
        return False
    return unicodedata.category(char) in ("Mn", "Me", "Cf") or char == "\U0001e94b"


def _context_j(label: str, at: int) -> bool:
    """Whether a joiner may stand here (RFC 5892 appendix A.1 and A.2)."""
    if at and unicodedata.combining(label[at - 1]) == 9:
        return True
    if label[at] == "\u200d" or at in (0, len(label) - 1):
        return False
    before = at - 1
    while before >= 0 and _transparent(label[before]):
        before -= 1
    after = at + 1
    while after < len(label) and _transparent(label[after]):
        after += 1
    return (
        before >= 0
        and after < len(label)
        and ord(label[before]) in _ranges(idna_data.JOINS_NEXT)
        and ord(label[after]) in _ranges(idna_data.JOINS_PREVIOUS)
    )


def _bidi(label: str) -> bool:
    """Whether the directions in a label go together (RFC 5893 section 2)."""
    kinds = [unicodedata.bidirectional(char) for char in label]
    if not {"R", "AL", "AN"}.intersection(kinds):
        return True
    if kinds[0] == "L":
        at_end = {"L", "EN", "NSM"}
    elif kinds[0] in ("R", "AL"):
        at_end = {"R", "AL", "AN", "EN", "NSM"}
    else:
        return False
    within = at_end | {"ES", "CS", "ET", "ON", "BN"}
    return within.issuperset(kinds) and (len(kinds) == 1 or kinds[-1] in at_end)


def _check_form(label: str) -> None:
    """The tests that UTS 46 and RFC 5891 share. Raises IdnaError."""
    if unicodedata.normalize("NFC", label) != label:
        raise IdnaError(NOT_NFC)
    if label[2:4] == "--":
        raise IdnaError(TWO_HYPHENS)
    if label.startswith("-") or label.endswith("-"):
        raise IdnaError(HYPHEN_AT_END)
    if label and unicodedata.category(label[0])[0] == "M" and not _is_later(ord(label[0])):
        raise IdnaError(LEADING_COMBINING)


def _check_mapping(label: str) -> None:
    """The test of UTS 46 on each character after the mapping. Raises IdnaError."""
    if "." in label:
        raise IdnaError(DOT_IN_LABEL)
    for char in label:
        if _status(ord(char))[0] not in (_VALID, _STD3):
            raise IdnaError(INVALID)


def _check_label(label: str) -> None:
    """The tests of RFC 5891 5.4 on a label for look-up. Raises IdnaError."""
    _check_form(label)
    for char in label:
        if _disallowed(ord(char)) and _status(ord(char))[0] != _STD3:
            raise IdnaError(DISALLOWED)
    for at, char in enumerate(label):
        if char in _JOINERS and not _context_j(label, at):
            raise IdnaError(CONTEXTJ)
    for char in label:
        if _unassigned(ord(char)):
            raise IdnaError(UNASSIGNED)
    if label and not _bidi(label):
        raise IdnaError(BIDI)
    _check_mapping(label)


def _decoded(ace: str) -> str:
    """Decode what stands after ``xn--``. Raises IdnaError."""
    basic, delimiter, extended = ace.rpartition("-")
    if not extended or (delimiter and not basic) or not _LDH.issuperset(ace):
        raise IdnaError(BAD_PUNYCODE[punycode.BAD_INPUT])
    try:
        # The library takes an underscore for the digit 0, which is "a".
        codes = punycode.decode(basic + delimiter + extended.replace("_", "a"), _LABEL_MAX)
    except punycode.PunycodeError as problem:
        raise IdnaError(BAD_PUNYCODE[problem.kind]) from None
    if any(code > 0x10FFFF or 0xD800 <= code < 0xE000 for code in codes):
        raise IdnaError(ENCODING)
    return "".join(map(chr, codes))


_LDH = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def _map_domain(domain: str) -> str:
    mapped: list[str] = []
    for char in domain:
        status, to = _status(ord(char))
        if status == _FORBIDDEN:
            raise IdnaError(DISALLOWED)
        mapped.append(to)
    result = "".join(mapped)
    if len(result) >= _DOMAIN_MAX:
        raise IdnaError(TOO_BIG_DOMAIN)
    result = unicodedata.normalize("NFC", result)
    problem: IdnaError | None = None
    for label in result.split("."):
        if label.startswith("xn--"):
            label = _decoded(label[4:])
        try:
            _check_form(label)
            _check_mapping(label)
        except IdnaError as found:
            problem = found
    if problem is not None:
        raise problem
    return result


def _convert_label(label: str) -> str:
    original = None
    if label.isascii():
        if not label.startswith("xn--"):
            if len(label) > _LABEL_MAX:
                raise IdnaError(TOO_BIG_LABEL)
            return label
        original, label = label, _decoded(label[4:])
    label = unicodedata.normalize("NFC", label)
    _check_label(label)
    try:
        ace = punycode.encode([ord(char) for char in label], _LABEL_MAX - 4)
    except punycode.PunycodeError as problem:
        raise IdnaError(BAD_PUNYCODE[problem.kind]) from None
    if original is not None:
        if original != f"xn--{ace}":
            raise IdnaError(ROUNDTRIP)
    else:
        try:
            if _decoded(ace) != label:
                raise IdnaError(ROUNDTRIP)
        except IdnaError:
            raise IdnaError(ROUNDTRIP) from None
    return f"xn--{ace}"


def to_ascii(domain: str) -> str:
    """Give a domain (Unicode text, ASCII letters in lower case) with its labels as A-labels.

    Raises IdnaError with the library's text.
    """
    mapped = _map_domain(domain)
    out: list[str] = []
    length = 0
    labels = mapped.split(".")
    for number, label in enumerate(labels):
        converted = _convert_label(label)
        last = number == len(labels) - 1
        if length + len(converted) > _DOMAIN_MAX - (1 if not converted and last else 2):
            raise IdnaError(TOO_BIG_DOMAIN)
        out.append(converted)
        length += len(converted)
        if not last:
            if length + 1 > _DOMAIN_MAX:
                raise IdnaError(TOO_BIG_DOMAIN)
            length += 1
    return ".".join(out)
