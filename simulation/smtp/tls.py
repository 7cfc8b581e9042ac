"""STARTTLS as a described state: no keys are exchanged, the variables are those that are given (manual 43).

Where none are given, ``-bh`` fails in the handshake, as the real one does: its standard input is no socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.simulation.acl.outcomes import OK
from eximious.simulation.smtp.registry import command

if TYPE_CHECKING:
    from eximious.simulation.smtp.session import SmtpSession

#: what GnuTLS says of a standard input that is no socket
_NO_HANDSHAKE = "(gnutls_handshake): Error in the pull function."


@command("starttls", arguments=False, mail=True)
def starttls(session: SmtpSession, argument: str) -> None:
    """STARTTLS: where a session may go over to TLS it is from then on as if it had."""
    if not session.tls_advertised:
        session.protocol_error("smtp_protocol_error", 503, None, "STARTTLS command used when not advertised")
        return
    if session.has_acl("acl_smtp_starttls"):
        result = session.acl("starttls", "acl_smtp_starttls")
        if result.outcome != OK:
            session.refuse("starttls", result)
            return
    session.incomplete("STARTTLS")
    session.reset()
    session.too_many = False
    described = session.described_tls
    if described is not None:
        session.say("220 TLS go ahead")
        start_tls(session, described)
    elif session.host_checking:
        for option in ("tls_resumption_hosts", "tls_verify_hosts", "tls_try_verify_hosts"):
            if session.has_option(option):
                session.is_host(option)  # nothing comes of it, but it is told
        session.say("220 TLS go ahead")
        session.log(f"TLS error on connection from {session.host()} {_NO_HANDSHAKE}")
        if session.logs("smtp_connection"):
            session.log(f"{session.connection_info()} closed by EOF")
        session.notquit("tls-failed", "", "")
        session.closed = True
    else:
        session.say("454 TLS currently unavailable")


def start_tls(session: SmtpSession, values: dict[str, str]) -> None:
    """Let the session be one over TLS: ``values`` by the names of ``$tls_in_…`` (cipher, ver, sni, peerdn…)."""
    tls = session.connection.tls_in
    tls.active = True
    tls.cipher = values.get("cipher", "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256")
    tls.cipher_std = values.get("cipher_std", "TLS_AES_256_GCM_SHA384")
    tls.ver = values.get("ver", "TLS1.3")
    tls.bits = int(values.get("bits", "256"))
    tls.sni = values.get("sni", "")
    tls.peerdn = values.get("peerdn", "")
    tls.certificate_verified = int(values.get("certificate_verified", "0"))
    session.helo_seen = session.esmtp = False
    session.tls_advertised = session.auth_advertised = session.pipelining = False
    session.connection.sender_helo_name = ""
    session.rebuild_fullhost()
