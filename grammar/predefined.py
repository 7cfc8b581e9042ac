"""The macros that Exim predefines, by version and build (manual 6.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eximious.grammar.catalogue import Catalogue


def predefined_macros(catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    """Give name and value of each, in Exim's order."""
    return [(f"_OPT_MAIN_{name.upper()}", "y") for name in catalogue.main_options]
