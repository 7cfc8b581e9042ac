"""The macros that Exim predefines, by version and build (manual 6.9).

Exim puts each new one at the front of its list, so the last made stands first; within a group the names
come out in falling order. That order counts: where one name is part of another (``_HAVE_TLS`` and
``_HAVE_TLS_OCSP``), the longer must be replaced first. Proven for 4.96; other versions follow the tables.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eximious.grammar.catalogue import Catalogue

#: (name after _HAVE_, guard, first version, last version), in the order they are made
FEATURES: tuple[tuple[str, str | None, int, int], ...] = (
    ("CRYPTEQ", "CRYPTEQ", 0, 999),
    ("ICONV", "HAVE_ICONV", 0, 999),
    ("IPV6", "HAVE_IPV6", 0, 999),
    ("SETCLASSRESOURCES", "HAVE_SETCLASSRESOURCES", 0, 999),
    ("PAM", "SUPPORT_PAM", 0, 999),
    ("PERL", "EXIM_PERL", 0, 999),
    ("DLFUNC", "EXPAND_DLFUNC", 0, 999),
    ("TCPWRAPPERS", "USE_TCP_WRAPPERS", 0, 999),
    ("TLS", "!DISABLE_TLS", 0, 999),
    ("GNUTLS", "!DISABLE_TLS && USE_GNUTLS", 0, 999),
    ("OPENSSL", "!DISABLE_TLS && !USE_GNUTLS", 0, 999),
    ("TRANSLATE_IP_ADDRESS", "SUPPORT_TRANSLATE_IP_ADDRESS", 0, 999),
    ("MOVE_FROZEN_MESSAGES", "SUPPORT_MOVE_FROZEN_MESSAGES", 0, 999),
    ("CONTENT_SCANNING", "WITH_CONTENT_SCAN", 0, 999),
    ("DKIM", "!DISABLE_DKIM", 0, 999),
    ("DNSSEC", "!DISABLE_DNSSEC", 0, 999),
    ("EVENT", "!DISABLE_EVENT", 0, 999),
    ("I18N", "SUPPORT_I18N", 0, 999),
    ("OCSP", "!DISABLE_TLS && !DISABLE_OCSP", 0, 999),
    ("PIPE_CONNECT", "EXPERIMENTAL_PIPE_CONNECT", 92, 92),
    ("PIPE_CONNECT", "SUPPORT_PIPE_CONNECT", 93, 93),
    ("PIPE_CONNECT", "!DISABLE_PIPE_CONNECT", 94, 999),
    ("PRDR", "!DISABLE_PRDR", 0, 999),
    ("PROXY", "SUPPORT_PROXY", 0, 999),
    ("SOCKS", "SUPPORT_SOCKS", 0, 999),
    ("NATIVE_SRS", "EXPERIMENTAL_SRS_NATIVE", 94, 94),
    ("NATIVE_SRS", "SUPPORT_SRS", 95, 999),
    ("TCP_FASTOPEN", "TCP_FASTOPEN", 0, 999),
    ("SPF", "SUPPORT_SPF", 91, 998),
    ("SRS", "EXPERIMENTAL_SRS", 0, 94),
    ("SRS", "SUPPORT_SRS || EXPERIMENTAL_SRS_ALT", 95, 95),
    ("SRS", "SUPPORT_SRS", 96, 999),
    ("ARC", "EXPERIMENTAL_ARC", 91, 999),
    ("BRIGHTMAIL", "EXPERIMENTAL_BRIGHTMAIL", 0, 999),
    ("DANE", "SUPPORT_DANE", 91, 999),
    ("DCC", "EXPERIMENTAL_DCC", 0, 999),
    ("DMARC", "EXPERIMENTAL_DMARC", 0, 92),
    ("DMARC", "SUPPORT_DMARC", 93, 999),
    ("DSN_INFO", "EXPERIMENTAL_DSN_INFO", 0, 999),
    ("REQTLS", "EXPERIMENTAL_REQUIRETLS", 92, 92),
    ("ESMTP_LIMITS", "EXPERIMENTAL_ESMTP_LIMITS", 95, 97),
    ("ESMTP_LIMITS", "!DISABLE_ESMTP_LIMITS", 98, 999),
    ("ESMTP_WELLKNOWN", "!DISABLE_WELLKNOWN", 99, 999),
    ("QUEUEFILE", "EXPERIMENTAL_QUEUEFILE", 0, 999),
    ("XCLIENT", "EXPERIMENTAL_XCLIENT", 97, 999),
    ("TLS_RESUME", "!DISABLE_TLS && EXPERIMENTAL_TLS_RESUME", 93, 94),
    ("TLS_RESUME", "!DISABLE_TLS && !DISABLE_TLS_RESUME", 95, 999),
)
LOOKUPS = (
    *("lsearch", "cdb", "dbm", "dnsdb", "dsearch", "ibase", "json", "ldap", "lmdb", "mysql", "nis"),
    *("nisplus", "oracle", "passwd", "pgsql", "redis", "sqlite", "testdb", "whoson"),
)
#: scanners in the order of Exim's table
MALWARE = (
    *("f-protd", "f-prot6d", "drweb", "aveserver", "fsecure", "kavdaemon", "sophie", "clamd", "mksd"),
    *("avast", "sock", "cmdline"),
)
#: words of openssl_options in current OpenSSL (each is _OPT_OPENSSL_<word>_X)
OPENSSL = (
    *("all", "allow_unsafe_legacy_renegotiation", "cipher_server_preference", "cryptopro_tlsext_bug"),
    *("dont_insert_empty_fragments", "ephemeral_rsa", "legacy_server_connect"),
    *("microsoft_big_sslv3_buffer", "microsoft_sess_id_bug", "msie_sslv2_rsa_padding"),
    *("netscape_challenge_bug", "netscape_reuse_cipher_change_bug", "no_compression"),
    *("no_session_resumption_on_renegotiation", "no_sslv2", "no_sslv3", "no_ticket", "no_tlsv1"),
    *("no_tlsv1_1", "no_tlsv1_2", "no_tlsv1_3", "safari_ecdhe_ecdsa_bug", "single_dh_use"),
    *("single_ecdh_use", "ssleay_080_client_dh_bug", "sslref2_reuse_cert_type_bug"),
    *("tls_block_padding_bug", "tls_d5_bug", "tls_rollback_bug"),
)
SIGNED_HEADERS = (
    *("From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc", "MIME-Version"),
    *("Content-Type", "Content-Transfer-Encoding", "Content-ID", "Content-Description"),
    *(f"Resent-{name}" for name in ("Date", "From", "Sender", "To", "Cc", "Message-ID")),
    *("In-Reply-To", "References"),
    *(f"List-{name}" for name in ("Id", "Help", "Unsubscribe", "Subscribe", "Post", "Owner", "Archive")),
)
#: meanings of the values 1 to 31 of $tls_in_resumption; the others show as the number
RESUMPTION = {
    0x01: "not requested or offered ",
    0x03: "client requested, no server ticket",
    0x07: "client offered session, no server action",
    0x09: "no client request",
    0x0B: "client requested new ticket, server provided",
    0x0D: "client offered session, not used",
    0x0F: "client offered session, server only provided new ticket",
    0x11: "session resumed unasked",
    0x13: "session resumed unasked",
    0x17: "session resumed",
    0x19: "session resumed unasked",
    0x1B: "session resumed unasked",
    0x1D: "session resumed",
    0x1F: "session resumed, also new ticket",
}
EXPANSIONS_SINCE = 97  #: unproven: the classes _EXP_... are in no 4.96


def predefined_macros(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Give name and value of each predefined macro in Exim's order."""
    made = list(_made(catalogue))
    made.reverse()
    return made


def _made(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Give the macros in the order in which Exim makes them."""
    build, minor = catalogue.build, catalogue.version[1]
    for name, guard, first, last in FEATURES:
        if first <= minor <= last and build.allows(guard):
            yield f"_HAVE_{name}", "y"
    for name in LOOKUPS:
        module = f"LOOKUP_{name.upper()} as module"
        if catalogue.lookup(name) is not None or build.shown(module):
            yield f"_HAVE_LOOKUP_{name.upper()}", "y"
    for name in ("MAILDIR", "MAILSTORE", "MBX"):
        if build.defined(f"SUPPORT_{name}"):
            yield f"_HAVE_TRANSPORT_APPEND_{name}", "y"
    kinds = {
        **dict.fromkeys(catalogue.acl("condition"), "COND"),
        **dict.fromkeys(catalogue.acl("modifier"), "MOD"),
    }
    for name in sorted(kinds):
        yield f"_ACL_{kinds[name]}_{name.upper()}", "y"
    if not build.defined("DISABLE_DKIM"):
        yield "_CRYPTO_SIGN_ED25519", "y"
        yield "_CRYPTO_HASH_SHA3", "y"
    scanners = catalogue.malware_types
    for name in MALWARE:
        if name in scanners:
            yield f"_HAVE_MALWARE_{name.replace('-', '').upper()}", "y"
    yield from _expansions(catalogue)
    yield from _options("_OPT_MAIN_", catalogue, "main", "")
    for kind, word in (("router", "ROUTER"), ("transport", "TRANSPORT"), ("auth", "AUTHENTICATOR")):
        yield from _options(f"_OPT_{word}S_", catalogue, kind, "generic")
        for driver in sorted(catalogue.drivers(kind)):
            yield f"_DRIVER_{word}_{driver.upper()}", "y"
            yield from _options(f"_OPT_{word}_{driver.upper()}_", catalogue, kind, driver)
    for name in sorted(catalogue.log_selectors):
        yield f"_LOG_{name.upper()}", "y"
    if not build.defined("DISABLE_TLS"):
        yield from _tls(catalogue)
    if not build.defined("DISABLE_DKIM"):
        yield "_DKIM_SIGN_HEADERS", ":".join(SIGNED_HEADERS)
        yield "_DKIM_OVERSIGN_HEADERS", ":".join(f"+{name}" for name in SIGNED_HEADERS)


def _options(prefix: str, catalogue: Catalogue, kind: str, driver: str) -> Iterator[tuple[str, str]]:
    for name, option in sorted(catalogue.options(kind, driver).items()):
        if option.type != "named-list":
            yield prefix + name.upper(), "y"


def _expansions(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Give the classes for expansions; names that are no words, such as the comparisons, have none."""
    if catalogue.version[1] < EXPANSIONS_SINCE:
        return
    variables = (name for name, row in catalogue.variables.items() if row.in_table)
    groups: tuple[tuple[str, Iterable[str]], ...] = (
        ("ITEM", catalogue.items),
        ("OP", catalogue.operators),
        ("COND", catalogue.conditions),
        ("VAR", variables),
    )
    for word, names in groups:
        for name in sorted(names):
            if name.isidentifier():
                yield f"_EXP_{word}_{name.upper()}", "y"


def _tls(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    build, minor = catalogue.build, catalogue.version[1]
    if not build.defined("USE_GNUTLS"):
        for word in OPENSSL:
            yield f"_OPT_OPENSSL_{word.upper()}_X", "y"
    if build.allows("!DISABLE_TLS_RESUME" if minor >= 95 else "EXPERIMENTAL_TLS_RESUME") and minor >= 93:
        yield "_RESUME_DECODE", ":".join(RESUMPTION.get(value, f" 0x{value:02X} ") for value in range(1, 32))
    if minor >= 93:
        yield "_HAVE_TLS1_3", "y"
    if not build.defined("DISABLE_OCSP"):
        yield "_HAVE_TLS_OCSP", "y"
        if build.defined("USE_GNUTLS"):
            yield "_HAVE_TLS_OCSP_LIST", "y"
    if minor >= 95:
        yield "_HAVE_TLS_CA_CACHE", "y"
    if minor >= 96:
        yield "_HAVE_TLS_ALPN", "y"
