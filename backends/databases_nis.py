"""NIS: whether this machine is in a domain. There is no client for more, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.databases import DEFER, Answer

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.databases import Request


def ask(connections: dict[tuple[str, ...], Any], request: Request) -> Answer:
    """The machine's NIS domain (no rows where it has none), or the answer that there is no client."""
    try:
        with open("/proc/sys/kernel/domainname", encoding="latin-1") as file:
            domain = file.read().strip()
    except OSError:
        domain = ""
    if domain in ("", "(none)"):
        return Answer()
    if request.text == "domain" and not request.database:
        return Answer(columns=["domain"], rows=[[domain]])
    return Answer(DEFER, message="no client for nis is available here")


def close(connection: Any) -> None:
    """There is nothing to close."""
