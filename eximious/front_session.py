"""``-bh`` and ``-bhc`` of the compatible front: an SMTP session from a client that is only said (manual 5.2)."""

from __future__ import annotations

import ipaddress
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.assembly import Assembly
    from eximious.exim_front import Arguments

#: bytes read at once
PIECE = 1 << 16


def run(assembly: Assembly, arguments: Arguments) -> int:
    """Take a session from standard input; replies go to standard output, logs and traces to standard error."""
    from eximious.front_logs import flush_debug, write_told, write_trace
    from eximious.interpreter.origin import OriginError, address_and_port
    from eximious.interpreter.text import Tainted
    from eximious.simulation.smtp.session import SmtpSession

    origin = dict(arguments.origin)
    try:
        address, port = address_and_port(arguments.client)
        if ":" in address:
            # host checking shows all of an IPv6 address
            address = ipaddress.ip_address(str(address)).exploded
    except OriginError as problem:
        sys.stderr.write(f"{problem.message}\n")
        return 1
    problem_text, _ = assembly.set_origin(origin, arguments.sender)
    if problem_text:
        sys.stderr.write(f"{problem_text}\n")
        return 1
    ctx = assembly.context
    session = ctx.session
    # what Exim has from the socket it trusts, and so it does here
    session.sender_host_address, session.sender_host_port = str(address), port
    session.sender_ident = session.authenticated_id = session.authenticated_sender = ""
    if "-oMt" in origin:
        session.sender_ident = Tainted(origin["-oMt"])
    import gc

    gc.freeze()
    gc.disable()

    def write(data: bytes) -> None:
        flush_debug()  # what was done comes before what is answered
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    head = (
        f"\n**** SMTP testing session as if from host {address}\n"
        "**** but without any ident (RFC 1413) callback.\n"
        "**** This is not for real!\n\n"
    )
    smtp = SmtpSession(ctx, callouts=arguments.mode == "-bhc", log=write_told, record=False)
    smtp.state.trace = write_trace
    stream: Any = sys.stdin.buffer
    try:
        smtp.introduce = lambda: write(head.encode("latin-1"))
        write(smtp.start())
        ctx.message.sender_address = ""  # until here it is that of the caller
        while not smtp.closed:
            data = stream.read1(PIECE)
            if not data:
                write(smtp.end())
                break
            write(smtp.feed(data))
    finally:
        flush_debug()
        assembly.close()
    return 1 if smtp.panicked else 0
