r"""Cuts an expansion into tokens for the grammar in expansion.lark.

One regular expression per mode and a stack of what is open. The lexer is total: where the text
breaks it emits an ERROR token (or leaves the item unclosed) and then closes whatever is open, so a
tree always comes out and the error is met where Exim meets it. A token is ``(terminal, value, start,
end)``; an END whose start and end are the same was supplied by the lexer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eximious.grammar import _expansion_lalr
from eximious.grammar.expansion_ast import Broken, Capture, Header, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Token = tuple[int, Any, int, int]

_T = _expansion_lalr.TERMINALS
TEXT, VARIABLE, ERROR, ITEM, IF = _T["TEXT"], _T["VARIABLE"], _T["ERROR"], _T["ITEM"], _T["IF"]
OPERATOR, END, TEXTARG, ARG, CONDARG = _T["OPERATOR"], _T["END"], _T["TEXTARG"], _T["ARG"], _T["CONDARG"]
WORD, CONDITION, BADCONDITION, CONDEND = _T["WORD"], _T["CONDITION"], _T["BADCONDITION"], _T["CONDEND"]
GROUP, SUBARGS = _T["GROUP"], _T["SUBARGS"]
FINISH = _T["$END"]

#: text up to what ends it, with its escapes: outside of braces, inside, and inside where $ is text
_escapes = r"\\N(?s:.)*?(?:\\N|\Z)|\\(?s:[^N])"
_outer = re.compile(rf"(?:[^\\$]+|{_escapes})+").match
_inner = re.compile(rf"(?:[^\\$}}]+|{_escapes})+").match
_raw = re.compile(rf"(?:[^\\}}]+|{_escapes})+").match
_plain_argument = re.compile(r"\{([^\\$}]*)\}").match
_dollar = re.compile(
    r"\$(?:([A-Za-z][A-Za-z0-9_]*)|([0-9]+)|\{(?:([A-Za-z][A-Za-z0-9_-]*)|([0-9]+)(\}?))|(\{?))"
).match
_header_rest = re.compile(r"[!-9;-~\x80-\xff]*").match
_spaces = re.compile(r"[ \t\n\v\f\r]*").match
_word = re.compile(r"[^ \t\n\v\f\r{}]+").match
_lookup_type = re.compile(r"[^ \t\n\v\f\r{]+").match
_condition_name = re.compile(r"((?:![ \t\n\v\f\r]*)*)(?:([A-Za-z0-9_]+)|([<=>]=?)|)").match
HEADER_PREFIX = re.compile(r"(?:[rbl]?h(?:eader)?_)")
_header_prefix = HEADER_PREFIX.match

LOOKUP_SHAPE = "l"
MISSING_CLOSE = "missing } at end of string"

# What is open, innermost last. Frames are small tuples: (kind, more).
_TEXT_FRAME = 0  # inside {text}: up to the }
_RAW_FRAME = 1  # the same where $ is text
_ITEM_FRAME = 2  # between the arguments of an item
_CONDITION_FRAME = 3  # between the arguments of a condition
_GROUP_FRAME = 4  # between the conditions of and{...}
_CONDARG_FRAME = 5  # behind the condition of {condition}
_SUBARGS_FRAME = 6  # between the arguments of acl{...}

#: per letter of a condition's shape: the terminal and frame it opens
_SHAPES = {
    "t": (ARG, _TEXT_FRAME),
    "r": (ARG, _RAW_FRAME),
    "c": (CONDARG, _CONDARG_FRAME),
    "g": (GROUP, _GROUP_FRAME),
    "s": (SUBARGS, _SUBARGS_FRAME),
}


def tokens(
    text: str, items: Mapping[str, str], conditions: Mapping[str, str], limit: int = 2000
) -> list[Token]:
    """Cut ``text``.

    ``items``: the item names that exist, with their shape (``""``: text arguments; ``"tc"``: a text, then
    a condition). ``conditions``: the condition names, with a letter per argument: ``t`` text, ``r`` text
    without ``$``, ``c`` condition, ``g`` group of conditions, ``s`` group of texts, ``d`` the subject of
    ``def:``. ``limit``: how deep braces may nest before the text counts as broken there.
    """
    out: list[Token] = []
    emit = out.append
    stack: list[tuple[int, Any]] = []
    more: Any
    position = 0
    length = len(text)
    frame, more = -1, None  # -1: outside of all braces
    while True:
        if frame <= _RAW_FRAME:
            # ---- text
            found = (_outer if frame < 0 else _inner if frame == _TEXT_FRAME else _raw)(text, position)
            if found:
                end = found.end()
                emit((TEXT, found[0], position, end))
                position = end
            if position >= length:
                if frame >= 0:
                    emit((ERROR, Broken(MISSING_CLOSE, "", True, position, position), position, position))
                break
            character = text[position]
            if character == "}":
                position += 1
                emit((END, True, position - 1, position))
                frame, more = stack.pop()
                continue
            if character == "\\":
                emit((ERROR, Broken("\\ at end of string", text[position:], False, position, length), 0, 0))
                break
            # a $
            found = _dollar(text, position)
            assert found is not None
            group = found.lastindex
            end = found.end()
            if group == 1:
                name = found[1]
                prefix = _header_prefix(name)
                if prefix:
                    start = position
                    position += 1 + prefix.end()
                    end = _header_rest(text, position).end()  # type: ignore[union-attr]
                    name = text[position:end]
                    colon = end < length and text[end] == ":"
                    position = end + colon
                    header = Header(prefix[0], name[:254], colon, start, position)
                    emit((VARIABLE, header, start, position))
                else:
                    emit((VARIABLE, Variable(name[:255], False, position, end), position, end))
                    position = end
                continue
            if group == 2:
                number = _capture_number(found[2])
                emit((VARIABLE, Capture(number, False, position, end), position, end))
                position = end
                continue
            if group == 3:
                name = found[3]
                shape = items.get(name)
                if shape is not None:
                    if len(stack) > limit:
                        emit(
                            (
                                ERROR,
                                Broken("nested too deeply", text[position:], False, position, length),
                                0,
                                0,
                            )
                        )
                        break
                    stack.append((frame, more))
                    if name == "if":
                        emit((IF, None, position, end))
                        stack.append((_ITEM_FRAME, ""))
                        position = end
                        opened = _open_condition(text, position, conditions, emit)
                        if opened is None:
                            frame, more = stack.pop()
                            break
                        frame, (position, more) = _CONDITION_FRAME, opened
                    else:
                        emit((ITEM, name, position, end))
                        position = end
                        frame, more = _ITEM_FRAME, shape
                    continue
                following = text[end] if end < length else ""
                if following == "}":
                    emit((VARIABLE, Variable(name[:255], True, position, end + 1), position, end + 1))
                    position = end + 1
                    continue
                if following == ":":
                    if len(stack) > limit:
                        emit(
                            (
                                ERROR,
                                Broken("nested too deeply", text[position:], False, position, length),
                                0,
                                0,
                            )
                        )
                        break
                    emit((OPERATOR, name[:255], position, end + 1))
                    position = end + 1
                    stack.append((frame, more))
                    frame, more = _TEXT_FRAME, None
                    continue
                message = (
                    f'"${{{name[:255]}" is not a known operator (or a }} is missing in a variable reference)'
                )
                emit((ERROR, Broken(message, text[position:], False, position, length), 0, 0))
                break
            if group == 5:
                if found[5]:
                    number = _capture_number(found[4])
                    emit((VARIABLE, Capture(number, True, position, end), position, end))
                    position = end
                    continue
                message = "} expected after number"
            elif found[6]:
                message = "letter or digit expected after ${"
            elif frame == _RAW_FRAME:
                raise AssertionError("a $ is text here")
            else:
                message = "$ not followed by letter, digit, or {"
            emit((ERROR, Broken(message, text[position:], False, position, length), 0, 0))
            break

        position = _spaces(text, position).end()  # type: ignore[union-attr]
        character = text[position] if position < length else ""
        if frame == _ITEM_FRAME:
            if character == "{":
                if more and more[0] == "c":
                    emit((CONDARG, None, position, position + 1))
                    stack.append((_ITEM_FRAME, more[1:]))
                    stack.append((_CONDARG_FRAME, None))
                    opened = _open_condition(text, position + 1, conditions, emit)
                    if opened is None:
                        frame, more = stack.pop()
                        break
                    frame, (position, more) = _CONDITION_FRAME, opened
                    continue
                raw = more[:1] == "r"
                if more != LOOKUP_SHAPE:
                    more = more[1:]
                found = _plain_argument(text, position)
                if found:
                    emit((TEXTARG, found[1], position, found.end()))
                    position = found.end()
                else:
                    emit((ARG, raw, position, position + 1))
                    position += 1
                    stack.append((_ITEM_FRAME, more))
                    frame, more = (_RAW_FRAME if raw else _TEXT_FRAME), None
                continue
            if character == "}":
                position += 1
                emit((END, True, position - 1, position))
                frame, more = stack.pop()
                continue
            if more == LOOKUP_SHAPE and character.isascii() and character.isalpha():
                # the type of a lookup goes on to the next blank or opening brace
                found = _lookup_type(text, position)
                more = ""
            else:
                found = _word(text, position)
            if not found:
                break
            emit((WORD, found[0], position, found.end()))
            position = found.end()
        elif frame == _CONDITION_FRAME:
            if more and character == "{":
                terminal, inner = _SHAPES[more[0]]
                more = more[1:]
                if terminal == ARG:
                    found = _plain_argument(text, position)
                    if found:
                        emit((TEXTARG, found[1], position, found.end()))
                        position = found.end()
                        continue
                if len(stack) > limit:
                    break
                emit((terminal, inner == _RAW_FRAME, position, position + 1))
                position += 1
                stack.append((_CONDITION_FRAME, more))
                if inner == _CONDARG_FRAME:
                    stack.append((_CONDARG_FRAME, None))
                    opened = _open_condition(text, position, conditions, emit)
                    if opened is None:
                        frame, more = stack.pop()
                        break
                    frame, (position, more) = _CONDITION_FRAME, opened
                else:
                    frame, more = inner, None
                continue
            emit((CONDEND, None, position, position))
            frame, more = stack.pop()
        elif frame == _GROUP_FRAME:
            if character == "{":
                if len(stack) > limit:
                    break
                emit((CONDARG, None, position, position + 1))
                stack.append((_GROUP_FRAME, None))
                stack.append((_CONDARG_FRAME, None))
                opened = _open_condition(text, position + 1, conditions, emit)
                if opened is None:
                    frame, more = stack.pop()
                    break
                frame, (position, more) = _CONDITION_FRAME, opened
                continue
            if character != "}":
                break
            position += 1
            emit((END, True, position - 1, position))
            frame, more = stack.pop()
        elif frame == _CONDARG_FRAME:
            if character != "}":
                break
            position += 1
            emit((END, True, position - 1, position))
            frame, more = stack.pop()
        else:  # _SUBARGS_FRAME
            if character == "{":
                found = _plain_argument(text, position)
                if found:
                    emit((TEXTARG, found[1], position, found.end()))
                    position = found.end()
                else:
                    emit((ARG, False, position, position + 1))
                    position += 1
                    stack.append((_SUBARGS_FRAME, None))
                    frame, more = _TEXT_FRAME, None
                continue
            if character != "}":
                break
            position += 1
            emit((END, True, position - 1, position))
            frame, more = stack.pop()
    # ---- close what is open
    if frame >= 0:
        stack.append((frame, more))
        for kind, _ in reversed(stack):
            if kind == _CONDITION_FRAME:
                emit((CONDEND, None, position, position))
            elif kind >= 0:
                emit((END, False, position, position))
    emit((FINISH, None, length, length))
    return out


def _capture_number(digits: str) -> int:
    """The number of a capture as Exim counts it, in 32 bits; what is beyond all captures is all the same."""
    if len(digits) < 3:
        return int(digits)
    number = int(digits[-400:]) % (1 << 32)
    return number if number < 1 << 16 else 1 << 16


def _open_condition(
    text: str, position: int, conditions: Mapping[str, str], emit: Any
) -> tuple[int, str] | None:
    """Read a condition's ``!``s and name at ``position``; give the place behind it and its shape.

    None: there is no condition that exists; its token says so.
    """
    start = _spaces(text, position).end()  # type: ignore[union-attr]
    found = _condition_name(text, start)
    assert found is not None
    end = found.end()
    name = found[2] or found[3]
    if not name:
        message = f'condition name expected, but found "{text[end : end + 16]}"'
    elif name == "def":
        return _open_def(text, start, end, found[1].count("!"), emit)
    else:
        shape = conditions.get(name)
        if shape is not None:
            emit((CONDITION, (name, found[1].count("!"), None), start, end))
            return end, shape
        message = f'unknown condition "{name}"'
    emit((BADCONDITION, Broken(message, text[start:], False, start, len(text)), start, len(text)))
    return None


_subject = re.compile(r"[A-Za-z0-9_]*").match


def _open_def(text: str, start: int, end: int, negations: int, emit: Any) -> tuple[int, str] | None:
    """Read the subject of ``def:`` (a variable or a header name)."""
    if text[end : end + 1] != ":":
        message = '":" expected after "def"'
    else:
        behind = end + 1
        found = _subject(text, behind)
        name = found[0]  # type: ignore[index]
        prefix = _header_prefix(name)
        if prefix:
            name_start = behind + prefix.end()
            name_end = _header_rest(text, name_start).end()  # type: ignore[union-attr]
            colon = text[name_end : name_end + 1] == ":"
            header = Header(prefix[0], text[name_start:name_end][:254], colon, behind, name_end + colon)
            emit((CONDITION, ("def", negations, header), start, name_end + colon))
            return name_end + colon, ""
        if name:
            subject = Variable(name[:255], False, behind, found.end())  # type: ignore[union-attr]
            emit((CONDITION, ("def", negations, subject), start, subject.end))
            return subject.end, ""
        message = 'variable name omitted after "def:"'
    emit((BADCONDITION, Broken(message, text[start:], False, start, len(text)), start, len(text)))
    return None
