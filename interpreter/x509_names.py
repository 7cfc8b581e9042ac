"""Distinguished names as text: OpenSSL's RFC 2253 form and GnuTLS's own, which Exim shows by its build.

OpenSSL writes the last part first, GnuTLS keeps the certificate's order; their names for the attributes and
their escapes differ. An attribute that has no name, or a value of a kind that does not fit, is
written as ``#`` and its DER in hexadecimal.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from eximious.interpreter.x509_der import oid

if TYPE_CHECKING:
    from eximious.interpreter.x509_der import Part

_UTF8, _NUMERIC, _PRINTABLE, _T61, _IA5, _VISIBLE, _UNIVERSAL, _BMP = 12, 18, 19, 20, 22, 26, 28, 30
_DIRECTORY = (_UTF8, _PRINTABLE, _T61, _UNIVERSAL, _BMP)

#: OpenSSL's short names of attributes
_OPENSSL = """
2.5.4: 3=CN 4=SN 5=serialNumber 6=C 7=L 8=ST 9=street 10=O 11=OU 12=title 13=description 14=searchGuide
 15=businessCategory 16=postalAddress 17=postalCode 18=postOfficeBox 19=physicalDeliveryOfficeName
 20=telephoneNumber 21=telexNumber 22=teletexTerminalIdentifier 23=facsimileTelephoneNumber
 24=x121Address 25=internationaliSDNNumber 26=registeredAddress 27=destinationIndicator
 31=member 32=owner 33=roleOccupant 34=seeAlso 35=userPassword 36=userCertificate 41=name 42=GN
 43=initials 44=generationQualifier 45=x500UniqueIdentifier 46=dnQualifier 49=distinguishedName
 50=uniqueMember 51=houseIdentifier 54=dmdName 65=pseudonym 72=role 97=organizationIdentifier 98=c3 99=n3
 100=dnsName
0.9.2342.19200300.100.1: 1=UID 2=textEncodedORAddress 3=mail 4=info 5=favouriteDrink 6=roomNumber 7=photo
 8=userClass 9=host 10=manager 25=DC 37=associatedDomain 40=personalTitle 41=mobileTelephoneNumber
 43=friendlyCountryName 44=uid 48=buildingName
1.2.840.113549.1.9: 1=emailAddress 2=unstructuredName 7=challengePassword 8=unstructuredAddress
 20=friendlyName
1.3.6.1.5.5.7.9: 1=id-pda-dateOfBirth 2=id-pda-placeOfBirth 3=id-pda-gender 4=id-pda-countryOfCitizenship
 5=id-pda-countryOfResidence
1.3.6.1.5.5.7.8: 5=id-on-xmppAddr
1.3.6.1.4.1.311.60.2.1: 1=jurisdictionL 2=jurisdictionST 3=jurisdictionC
1.2.643.100: 1=OGRN 3=SNILS 5=OGRNIP
1.2.643.3.131.1: 1=INN
"""

#: GnuTLS's names; after a slash the one kind of string it reads, else any DirectoryString
_GNUTLS = """
2.5.4: 3=CN 4=surName 5=serialNumber/19 6=C/19 7=L 8=ST 9=street 10=O 11=OU 12=title 13=description
 15=businessCategory 17=postalCode 20=telephoneNumber/19 41=name 42=givenName 43=initials
 44=generationQualifier 46=dnQualifier/19 65=pseudonym
0.9.2342.19200300.100.1: 1=UID 25=DC/22
1.2.840.113549.1.9: 1=EMAIL/22 7=- 20=-/30
1.2.840.113556.1.4: 656=userPrincipalName
1.3.6.1.5.5.7.9: 2=placeOfBirth 3=gender/19 4=countryOfCitizenship/19 5=countryOfResidence/19
1.3.6.1.5.5.7.8: 5=XmppAddr/12
1.3.6.1.4.1.311.60.2.1: 1=jurisdictionOfIncorporationLocalityName
 2=jurisdictionOfIncorporationStateOrProvinceName 3=jurisdictionOfIncorporationCountryName/19
1.2.643.100: 1=OGRN/18 3=SNILS/18 5=OGRNIP/18
1.2.643.3.131.1: 1=INN/18
"""


@cache
def _table(text: str) -> dict[str, str]:
    table = {}
    prefix = ""
    for word in text.split():
        if word.endswith(":"):
            prefix = word[:-1]
        else:
            number, _, name = word.partition("=")
            table[f"{prefix}.{number}"] = name
    return table


def _utf8(value: Part) -> bytes | None:
    """A string's text in UTF-8; None where it is no string or cannot be read."""
    tag, content = value.tag, value.content
    try:
        if tag in (_PRINTABLE, _IA5, _VISIBLE, _NUMERIC, _T61):
            return content.decode("latin-1").encode()
        if tag == _UTF8:
            content.decode()
            return content
        if tag == _BMP:
            return content.decode("utf-16-be").encode()
        if tag == _UNIVERSAL:
            return content.decode("utf-32-be").encode()
    except UnicodeError:
        pass
    return None


def openssl_name(name: Part) -> str:
    """A name as X509_NAME_print_ex() writes it with XN_FLAG_RFC2253."""
    table = _table(_OPENSSL)
    sets = []
    for group in name.parts():
        attributes = []
        for attribute in group.parts():
            kind, value = attribute.parts()
            identifier = oid(kind.content)
            label = table.get(identifier)
            text = _utf8(value) if label else None
            shown = "#" + value.whole.hex().upper() if text is None else _openssl_escape(text)
            attributes.append(f"{label or identifier}={shown}")
        sets.append("+".join(reversed(attributes)))
    return ",".join(reversed(sets))


def _openssl_escape(text: bytes) -> str:
    out = []
    last = len(text) - 1
    for at, byte in enumerate(text):
        char = chr(byte)
        if char in ',+"\\<>;' or (at == 0 and char in "# ") or (at == last and char == " "):
            out.append("\\" + char)
        elif byte < 0x20 or byte > 0x7E:
            out.append(f"\\{byte:02X}")
        else:
            out.append(char)
    return "".join(out)


def gnutls_name(name: Part) -> str:
    """A name as gnutls_x509_crt_get_dn() writes it."""
    table = _table(_GNUTLS)
    sets = []
    for group in name.parts():
        attributes = []
        for attribute in group.parts():
            kind, value = attribute.parts()
            identifier = oid(kind.content)
            label, _, wanted = table.get(identifier, "-/0").partition("/")
            fits = value.tag == int(wanted) if wanted else value.tag in _DIRECTORY
            text = _utf8(value) if fits else None
            shown = "#" + value.whole.hex() if text is None else _gnutls_escape(text)
            attributes.append(f"{identifier if label == '-' else label}={shown}")
        sets.append("+".join(attributes))
    return ",".join(sets)


def _gnutls_escape(text: bytes) -> str:
    out = []
    last = len(text) - 1
    for at, char in enumerate(text.decode("latin-1")):
        if char in ',+"\\<>;' or (char in " #" and at == 0) or (char == " " and at == last):
            out.append("\\")
        out.append(char)
    return "".join(out)
