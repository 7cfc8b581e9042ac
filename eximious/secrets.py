"""Keeping secrets out of what is shown: values of ``hide`` options, and passwords of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.state import Environment

HIDDEN = "<value not displayable>"
#: shorter texts are no secrets, and replacing them would garble everything
SHORTEST = 4


def secrets_of(env: Environment) -> list[str]:
    """Give the texts that must not be shown, the longest first."""
    configuration = env.configuration
    tree = getattr(configuration, "tree", None)
    if tree is None:
        return []
    from eximious.grammar.config_ast import NamedList, Option

    found: set[str] = set()
    for node in tree.walk():
        if type(node) not in (Option, NamedList) or not node.hide or node.value is None:
            continue
        value = node.value.string()[0]
        found.add(value)
        for piece in value.replace(":", "/").replace(";", "/").split("/"):
            found.add(piece.strip())
    return sorted((text for text in found if len(text) >= SHORTEST), key=len, reverse=True)


def hider(env: Environment) -> Callable[[str], str]:
    """Give a function that replaces every secret in a text."""
    secrets = secrets_of(env)

    def hide(text: str) -> str:
        for secret in secrets:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    return hide
