# ruff: noqa: E501
"""Random ACLs for every hook of an SMTP session, and clients that talk to them.

A :class:`Talk` is a configuration, taken apart into statements and their lines, and what a client types, taken apart
into transactions, so that a difference can be made smaller by leaving parts out. :data:`VALUES` says which values each
condition, modifier, control and check is given; what no ACL has is in :data:`LEFT_OUT`, with the reason. Where each
may stand is in the facts; now and then one stands elsewhere.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any, NamedTuple

FACTS = Path(__file__).resolve().parents[2] / "grammar" / "tables" / "acl.json"
ROWS: list[dict[str, Any]] = json.loads(FACTS.read_text(encoding="utf-8"))["rows"]
VERSION = (4, 96)

_TEXTS = [
    "no", "not you, $sender_address", "550 5.7.1 $local_part@$domain is refused", "451 4.3.0 later", "$acl_m_a",
    "two\\nlines", "250 fine", "$acl_verify_message", "550 x", "599 odd", "5.7.1 no code before it", "421 go away",
    "$sender_host_address said $smtp_command", "rcpt $rcpt_count $recipients_count", "", "${if eq{$acl_c_a}{1}{one}fail}",
    "${bad", "550-5.1.1 dashes", "4.1.1", "$acl_arg1+$acl_narg", "452 4.2.2 $sender_helo_name\\n452 second",
    "553 5.1.8 ${if def:sender_address{<$sender_address>}{bounce}}", "$domain_data/$local_part_data", "x  y\\tz",
    "${acl{sub1}{x}}", "$h_subject: $h_x-a:", "550 5.1.1", "550  two blanks", "$authenticated_id $received_protocol",
    "$recipients", "$message_size $body_linecount", "55o 5.1.1 letters", "$message_exim_id", "25x", "354 go on",
]  # fmt: skip
_HEADERS = [
    "X-A: 1", "X-A: $local_part\\nX-B: 2", ":at_start:X-S: s", ":at_start_rfc:X-S: s", ":after_received:X-R: r", "no colon here",
    "", "X-A: 1\\n", "${if eq{a}{b}{x}fail}", ":at_end:X-E: e\\n continued", "X-C: $acl_c_a:$acl_m_a", "$acl_m_a", "${bad",
]  # fmt: skip
_DOMAINS = [
    "+local_domains", "! +local_domains", "example.org", "*.example", "far.example : friend.example", "^f", "!*.example : *",
    "", "lsearch;@DIR@/files/aliases", "${if eq{$acl_c_a}{1}{*}}", "+nosuch", "@", "[192.0.2.7]",
]  # fmt: skip
_CALLOUTS = [
    "", "/callout", "/callout=10s", "/callout=5s,defer_ok", "/callout=random", "/callout=use_sender,no_cache",
    "/callout=postmaster,maxwait=20s", "/callout=connect=5s,use_postmaster", "/defer_ok", "/no_details",
    "/callout=mailfrom=x@example.org", "/callout=fullpostmaster", "/callout=postmaster_mailfrom=y@example.org",
    "/callout=hold", "/callout=junk", "/success_on_redirect", "/junk", "/callout=", "/defer_ok/callout",
]  # fmt: skip

#: kind -> name -> values
VALUES: dict[str, dict[str, list[str]]] = {
    "condition": {
        "acl": [
            "sub1", "sub2 a", "sub2 $local_part \"b c\"", "sub3", "nosuch", "@DIR@/files/acl.file", "${if eq{1}{1}{accept}}",
            "${if eq{$acl_c_a}{1}{deny message = inline}{accept}}", "sub1 1 2 3 4 5 6 7 8 9 10", "${bad", "$acl_m_a",
            "@DIR@/files/nothing",
        ],
        "authenticated": ["*", "plain", "!*", "login : other", ""],
        "condition": [
            "yes", "no", "true", "0", "1", "", "maybe", "${if eq{$acl_c_a}{1}}", "${if def:sender_address}", "$acl_m_a",
            "${if >{$rcpt_count}{1}}", "${if match{$local_part}{^a}}", "${bad", "${if eq{a}{b}{yes}fail}", "-1", "00",
            "${if match_domain{$domain}{+local_domains}}", "${if eq{$sender_helo_name}{}}", "${if acl{{sub1}{z}}}",
            "${if def:h_subject:}", "TRUE", "${if >{$message_size}{200}}", "${if eq{$acl_arg1}{a}}", "${acl{sub3}{q}}",
        ],
        "decode": ["default", "1", "no", "${if eq{a}{b}{x}fail}"],
        "dnslists": [
            "zen.test.ex", "bl.test.ex", "nowhere.example", "bl.test.ex=127.0.0.2", "bl.test.ex/$sender_address_domain",
            "!bl.test.ex", "", "+include_unknown : bl.test.ex", "bl.test.ex!=127.0.0.2", "bl.test.ex&0.0.0.2",
        ],
        "domains": _DOMAINS,
        "encrypted": ["*", "", "!*", "TLS_AES_256_GCM_SHA384"],
        "hosts": [
            "+relay_hosts", "! +relay_hosts", "*", ":", "192.0.2.0/24", "2001:db8::1", "<; 192.0.2.7 ; 10.0.0.0/8", "",
            "!192.0.2.7 : *", "192.0.2.7/33", "${if eq{$acl_c_a}{1}{*}}", "+nosuch", "@[]", "net-lsearch;@DIR@/files/hosts",
        ],
        "local_parts": ["+admins", "alice : bob", "! alice", "^[a-c]", "lsearch;@DIR@/files/aliases", "*", "", "${if eq{1}{2}{x}}"],
        "malware": ["*", "true", "false", "virus", "*/defer_ok", ""],
        "mime_regex": ["^Hello", "x{3}", "(bad", "a : b", ""],
        "ratelimit": [
            "2.5 / 1h", "0.5 / 1h / strict", "2.5 / 1h / per_mail", "1.5 / 1h / per_rcpt / $sender_address", "0 / 1h", "x / 1h",
            "2.5 / 1h / leaky / strict", "4.5 / 1h / per_conn / key", "2.5 / 1h / per_byte", "1.5 / 1h / noupdate / key", "1.5",
            "1.5 / 1h / per_cmd / $sender_helo_name", "3.5 / 1h / per_addr / key", "1.5 / 1h / readonly / key", "1.5 / junk",
            "2.5K / 1h / per_byte / strict / $local_part", "1.5 / 1h / count=2 / key2", "1.5 / 1h / unique=$local_part / key3",
            "-1 / 1h", "1.5 / 1h / junk=3", "2.5 / 1h / per_rcpt / per_mail", "${bad", "",
        ],
        "recipients": [
            "alice@example.org", "*@far.example : *@example.org", "+friends", "! +friends", "^b", "lsearch*@;@DIR@/files/aliases",
            "", "postmaster@*", "+nosuch",
        ],
        "regex": ["[Hh]ello", "^Subject: (.*)x", "(bad", "viagra : hello", "", "\\N^X-(\\w+): (.*)$\\N"],
        "seen": [
            "1h", "-1h", "1h / key=$sender_address", "1h / readonly", "-1h / key=${local_part}@$domain", "1h / write", "never",
            "10s / refresh=1h", "-5m / key=x", "", "1h / junk", "1h / key=",
        ],
        "sender_domains": _DOMAINS,
        "senders": [
            ":", "! :", "+friends", "*@far.example", "alice@example.org : ^b", "!+friends : *", "", "@@lsearch;@DIR@/files/senders",
            "lsearch;@DIR@/files/senders",
        ],
        "spam": ["nobody", "nobody:true", "nobody/defer_ok", "false", "0"],
    },
    "verify": {
        "certificate": [""],
        "csa": ["", "/far.example"],
        "header_names_ascii": [""],
        "header_sender": _CALLOUTS,
        "header_syntax": ["", "/junk"],
        "helo": [""],
        "not_blind": ["", "/case_insensitive"],
        "recipient": _CALLOUTS,
        "reverse_host_lookup": ["", "/defer_ok"],
        "sender": [*_CALLOUTS, "=alice@example.org", "=x@nowhere.example/callout", "=bob@$domain", "="],
    },
    "modifier": {
        "add_header": _HEADERS,
        "continue": ["$acl_c_a", "${acl{sub3}}", "", "${bad", "${if eq{1}{2}{x}fail}"],
        "delay": ["1s", "0s", "${if eq{$acl_c_a}{1}{5s}{0s}}", "soon", "", "1m30s", "${bad"],
        "endpass": [""],
        "log_message": _TEXTS,
        "log_reject_target": ["", "main", "main : reject", "reject", "panic : main", "junk", "${bad"],
        "logwrite": [
            "at $smtp_command: $local_part", ":main: both", ":main,reject:text", ":junk: text", "", "${bad", ":reject:", "two\\nlines",
            ":panic: $sender_address", "$acl_c_a/$acl_m_a",
        ],
        "message": _TEXTS,
        "queue": ["slow", "", "${bad", "a/b"],
        "remove_header": ["subject", "x-a : x-b", "", "received", "${if eq{1}{2}{x}fail}"],
        "set": [
            "acl_c_a = 1", "acl_m_a = $local_part", "acl_m_a =", "acl_c_a = ${eval:0$acl_c_a+1}", "acl_c3 = x", "acl_m_a = ${bad",
            "acl_c_a = $rcpt_count", "acl_m_a = $acl_verify_message", "acl_c_long_name = $sender_address", "acl_m_a = $acl_c_a$acl_m_a",
            "acl_m_a = ${if eq{1}{2}{x}fail}",
        ],
        "udpsend": ["<; 127.0.0.1 ; 9 ; $local_part", "127.0.0.1 9 x", "<; 127.0.0.1 ; junk ; x", "${bad"],
    },
    "control": {
        "allow_auth_unadvertised": [""],
        "caseful_local_part": [""],
        "caselower_local_part": [""],
        "cutthrough_delivery": ["", "/defer=pass", "/junk"],
        "dkim_disable_verify": [""],
        "dmarc_disable_verify": [""],
        "dmarc_enable_forensic": [""],
        "dscp": ["/ef", "/junk", ""],
        "enforce_sync": [""],
        "fakedefer": ["", "/try later, $sender_address", "/"],
        "fakereject": ["", "/not $sender_address", "/"],
        "freeze": ["", "/no_tell", "/junk"],
        "no_callout_flush": [""],
        "no_delay_flush": [""],
        "no_enforce_sync": [""],
        "no_mbox_unspool": [""],
        "no_multiline_responses": [""],
        "no_pipelining": [""],
        "queue": ["", "/only", "/first_pass_route", "/junk"],
        "queue_only": [""],
        "submission": ["", "/sender_retain", "/domain=far.example", "/name=A B", "/domain=/name=x", "/junk"],
        "suppress_local_fixups": [""],
        "utf8_downconvert": ["", "/1", "/0", "/-1", "/junk"],
        "": ["junk", "", "${bad", "${if eq{$acl_c_a}{1}{freeze}}"],
    },
}  # fmt: skip

#: (kind, name) -> why no ACL has it
LEFT_OUT = {
    ("control", "bmi_run"): "not in Debian's build",
    ("control", "debug"): "writes a file of its own under -bh, with times in it; sessions of our own have it",
    ("control", "requiretls"): "4.92 only, and experimental",
    ("control", "wellknown"): "since 4.98",
    ("condition", "atrn_domains"): "since 4.99",
    ("condition", "dcc"): "not in Debian's build",
    ("condition", "demime"): "until 4.86",
    ("condition", "dkim_signers"): "verdicts come from described worlds here",
    ("condition", "dkim_status"): "verdicts come from described worlds here",
    ("condition", "spf"): "verdicts come from described worlds here",
    ("condition", "spf_guess"): "verdicts come from described worlds here",
    (
        "condition",
        "dmarc_status",
    ): "verdicts come from described worlds here",
    ("condition", "verify"): "its kinds are rows of their own",
    ("modifier", "bmi_optin"): "not in Debian's build",
    ("modifier", "control"): "its kinds are rows of their own",
    ("verify", "arc"): "not in Debian's build",
    ("callout_option", "use_tptsender"): "since 4.99",
    ("hook", "acl_not_smtp"): "no SMTP session; cases of our own ask it",
    ("hook", "acl_not_smtp_mime"): "no SMTP session; cases of our own ask it",
    ("hook", "acl_not_smtp_start"): "no SMTP session; cases of our own ask it",
    ("hook", "acl_smtp_atrn"): "since 4.99",
    ("hook", "acl_smtp_wellknown"): "since 4.98",
}

#: hook -> phase, and how many statements its ACL has at most
HOOKS = {
    row["name"]: row["phase"]
    for row in ROWS
    if row["kind"] == "hook" and ("hook", row["name"]) not in LEFT_OUT
}
_COMMON = ("rcpt", "mail", "data", "predata", "helo", "connect")
VERBS = ("accept",) * 6 + ("deny",) * 6 + ("warn",) * 9 + ("require", "defer", "discard") * 3 + ("drop",)
#: those of an ACL that lets most clients through
MILD = ("accept", "warn", "warn", "warn")
_WRONG = re.compile(r"\$\{bad|junk|nosuch|fail\}|maybe|nothing|\(bad|^421|/33")

_SENDERS = [
    "<alice@example.org>", "<>", "<x@far.example>", "<bob@friend.example>", "alice@example.org", "<X@Far.Example>", "<unqualified>",
    "<a@b@c>", "<\"quoted p\"@far.example>", "<@relay.example:x@far.example>", "<nobody@example.org>", "<x@[192.0.2.9]>", "",
    "<gone@example.org>", "<\xe4@far.example>", "<x@-bad-.example>",
]  # fmt: skip
_PARAMETERS = [
    "SIZE=100", "SIZE=99999999", "BODY=8BITMIME", "RET=HDRS", "RET=FULL ENVID=x+2B", "AUTH=<>", "AUTH=x@far.example", "SMTPUTF8",
    "SIZE=", "BODY=JUNK", "JUNK", "JUNK=1", "PRDR", "AUTH=junk+",
]  # fmt: skip
_RECIPIENTS = [
    "<alice@example.org>", "<bob@example.org>", "<Postmaster@Example.Net>", "<team@example.org>", "<nobody@example.org>", "<x@far.example>",
    "<gone@example.org>", "<busy@example.org>", "<postmaster>", "<unknown>", "<outside@example.net>", "alice@example.org", "<>", "<a b@c>",
    "<carol@x.local.example>", "<alice@friend.example>", "<\"a b\"@example.org>", "<@r.example:bob@example.org>", "<alice@example.org", "",
    "<ALICE@example.org>", "<x@[192.0.2.1]>", "<a@b..c>",
]  # fmt: skip
_RCPT_PARAMETERS = [
    "NOTIFY=NEVER",
    "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@y",
    "NOTIFY=JUNK",
    "ORCPT=x",
    "JUNK=1",
]
_GREETINGS = [
    "EHLO client.example", "EHLO client.example", "EHLO client.example", "HELO client.example", "EHLO [192.0.2.7]", "HELO", "EHLO mail.example.org",
    "EHLO under_score", "HELO [192.0.2.8]", "EHLO far.example", "EHLO a.b c",
]  # fmt: skip
_OTHERS = [
    "NOOP", "RSET", "VRFY alice@example.org", "VRFY nobody@example.org", "EXPN team@example.org", "EXPN x", "ETRN #far.example", "HELP", "JUNK",
    "VRFY", "STARTTLS", "AUTH PLAIN AGFsaWNlAHNlY3JldA==", "AUTH PLAIN AGFsaWNlAHdyb25n", "AUTH JUNK", "AUTH LOGIN", "EHLO again.example",
    "DATA", "RCPT TO:<alice@example.org>", "MAIL FROM:<>", "", "ETRN", "BDAT x", "AUTH LOGIN YWxpY2U=",
]  # fmt: skip
_BODIES = [
    ["Subject: hello", "", "Hello, world"],
    ["Subject: viagra", "From: x@far.example", "To: alice@example.org", "X-A: 5", "", "hello there", "..", "end"],
    ["From: nobody@example.org", "Sender: bob@example.org", "To: a@b, c@d", "", "xxx"],
    ["From: <broken", "Subject: bad syntax", "", "hello"],
    ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b1", "", "--b1", "Content-Type: text/plain", "", "Hello", "--b1",
     "Content-Type: application/octet-stream; name=x.exe", "Content-Transfer-Encoding: base64", "", "SGVsbG8gd29ybGQ=", "--b1--"],
    ["X-\xe4: 8 bit in a name", "Subject: =?utf-8?q?=C3=A4?=", "To: Alice <ALICE@example.org>", "", "gr\xfc\xdfe"],

    ["no header at all", "just text"],
    ["", "a body alone"],
    ["Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000", "Message-ID: <1@x>", "Date: Mon, 1 Jan 2024 00:00:00 +0000", "Bcc: secret@x", "",
     "x" * 70],
    [],
    ["Subject: long", "", *(f"line {number} of a longer text" for number in range(8))],
]  # fmt: skip
_OPTIONS = [
    ("message_size_limit = 600", 0.08), ("recipients_max = 2", 0.08), ("recipients_max_reject", 0.04), ("log_selector = +all -pid -millisec", 0.1),
    ("helo_allow_chars = _", 0.1), ("smtp_return_error_details", 0.15), ("helo_try_verify_hosts = *", 0.08), ("helo_verify_hosts = *", 0.03),
    ("sender_unqualified_hosts = *", 0.2), ("recipient_unqualified_hosts = *", 0.2), ("strict_acl_vars", 0.1), ("acl_not_smtp = sub1", 0.02),
    ("dsn_advertise_hosts = *", 0.4), ("prdr_enable", 0.4), ("chunking_advertise_hosts =", 0.2), ("smtputf8_advertise_hosts =", 0.3),
    ("smtp_accept_max_nonmail = 4", 0.05), ("smtp_max_unknown_commands = 2", 0.04), ("smtp_max_synprot_errors = 2", 0.04),
    ("accept_8bitmime = no", 0.1), ("log_reject_target = main", 0), ("received_headers_max = 1", 0.03), ("smtp_check_spool_space = no", 0.05),
    ("allow_domain_literals", 0.2), ("strip_excess_angle_brackets", 0.1), ("message_logs = no", 0.02), ("ignore_fromline_local", 0),
    ("smtp_accept_max_per_connection = 12", 0.05), ("smtp_etrn_command = /bin/true", 0.1), ("untrusted_set_sender = *", 0.02),
]  # fmt: skip
_ALWAYS = [
    "smtp_max_synprot_errors = 1000",
    "smtp_max_unknown_commands = 1000",
    "av_scanner = clamd:127.0.0.1 1",
    "spamd_address = 127.0.0.1 1",
    "smtp_etrn_serialize = no",
]
AUTHENTICATORS = """\
begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{alice}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User : Password
  server_condition = ${if eq{$auth2}{secret}}
  server_set_id = $auth1
"""
#: what a session needs beside the files of :mod:`sessioncases`
FILES = {
    "acl.file": "deny message = from a file $acl_arg1\n     senders = :\naccept\n",
    "hosts": "192.0.2.0/24: net\n192.0.2.7: one\n",
    "senders": "alice@example.org: yes\nfar.example: x : y\nx@far.example: z\n",
}


class Talk(NamedTuple):
    """A configuration and a client. ``acls``: name -> statements -> lines; ``mails``: lines of each transaction."""

    ip: str
    dns: bool
    options: list[str]
    acls: dict[str, list[list[str]]]
    mails: list[list[str]]

    def fragment(self) -> str:
        """The lines of the configuration, as :func:`sessioncases.configuration_text` wants them."""
        hooks = [f"{name} = {name[4:]}" for name in self.acls if name in HOOKS]
        acls = []
        for name, statements in self.acls.items():
            acls.append(f"{name.removeprefix('acl_')}:")
            for first, *rest in statements:
                acls.append(f"  {first}")
                acls += [f"    {line}" for line in rest]
            acls.append("")
        given = {option.split(" ")[0] for option in self.options}
        always = [option for option in _ALWAYS if option.split(" ")[0] not in given]
        return "\n".join([*always, *self.options, *hooks, "begin acl", "", *acls, AUTHENTICATORS])

    def typed(self) -> str:
        """What the client types."""
        return "\n".join(line for mail in self.mails for line in mail)


def _allowed(row: dict[str, Any], phase: str) -> bool:
    where = row.get("allowed_in") or "all"
    return where == "all" or phase in where


def rows_of(kind: str) -> list[dict[str, Any]]:
    """The rows of a kind that ACLs are given."""
    return [row for row in ROWS if row["kind"] == kind and row["name"] in VALUES.get(kind, {})]


_BY_PHASE = {
    (kind, phase): [row["name"] for row in rows_of(kind) if _allowed(row, phase)]
    for kind in VALUES
    for phase in {*HOOKS.values(), ""}
}
_ALL = {kind: [row["name"] for row in rows_of(kind)] for kind in VALUES}


def _name(chance: random.Random, kind: str, phase: str) -> str:
    names = _BY_PHASE[kind, phase] if phase and chance.random() < 0.97 else _ALL[kind]
    return chance.choice(names or _ALL[kind])


def _line(chance: random.Random, phase: str, dns: bool) -> str:
    """A line of a statement behind its verb."""
    kind = chance.choices(("condition", "modifier", "control", "verify"), (50, 34, 9, 7))[0]
    name = _name(chance, kind, "" if phase.startswith("sub") else phase)
    if not dns and (name in ("dnslists", "csa", "reverse_host_lookup", "helo")):
        kind, name = "condition", "condition"
    value = chance.choice(VALUES[kind][name])
    if chance.random() < 0.8 and _WRONG.search(value):
        value = chance.choice(VALUES[kind][name])
    if phase.startswith("sub"):
        # none calls itself: what does that costs more the deeper it goes
        last = "nosuch" if phase == "sub3" else "sub3"
        value = re.sub("sub[123]", last, value)
    if kind == "control":
        if chance.random() < 0.03:
            return f"control = {chance.choice(VALUES[kind][''])}"
        return f"control = {name}{value}"
    if kind == "verify":
        return f"{'!' if chance.random() < 0.2 else ''}verify = {name}{value}"
    if name == "set":
        return f"set {value}"
    if name == "endpass":
        return "endpass"
    negated = "!" if kind == "condition" and chance.random() < 0.15 else ""
    return f"{negated}{name} = {value}"


def _statement(chance: random.Random, phase: str, dns: bool, verbs: tuple[str, ...] = VERBS) -> list[str]:
    verb = chance.choice(verbs)
    lines = [_line(chance, phase, dns) for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5)))]
    seen = set()
    kept = []
    for line in lines:
        name = line.partition(" ")[0]
        if name != "endpass" or (verb in ("accept", "discard") and name not in seen):
            kept.append(line)
        seen.add(name)
    if kept and chance.random() < 0.5 and kept[0] != "endpass":
        return [f"{verb} {kept[0]}", *kept[1:]]
    return [verb, *kept]


def _acl(chance: random.Random, phase: str, dns: bool, most: int) -> list[list[str]]:
    mild = {"connect": 0.9, "helo": 0.9, "mail": 0.85, "predata": 0.85, "rcpt": 0.45, "quit": 0}.get(
        phase, 0.2
    )
    verbs = MILD if chance.random() < mild else VERBS
    statements = [_statement(chance, phase, dns, verbs) for _ in range(chance.randint(1, most))]
    if verbs is MILD or chance.random() < 0.6:  # or else everything is refused
        statements.append(["accept"])
    return statements


def _mail(chance: random.Random, number: int) -> list[str]:
    """One transaction, or what a client does in between."""
    lines = []
    if number == 0 or chance.random() < 0.06:
        lines.append(chance.choice(_GREETINGS))
    if chance.random() < 0.25:
        lines += _other(chance)
    sender = chance.choice(_SENDERS) if chance.random() < 0.35 else "<x@far.example>"
    lines.append(f"MAIL FROM:{sender}" + (f" {chance.choice(_PARAMETERS)}" if chance.random() < 0.25 else ""))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3))):
        recipient = chance.choice(_RECIPIENTS) if chance.random() < 0.45 else "<alice@example.org>"
        lines.append(
            f"RCPT TO:{recipient}" + (f" {chance.choice(_RCPT_PARAMETERS)}" if chance.random() < 0.1 else "")
        )
        if chance.random() < 0.05:
            lines += _other(chance)
    how = chance.random()
    if how < 0.08:
        return [*lines, "RSET"]
    body = chance.choice(_BODIES)
    if how < 0.16:
        text = "".join(f"{line}\r\n" for line in body)
        return [*lines, f"BDAT {len(text)} LAST", *(body or [""])] if body else [*lines, "RSET"]
    return [*lines, "DATA", *body, "."]


def _other(chance: random.Random) -> list[str]:
    command = chance.choice(_OTHERS)
    if command.startswith("AUTH LOGIN"):
        answers = ["YWxpY2U=", "c2VjcmV0"] if command == "AUTH LOGIN" else ["c2VjcmV0"]
        return [command, *answers] if chance.random() < 0.8 else [command, "*"]
    return [command]


def random_talk(chance: random.Random, mails: int, dns: bool) -> Talk:
    """A configuration of random ACLs, and ``mails`` transactions through it; ``dns``: its names are in the zones."""
    acls: dict[str, list[list[str]]] = {}
    for name, phase in HOOKS.items():
        share = {"rcpt": 1.0, "connect": 0.25, "helo": 0.3, "quit": 0.3, "notquit": 0.3}.get(phase, 0.5)
        if chance.random() < share:
            acls[name] = _acl(chance, phase, dns, 6 if phase in ("rcpt", "data", "mail") else 3)
            if phase in ("connect", "helo") and chance.random() < 0.8:
                # most clients get further
                acls[name] = [one for one in acls[name] if one[0].split()[0] in ("warn", "accept")] or [
                    ["accept"]
                ]
    for number in (1, 2, 3):
        acls[f"sub{number}"] = _acl(chance, f"sub{number}", dns, 3)
    # what one control says of the domain and the name, 4.96 reads from memory in the messages that follow
    submission = f"control = submission{chance.choice(VALUES['control']['submission'])}"
    acls = {
        name: [[re.sub(r"control = submission\S*.*", submission, line) for line in one] for one in statements]
        for name, statements in acls.items()
    }
    options = [option for option, share in _OPTIONS if chance.random() < share]
    ip = chance.choice(["192.0.2.7", "192.0.2.7", "192.0.2.99", "2001:db8::7", "10.1.2.3"])
    lines = [_mail(chance, number) for number in range(mails)]
    if chance.random() < 0.9:
        lines.append(["QUIT"])
    return Talk(ip, dns, options, acls, lines)
