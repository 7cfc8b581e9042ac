"""How Exim shows text from elsewhere inside its own messages, by version."""

from __future__ import annotations

from eximious.grammar.messages import shown

__all__ = ["shown"]
