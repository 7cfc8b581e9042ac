"""What is compiled into an Exim: build settings, and reading them off the output of a real one.

A setting is a name of Exim's build files (``SUPPORT_SPF``, ``DISABLE_TLS``). The tables' guards are written
in them. :func:`read_bv` derives them from what ``exim -bV`` prints, and from ``exim -bP macros`` where its
output follows, which shows some that ``-bV`` does not.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: word of "Support for" -> settings it shows. ``!X``: X is not set when the word is there.
SUPPORT: dict[str, tuple[str, ...]] = {
    "crypteq": ("CRYPTEQ",),
    "iconv()": ("HAVE_ICONV",),
    "IPv6": ("HAVE_IPV6",),
    "use_setclassresources": ("HAVE_SETCLASSRESOURCES",),
    "PAM": ("SUPPORT_PAM",),
    "Perl": ("EXIM_PERL",),
    "Expand_dlfunc": ("EXPAND_DLFUNC",),
    "TCPwrappers": ("USE_TCP_WRAPPERS",),
    "GnuTLS": ("USE_GNUTLS",),
    "OpenSSL": ("USE_OPENSSL",),
    "TLS_resume": ("!DISABLE_TLS_RESUME",),
    "translate_ip_address": ("SUPPORT_TRANSLATE_IP_ADDRESS",),
    "move_frozen_messages": ("SUPPORT_MOVE_FROZEN_MESSAGES",),
    "Content_Scanning": ("WITH_CONTENT_SCAN",),
    "Old_Demime": ("WITH_OLD_DEMIME",),
    "DANE": ("SUPPORT_DANE",),
    "DKIM": ("!DISABLE_DKIM",),
    "DMARC": ("SUPPORT_DMARC",),
    "DNSSEC": ("!DISABLE_DNSSEC",),
    "ESMTP_Limits": ("!DISABLE_ESMTP_LIMITS",),
    "ESMTP_Wellknown": ("!DISABLE_WELLKNOWN",),
    "Event": ("!DISABLE_EVENT",),
    "I18N": ("SUPPORT_I18N",),
    "OCSP": ("!DISABLE_OCSP",),
    "PIPECONNECT": ("!DISABLE_PIPE_CONNECT", "SUPPORT_PIPE_CONNECT"),
    "PRDR": ("!DISABLE_PRDR",),
    "PROXY": ("SUPPORT_PROXY",),
    "Queue_Ramp": ("!DISABLE_QUEUE_RAMP",),
    "SOCKS": ("SUPPORT_SOCKS",),
    "SPF": ("SUPPORT_SPF", "EXIM_HAVE_SPF"),
    "SRS": ("SUPPORT_SRS",),
    "TCP_Fast_Open": ("TCP_FASTOPEN",),
    "pwcheck": ("CYRUS_PWCHECK_SOCKET",),
    "radius": ("RADIUS_CONFIG_FILE",),
}
#: lookup type -> setting, where it is not LOOKUP_ and the type (readsock is never shown)
LOOKUPS = {
    **dict.fromkeys(("wildlsearch", "nwildlsearch", "iplsearch"), "LOOKUP_LSEARCH"),
    **dict.fromkeys(("dbmjz", "dbmnz"), "LOOKUP_DBM"),
    **dict.fromkeys(("ldapdn", "ldapm"), "LOOKUP_LDAP"),
    "nis0": "LOOKUP_NIS",
    "nmh": "EXPERIMENTAL_NMH",
    "spf": "EXIM_HAVE_SPF",
}
LOOKUP_SETTINGS = (
    *("LOOKUP_CDB", "LOOKUP_DBM", "LOOKUP_DNSDB", "LOOKUP_DSEARCH", "LOOKUP_IBASE", "LOOKUP_JSON"),
    *("LOOKUP_LDAP", "LOOKUP_LMDB", "LOOKUP_LSEARCH", "LOOKUP_MYSQL", "LOOKUP_NIS", "LOOKUP_NISPLUS"),
    *("LOOKUP_ORACLE", "LOOKUP_PASSWD", "LOOKUP_PGSQL", "LOOKUP_REDIS"),
    *("LOOKUP_SQLITE", "LOOKUP_TESTDB", "LOOKUP_WHOSON", "EXPERIMENTAL_NMH"),
)
#: scanner type -> setting that leaves it out
MALWARE = {
    "f-protd": "DISABLE_MAL_FFROTD",
    "f-prot6d": "DISABLE_MAL_FFROT6D",
    "drweb": "DISABLE_MAL_DRWEB",
    "aveserver": "DISABLE_MAL_AVE",
    "fsecure": "DISABLE_MAL_FSECURE",
    "kavdaemon": "DISABLE_MAL_KAV",
    "sophie": "DISABLE_MAL_SOPHIE",
    "clamd": "DISABLE_MAL_CLAM",
    "mksd": "DISABLE_MAL_MKS",
    "avast": "DISABLE_MAL_AVAST",
    "sock": "DISABLE_MAL_SOCK",
    "cmdline": "DISABLE_MAL_CMDLINE",
}
#: settings that -bV does not show: what they most often are; -bP macros shows them
UNSEEN = {
    "ENABLE_DISABLE_FSYNC": ("_OPT_MAIN_DISABLE_FSYNC", False),
    "HAVE_LOCAL_SCAN": ("_OPT_MAIN_LOCAL_SCAN_TIMEOUT", True),
    "ALLOW_INSECURE_TAINTED_DATA": ("_OPT_MAIN_ALLOW_INSECURE_TAINTED_DATA", False),
    "DLOPEN_LOCAL_SCAN": ("_OPT_MAIN_LOCAL_SCAN_PATH", False),
    "EXIM_GSASL_SCRAM_S_KEY": ("_OPT_AUTHENTICATOR_GSASL_SERVER_SKEY", True),
}
#: settings that a build with everything has not: the other TLS library, a patch of one distribution
NOT_BY_DEFAULT = ("USE_GNUTLS", "DLOPEN_LOCAL_SCAN")


class Build:
    """What is compiled in. Settings that ``answers`` does not name are as in a build with everything."""

    __slots__ = ("_answers", "lines")

    def __init__(
        self, answers: Mapping[str, bool] | None = None, lines: Mapping[str, str] | None = None
    ) -> None:
        self._answers = dict(answers or {})
        #: the lines of ``-bV`` that this build was read from, by label ("Support for")
        self.lines = dict(lines or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Build) and self._answers == other._answers

    def __hash__(self) -> int:
        return hash(frozenset(self._answers.items()))

    def defined(self, setting: str) -> bool:
        """Say whether a setting is set. Unnamed ones are, except ``DISABLE_...`` and a few."""
        found = self._answers.get(setting)
        if found is None:
            return not setting.startswith("DISABLE_") and setting not in NOT_BY_DEFAULT
        return found

    def shown(self, setting: str) -> bool:
        """Say whether a setting is known to be set (False where nobody said)."""
        return self._answers.get(setting, False)

    def allows(self, guard: str | None) -> bool:
        """Say whether a guard holds: settings joined by ``&&`` and ``||`` (no brackets), ``!`` negates."""
        if guard is None:
            return True
        guard = guard.partition(" (")[0]  # a remark may follow
        return any(
            all(
                self.defined(term.lstrip("!")) != term.startswith("!")
                for term in (piece.strip() for piece in branch.split("&&"))
            )
            for branch in guard.split("||")
        )


EVERYTHING = Build()
#: what a full-featured Exim is without asking: next to nobody compiles these in
FULL = Build({"SUPPORT_TRANSLATE_IP_ADDRESS": False})


def read_bv(text: str) -> tuple[tuple[int, int], Build]:
    """Give version and build that the output of ``exim -bV`` (and of ``-bP macros`` after it) describes.

    Raises ValueError if the text is no such output.
    """
    head = re.search(r"^Exim version (\d+)\.(\d+)(\S*)(?: #(\d+))?(?: built (.+))?$", text, re.M)
    lines: dict[str, str] = {}
    if head is not None:
        release = f"{head[1]}.{head[2]}{head[3]}"
        lines |= {"number": head[4] or "1", "built": head[5] or "", "version": release}
    for match in re.finditer(r"^([A-Z][A-Za-z ]*?)(?: \([a-z -]+\))?:[ \t]*(.*)$", text, re.M):
        # lookups, for one, may stand in two lines: built in, and as modules
        lines[match[1]] = f"{lines.get(match[1], '')} {match[2].strip()}".strip()
    path = re.search(r"^(Configuration file search path) is (.*)$", text, re.M)
    if path:
        lines[path[1]] = path[2]
    if head is None or "Support for" not in lines:
        raise ValueError("not the output of exim -bV")
    answers = dict(_answers({label: line.split() for label, line in lines.items()}))
    macros = set(re.findall(r"^(_[A-Z][A-Z0-9_]*)(?==|$)", text, re.M))
    for setting, (macro, usual) in UNSEEN.items():
        answers[setting] = macro in macros if macros else usual
    for name in LOOKUP_SETTINGS if macros else ():
        # a lookup may be built as a module that is not loaded: the macro is there, the type is not
        if f"_HAVE_{name}" in macros and not answers[name]:
            answers[f"{name} as module"] = True
    return (int(head[1]), int(head[2])), Build(answers, lines)


def _answers(words: dict[str, list[str]]) -> list[tuple[str, bool]]:
    """Give setting and answer for all settings that the words of ``-bV`` decide."""
    found: list[tuple[str, bool]] = []
    support = words["Support for"]
    for word, settings in SUPPORT.items():
        for setting in settings:
            found.append((setting.lstrip("!"), (word in support) != setting.startswith("!")))
    tls = "GnuTLS" in support or "OpenSSL" in support
    found += [("DISABLE_TLS", not tls), ("SUPPORT_TLS", tls)]
    experimental = {word.upper() for word in support if word.startswith("Experimental_")}
    found += [(word, True) for word in experimental]
    found += [
        (word, False)
        for word in (
            *("EXPERIMENTAL_ARC", "EXPERIMENTAL_BRIGHTMAIL", "EXPERIMENTAL_DCC", "EXPERIMENTAL_DSN_INFO"),
            *("EXPERIMENTAL_ESMTP_LIMITS", "EXPERIMENTAL_LMDB", "EXPERIMENTAL_PIPE_CONNECT"),
            *("EXPERIMENTAL_QUEUE_RAMP", "EXPERIMENTAL_QUEUEFILE", "EXPERIMENTAL_REQUIRETLS"),
            *("EXPERIMENTAL_SRS", "EXPERIMENTAL_SRS_ALT", "EXPERIMENTAL_SRS_NATIVE", "EXPERIMENTAL_DMARC"),
            *("EXPERIMENTAL_SRV_SMTPS", "EXPERIMENTAL_TLS_RESUME", "EXPERIMENTAL_XCLIENT"),
        )
        if word not in experimental
    ]
    lookups = {LOOKUPS.get(word, f"LOOKUP_{word.upper()}") for word in words.get("Lookups", [])}
    found += [(setting, setting in lookups) for setting in LOOKUP_SETTINGS]
    for label, prefix, names in (
        (
            "Authenticators",
            "AUTH",
            (
                "cram_md5",
                "cyrus_sasl",
                "dovecot",
                "external",
                "gsasl",
                "heimdal_gssapi",
                "plaintext",
                "spa",
                "tls",
            ),
        ),
        (
            "Routers",
            "ROUTER",
            ("accept", "dnslookup", "ipliteral", "iplookup", "manualroute", "queryprogram", "redirect"),
        ),
        ("Transports", "TRANSPORT", ("appendfile", "autoreply", "lmtp", "pipe", "smtp")),
    ):
        has = {word.partition("/")[0] for word in words.get(label, [])}
        found += [(f"{prefix}_{name.upper()}", name in has) for name in names]
    formats = next((word for word in words.get("Transports", []) if word.startswith("appendfile")), "")
    found += [
        (f"SUPPORT_{name.upper()}", name in formats.split("/")) for name in ("maildir", "mailstore", "mbx")
    ]
    if "Malware" in words:
        found += [(setting, name not in words["Malware"]) for name, setting in MALWARE.items()]
    return found
