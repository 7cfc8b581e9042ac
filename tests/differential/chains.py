"""Random chains of routers, and addresses to send through them.

A chain is a list of routers, a router its name and option lines, so that a difference can be made smaller by
leaving lines out. :data:`OPTIONS` says which values each option is given; what no chain has is in
:data:`LEFT_OUT`, with the reason.
"""

from __future__ import annotations

import random
from typing import NamedTuple

_USUAL_DOMAINS = [
    "test.ex",
    "other.ex",
    "both.test.ex",
    "files.example",
    "x.local.example",
    "nowhere.example",
]
_DNS_DOMAINS = [
    "test.ex", "other.ex", "both.test.ex", "v4.test.ex", "v6.test.ex", "two.test.ex", "alias.test.ex", "nullmx.test.ex",
    "mxip.test.ex", "mxlocal.test.ex", "mxlocal2.test.ex", "mxalias.test.ex", "again.test.ex", "nothing.test.ex", "sub",
    "v4", "onlysub", "below.csaparent.test.ex", "_none._tcp.test.ex", "x.wild.test.ex", "real.wild.test.ex", "slash/x",
    "mxv6.test.ex", "mxdup.test.ex", "mxtwolocal.test.ex", "mxcname.test.ex", "host.other.ex", "signed.test.ex",
    "under_score.test.ex", "mapped.test.ex", "loop1.test.ex", "half.test.ex", "refused.test.ex", "here.test.ex",
]  # fmt: skip
_LOCAL_PARTS = [
    "x", "anna", "berta", "root", "postmaster", "Root", "nobody", "one", "two", "dup", "deep", "gone", "fail", "defer",
    "pipe", "file", "dir", "bad", "list-x", "x-tag", "list-anna-tag", "x+y", '"x y"', "mail", "real-x", "loop1", "o'b",
    "xx", "alice", "none", "code", "a.b",
]  # fmt: skip

_BOOL = ["", "no"]
_LISTS = {
    "domains": [
        "test.ex", "+local_domains", "! +local_domains", "*.ex", "^.*\\.example\\$", "lsearch;@DIR@/files/domains",
        "+file_domains", "@ : other.ex", "!test.ex : *", "${if eq{$local_part}{x}{*}{other.ex}}",
        "${if eq{$sender_address}{}{fail}{${if eq{$local_part}{x}{*}fail}}}", "", "lsearch;@DIR@/files/nothing",
        "*.test.ex : test.ex", "nwildlsearch;@DIR@/files/domains",
    ],
    "local_parts": [
        "x", "anna : berta", "lsearch;@DIR@/files/users", "+admins", "!x", "^[a-n]", "! ^[a-n]", "*", "",
        "X : Root", "${lookup{$domain}lsearch{@DIR@/files/domains}{*}fail}", "x* : *a", "lsearch;@DIR@/files/aliases",
        "${if match{$domain}{^o}{*}{!*}}",
    ],
    "senders": [
        "alice@example.org", "+friends", ":", "! :", "*@example.org", "lsearch;@DIR@/files/senders", "!alice@*",
        "^.*@e", "",
    ],
}  # fmt: skip

#: option -> the values that are tried; "" without anything else stands for a bool's bare name, "no" for no_NAME
OPTIONS: dict[str, dict[str, list[str]]] = {
    "generic": {
        **{f"{name} = ": values for name, values in _LISTS.items()},
        "address_data = ": [
            "data of $local_part", "${lookup{$local_part}lsearch{@DIR@/files/users}}", "$local_part_data/$domain_data",
            "${lookup{$local_part}lsearch{@DIR@/files/users}{$value}fail}", "${if eq{a}{b}{x}}", "$address_data+",
            "${lookup{x}lsearch{@DIR@/files/nothing}}", "${bad", "$home",
        ],
        "address_test": _BOOL,
        "cannot_route_message = ": [
            "nobody of $local_part at $domain", "$self_hostname/$address_data", "${if eq{$domain}{test.ex}{here}fail}",
            "", "${bad", "two\\nlines",
        ],
        "caseful_local_part": _BOOL,
        "check_local_user": _BOOL,
        "condition = ": [
            "yes", "no", "${if eq{$local_part}{x}}", "${if def:sender_address}", "$local_part_data", "0", "1", "maybe",
            "${if eq{$domain}{test.ex}{true}fail}", "${lookup{$local_part}lsearch{@DIR@/files/users}}", "",
            "${if eq{${uc:$domain_data}}{TEST.EX}}", "${bad", "${if def:parent_domain}", "$address_data",
            "${if match_domain{$original_domain}{+local_domains}}", "${lookup{x}lsearch{@DIR@/files/nothing}}",
            "${if def:r_kept}", "FALSE", "False", "-1", "00",
        ],
        "debug_print = ": ["at $local_part", "${bad"],
        "disable_logging": _BOOL,
        "dsn_lasthop": _BOOL,
        "errors_to = ": [
            "boss@test.ex", "", "anna@$domain", "not an address", "${if eq{a}{b}{x}fail}", "nobody@nowhere.example",
            "${bad", "fail@test.ex", "$sender_address",
        ],
        "expn": _BOOL,
        "fail_verify": _BOOL,
        "fail_verify_recipient": _BOOL,
        "fail_verify_sender": _BOOL,
        "group = ": ["mail", "daemon", "$domain_data", "nosuchgroup", "8", "${if eq{$local_part}{x}{mail}{8}}"],
        "headers_add = ": ["X-One: 1", "X-Who: $local_part\\nX-Two: 2", "", "${if eq{a}{b}{x}fail}", "${bad"],
        "headers_remove = ": ["subject", "x-one : x-two", "", "${if eq{a}{b}{x}fail}", "${bad"],
        "ignore_target_hosts = ": ["192.0.2.0/24", "127.0.0.1 : 192.0.2.1", "*", "", "<; ::1 ; 2001:db8::/32"],
        "initgroups": _BOOL,
        "local_part_prefix = ": ["list-", "real- : list-", "*-", "l* : list-", "x*", "*-^"],
        "local_part_prefix_optional": _BOOL,
        "local_part_suffix = ": ["-tag", "-* : +*", "-tag : -x", "*-tag"],
        "local_part_suffix_optional": _BOOL,
        "log_as_local": _BOOL,
        "more = ": [
            "yes", "no", "${if eq{$local_part}{x}}", "${if eq{$domain}{test.ex}{true}{false}}", "maybe", "${bad",
            "${if eq{a}{b}{yes}fail}",
        ],
        "more": _BOOL,
        "pass_on_timeout": _BOOL,
        "redirect_router = ": ["LATER"],
        "pass_router = ": ["LATER"],
        "require_files = ": [
            "@DIR@/files/users", "!@DIR@/files/users", "@DIR@/files/nothing", "@DIR@/files/$local_part",
            "+@DIR@/files/nothing/x", "mail:@DIR@/files/secret", "@DIR@/files/users : !@DIR@/files/nothing",
            "nosuchuser:@DIR@/files/users", "${if eq{$local_part}{x}{@DIR@/files/users}}", "", "relative/file",
            "root,mail:@DIR@/files/secret", "@DIR@/files/dangling", "${if eq{a}{b}{x}fail}", "${bad", "mail : root",
        ],
        "retry_use_local_part": _BOOL,
        "router_home_directory = ": ["/home/$local_part", "@DIR@/files", "", "${if eq{a}{b}{x}fail}", "${bad"],
        "set = ": [
            "r_kept = $local_part", "r_kept = ${if eq{$domain}{test.ex}{1}}", "r_a = 1 ; r_b = $r_a$r_kept",
            "r_kept = ${if eq{a}{b}{x}fail}", "r_kept = ${bad",
        ],
        "transport_current_directory = ": ["/", "$home"],
        "transport_home_directory = ": ["/", "$home"],
        "translate_ip_address = ": ["test.ex", "${if eq{$host_address}{192.0.2.1}{test.ex}fail}"],
        "unseen": _BOOL,
        "unseen = ": ["${if eq{$local_part}{x}}", "yes", "false", "${bad", "maybe"],
        "user = ": ["mail", "8", "$local_part_data", "nosuchuser", "root", "${if eq{a}{b}{x}fail}"],
        "verify": _BOOL,
        "verify_only": _BOOL,
        "verify_recipient": _BOOL,
        "verify_sender": _BOOL,
    },
    "transported": {
        "transport = ": [
            "t_local", "t_smtp", "t_lmtp", "t_hosts", "t_$local_part", "${lookup{$local_part}lsearch{@DIR@/files/users}"
            "{t_local}{t_smtp}}", "${if eq{a}{b}{x}fail}", "${lookup{$local_part}lsearch{@DIR@/files/transports}}",
        ],
        "fallback_hosts = ": ["fall.example : back.example", "fall.example+ : back.example", ""],
        "self = ": ["freeze", "defer", "send", "pass", "fail", "reroute:other.ex", "reroute: rewrite: x.other.ex"],
    },
    "accept": {},
    "redirect": {
        "data = ": [
            "${lookup{$local_part}lsearch{@DIR@/files/aliases}}", "anna@test.ex", "$local_part@other.ex",
            "$local_part_prefix$local_part_suffix$local_part", ":fail: no ${local_part} here", ":defer: later",
            ":blackhole:", ":unknown:", "anna, berta@other.ex, root", "\\\\anna, one", "\"quoted one\"@test.ex",
            ":include:@DIR@/files/included", ":include:@DIR@/files/nothing", "|/bin/cat", "/var/mail/x", "/var/mail/x/",
            "x, |/bin/cat, /var/mail/x", "$local_part", "${if eq{a}{b}{x}fail}", "${bad", "", "not an address (",
            "anna@, berta", "x@test.ex, not good", ":fail:", "\"|/bin/cat a b\"",
            "<anna@test.ex>, Some One <x@other.ex>",
            "${lookup{$local_part}lsearch{@DIR@/files/redirected}}", ":fail: 553 5.7.1 coded", "#Exim filter\\n",
            "${quote_local_part:$local_part}-x@$domain", "${lookup{$local_part@$domain}lsearch{@DIR@/files/aliases}}",
            "/dev/null", "|/bin/false, /dev/null", ":include:relative", "anna@test.ex, anna@test.ex", "two, one, two",
            "x\\n# comment\\nanna", "anna: berta", ";", "@test.ex", "$parent_local_part@other.ex, $original_domain",
        ],
        "file = ": [
            "@DIR@/files/included", "@DIR@/files/comments", "@DIR@/files/failing", "@DIR@/files/nothing",
            "@DIR@/files/blank", "@DIR@/files/$local_part", "@DIR@/files/open", "@DIR@/files/users/x", "relative",
            "@DIR@/files/empty", "",
        ],
        "allow_defer": _BOOL,
        "allow_fail": _BOOL,
        "allow_freeze": _BOOL,
        "allow_filter": ["no"],
        "check_ancestor": _BOOL,
        "check_group": _BOOL,
        "check_owner": _BOOL,
        "directory_transport = ": ["t_file", "t_local"],
        "file_transport = ": ["t_file", "t_$local_part"],
        "forbid_blackhole": _BOOL,
        "forbid_exim_filter": _BOOL,
        "forbid_file": _BOOL,
        "forbid_filter_dlfunc": _BOOL,
        "forbid_filter_existstest": _BOOL,
        "forbid_filter_logwrite": _BOOL,
        "forbid_filter_lookup": _BOOL,
        "forbid_filter_perl": _BOOL,
        "forbid_filter_readfile": _BOOL,
        "forbid_filter_readsocket": _BOOL,
        "forbid_filter_reply": _BOOL,
        "forbid_filter_run": _BOOL,
        "filter_prepend_home": _BOOL,
        "forbid_include": _BOOL,
        "forbid_pipe": _BOOL,
        "forbid_sieve_filter": _BOOL,
        "forbid_smtp_code": _BOOL,
        "hide_child_in_errmsg": _BOOL,
        "ignore_eacces": _BOOL,
        "ignore_enotdir": _BOOL,
        "include_directory = ": ["@DIR@/files", "/nowhere", "@DIR@/files/empty"],
        "modemask = ": ["022", "0", "077", "002"],
        "one_time": _BOOL,
        "owners = ": ["root", "mail : root", "8"],
        "owngroups = ": ["root", "mail", "0 : 8"],
        "pipe_transport = ": ["t_pipe", "t_nosuch", "${if eq{$local_part}{x}{t_pipe}{t_local}}"],
        "qualify_domain = ": ["other.ex", "$domain", "${bad"],
        "qualify_preserve_domain": _BOOL,
        "repeat_use": _BOOL,
        "reply_transport = ": ["t_reply"],
        "rewrite": _BOOL,
        "sieve_enotify_mailto_owner = ": ["x@test.ex"],
        "sieve_inbox = ": ["inbox"],
        "sieve_subaddress = ": ["$local_part_suffix"],
        "sieve_useraddress = ": ["$local_part"],
        "sieve_vacation_directory = ": ["@DIR@/files/empty"],
        "skip_syntax_errors": _BOOL,
        "syntax_errors_text = ": ["there were errors"],
        "syntax_errors_to = ": ["boss@test.ex"],
    },
    "manualroute": {
        "route_list = ": [
            "* h.example", "* 192.0.2.1", "*.ex 192.0.2.9:192.0.2.8",
            "test.ex 192.0.2.5::2525 byname ; other.ex 192.0.2.6",
            "! *.ex 10.0.0.1 bydns", "^(.*)\\\\.ex\\$ 192.0.2.7", "other.ex",
            "* \"192.0.2.3 : 192.0.2.4 : + : 192.0.2.6\"",
            "lsearch;@DIR@/files/domains $value", "+local_domains 127.0.0.1", "* $domain byname ; ",
            "x.example y no_randomize",
            "<+ * 192.0.2.8", "* 192.0.2.4 randomize t_smtp", "* localhost byname", "test.ex \"\" ; * 192.0.2.44", "*",
            "* 192.0.2.1 badoption", "test.ex \"<; [2001:db8::1]:26; 192.0.2.1\"",
        ],
        "route_data = ": [
            "192.0.2.1", "${lookup{$domain}lsearch{@DIR@/files/hosts}}",
            "${if eq{$domain}{test.ex}{192.0.2.4:192.0.2.5}}",
            "${if eq{a}{b}{x}fail}", "192.0.2.1::26 byname", "", "${bad", "localhost byname", "127.0.0.1 : 192.0.2.4",
        ],
        "host_all_ignored = ": ["decline", "defer", "fail", "freeze", "ignore", "pass"],
        "host_find_failed = ": ["decline", "defer", "fail", "freeze", "ignore", "pass"],
        "hosts_randomize": ["no"],
        "same_domain_copy_routing": _BOOL,
    },
    "ipliteral": {},
    "dnslookup": {
        "check_secondary_mx": _BOOL,
        "check_srv = ": ["smtp", "none", "${if eq{$domain}{test.ex}{smtp}}"],
        "dnssec_request_domains = ": ["*", "signed.test.ex"],
        "dnssec_require_domains = ": ["signed.test.ex : *.other.ex", "*"],
        "fail_defer_domains = ": ["*.test.ex", "again.test.ex", "*"],
        "ipv4_only = ": ["1", "${if eq{$domain}{test.ex}}"],
        "ipv4_prefer = ": ["1", "0"],
        "mx_domains = ": ["test.ex", "*.test.ex"],
        "mx_fail_domains = ": ["*"],
        "qualify_single": _BOOL,
        "rewrite_headers": _BOOL,
        "same_domain_copy_routing": _BOOL,
        "search_parents": _BOOL,
        "srv_fail_domains = ": ["*"],
        "widen_domains = ": ["test.ex", "sub.test.ex : test.ex", "nowhere.example"],
    },
    "queryprogram": {
        "command = ": [
            "/bin/echo accept transport=t_local", "/bin/echo decline", "/bin/echo fail no $local_part", "/bin/false",
            "/bin/echo redirect anna@test.ex, x@other.ex", "/bin/echo pass data=\"some thing\"", "/bin/echo nonsense",
            "/bin/echo accept transport=t_hosts hosts=192.0.2.7 lookup=byname", "/bin/nothing",
            "/bin/echo error oh dear",
            "/bin/echo freeze it", "/bin/echo defer later on", "${if eq{a}{b}{x}fail}",
            "/bin/echo accept data=$local_part",
        ],
        "command_group = ": ["mail", "nosuchgroup"],
        "command_user = ": ["mail", "nosuchuser", "root"],
        "current_directory = ": ["/", "@DIR@", "/nowhere"],
        "timeout = ": ["20s"],
    },
}  # fmt: skip
#: options that no chain is given, and why
LEFT_OUT = {
    "driver": "every router has it",
    "bmi_deliver_alternate": "not in Debian's build",
    "bmi_deliver_default": "not in Debian's build",
    "bmi_dont_deliver": "not in Debian's build",
    "bmi_rule": "not in Debian's build",
    "srs": "not in 4.96",
    "srs_alias": "not in 4.96",
    "srs_condition": "not in 4.96",
    "srs_dbinsert": "not in 4.96",
    "srs_dbselect": "not in 4.96",
}
DRIVERS_LEFT_OUT = {"iplookup": "not in Debian's build"}
_ALWAYS = {
    "redirect": ("data = ", "file = "),
    "manualroute": ("route_list = ", "route_data = "),
    "queryprogram": ("command = ",),
    "accept": ("transport = ",),
    "ipliteral": ("transport = ",),
    "dnslookup": ("transport = ",),
}
_DRIVERS = ["accept"] * 5 + ["redirect"] * 8 + ["manualroute"] * 4 + ["ipliteral"] + ["queryprogram"]
_BAD = "${bad"


class Chain(NamedTuple):
    """Routers (each its lines), the options in front of the configuration, mode, and addresses."""

    routers: list[list[str]]
    ask: str
    options: str
    dns: bool
    addresses: list[str]


def random_chain(chance: random.Random, addresses: int, dns: bool) -> Chain:
    """One chain; ``dns``: its routers may ask for names in the zones."""
    count = chance.randint(1, 7)
    routers = []
    for number in range(count):
        drivers = _DRIVERS + (["dnslookup"] * 12 if dns else [])
        routers.append(_router(chance, number, count, chance.choice(drivers)))
    if chance.random() < 0.7:
        routers.append([f"r{count}:", "driver = accept", "transport = t_local"])
    sender = chance.choice(["", "", "", "-f alice@example.org", "-f x@friend.example", "-f ''", "-f root"])
    more = chance.choice(["", "", "", "-v"]) if not dns else ""
    return Chain(
        routers,
        chance.choice(["-bt", "-bt", "-bt", "-bv", "-bv", "-bvs"]),
        f"{sender} {more}".strip(),
        dns,
        [_address(chance, dns) for _ in range(addresses)],
    )


def _router(chance: random.Random, number: int, count: int, driver: str) -> list[str]:
    own, generic = dict(OPTIONS[driver]), dict(OPTIONS["generic"])
    generic |= OPTIONS["transported"]
    lines = [f"r{number}:", f"driver = {driver}"]
    chosen: dict[str, str] = {}
    must = _ALWAYS[driver]
    name = chance.choice(must)
    chosen[name] = chance.choice((own | generic)[name])
    if driver == "queryprogram":
        chosen["command_user = "] = chance.choice(["mail", "root", "mail", "$local_part_data"])
    if driver == "manualroute" and chance.random() < 0.9:
        chosen["transport = "] = chance.choice(generic["transport = "][:4])
    if driver == "redirect":
        for given in ("pipe_transport = ", "file_transport = ", "directory_transport = ", "user = "):
            if chance.random() < 0.5:
                chosen[given] = (own | generic)[given][0]
        for given in ("allow_fail", "allow_defer"):
            if chance.random() < 0.4:
                chosen[given] = ""
        if chance.random() < 0.5:
            chosen["modemask = "] = "022"
    if driver in ("accept", "dnslookup", "ipliteral") and chance.random() < 0.6:
        chosen["transport = "] = chance.choice(["t_local", "t_smtp"])
    # what takes an address away from a router, and what changes what is said, comes often
    for pool, most in ((generic, 4), (own, 3)):
        for name in chance.sample(sorted(pool), min(len(pool), chance.randint(0, most))):
            if name not in must:
                chosen.setdefault(name, chance.choice(pool[name]))
    for name in ("local_parts = ", "domains = ", "condition = "):
        if chance.random() < 0.15:
            chosen.setdefault(name, chance.choice(generic[name]))
    for name in ("fail_verify", "fail_verify_recipient", "fail_verify_sender"):
        if chance.random() < 0.05:
            chosen[name] = ""
    for name, value in chosen.items():
        if _BAD in value and chance.random() < 0.7:
            continue
        if value == "LATER":
            if number + 1 >= count:
                continue
            value = f"r{chance.randint(number + 1, count - 1)}"
        if name.endswith("= "):
            lines.append(name + value)
        else:
            lines.append(("no_" if value == "no" else "") + name)
    return lines


def _address(chance: random.Random, dns: bool) -> str:
    local = chance.choice(_LOCAL_PARTS)
    if chance.random() < 0.04:
        return local
    if chance.random() < 0.04:
        return f"{local}@[{chance.choice(['192.0.2.1', '127.0.0.1', 'IPv6:::1', 'IPv6:2001:db8::1', '192.0.2.300'])}]"
    domains = _DNS_DOMAINS if dns and chance.random() < 0.8 else _USUAL_DOMAINS
    domain = chance.choice(domains)
    if chance.random() < 0.05:
        domain = domain.upper()
    return f"{local}@{domain}"
