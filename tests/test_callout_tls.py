"""A callout to a server that offers STARTTLS goes on inside TLS, with a real socket on this machine."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from eximious.backends.sockets import RealSockets
from eximious.simulation.routing.peer import Greeting, Peer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed one, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "peer.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def _serve(listener: socket.socket, certificate: Path | None, heard: list[str]) -> None:
    """One session: ``heard`` gets the commands, those inside TLS with a star before them."""
    connection, _ = listener.accept()
    connection.settimeout(10)
    stream: Any = connection.makefile("rwb")
    inside = ""

    def say(text: str) -> None:
        stream.write(f"{text}\r\n".encode())
        stream.flush()

    say("220 peer.example ESMTP")
    while line := stream.readline().decode().rstrip("\r\n"):
        heard.append(inside + line)
        if line.startswith("EHLO"):
            say("250 peer.example" if inside else "250-peer.example\r\n250 STARTTLS")
        elif line == "STARTTLS":
            say("220 go ahead")
            if certificate is None:
                connection.sendall(b"this is no TLS\r\n")
                break
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            connection = context.wrap_socket(connection, server_side=True)
            stream, inside = connection.makefile("rwb"), "*"
        else:
            say("221 bye" if line == "QUIT" else "250 fine")
    stream.close()
    connection.close()


@pytest.mark.parametrize("works", [True, False])
def test_starttls(certificate: Path, works: bool) -> None:
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = threading.Thread(target=_serve, args=(listener, certificate if works else None, heard))
        served.start()
        greeting = Greeting("me.example")
        greeting.starttls = True
        peer = Peer(f"inet:127.0.0.1:{listener.getsockname()[1]}", greeting, 10, 10)
        said = peer.ask(SimpleNamespace(sockets=RealSockets()), "joe@peer.example", "")  # type: ignore[arg-type]
        peer.close()
        served.join(10)
    assert heard[:2] == ["EHLO me.example", "STARTTLS"]
    if works:
        assert said.reply == "250 fine"
        assert heard[2:] == ["*EHLO me.example", "*MAIL FROM:<>", "*RCPT TO:<joe@peer.example>", "*QUIT"]
    else:
        assert said.reply.startswith("TLS session: (SSL_connect)")
        assert len(heard) == 2
