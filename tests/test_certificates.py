"""``${certextract}`` and digests of certificates against recorded answers: fixtures/certificates."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import casefile
import pytest
from eximious.interpreter.certificates import certextract, certificate_digest
from eximious.interpreter.outcomes import ExpansionError, Failure
from eximious.interpreter.text import is_tainted

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "certificates"
FILES = sorted(FOLDER.glob("*.cases"))


def context(gnutls: bool, timezone: str = "") -> Any:
    """As much of a context as certificates look at; the zone in effect is UTC."""

    class Utc:
        def localtime(self, seconds: float) -> Any:
            return SimpleNamespace(
                **{
                    name: getattr(time.gmtime(seconds), name)
                    for name in ("tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec")
                },
                tm_zone="UTC",
            )

    build = SimpleNamespace(defined=lambda setting: gnutls and setting == "USE_GNUTLS")
    env = SimpleNamespace(
        catalogue=SimpleNamespace(build=build),
        options={"timezone": timezone} if timezone else {},
        doors=SimpleNamespace(clock=Utc()),
    )
    return SimpleNamespace(env=env)


def answer(case: casefile.Case) -> str | None:
    pem = (FOLDER / case.settings["certificate"]).read_text()
    ctx = context(case.settings["tls"] == "gnutls")
    try:
        if case.source.startswith("${"):
            return certificate_digest(case.source[2:-2])(pem)
        return certextract(ctx, pem, case.source)
    except Failure as failure:
        return f"Failed: {failure.message}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers(path: Path) -> None:
    file = casefile.read(path)
    assert len(file.cases) > 50
    wrong = [(case.id, answer(case), case.answer) for case in file.cases if answer(case) != case.answer]
    assert not wrong


def test_der_and_taint() -> None:
    import base64

    pem = (FOLDER / "rsa.pem").read_text()
    der = base64.b64decode(certificate_digest("base64")(pem))
    value = certextract(context(True), der, "subject,CN")
    assert value == "mail.example.org"
    assert is_tainted(value)


def test_what_openssl_does_otherwise() -> None:
    """What no OpenSSL command shows: read in the manual and the library's documentation, not recorded."""
    pem = (FOLDER / "everything.pem").read_text()
    ctx = context(False)
    assert certextract(ctx, pem, "version") == "2"
    assert certextract(ctx, pem, "subj_altname,dns") == "b:b.example\na.example"
    assert certextract(ctx, pem, "ocsp_uri") == "http://ocsp.x/1:1\nhttp://ocsp2.x/"
    assert certextract(ctx, pem, "1.9.9") is None
    assert certextract(context(False, "UTC"), pem, "notbefore") == "Dec 31 23:59:59 2049 GMT"
    assert certextract(ctx, (FOLDER / "no_subject.pem").read_text(), "subject") == ""


@pytest.mark.parametrize(
    "data", ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", b"\x30\x80"]
)
def test_no_certificate(data: str | bytes) -> None:
    with pytest.raises(ExpansionError, match="unreadable certificate"):
        certextract(context(False), data, "subject")


def test_in_expansions() -> None:
    """A certificate that a session has is reached by the item, the operators and def."""
    from eximious.interpreter.engine import expand

    from eximious.assembly import Assembly, fresh_run

    folder = FOLDER.parent / "conditions"
    build = str(FOLDER.parent / "expansion" / "build.txt")  # of an Exim with GnuTLS
    ctx = Assembly(str(folder / "main.conf"), version="4.96", build=build).context
    ctx.session.tls_in.peercert = (FOLDER / "rsa.pem").read_text()

    def value(text: str) -> str:
        return expand(text, fresh_run(ctx))

    assert value("${certextract{subject,CN}{$tls_in_peercert}}") == "mail.example.org"
    assert value("${certextract{ subject,OU,>: }{$tls_in_peercert}{<$value>}{no}}") == "<Unit 1:Unit=2>"
    assert value("${certextract{subj_altname}{$tls_in_peercert}{yes}{no}}") == "no"
    assert value("${if def:tls_in_peercert{y}{n}}") == "y"
    assert len(value("${sha256:$tls_in_peercert}")) == 64
    assert value("${md5:$tls_in_peercert}").isupper()
    with pytest.raises(ExpansionError, match=r'^bad field selector "x" for certextract$'):
        value("${certextract{x}{$tls_in_peercert}}")
