"""The parts of an X.509 certificate that ``${certextract}`` shows, read from its DER (RFC 5280).

Only what is needed: tags and lengths, object identifiers, times, names, a few extensions. Whether the
certificate is one at all has been checked by the caller. How names are written is
:mod:`~eximious.interpreter.x509_names`' business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECT_ALT_NAME = "2.5.29.17"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1"
OCSP = "1.3.6.1.5.5.7.48.1"

# general names, context tags
RFC822_NAME, DNS_NAME, URI = 0x81, 0x82, 0x86


class Part(NamedTuple):
    """One element: its tag byte, its content, and all its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def parts(self) -> Iterator[Part]:
        """The elements inside."""
        return parts(self.content)


def parts(data: bytes) -> Iterator[Part]:
    """Walk the elements that stand one after the other. Raises ValueError where the data is cut off."""
    at = 0
    while at < len(data):
        start = at
        if len(data) < at + 2:
            raise ValueError("not DER")
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > len(data):
            raise ValueError("not DER")
        yield Part(tag, data[at : at + size], data[start : at + size])
        at += size


def oid(content: bytes) -> str:
    """An object identifier in dots."""
    numbers: list[int] = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2) if numbers else 0
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:]))) if numbers else ""


def seconds(time: Part) -> int:
    """A time as seconds since the epoch."""
    from calendar import timegm

    text = time.content.decode("ascii")
    if time.tag == 0x17:  # UTCTime: two digits of the year
        text = ("19" if text[:2] >= "50" else "20") + text
    digits = [int(text[:4]), *(int(text[at : at + 2] or "0") for at in (4, 6, 8, 10, 12))]
    return timegm((*digits, 0, 0, 0))


class Parsed:
    """A certificate taken apart.

    ``version`` (1 to 3), ``serial`` (the integer's bytes), ``issuer`` and ``subject`` (names, as elements),
    ``not_before``, ``not_after`` (seconds since the epoch), ``algorithm`` (of the signature, the element),
    ``signature`` (bytes), ``extensions`` (identifier -> values in their order), ``der`` (all of it).
    """

    __slots__ = (
        "algorithm",
        "der",
        "extensions",
        "issuer",
        "not_after",
        "not_before",
        "serial",
        "signature",
        "subject",
        "version",
    )

    def __init__(self, der: bytes) -> None:
        self.der = der
        (whole,) = parts(der)
        tbs, self.algorithm, signature = whole.parts()
        self.signature = signature.content[1:]
        fields = list(tbs.parts())
        self.version = 1
        if fields[0].tag == 0xA0:
            self.version = 1 + int.from_bytes(next(fields.pop(0).parts()).content, "big")
        self.serial = fields[0].content
        self.issuer = fields[2]
        start, end = fields[3].parts()
        self.not_before, self.not_after = seconds(start), seconds(end)
        self.subject = fields[4]
        self.extensions: dict[str, list[bytes]] = {}
        for field in fields[6:]:
            if field.tag == 0xA3:
                for extension in next(field.parts()).parts():
                    name, *_, value = extension.parts()
                    self.extensions.setdefault(oid(name.content), []).append(value.content)

    def general_names(self) -> list[Part]:
        """The subject's alternative names."""
        values = self.extensions.get(SUBJECT_ALT_NAME)
        return list(next(parts(values[0])).parts()) if values else []

    def crl_uris(self) -> list[bytes]:
        """Where revocation lists are, of all distribution points."""
        found = []
        for value in self.extensions.get(CRL_DISTRIBUTION_POINTS, [])[:1]:
            for point in next(parts(value)).parts():
                for field in point.parts():
                    if field.tag == 0xA0:  # distributionPoint
                        for full_name in field.parts():
                            if full_name.tag == 0xA0:
                                found += [name.content for name in full_name.parts() if name.tag == URI]
        return found

    def authority_access(self) -> list[tuple[str, Part]]:
        """The entries of Authority Information Access: (method, where)."""
        found = []
        for value in self.extensions.get(AUTHORITY_INFO_ACCESS, [])[:1]:
            for entry in next(parts(value)).parts():
                method, location = entry.parts()
                found.append((oid(method.content), location))
        return found


def load_certificate(data: bytes | str) -> Parsed:
    """Read a certificate, DER or PEM (the first in the text). Raises ValueError if it is none."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    raw = data.encode("latin-1") if isinstance(data, str) else data
    if b"-----BEGIN" in raw:
        certificate = x509.load_pem_x509_certificate(raw)
    else:
        certificate = x509.load_der_x509_certificate(raw)
    return Parsed(certificate.public_bytes(Encoding.DER))
