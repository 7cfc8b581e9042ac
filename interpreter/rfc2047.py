"""Encoded words in header lines (RFC 2047): decoding as ``$h_``, ``$bh_`` and ``${rfc2047d:`` do."""

from __future__ import annotations

import re

#: longest encoded word that is decoded while check_rfc2047_length is set (RFC 2047 section 2)
LONGEST_WORD = 75

_WORD = re.compile(r"=\?([^?]*)\?([QqBb])\?", re.S)
_GAP = re.compile(r"[ \t\n\v\f\r]*")
_NO_SPACES = dict.fromkeys(map(ord, " \t\n\v\f\r"))
_HEX = re.compile(r"=([0-9A-Fa-f]{2})")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def decode(
    text: str, target: str | None, check_length: bool = True, nul: bytes = b"?"
) -> tuple[str, str | None]:
    """Decode the encoded words in ``text``.

    ``target``: the character set to give the result in; None: none, bytes stay as decoded. White space
    between two encoded words goes. What looks like an encoded word but is none, or is too long, stays. A
    NUL becomes ``nul``. Gives (text, problem): where a character set is unknown its words are
    not converted, and the problem is Exim's message for the last of them. RFC 2047, manual 11.5.
    """
    if "=?" not in text:
        return text, None
    found = _next_word(text, 0, check_length)
    if found is None:
        return text, None
    out: list[str] = []
    at = 0
    problem: str | None = None
    while found is not None:
        start, end, charset, data = found
        out.append(text[at:start])
        if target is not None and charset.lower() != target.lower():
            from eximious.interpreter.iconv import UnknownCharset, convert

            try:
                data = convert(data, charset, target)
            except UnknownCharset as unknown:
                problem = unknown.message
        out.append(data.replace(b"\0", nul).decode("latin-1"))
        at = end
        found = _next_word(text, at, check_length)
        if found is not None and _GAP.match(text, at).end() == found[0]:  # type: ignore[union-attr]
            at = found[0]
    out.append(text[at:])
    return "".join(out), problem


def _next_word(text: str, at: int, check_length: bool) -> tuple[int, int, str, bytes] | None:
    """Give the next encoded word: start, end, character set, decoded data."""
    while True:
        start = text.find("=?", at)
        if start < 0:
            return None
        at = start + 2
        word = _WORD.match(text, start)
        if word is None:
            continue
        end = text.find("?=", word.end())
        if end < 0:
            return None
        if check_length and end + 2 - start > LONGEST_WORD:
            continue
        body = text[word.end() : end]
        data = _quoted(body) if word[2] in "Qq" else _base64(body)
        if data is not None:
            return start, end + 2, word[1], data


def _quoted(body: str) -> bytes | None:
    """The Q encoding; None where it is broken."""
    if " " in body or "\t" in body:
        return None
    pieces = _HEX.split(body.replace("_", " "))
    if any("=" in piece for piece in pieces[::2]):
        return None
    pieces[1::2] = [chr(int(digits, 16)) for digits in pieces[1::2]]
    return "".join(pieces).encode("latin-1")


def _base64(body: str) -> bytes | None:
    """The B encoding; None where it is broken. White space in it does not count."""
    packed = body.translate(_NO_SPACES)
    if not _BASE64.fullmatch(packed):
        return None
    from binascii import a2b_base64

    return a2b_base64(packed)
