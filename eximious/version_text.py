"""``exim -bV``: version and build in Exim's words (manual 5.2).

What is printed for a build that was read from a real ``-bV`` are its own lines; for others they are put
together from the build settings in the order of that version. 4.96 and 4.99 are checked against real ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.grammar.build import SUPPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.grammar.catalogue import Catalogue

#: when a version was released, for the heading
_YEARS = {92: 2019, 93: 2019, 94: 2020, 95: 2021, 96: 2022, 97: 2023, 98: 2024, 99: 2025}

_TAIL = (
    *("DANE", "DKIM", "DMARC", "DNSSEC", "ESMTP_Limits", "ESMTP_Wellknown", "Event", "I18N", "OCSP"),
    *("PIPECONNECT", "PRDR", "PROXY", "Queue_Ramp", "SOCKS", "SPF", "SRS", "TCP_Fast_Open"),
)
#: words after "Support for", in order: up to 4.98, and from 4.99 on
_SUPPORT = (
    *("crypteq", "iconv()", "IPv6", "use_setclassresources", "PAM", "Perl", "Expand_dlfunc"),
    *("TCPwrappers", "GnuTLS", "OpenSSL", "TLS_resume", "translate_ip_address", "move_frozen_messages"),
    *("Content_Scanning", "Old_Demime", *_TAIL),
)
_SUPPORT_99 = (
    *("Content_Scanning", "Exim_filter", "Sieve_filter", "crypteq", "Expand_dlfunc", "iconv()", "IPv6"),
    *("use_setclassresources", "PAM", "Perl", "move_frozen_messages", "GnuTLS", "OpenSSL"),
    *("pwcheck", "radius", "translate_ip_address", "TLS_resume", *_TAIL),
)
_ALWAYS_99 = ("Exim_filter", "Sieve_filter")
#: experimental features: word, first and last minor version that could show it
_EXPERIMENTAL = (
    ("ARC", 91, 99),
    ("Brightmail", 80, 97),
    ("DCC", 80, 99),
    ("DMARC", 82, 92),
    ("DSN_info", 86, 99),
    ("LMDB", 88, 94),
    ("QUEUEFILE", 88, 99),
    ("SRS_ALT", 94, 94),
    ("SRV_smtps", 90, 99),
    ("XCLIENT", 97, 99),
)
_FIRST_LOOKUPS = ("lsearch", "wildlsearch", "nwildlsearch", "iplsearch")
_UNLISTED_LOOKUPS = ("readsock", "readsocket", "ldapauth", "testdb2", "testdb_nq")
_SCANNERS = (
    *("f-protd", "f-prot6d", "drweb", "aveserver", "fsecure", "kavdaemon", "sophie", "clamd", "mksd"),
    *("avast", "sock", "cmdline"),
)
_ROUTERS = ("accept", "dnslookup", "ipliteral", "iplookup", "manualroute", "queryprogram", "redirect")
_ROUTERS_99 = (*_ROUTERS[:5], "redirect", "queryprogram")


def version_text(catalogue: Catalogue) -> str:
    """Give what ``-bV`` prints before it reads the configuration."""
    return "".join(f"{line}\n" for line in _lines(catalogue))


def configuration_text(path: str, search_path: str | None = None) -> str:
    """Give what ``-bV`` prints after it: the file, and the list it was chosen from if it was one."""
    shown = f"Configuration file is {path}\n"
    if search_path is not None and ":" in search_path:
        return f"Configuration file search path is {search_path}\n{shown}"
    return shown


def _lines(catalogue: Catalogue) -> Iterator[str]:
    major, minor = catalogue.version
    year = _YEARS.get(minor, 2025)
    yield f"Exim version {major}.{minor} #1 built 01-Jan-{year} 00:00:00"
    yield "Copyright (c) University of Cambridge, 1995 - 2018"
    yield f"(c) The Exim Maintainers and contributors in ACKNOWLEDGMENTS file, 2007 - {year}"
    lines = catalogue.build.lines
    database = lines.get("Berkeley DB", "Berkeley DB 5.3.28: (September  9, 2013)")
    if minor >= 99:
        yield "Hints DB:"
        yield f" Berkeley DB: {database}"
    else:
        yield f"Berkeley DB: {database}"
    for label, words in _features(catalogue):
        kept = lines.get(label)
        built_in = label == "Lookups" or (
            minor >= 99 and label in ("Authenticators", "Routers", "Transports")
        )
        yield f"{label}{' (built-in)' if built_in else ''}: {' '.join(words) if kept is None else kept}"
    for label, usual in (
        ("Fixed never_users", "0"),
        ("Configure owner", "0:0"),
        ("Size of off_t", "8"),
    ):
        yield f"{label}: {lines.get(label, usual)}"


def _features(catalogue: Catalogue) -> Iterator[tuple[str, list[str]]]:
    """Give label and words of each line about what is compiled in."""
    yield "Support for", list(_support(catalogue))
    lookups = catalogue.lookups
    unlisted = _UNLISTED_LOOKUPS if catalogue.version[1] >= 99 else (*_UNLISTED_LOOKUPS, "spf")
    others = sorted(name for name in lookups if name not in _FIRST_LOOKUPS + unlisted)
    yield "Lookups", [name for name in _FIRST_LOOKUPS if name in lookups] + others
    yield "Authenticators", sorted(catalogue.drivers("auth"))
    order = _ROUTERS_99 if catalogue.version[1] >= 99 else _ROUTERS
    yield "Routers", [name for name in order if name in catalogue.drivers("router")]
    yield (
        "Transports",
        [
            "appendfile/maildir/mailstore/mbx" if name == "appendfile" else name
            for name in sorted(catalogue.drivers("transport"))
        ],
    )
    scanners = catalogue.malware_types
    if scanners:
        yield "Malware", [name for name in _SCANNERS if name in scanners]


def _support(catalogue: Catalogue) -> Iterator[str]:
    """Give the words after "Support for"."""
    newest = catalogue.version[1] >= 99
    build = catalogue.build
    for word in _SUPPORT_99 if newest else _SUPPORT:
        if word in _ALWAYS_99:
            yield word
        elif word not in ("Old_Demime", "GnuTLS") or build.shown(SUPPORT[word][0]):
            settings = SUPPORT[word]
            if all(build.defined(name.lstrip("!")) != name.startswith("!") for name in settings):
                yield word
    for word, first, last in _EXPERIMENTAL:
        if first <= catalogue.version[1] <= last and build.defined(f"EXPERIMENTAL_{word.upper()}"):
            yield f"Experimental_{word}"
