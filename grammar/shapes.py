"""What kinds of braces follow each item and condition name: all that the grammar must know of names.

Which of the names exist in a version and build is the catalogue's; a name that is not listed here takes
text arguments only (items) or one text argument (conditions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: items whose arguments are not all text: a letter per argument, t text, c condition, r text without $;
#: l is a lookup, which has a type between its arguments
ITEM_SHAPES = {"certextract": "tr", "filter": "tc", "lookup": "l", "sort": "tr"}

_PAIRS = "eq eqi ne lt lti le lei gt gti ge gei = == < <= > >= match crypteq inlist inlisti inbound_srs"
#: conditions: t text, r text in which $ is not special, c condition, g {cond}{cond}..., s {text}{text}...
CONDITION_SHAPES = {
    "def": "d",
    "and": "g",
    "or": "g",
    "acl": "s",
    "saslauthd": "s",
    "first_delivery": "",
    "queue_running": "",
    **dict.fromkeys(["forany", "forall", "forany_json", "forall_json", "forany_jsons", "forall_jsons"], "tc"),
    **dict.fromkeys(_PAIRS.split(), "tt"),
    **dict.fromkeys(["match_domain", "match_address", "match_local_part", "match_ip"], "tr"),
}


def item_shapes(names: Iterable[str]) -> dict[str, str]:
    """Give the shape of each of the item names that exist."""
    return {name: ITEM_SHAPES.get(name, "") for name in names}


def condition_shapes(names: Iterable[str], expand_listmatch_rhs: bool = False) -> dict[str, str]:
    """Give the shape of each of the condition names that exist.

    ``expand_listmatch_rhs``: the build expands the second string of ``match_domain`` and its kin.
    """
    shapes = {name: CONDITION_SHAPES.get(name, "t") for name in names}
    if expand_listmatch_rhs:
        shapes = {name: shape.replace("r", "t") for name, shape in shapes.items()}
    return shapes
