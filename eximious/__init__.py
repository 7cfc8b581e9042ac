"""Read, check and run Exim mail-server configurations without a mail server.

>>> import eximious
>>> config = eximious.load("/etc/exim4/exim4.conf")     # doctest: +SKIP
>>> config.expand("${lc:$primary_hostname}")            # doctest: +SKIP
'mail.example.org'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eximious.api import Configuration, load
    from eximious.assembly import Unreadable as ConfigurationUnreadable
    from eximious.decisions import Decision, Reason, Session
    from eximious.grammar.diagnostics import Diagnostic
    from eximious.interpreter.outcomes import (
        Defer,
        ExpansionError,
        Failure,
        ForcedFailure,
        OverBudget,
        Refused,
        Unanswered,
    )

__all__ = [
    "Configuration",
    "ConfigurationUnreadable",
    "Decision",
    "Defer",
    "Diagnostic",
    "ExpansionError",
    "Failure",
    "ForcedFailure",
    "OverBudget",
    "Reason",
    "Refused",
    "Session",
    "Unanswered",
    "load",
]

_PLACES = {
    "Configuration": ("eximious.api", "Configuration"),
    "ConfigurationUnreadable": ("eximious.assembly", "Unreadable"),
    "Decision": ("eximious.decisions", "Decision"),
    "Diagnostic": ("eximious.grammar.diagnostics", "Diagnostic"),
    "Reason": ("eximious.decisions", "Reason"),
    "Session": ("eximious.decisions", "Session"),
    "load": ("eximious.api", "load"),
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and only then."""
    if name not in __all__:
        raise AttributeError(f"module 'eximious' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _PLACES.get(name, ("eximious.interpreter.outcomes", name))
    found = globals()[name] = getattr(import_module(module), attribute)
    return found
