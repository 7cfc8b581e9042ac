"""XCLIENT: a front tells who the client really is (manual 48, "XCLIENT proxy support")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.smtp.registry import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.simulation.smtp.session import SmtpSession

PARAMETERS = ("ADDR", "NAME", "PORT", "LOGIN", "DESTADDR", "DESTPORT")


def offered(session: SmtpSession) -> Iterator[str]:
    """What EHLO offers of it."""
    if not session.has_option("hosts_xclient") or not session.is_host("hosts_xclient"):
        return
    yield f"XCLIENT {' '.join(PARAMETERS)}"


@command("xclient", since=(4, 97))
def xclient(session: SmtpSession, argument: str) -> None:
    """XCLIENT: take the facts over, and begin again."""
    from eximious.simulation.smtp.xclient_facts import take

    take(session, argument)
