"""Operators that give digests: md5, sha1, sha256, sha2, sha3; and what they give for a certificate.

Where the text of md5, sha1, sha256 or base64 is a certificate variable, whoever evaluates it calls
:func:`certificate_digest` instead of the operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.registry import CLEAN, operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context

_SHA2 = {None: "sha256", "256": "sha256", "384": "sha384", "512": "sha512"}
_SHA3 = {None: "sha3_256", "224": "sha3_224", "256": "sha3_256", "384": "sha3_384", "512": "sha3_512"}


def digest(algorithm: str, data: bytes) -> str:
    """Give a digest in lower-case hexadecimal; ``algorithm`` as :mod:`hashlib` names it."""
    import hashlib

    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


@operator("md5", section="11.6", taint=CLEAN)
def md5(text: str) -> str:
    """Give the MD5 digest in lower-case hexadecimal. Manual 11.6."""
    return digest("md5", text.encode("latin-1"))


@operator("sha1", section="11.6", taint=CLEAN)
def sha1(text: str) -> str:
    """Give the SHA-1 digest in upper-case hexadecimal. Manual 11.6."""
    return digest("sha1", text.encode("latin-1")).upper()


def _sha2(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Give a SHA-2 digest in upper case: ``sha2_384``; SHA-256 without a number. Manual 11.6."""
    algorithm = _SHA2.get(arg)
    if algorithm is None:
        raise ExpansionError("unrecognised sha2 variant")
    return digest(algorithm, text.encode("latin-1")).upper()


operator("sha2", section="11.6", takes="arg", taint=CLEAN)(_sha2)
operator("sha256", section="11.6", takes="arg", taint=CLEAN)(_sha2)


@operator("sha3", section="11.6", takes="arg", taint=CLEAN)
def sha3(ctx: Context, text: str, arg: str | None, name: str) -> str:
    """Give a SHA-3 digest in upper case: ``sha3_512``; SHA3-256 without a number. Manual 11.6."""
    algorithm = _SHA3.get(arg)
    if algorithm is None:
        raise ExpansionError("unrecognised sha3 variant")
    return digest(algorithm, text.encode("latin-1")).upper()


def certificate_digest(name: str) -> Callable[[bytes], str]:
    """Give what the operator ``name`` does to a certificate: a function of its DER form.

    md5, sha1 and sha256 give the fingerprint in upper-case hexadecimal, base64 the DER form in base64.
    Raises KeyError for other names: they have no form for certificates. Manual 11.6.
    """
    if name == "base64":
        from eximious.interpreter.operators.encodings import b64encode

        return b64encode
    algorithm = {"md5": "md5", "sha1": "sha1", "sha256": "sha256"}[name]
    return lambda der: digest(algorithm, der).upper()
