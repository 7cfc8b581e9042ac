"""Pictures of boxes and arrows as DOT, Mermaid and SVG.

:class:`~eximious.drawing.picture.Picture` is what is drawn; ``dot``, ``mermaid`` and ``svg`` each write it. What the
boxes mean is the business of whoever makes a picture (``eximious graph``, ``eximious route``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.drawing.picture import Picture

FORMATS = ("dot", "mermaid", "svg")


def draw(picture: Picture, form: str) -> str:
    """Write a picture in one of FORMATS. Raises KeyError for another word."""
    from importlib import import_module

    if form not in FORMATS:
        raise KeyError(form)
    text: str = getattr(import_module(f"eximious.drawing.{form}"), f"to_{form}")(picture)
    return text
