"""The operator that expands its text once more (manual 11.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import Failure
from eximious.interpreter.registry import OWN, operator

if TYPE_CHECKING:
    from eximious.interpreter.context import Context


@operator("expand", section="11.6", takes="ctx", taint=OWN)
def expand_again(ctx: Context, text: str) -> str:
    """``${expand:text}``: the text is expanded a second time."""
    from eximious.interpreter.engine import expand, refuse_tainted

    try:
        refuse_tainted(text, ctx)
        return expand(text, ctx)
    except Failure as failure:
        failure.message = f'internal expansion of "{text}" failed: {failure.message}'
        raise
