# ruff: noqa: E501
"""What arguments of random expansions are drawn from: short texts that make sense for a kind of argument.

``@DIR@`` is the prepared folder (:mod:`differential.world`). Texts stand as they are written in a
configuration: a brace or dollar sign that is meant literally has its backslash.
"""

from __future__ import annotations

FILES = "@DIR@/files/"

POOLS: dict[str, tuple[str, ...]] = {
    "text": (
        "", "a", "b", "abc", "Abc", "ABC def", "hello world", "a b c", " x", "a,b;c", "a:b:c", "x=1 y=2",
        "foo.bar", "café", "gr\xfc\xdfe", "日本", "\\n", "a\\nb", "\\t", "\\\\", "\\}", "\\{", "\\$x", "a\\000b",
        "\\377", "\\001", '"quoted"', "it's", "<a@b>", "100%", "_", "-", "a_b", "0", "1", "42", "-7", "yes", "no",
        "true", "false", "\\N$x{\\N", "[x]", "(x)", "a*b", "*", "^a", "{x}", "a@b", "/etc/passwd", "x" * 40,
    ),
    "word": ("a", "b", "c", "abc", "alice", "bob", "key", "x1", "A", "two words", "é", "nosuch", "", "b-c", "a.b"),
    "number": (
        "0", "1", "2", "3", "5", "10", "-1", "-2", "7", "42", "08", "010", "0x1f", "1K", "2M", "1G", "1k", "+3", " 4",
        "", "x", "1.5", "2147483647", "4294967296", "9223372036854775807", "9223372036854775808", "1x", "-0", "00",
    ),
    "small": ("0", "1", "2", "3", "4", "-1", "-2", "5", "1", "2", "3", " 2", "02", "+1", "x", ""),
    "positive": ("1", "2", "3", "5", "8", "10", "26", "64", "100", "1000"),
    "index": ("1", "2", "3", "-1", "-2", "0", "4", "9", "1", "2", " 1", "x", ""),
    "sum": (
        "1+1", "2*3", "7/2", "7%3", "-5", "(1+2)*3", "1<<4", "256>>3", "6&3", "6|1", "6^2", "~0", "!3", "1K*2",
        "0x10+1", "010", "08", "1+", "", "(1", "1)", "1/0", "5%0", "a", "1 2", "2**3", "1--1", "- 3", "9223372036854775807+1",
        "1K+1M", "3-4-5", "100/7/2", "1+2*3-4", "((2))", "5 & 6 | 1", "0x", "-9223372036854775808", "1<2",
    ),
    "list": (
        "a:b:c", "a", "", "a:b", " a : b ", "1:2:3", "3:1:2", "<; a;b;c", "<;a;b:c", "<,a,b", "a::b", ":", "::", "a: :b",
        "<\\n a\\nb", "b:a:c:a", "10:9:8", "alice:bob:carol", "x1:y2:z3", "a@b:c@d", "192.0.2.1:10.0.0.1", "<| a|b",
        "example.org:example.net", "a::::b", "<; 2001:db8::1 ; ::1", "<", "<;", "A:b:C", "foo:bar:baz", "0:1:yes:no", "é:ü",
    ),
    "numbers": ("1:2:3", "3:2:1", "10:9:100", "5", "<, 1,2,3", "1K:2:300", "0:0:1", "-1:1", "4:4:4", "2:10:1"),
    "fields": (
        "a=1 b=2", "a=1 b=2 c=3", "a = 1", "key=value", 'a="x y" b=z', "alice=1 bob=2", "a=", "a", "", "b=1 a=2", "x1=y",
        "abc=d", "a=1,b=2", 'a="q\\\\"r" b=s', "user=alice home=/home/alice uid=1001",
    ),
    "separated": ("a:b:c", "a b c", "a::c", ":", "", "x/y/z", "a.b.c", "alice@example.org", "root:x:0:0:root:/root:/bin/sh",
                  "a,b:c", "1-2-3", "a:b"),
    "separators": (":", " ", "/", ".", "@", ",", ":,", "-", "", "x", "::"),
    "separator": (":", ";", ",", " ", "\\n", "|", "", "::", "a"),
    "pattern": (
        "a", "b", "^a", "c\\$", "[abc]", "[0-9]+", "(a)", "(.)(.)", "(b)|(c)", "x*", ".", "^", "\\N^(\\w+)\\N", "\\N\\d+\\N",
        "\\N(\\d)(\\d)?\\N", "\\N^[^@]+@(.*)$\\N", "(?i)abc", "\\N\\.\\N", "a.c", "\\N\\s+\\N", "\\N^(?:a|b)+$\\N", "o", "l+",
        "(", "[", "*", "\\N(?<n>b)\\N", "\\N\\b\\w\\N", "^\\$", "", "\\N[^a-c]\\N", "\\N^(.*?)=(.*)$\\N", "a{1,2}", "\\N[[:upper:]]\\N",
        "\\N(a)(?=b)\\N", "(?s)a.b", "é", "\\N[\\x80-\\xff]+\\N",
    ),
    "replacement": ("", "x", "\\$1", "\\$0\\$0", "[\\$1]", "\\N$1-$2\\N", "\\\\", "\\n", "yy", "\\$2\\$1", "\\${uc:\\$0}", "-", "\\$9"),
    "ip": (
        "192.0.2.1", "10.0.0.1", "127.0.0.1", "255.255.255.255", "0.0.0.0", "2001:db8::1", "::1", "::", "fe80::1",
        "2001:db8:1:2:3:4:5:6", "::ffff:192.0.2.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "x", "", "010.1.1.1", "1::2::3",
        "192.0.2.77", "2001:DB8::A", "192.0.2.1/24", "12345::",
    ),
    "masked": (
        "192.0.2.1/24", "10.1.2.3/8", "192.0.2.1/32", "192.0.2.1/0", "2001:db8::1/32", "2001:db8:1:2:3:4:5:6/64", "::1/128",
        "192.0.2.1", "192.0.2.1/33", "x/8", "192.0.2.1/x", "2001:db8::1/129", "10.1.2.3/13", "fe80::1/10", "/8", "",
    ),
    "hosts": (
        "192.0.2.1", "192.0.2.0/24", "10.0.0.0/8 : 192.0.2.0/24", "!192.0.2.1 : 192.0.2.0/24", "*", "", ":", "+relay_hosts",
        "!+relay_hosts", "<; 2001:db8::/32", "<; ::1 ; 2001:db8::1", "+v6_hosts", "2001::db8::::1", "10.0.0.1", "! 10.0.0.0/8",
        "net-iplsearch;" + FILES + "nets", "iplsearch;" + FILES + "nets", "net24-lsearch;" + FILES + "nets", FILES + "netlist",
        "192.0.2.*", "+nosuch", "x",
    ),
    "domain": ("example.org", "example.net", "mail.test.example", "example.com", "EXAMPLE.org", "partner.example", "x",
               "bad.partner.example", "mail.example.org", "nosuch.example", "", "a.b.c.example.com", "num42.example", "alice"),
    "domains": (
        "example.org", "*.test.example", "example.net : example.org", "!example.org : *", "*", "", ":", "+local_domains",
        "!+local_domains", "+relay_domains", "+all_domains", "+file_domains", "^ex", "\\N^.*\\.org$\\N", "<; a ; example.org", "@",
        "lsearch;" + FILES + "domains", "partial-lsearch;" + FILES + "partial", "nwildlsearch;" + FILES + "wild",
        "dsearch;" + FILES + "dir", "+empty_domains", "*org", "$primary_hostname", FILES + "lines", "+nosuch", "cdb;" + FILES + "users.cdb",
    ),
    "address": (
        "alice@example.org", "bob@example.net", "Alice <alice@example.org>", "alice", "", "<>", "a b@c", '"a b"@example.org',
        "alice@example.org, bob@example.net", "x@vip.example", "boss@example.org", "info@example.com", "@", "alice@", "<alice@x>",
        "(c) a@b", '"A, B" <ab@example.org>', "ALICE@Example.Org", "a@[192.0.2.1]", "alice@example..org", "group: a@b, c@d;",
        "alice@example.org (Alice)", "a.b@c.d", ".a@b", "mü@x", "SRS0=abcd=EF=example.com=alice@gw.example",
        "prvs=0001aabbcc=alice@example.org",
    ),
    "addresses": (
        "alice@example.org", "*@example.org", "alice@*", "example.org", "!alice@example.org : *@example.org", "*", "", ":", "+vips",
        "^alice@", "\\N^.*@example\\.(org|net)$\\N", "*@+local_domains", "lsearch;" + FILES + "addresses",
        "@@lsearch;" + FILES + "byDomain", "lsearch*@;" + FILES + "addresses", FILES + "addresslist", "+nosuch", "<; a@b ; alice@example.org",
    ),
    "locals": ("alice", "bob", "root", "adm-x", "postmaster", "ALICE", "a.b", "", "nosuch", "two"),
    "local_parts": ("alice", "bob : alice", "+admins", "!+admins", "*", "^al", "*ice", "", ":", "lsearch;" + FILES + "users",
                    "dsearch;" + FILES + "dir", "!alice", FILES + "lines", "+caseful : Alice", "+nosuch"),
    "path": (
        FILES + "lines", FILES + "lines", FILES + "nonewline", FILES + "empty", FILES + "crlf", FILES + "bytes", FILES + "braces",
        FILES + "nosuch", "/nonexistent", "", "relative", FILES + "dir/alice", FILES, "/dev/null",
    ),
    "eol": ("", ":", ", ", "\\n", "|", "<>"),
    "base64": ("", "YQ==", "YWI=", "YWJj", "aGVsbG8gd29ybGQ=", "YQ", "====", "!!!!", "YW Jj", "6Q==", "AAAA", "_-_-", "YWJj="),
    "hex": ("", "61", "616263", "FF00ff", "6", "gg", "6162 63", "DEADBEEF", "00"),
    "base62": ("0", "1", "A", "z", "10", "abc", "zzzzzz", "", "-", "a b", "9z9", "AzBy12"),
    "base32": ("a", "7", "ab", "AB", "", "0", "1", "8", "zz", "mfrgg", "777"),
    "time": ("1h", "1d2h3m4s", "30m", "0", "5", "1w", "90m", "", "x", "1h x", "1y", "36h", "1s", "2w1d"),
    "seconds": ("0", "1", "59", "60", "3600", "86400", "604800", "694861", "12345", "", "x", "-1", "99999999999", "4294967295"),
    "utf8": ("abc", "é", "grüße", "日本語", "😀", "", "a\\377b", "\\303\\251x", "€uro", "é é", "\\300\\200z", "\\342\\202x"),
    "latin": ("abc", "é", "grüße", "€", "日本", "", "a é b", "ÿ", "\\302\\240x"),
    "mailbox": ("INBOX", "INBOX/Sent", "a.b", "Entwürfe", "a&b", "日本", "a/b.c", "", "Archive/2023", "é/ü"),
    "alabel": ("example.org", "xn--bcher-kva.example", "xn--wgv71a119e.jp", "a.b", "XN--BCHER-KVA.de", "x"),
    "ulabel": ("example.org", "bücher.example", "日本語.jp", "a.b", "Straße.de", "x", "a-b.c"),
    "words2047": (
        "=?utf-8?Q?abc?=", "=?utf-8?B?w6k=?=", "=?iso-8859-1?Q?=E9?=", "plain", "=?utf-8?Q?a_b?= x", "", "=?utf-8?Q?broken",
        "=?utf-8?Q?a?= =?utf-8?Q?b?=", "=?nosuch?Q?x?=", "=?utf-8?Q?=C3=A9=20?=", "x =?us-ascii?q?y?= z", "=?utf-8?X?a?=",
        "=?iso-8859-15?Q?=A4?=", "=?windows-1252?Q?=80?=", "=?utf-8?B?YQ?=", "=?utf-8?Q?=4?=",
    ),
    "json": (
        '\\N{"a":1,"b":2}\\N', '\\N{"a":"x","key":"y"}\\N', '\\N{"a":{"b":1}}\\N', "[1,2,3]", '["a","b"]', "[]", '\\N{}\\N', "", "x",
        '\\N{"alice":[1,2]}\\N', '[\\N{"a":1}\\N,2]', '\\N{ "a" : "x y" , "b" : true }\\N', "[[1,2],[3]]", '\\N{"a":"x,y","c":3}\\N',
    ),
    "json array": ("[1,2,3]", '["a","b"]', "[]", "[ 1 , 2 ]", '["a","b","c"]', "[[1],[2]]", '["x1"]', "[true,false]", "[10,9]"),
    "bool": ("true", "false", "yes", "no", "1", "0", "", "maybe", " true ", "42", "-1", "TRUE", "No", "00", "x", "\\tyes"),
    "environment": ("EXIMIOUS_WORD", "EXIMIOUS_EMPTY", "EXIMIOUS_LIST", "EXIMIOUS_NOTHING", "PATH", "EXIMIOUS_ADDED", "", "A=B"),
    "hashed": (
        "\\{md5\\}5f4dcc3b5aa765d61d8327deb882cf99", "\\{sha1\\}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "abJnggxhB/yWI", "\\{crypt\\}abJnggxhB/yWI",
        "\\{md5\\}X03MO1qnZdYdgyfeuILPmQ==", "x", "", "\\{nosuch\\}x", "\\$1\\$saltsalt\\$qjXMvbEw8oaL.CzflDtaK/",
        "\\{sha1\\}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", "\\{md5\\}x", "\\{crypt16\\}x",
    ),
    "password": ("password", "password", "Password", "", "x"),
    "hmac": ("md5", "sha1", "md5", "sha1", "sha256", "MD5", ""),
    "sign": ("<", "<=", ">", ">=", "lt", "le", "gt", "ge", "lti", "gti", "lei", "gei"),
    "comparator": ("<", "<=", ">", ">=", "lt", "le", "gt", "ge", "lti", "gti", "lei", "gei", "eq", "", "x", "!lt"),
    "srs": ("SRS0=abcd=EF=example.com=alice", "srs0=ABCD=ef=example.com=bob", "x", "", "SRS0=abcd=EF=alice", "SRS1=a=b==c=d=e",
            "SRS0=abcd=EF=example.com=a=b"),
    "secret": ("secret", "k", "", "s3cr3t"),
    "digit": ("0", "3", "9", "", "x", "12"),
    "command": (
        "/bin/echo a", "/bin/echo -n x", "/bin/true", "/bin/false", FILES + "say.sh lines", FILES + "say.sh out 3",
        FILES + 'say.sh args a "b c"', "/nonexistent", "", "/bin/echo $primary_hostname", FILES + "say.sh args ${lc:A B}",
    ),
    "named list": ("local_domains", "relay_domains", "all_domains", "relay_hosts", "vips", "admins", "nosuch", "", "+local_domains",
                   "empty_domains", "v6_hosts"),
    "certificate": ("$tls_in_ourcert", "$tls_in_peercert", "$tls_out_peercert", "x", "$primary_hostname", ""),
    "certificate field": ("version", "subject", "subject,CN", "issuer", "notafter", "serial_number", "subj_altname,dns,>;", "nosuch", ""),
    "socket": ("/nonexistent/socket", "relative", FILES + "lines", "inet:127.0.0.1:1", "inet:127.0.0.1", ""),
    "socket options": ("5s", "1s", "", "timeout=1s", "timeout=1s:shutdown=no", "x", "1s:cache=yes"),
    "function": ("twice", "join_all", "undefined", "nosuch", "returns_number", "twice"),
    "acl": ("acl_accept", "acl_message", "acl_deny", "acl_pick", "acl_set", "acl_plain_deny", "acl_defer", "acl_nest", "nosuch"),
    "single key": ("alice", "bob", "example.com", "EXAMPLE.NET", "nosuch", "a.example.com", "x@b.example", "num42.example", "192.0.2.9", "",
                   "mail.example.org", "sub.star.example", "*", "carol", "continued.example", "a b"),
    "header": ("from", "to", "subject", "cc", "x-one", "x-empty", "nosuch", "date", "message-id", "x-list", "x-raw", "received",
               "comments", "x-dollar", "From", "x-score"),
}  # fmt: skip

#: single-key lookups: files that fit, and some that do not
LOOKUP_FILES: dict[str, tuple[str, ...]] = {
    "lsearch": ("domains", "users", "partial", "addresses", "crlf", "lines", "empty", "nosuch", "wild"),
    "wildlsearch": ("wild", "domains", "users", "nosuch"),
    "nwildlsearch": ("wild", "domains", "users", "nosuch"),
    "iplsearch": ("nets", "netlist", "domains", "nosuch"),
    "cdb": ("users.cdb", "users.cdb", "lines", "nosuch"),
    "dbm": ("users.db", "users.db", "nosuch"),
    "dbmnz": ("users.db", "nosuch"),
    "dbmjz": ("users.db", "nosuch"),
    "dsearch": ("dir", "dir", ".", "nosuch", "lines"),
    "nis": ("map",),
    "nis0": ("map",),
    "spf": ("example.org",),
}

#: query-style lookups: requests that need no server that runs
LOOKUP_QUERIES: dict[str, tuple[str, ...]] = {
    "passwd": ("root", "nosuchuser", "", "ro${lc:OT}"),
    "sqlite": (
        FILES + "mail.db select uid from users where name='alice'", FILES + "mail.db select * from users where uid<1003",
        FILES + "mail.db select name from users where uid=9", FILES + "mail.db broken", "select 1", "",
        FILES + "mail.db select name from users where name='${quote_sqlite:o'hara}'",
    ),
    "mysql": ("select 1", "", "select '${quote_mysql:a'b}'"),
    "pgsql": ("select 1", "", "select '${quote_pgsql:a'b}'"),
    "ldap": ("x", "", "user=a", "ldap://127.0.0.1:1/", "nosuch=1 ldap:///", "user=a pass=b ldap://127.0.0.1:1/o=x"),
    "ldapdn": ("x", "", "ldap://127.0.0.1:1/"),
    "ldapm": ("x", "", "ldap://127.0.0.1:1/"),
    "dnsdb": ("nosuchtype=x", "=x", ">", "a="),
    "readsock": ("/nonexistent/socket", "x"),
}  # fmt: skip
