"""What an evaluation runs in: four state objects and a few scoped values.

``Environment`` is frozen for a run (configuration, catalogue, doors, budget); ``Session``,
``Message`` and ``Address`` hold what the manual says about the connection, the message and the
address being handled. :class:`Context` only refers to them and adds what an expansion itself scopes:
captures, ``$item``, ``$value``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eximious.interpreter.state import Address, Environment, Message, Session


class Context:
    """One evaluation's state.

    ``captures`` are ``$0``, ``$1``… (a list, index is the number); ``value`` is ``$value``; ``item`` is
    ``$item`` (None: not in an iteration); ``scratch`` holds other values an item leaves behind
    for later ones, by variable name (``runrc``, ``prvscheck_address``, ``srs_recipient``, …).
    """

    __slots__ = (
        "address",
        "captures",
        "depth",
        "env",
        "item",
        "malformed_header",
        "message",
        "scratch",
        "session",
        "steps",
        "value",
    )

    def __init__(self, env: Environment, session: Session, message: Message, address: Address) -> None:
        self.env = env
        self.session = session
        self.message = message
        self.address = address
        self.captures: list[str] = []
        self.value: str | None = None
        self.item: str | None = None
        self.scratch: dict[str, Any] = {}
        #: a header name without its colon swallowed a brace (Exim then words its errors so)
        self.malformed_header = False
        self.depth = 0
        self.steps = 0

    @property
    def listener(self) -> Callable[[str], None] | None:
        """Who is told what is done, in the words of Exim's host checking; None: nobody."""
        acl = self.session.acl
        if acl is None or acl.trace is None:
            return None
        # Exim indents by the ACLs and the expansions inside each other
        indent = " " * (acl.level + self.depth)
        return lambda line: acl.trace(indent + line)
