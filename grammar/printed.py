"""What ``exim -bP config`` prints: the logical lines after macro replacement, laid out anew (manual 5.2).

It works on what :class:`~eximious.grammar.reader.Reader` kept (``keep_lines=True``): the configuration is
not parsed for it, so lines that only look like section or driver names are laid out as such.
"""

from __future__ import annotations

from eximious.grammar.macros import SPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN = "<value not displayable>"


def print_config(
    kept: Iterable[str | tuple[str, int]], *, admin: bool = True, terse: bool = False
) -> Iterator[str]:
    """Give the lines that ``-bP config`` prints after its heading line.

    ``kept``: logical lines and (file, line) marks; ``admin``: the caller may see macros and hidden values;
    ``terse``: without indentation and blank lines (``-n``).
    """
    step = 0 if terse else 2
    indent = 0
    for item in kept:
        if isinstance(item, tuple):
            yield f'# {item[1]} "{item[0]}"'
            continue
        text = squeezed(item.lstrip(SPACE))
        if not text:
            continue
        if text[0] == "#":
            yield text
        elif text.startswith("begin") and text[5:6] == " ":
            if not terse:
                yield ""
            yield text
            indent = step
        elif text[-1] == ":" and "=" not in text:
            if not terse:
                yield ""
            yield " " * step + text
            indent = 2 * step
        elif not admin and ("A" <= text[0] <= "Z" or text.startswith("hide ")):
            name, equals, _ = text.partition("=")
            yield " " * indent + (f"{name}= {HIDDEN}" if equals else HIDDEN)
        else:
            yield " " * indent + text


def squeezed(text: str) -> str:
    """Give ``text`` with each run of blanks as one space, up to a run before a quote or a dollar sign.

    Exim means to leave alone what follows such a run, for it may be laid out with care. But having moved
    the text over a run of n blanks it looks n - 1 characters too far for the quote; so does this.
    """
    out: list[str] = []
    at = 0
    end = len(text)
    while at < end:
        start = at
        while at < end and text[at] not in SPACE:
            at += 1
        out.append(text[start:at])
        if at == end:
            break
        start = at
        while at < end and text[at] in SPACE:
            at += 1
        out.append(" ")
        seen = at + (at - start - 1)
        if text[seen if seen <= end else at :][:1] in ("'", '"', "$"):
            out.append(text[at:])
            break
    return "".join(out)
