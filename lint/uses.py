"""What Exim does with the value of each option, ACL condition and named list.

A use is one of the words below. Where the tables of the language say enough (an expanded string, a list of
domains, hosts, addresses or local parts) they decide; what is special stands here. Nothing is guessed: a
value of which neither says anything is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eximious.grammar.catalogue import Option

NOTHING = ""  #: not expanded, and no list that is matched
TEXT = "text"  #: expanded as a whole
IF_DOLLAR = "text if $"  #: expanded if it begins with a dollar
ITEMS = "items"  #: a list that is split first; each item is expanded
COMMAND = "command"  #: split into arguments first; each is expanded
ROUTES = "routes"  #: rules of manualroute
COPIES = "copies"  #: pattern and addresses, in a list
FORMATS = "formats"  #: appendfile's file_format: texts and transports in turn
REWRITES = "rewrites"  #: rewriting rules in a list
REGEX = "regex"  #: a regular expression that is not expanded
ACL = "acl"  #: expanded; the name of an ACL, a file, or an ACL itself
ACL_CALL = "acl call"  #: the same with arguments, each expanded by itself
TRANSPORT = "transport"  #: expanded; the name of a transport
TRANSPORT_NAME = "transport name"  #: the name of a transport as it stands
STRINGS = "string"  #: a list of strings that may be patterns
REGEXES = "regexes"  #: expanded; a list of regular expressions
#: kinds of lists that are expanded and then matched
LISTS = frozenset(("domain", "host", "address", "localpart"))

#: (table, driver or "", option) -> use, where the tables do not say it
SPECIAL: dict[tuple[str, str, str], str] = {
    ("main", "", "av_scanner"): IF_DOLLAR,
    ("main", "", "spamd_address"): IF_DOLLAR,
    ("main", "", "dns_check_names_pattern"): REGEX,
    ("main", "", "gecos_pattern"): REGEX,
    ("main", "", "errors_copy"): COPIES,
    ("main", "", "hosts_xclient"): "host",
    ("main", "", "proxy_required_hosts"): "host",
    ("main", "", "tls_advertise_requiretls"): "host",
    ("main", "", "wellknown_advertise_hosts"): "host",
    ("router", "generic", "headers_add"): ITEMS + "\n",
    ("router", "generic", "headers_remove"): ITEMS + ":",
    ("router", "generic", "require_files"): ITEMS + ":",
    ("router", "generic", "set"): ITEMS + ";",
    ("router", "manualroute", "route_list"): ROUTES,
    ("router", "queryprogram", "command"): COMMAND,
    ("transport", "generic", "headers_add"): ITEMS + "\n",
    ("transport", "generic", "headers_remove"): ITEMS + ":",
    ("transport", "generic", "headers_rewrite"): REWRITES,
    ("transport", "generic", "shadow_transport"): TRANSPORT_NAME,
    ("transport", "generic", "transport_filter"): COMMAND,
    ("transport", "appendfile", "file_format"): FORMATS,
    ("transport", "appendfile", "maildir_quota_directory_regex"): REGEX,
    ("transport", "appendfile", "maildirfolder_create_regex"): REGEX,
    ("transport", "appendfile", "quota_size_regex"): REGEX,
    ("transport", "lmtp", "command"): COMMAND,
    ("transport", "pipe", "command"): COMMAND,
    ("transport", "queuefile", "directory"): TEXT,
    ("transport", "smtp", "arc_sign"): TEXT,
    ("auth", "plaintext", "client_send"): ITEMS + ":",
    ("auth", "tls", "server_param"): TEXT,
}

#: routers' and the main section's options that name transports
TRANSPORT_OPTIONS = frozenset(
    ("transport", "file_transport", "pipe_transport", "reply_transport", "directory_transport")
)

#: what ACL conditions and modifiers do with their value; those that are not here expand it as a whole
ACL_USES: dict[str, str] = {
    "acl": ACL_CALL,
    "authenticated": STRINGS,
    "domains": "domain",
    "encrypted": STRINGS,
    "endpass": NOTHING,
    "hosts": "host",
    "local_parts": "localpart",
    "mime_regex": REGEXES,
    "recipients": "address",
    "regex": REGEXES,
    "sender_domains": "domain",
    "senders": "address",
}

#: types of options whose value may be a text that is expanded later
_MAYBE_TEXT = frozenset(("expand_bool", "expand_gid", "expand_uid", "func"))


def option_use(table: str, option: Option) -> str:
    """Give the use of an option's value. ``table``: main, router, transport or auth."""
    driver, name = option.driver, option.name
    special = SPECIAL.get((table, driver, name))
    if special is not None:
        return special
    if option.type in _MAYBE_TEXT:
        return IF_DOLLAR if option.type == "func" else TEXT
    if option.type == "named-list" or option.type != "string" or option.expanded is not True:
        return NOTHING
    if table == "main":
        if name.startswith("acl_"):
            return ACL
        if name.startswith("system_filter_") and name.endswith("_transport"):
            return TRANSPORT
    elif table == "router" and name in TRANSPORT_OPTIONS:
        return TRANSPORT
    from eximious.lint._list_kinds import KINDS

    return KINDS.get((table, driver, name), TEXT)
