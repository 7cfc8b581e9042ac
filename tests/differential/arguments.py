# ruff: noqa: E501
"""Which arguments random items, operators and conditions get, by name.

A word is "text", the name of a pool (:mod:`differential.pools`) or of a method of the generator (``a_WORD``).
"""

from __future__ import annotations

from .pools import LOOKUP_FILES, LOOKUP_QUERIES

# What stands in the braces, one word an argument. "text" and the names of pools; "?" before a word:
# the argument may be missing; "body", "condition", "yesno" and the like are made by methods.
ITEMS: dict[str, tuple[str, ...]] = {
    "acl": ("acl ?text ?text ?text",),
    "authresults": ("domain",),
    "certextract": ("certificate_field certificate yesno",),
    "dlfunc": ("path word ?text",),
    "env": ("environment yesno",),
    "extract": ("key fields yesno", "index separators separated yesno", "json word json yesno", "jsons word json yesno",
                "json index json_array yesno", "jsons index json_array yesno"),
    "filter": ("list condition",),
    "hash": ("positive text", "positive positive text", "number positive text"),
    "hmac": ("hmac text text",),
    "if": ("conditional",),
    "imapfolder": ("mailbox separator text",),
    "length": ("small text", "number text"),
    "listextract": ("index list yesno",),
    "listquote": ("separator text",),
    "lookup": ("lookup",),
    "map": ("list body",),
    "nhash": ("positive text", "positive positive text"),
    "perl": ("function ?text ?text",),
    "prvs": ("address secret ?digit",),
    "prvscheck": ("prvs secret ?text",),
    "readfile": ("path ?eol",),
    "readsocket": ("socket text ?socket_options ?eol ?text",),
    "reduce": ("list text fold",),
    "run": ("run",),
    "sg": ("text pattern replacement", "list pattern replacement"),
    "sort": ("words sign item", "numbers sign item", "words comparator item", "words sign text"),
    "srs_encode": ("secret address domain",),
    "substr": ("small small text", "small text", "number small text"),
    "tr": ("text text text", "text word text"),
}  # fmt: skip

# The text after the colon; before a bar, what may stand behind an underscore.
OPERATORS: dict[str, str] = {
    "address": "address", "addresses": "address", "base32": "number", "base32d": "base32", "base62": "number", "base62d": "base62",
    "base64": "text", "base64d": "base64", "domain": "address", "escape": "text", "escape8bit": "utf8", "eval": "sum", "eval10": "sum",
    "expand": "expandable", "from_utf8": "latin", "h": "counts|text", "hash": "counts|text", "hex2b64": "hex", "hexquote": "utf8",
    "ipv6denorm": "ip", "ipv6norm": "ip", "l": "count|text", "lc": "text", "length": "count|text", "listcount": "list",
    "listnamed": "letter|named_list", "local_part": "address", "mask": "n|masked", "md5": "text", "nh": "counts|text", "nhash": "counts|text",
    "quote": "text", "quote_<lookup type>": "lookup|text", "quote_local_part": "text", "randint": "one", "reverse_ip": "ip", "rfc2047": "utf8",
    "rfc2047d": "words2047", "rxquote": "text", "s": "cut|text", "sha1": "text", "sha2": "bits|text", "sha256": "text", "sha3": "bits|text",
    "stat": "stat", "str2b64": "text", "strlen": "text", "substr": "cut|text", "time_eval": "time", "time_interval": "seconds", "uc": "text",
    "utf8_domain_from_alabel": "alabel", "utf8_domain_to_alabel": "ulabel", "utf8_localpart_from_alabel": "alabel",
    "utf8_localpart_to_alabel": "ulabel", "utf8clean": "utf8", "headerwrap": "counts|text", "xtextd": "text",
}  # fmt: skip

CONDITIONS: dict[str, str] = {
    **dict.fromkeys(("<", "<=", "=", "==", ">", ">="), "number number"),
    **dict.fromkeys(("eq", "eqi", "ge", "gei", "gt", "gti", "le", "lei", "lt", "lti"), "text text"),
    "acl": "acl_call", "and": "several", "or": "several", "bool": "bool", "bool_lax": "bool", "crypteq": "password hashed", "def": "def",
    "exists": "path", "first_delivery": "", "queue_running": "", "forall": "list condition", "forany": "list condition",
    "forall_json": "json_array condition", "forany_json": "json_array condition", "forall_jsons": "json_array condition",
    "forany_jsons": "json_array condition", "inbound_srs": "srs secret", "inlist": "word list", "inlisti": "word list", "isip": "ip",
    "isip4": "ip", "isip6": "ip", "ldapauth": "ldapauth", "match": "text pattern", "match_address": "address addresses",
    "match_domain": "domain domains", "match_ip": "ip hosts", "match_local_part": "locals local_parts", "pam": "pam",
    "pwcheck": "service", "radius": "service", "saslauthd": "saslauthd",
}  # fmt: skip

#: these change between two runs: only whether they are set is asked
VOLATILE = frozenset((
    "tod_bsdinbox", "tod_epoch", "tod_epoch_l", "tod_full", "tod_log", "tod_logfile", "tod_zulu", "pid", "load_average", "log_inodes", "log_space", "spool_inodes", "spool_space", "compile_date", "compile_number", "message_exim_id", "message_id", "message_age", "received_time", "exim_uid", "exim_gid", "exim_path", "originator_uid", "originator_gid", "caller_uid", "caller_gid", "queue_size", "inode", "message_headers", "message_headers_raw", "initial_cwd", "sender_ident", "exim_version", "smtp_command_history", "local_scan_data",
))  # fmt: skip
#: a pattern of names in the facts, and names that fit it
PATTERNS: dict[str, tuple[str, ...]] = {
    "0 .. 9": ("0", "1", "2", "3", "9"),
    "acl_cNAME, acl_c0 ..": ("acl_c0", "acl_c7", "acl_c_last", "acl_c_x", "acl_cx"),
    "acl_mNAME, acl_m0 ..": ("acl_m0", "acl_m7", "acl_m_sum", "acl_m_x", "acl_mx"),
    "auth1 .. auth3": ("auth1", "auth2", "auth3"),
    "regex1 .. regex9": ("regex1", "regex9"),
    "r_NAME": ("r_x", "r_quota"),
    "header_NAME: / h_NAME:": ("h_", "header_"),
    "bheader_NAME: / bh_NAME:": ("bh_", "bheader_"),
    "lheader_NAME: / lh_NAME:": ("lh_", "lheader_"),
    "rheader_NAME: / rh_NAME:": ("rh_", "rheader_"),
}

#: for each kind of name that the facts know, what is declared
DECLARED: dict[str, frozenset[str]] = {
    "item": frozenset(ITEMS),
    "operator": frozenset(OPERATORS),
    "condition": frozenset(CONDITIONS),
    "lookup": frozenset((*LOOKUP_FILES, *LOOKUP_QUERIES)),
}
