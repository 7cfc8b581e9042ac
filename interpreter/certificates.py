"""``${certextract}``, and ``md5``, ``sha1``, ``sha256`` and ``base64`` of a certificate (manual 11.5, 11.7).

Exim leaves this to its TLS library, so the two builds differ: in the order of names, in what a version or a
serial number looks like, in their errors. The text that a certificate variable itself has, and which
variables those are, is not known here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from eximious.interpreter.listsplit import append_to_list, split_list
from eximious.interpreter.outcomes import ExpansionError
from eximious.interpreter.text import Tainted

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.interpreter.context import Context
    from eximious.interpreter.x509_der import Parsed, Part

_FIELDS = (
    "version",
    "serial_number",
    "subject",
    "notbefore",
    "notafter",
    "issuer",
    "signature",
    "sig_algorithm",
    "subj_altname",
    "ocsp_uri",
    "crl_uri",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: signature algorithms: OpenSSL's names, GnuTLS's
_ALGORITHMS = {
    "1.2.840.113549.1.1.2": ("md2WithRSAEncryption", "RSA-MD2"),
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", "RSA-MD5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", "RSA-SHA1"),
    "1.2.840.113549.1.1.10": ("rsassaPss", ""),
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", "RSA-SHA256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", "RSA-SHA384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", "RSA-SHA512"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", "RSA-SHA224"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "ECDSA-SHA1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "ECDSA-SHA224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "ECDSA-SHA256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "ECDSA-SHA384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "ECDSA-SHA512"),
    "1.2.840.10040.4.3": ("dsaWithSHA1", "DSA-SHA1"),
    "2.16.840.1.101.3.4.3.1": ("dsa_with_SHA224", "DSA-SHA224"),
    "2.16.840.1.101.3.4.3.2": ("dsa_with_SHA256", "DSA-SHA256"),
    "1.3.101.112": ("ED25519", "EdDSA-Ed25519"),
    "1.3.101.113": ("ED448", "EdDSA-Ed448"),
}
_DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_TAGS = {0x81: "MAIL", 0x82: "DNS", 0x86: "URI"}


@lru_cache(maxsize=16)
def _parsed(certificate: bytes | str) -> Parsed:
    from eximious.interpreter.x509_der import load_certificate

    return load_certificate(certificate)


def _load(certificate: bytes | str) -> Parsed:
    try:
        return _parsed(certificate)
    except (ValueError, IndexError) as error:
        raise ExpansionError(f"unreadable certificate: {error}") from None


def certextract(ctx: Context, certificate: bytes | str, field: str) -> str | None:
    """Give a field of a certificate as ``${certextract{field}{$variable}}`` does; None: it is not there.

    ``certificate``: PEM or DER. ``field``: the first argument, expanded: a name with modifiers after a
    comma, or the number of an extension in dots. The build (OpenSSL or GnuTLS) and the time zone come from
    ``ctx``. What comes out is tainted. Raises ExpansionError with Exim's message.
    """
    from eximious.interpreter.listsplit import SPACE

    field = field.strip(SPACE)
    catalogue = ctx.env.catalogue
    gnutls = catalogue is not None and catalogue.build.defined("USE_GNUTLS")
    reader = _Reader(_load(certificate), ctx, gnutls)
    if field[:1].isdigit() and field.isascii():
        value = reader.extension(field)
    else:
        for name in _FIELDS:
            if field.startswith(name):
                modifier = field[len(name) + 1 :] if field.startswith(",", len(name)) else None
                value = getattr(reader, name)(modifier)
                break
        else:
            raise ExpansionError(f'bad field selector "{field}" for certextract')
    return None if value is None else Tainted(value)


class _Reader:
    """One method per field; each takes the modifiers or None."""

    def __init__(self, parsed: Parsed, ctx: Context, gnutls: bool) -> None:
        self.parsed, self.ctx, self.gnutls = parsed, ctx, gnutls

    def version(self, modifier: str | None) -> str:
        # OpenSSL counts from 0, as the certificate itself does
        return str(self.parsed.version if self.gnutls else self.parsed.version - 1)

    def serial_number(self, modifier: str | None) -> str:
        if self.gnutls:
            return self.parsed.serial.hex().lstrip("0") or "0"
        number = int.from_bytes(self.parsed.serial, "big", signed=True)
        digits = f"{abs(number):x}"
        return ("-" if number < 0 else "") + "0" * (len(digits) % 2) + digits

    def subject(self, modifier: str | None) -> str | None:
        return self.name(self.parsed.subject, modifier, "tls_cert_subject: gs0")

    def issuer(self, modifier: str | None) -> str | None:
        return self.name(self.parsed.issuer, modifier, "tls_cert_issuer: gi0")

    def name(self, name: Part, modifier: str | None, place: str) -> str | None:
        from eximious.interpreter.x509_names import gnutls_name, openssl_name

        if not self.gnutls:
            text = openssl_name(name)
        elif name.content:
            text = gnutls_name(name)
        else:
            raise ExpansionError(f"{place} fail: The requested data were not available.\n")
        return text if modifier is None else _select(text, modifier)

    def notbefore(self, modifier: str | None) -> str:
        return self.time(self.parsed.not_before, modifier)

    def notafter(self, modifier: str | None) -> str:
        return self.time(self.parsed.not_after, modifier)

    def time(self, seconds: int, modifier: str | None) -> str:
        if modifier == "int":
            return str(seconds & 0xFFFFFFFF)
        from time import gmtime

        zone = self.ctx.env.options.get("timezone")
        raw = not self.gnutls and modifier == "raw"
        if raw or (isinstance(zone, str) and zone.upper() == "UTC"):
            when, label = gmtime(seconds), "GMT"
        else:
            when = self.ctx.env.doors.clock.localtime(seconds)
            label = when.tm_zone
        month = _MONTHS[when.tm_mon - 1]
        clock = f"{when.tm_hour:02}:{when.tm_min:02}:{when.tm_sec:02}"
        return f"{month} {when.tm_mday:2} {clock} {when.tm_year} {label}"

    def signature(self, modifier: str | None) -> str:
        octets = self.parsed.signature
        if self.gnutls:
            return octets.hex(" ")
        lines = [octets[at : at + 18].hex(":") for at in range(0, len(octets), 18)]
        value = ":\n".join(" " * 8 + line for line in lines)
        return f"    Signature Value:{self.parameters()}\n{value}\n"

    def sig_algorithm(self, modifier: str | None) -> str | None:
        from eximious.interpreter.x509_der import oid

        identifier = oid(next(self.parsed.algorithm.parts()).content)
        openssl, gnutls = _ALGORITHMS.get(identifier, (identifier, None))
        if not self.gnutls:
            return openssl + self.parameters()
        if gnutls == "":
            return f"RSA-PSS-{self.pss()[0].upper()}"
        return gnutls

    def pss(self) -> tuple[str, str, int]:
        """The parameters of RSASSA-PSS (RFC 4055): hash, the mask's hash, length of the salt."""
        from eximious.interpreter.x509_der import oid

        digest, mask, salt = "sha1", "sha1", 20
        for parameters in list(self.parsed.algorithm.parts())[1:]:
            for field in parameters.parts():
                inner = next(field.parts())
                if field.tag == 0xA0:
                    digest = _DIGESTS.get(oid(next(inner.parts()).content), "unknown")
                elif field.tag == 0xA1:
                    _, algorithm = inner.parts()
                    mask = _DIGESTS.get(oid(next(algorithm.parts()).content), "unknown")
                elif field.tag == 0xA2:
                    salt = int.from_bytes(inner.content, "big")
        return digest, mask, salt

    def parameters(self) -> str:
        """What OpenSSL writes after an algorithm's name: nothing but for RSASSA-PSS."""
        from eximious.interpreter.x509_der import oid

        if oid(next(self.parsed.algorithm.parts()).content) != "1.2.840.113549.1.1.10":
            return ""
        digest, mask, salt = self.pss()
        shown = "0x14 (default)" if salt == 20 else f"0x{salt:02X}"
        return (
            f"        \n        Hash Algorithm: {digest}\n        Mask Algorithm: mgf1 with {mask}\n"
            f"         Salt Length: {shown}\n        Trailer Field: 0x01 (default)"
        )

    def subj_altname(self, modifier: str | None) -> str | None:
        separator, wanted = _altname_modifiers(modifier or "")
        found = None
        names = self.parsed.general_names()
        for name in names if self.gnutls else reversed(names):  # OpenSSL's are taken off a stack
            tag = _TAGS.get(name.tag)
            if tag is None or b"\0" in name.content or (wanted and name.tag != wanted):
                continue
            text = name.content.decode("latin-1")
            found = append_to_list(found or "", separator, text if wanted else f"{tag}={text}")
        return found

    def ocsp_uri(self, modifier: str | None) -> str | None:
        from eximious.interpreter.x509_der import OCSP, URI

        found = []
        for method, where in self.parsed.authority_access():
            if method == OCSP and where.tag == URI:
                found.append(where.content)
            elif self.gnutls:
                reason = "The specified algorithm or protocol is unknown."
                raise ExpansionError(f"tls_cert_ocsp_uri: gai fail: {reason}\n")
        return _uri_list(found, modifier)

    def crl_uri(self, modifier: str | None) -> str | None:
        return _uri_list(self.parsed.crl_uris(), modifier)

    def extension(self, identifier: str) -> str | None:
        values = self.parsed.extensions.get(identifier)
        if values is None:
            if self.gnutls:
                reason = "The requested data were not available."
                raise ExpansionError(f"tls_cert_ext_by_oid: ge0 fail: {reason}\n")
            return None
        value = values[0]
        if not self.gnutls:  # goes through a function for printable text
            value = bytes(byte if 32 <= byte <= 126 or byte in b"\n\r" else 46 for byte in value)
        return value.hex(" ")


def _select(name: str, modifier: str) -> str | None:
    """The values of one kind in a name, or all its parts, as a list."""
    separator = "\n"
    kind = None
    for word in split_list(modifier, ","):
        if not word.startswith(">"):
            kind = word
        elif len(word) > 1:
            separator = word[1]
    found = None
    for part in split_list(name.replace("\\,", ",,"), ","):
        if kind is None:
            found = append_to_list(found or "", separator, part)
        elif part.startswith(kind + "="):
            found = append_to_list(found or "", separator, part[len(kind) + 1 :])
    return found


def _altname_modifiers(text: str) -> tuple[str, int]:
    """The separator and the tag wanted (0: all). What is not known ends the reading."""
    separator = "\n"
    wanted = 0
    at = 0
    while at < len(text):
        if text[at] == ">":
            at += 1
            if at < len(text):
                separator = text[at]
                at += 1
        else:
            for word, tag in (("dns", 0x82), ("uri", 0x86), ("mail", 0x81)):
                if text.startswith(word, at):
                    wanted = tag
                    at += len(word)
                    break
            else:
                at += 1
        if not text.startswith(",", at):
            break
        at += 1
    return separator, wanted


def _uri_list(uris: list[bytes], modifier: str | None) -> str | None:
    separator = modifier[1] if modifier and modifier[0] == ">" and len(modifier) > 1 else "\n"
    found = None
    for uri in uris:
        found = append_to_list(found or "", separator, uri.decode("latin-1"))
    return found


def certificate_digest(name: str, argument: str | None = None) -> Callable[[bytes | str], str]:
    """Give the function behind ``${md5:$certificate}`` and its like: certificate (PEM or DER) -> text.

    ``name``: md5, sha1 or sha256 (hexadecimal in upper case), or base64 (of the DER, in one line).
    ``argument`` is not used: these operators take none.
    """

    def digest(certificate: bytes | str) -> str:
        der = _load(certificate).der
        if name == "base64":
            from binascii import b2a_base64

            return b2a_base64(der, newline=False).decode()
        import hashlib

        return hashlib.new(name, der, usedforsecurity=False).hexdigest().upper()

    return digest
