"""The small differences between PCRE2 10.42, beside which Exim 4.96 was measured, and later ones.

Later releases read ``a{,3}`` and ``a{ 1 }`` as quantifiers, know more options, want digits after ``\\x``,
and point one character further in most messages. What is not evened out: look-behind of variable length,
names of groups over 32 characters, which 10.42 refuses.
"""

from __future__ import annotations

import re

_ODD = re.compile(
    r"\{[ \t,]|\{[0-9,]+[ \t]|\\x(?:\{[^}]*[^0-9A-Fa-f}]|(?![0-9A-Fa-f{]))|\\[CN]"
    r"|\(\?(?:\[|\^?[imsxnJU-]*[ar])"
)
_PIECES = re.compile(
    r"""
    (?P<quoted> \\Q .*? (?:\\E|\Z) )
  | (?P<hex> \\x (?: \{ (?P<digits>[^}]*) \}? | (?![0-9A-Fa-f]) ) )
  | (?P<byte> \\C )
  | (?P<name> \\N\{ [ \t,] )
  | \\ [pPogkN] \{ [^}]* \}? | \\c . | \\ . | \(\?[{\\]
  | \[ \^? \]? (?: \\x (?![0-9A-Fa-f]) (?P<inside>) | \\. | \[ [:.=] [^]]* \] | [^]\\] )* \]?
  | \(\?\# [^)]* \)?
  | (?P<option> \(\? (?: \[ | \^?[imsxnJU-]*[ar] ) )
  | (?P<brace> \{ (?! [0-9]+ (?:,[0-9]*)? \} ) )
  | .
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x(?![0-9A-Fa-f{])|(x\{[0-9A-Fa-f]*[^0-9A-Fa-f}])|.)", re.DOTALL)

_NOT_HEX = "non-hex character in \\x{} (closing brace missing?)"
_NOT_SUPPORTED = "PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u"
_NOT_OPTION = "unrecognized character after (? or (?-"


class OldError(Exception):
    """An error that later releases no longer find: PCRE2's message and offset."""

    def __init__(self, reason: str, place: int) -> None:
        super().__init__(reason)
        self.reason, self.place = reason, place


def modernise(pattern: str) -> tuple[str, list[int], OldError | None]:
    """Give a pattern that means to any PCRE2 what ``pattern`` means to 10.42.

    Also the offsets in the result before which something was put in, and the first error that only the old
    release finds (then the pattern given is what stands before it).
    """
    if _ODD.search(pattern) is None:
        return pattern, [], None
    out: list[str] = []
    inserted: list[int] = []
    size = 0
    for match in _PIECES.finditer(pattern):
        piece = match.group()
        kind = match.lastgroup
        if kind == "brace":
            inserted.append(size)
            piece = "\\{"
        elif kind == "byte":  # the pcre2 package's library is built without it
            inserted += [size + 2] * 4
            piece = "(?s:.)"
        elif kind == "option":
            return "".join(out), inserted, OldError(_NOT_OPTION, match.end() - 1)
        elif kind == "name":
            return "".join(out), inserted, OldError(_NOT_SUPPORTED, match.start() + 2)
        elif match.group("hex"):
            digits = match.group("digits")
            if digits is None:
                inserted += [size + 2, size + 2]
                piece = "\\x00"
            else:
                wrong = re.search(r"[^0-9A-Fa-f]", digits)
                if wrong:
                    return "".join(out), inserted, OldError(_NOT_HEX, match.start() + 3 + wrong.start())
        elif piece.startswith("[") and match.group("inside") is not None:
            changed = _in_class(piece, size, inserted)
            if type(changed) is int:
                return "".join(out), inserted, OldError(_NOT_HEX, match.start() + changed)
            piece = str(changed)
        out.append(piece)
        size += len(piece)
    return "".join(out), inserted, None


def _in_class(piece: str, size: int, inserted: list[int]) -> str | int:
    """The same for a class: what it becomes, or the offset in it of the character that 10.42 refuses."""
    out = ""
    at = 0
    for match in _ESCAPE.finditer(piece):
        if match[1]:
            return match.end() - 1
        out += piece[at : match.end()]
        at = match.end()
        if match.group() == "\\x":
            inserted += [size + len(out), size + len(out)]
            out += "00"
    return out + piece[at:]


_REFERENCE = re.compile(r"\\(?:g?[0-9]+|g[{<'][0-9]+[}>'])\Z")
#: errors whose offset later releases give one character further
_ONE_FURTHER = frozenset((107, 108, 109, 111, 122, 128, 141, 144, 155, 164, 167, 168, 194, 195))
_OLD_TEXTS = {
    125: "lookbehind assertion is not fixed length",
    128: "assertion expected after (?( or (?(?C)",
    129: "digit expected after (?+ or (?-",
    148: "subpattern name is too long (maximum 32 code units)",
    178: "digits missing in \\x{} or \\o{} or \\N{U+}",
}


def explain(pattern: str, code: int, reason: str, place: int) -> tuple[str, int]:
    """Give the message and offset that 10.42 has for an error (number, message, offset) of a later PCRE2."""
    reason = _OLD_TEXTS.get(code, reason)
    if code in (164, 167) and place > len(pattern):
        place -= 2
    elif code in _ONE_FURTHER or (code == 115 and _REFERENCE.search(pattern, 0, place)):
        place -= 1
    elif code == 129:
        place -= 2
    elif code == 137 and pattern[:place].endswith("{"):
        place -= 1
    elif code == 193:
        place = pattern.rfind("\\N", 0, place) + 2
    elif code == 150:
        if pattern.startswith(":]", place - 2):
            place = pattern.rfind("[:", 0, place) + 1
        elif pattern.startswith("-", place - 1):
            place -= 1
    elif code == 130:
        place = pattern.rfind("[:", 0, place) + 2
    elif code in (112, 113):
        place = max(pattern.rfind("[" + mark, 0, place) for mark in ":.=")
    return reason, place
