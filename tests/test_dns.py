"""The DNS: zones and their failure modes, the real resolver against a server of ours, recording, rules."""

from __future__ import annotations

import time
from pathlib import Path

import casefile
import fakezones
import listcases
import pytest
from dnsserver import DnsServer
from eximious.backends.described import World
from eximious.backends.described_dns import WorldResolver
from eximious.backends.dns import (
    DenyingResolver,
    RealResolver,
    ResolvConf,
    parse_nameserver,
)
from eximious.backends.dnszones import DescribedResolver, ZoneError, Zones
from eximious.backends.recording import Recording, RecordingResolver
from eximious.interpreter import hosts
from eximious.interpreter.dns import Answer, Record, reverse_name
from eximious.interpreter.outcomes import Refused, Unanswered
from listworld import ListWorld

DNSDB = listcases.SOURCE / "dnsdb.cases"


@pytest.fixture(scope="module")
def server():
    zones = Zones.load(str(listcases.ZONES))
    made = DnsServer(zones)
    yield made
    made.close()


def real_resolver(server: DnsServer, folder: Path) -> RealResolver:
    (folder / "resolv.conf").write_text("search test.ex sub.test.ex\noptions timeout:1 attempts:1\n")
    (folder / "hosts").write_text(listcases.HOSTS)
    return RealResolver((server.address, server.port), str(folder / "resolv.conf"), str(folder / "hosts"))


# ---- described


def described(text: str, origin: str = "test.ex") -> DescribedResolver:
    zones = Zones()
    zones.add(text, origin)
    return DescribedResolver(zones)


ZONE = """$TTL 60
@ SOA ns host 1 2 3 4 5
a A 192.0.2.1
  A 192.0.2.2
deep.er A 192.0.2.3
c CNAME a
gone CNAME nothing
out CNAME a.elsewhere.
* .w A 192.0.2.4
""".replace("* .w", "*.w")


@pytest.mark.parametrize(
    ("name", "type_", "outcome", "data"),
    [
        ("a.test.ex", "A", "succeed", [("192.0.2.1",), ("192.0.2.2",)]),
        ("A.TEST.EX.", "A", "succeed", [("192.0.2.1",), ("192.0.2.2",)]),
        ("a.test.ex", "MX", "nodata", []),
        ("er.test.ex", "A", "nodata", []),
        ("b.test.ex", "A", "nomatch", []),
        ("c.test.ex", "A", "succeed", [("a.test.ex",), ("192.0.2.1",), ("192.0.2.2",)]),
        ("c.test.ex", "CNAME", "succeed", [("a.test.ex",)]),
        ("gone.test.ex", "A", "nomatch", [("nothing.test.ex",)]),
        ("x.w.test.ex", "A", "succeed", [("192.0.2.4",)]),
        ("x.y.w.test.ex", "A", "succeed", [("192.0.2.4",)]),
        ("w.test.ex", "A", "nodata", []),
        ("", "TXT", "fail", []),
        ("a..test.ex", "A", "fail", []),
        ("l" * 64 + ".test.ex", "A", "fail", []),
    ],
)
def test_zone_answers(name: str, type_: str, outcome: str, data: list[tuple[str]]) -> None:
    answer = described(ZONE).query(name, type_)
    assert answer.outcome == outcome
    assert [record.data for record in answer.records] == data


@pytest.mark.parametrize("name", ["other.ex", "ex", "out.test.ex"])
def test_what_no_zone_knows(name: str) -> None:
    """It is never guessed: the question is named, with the line to add."""
    with pytest.raises(Unanswered) as caught:
        described(ZONE).query(name, "A")
    assert "A records of" in caught.value.question
    assert "IN  A" in caught.value.lines_to_add


def test_partial_zone() -> None:
    resolver = described(";! partial\n;! b nxdomain\n;! a/MX nodata\n" + ZONE)
    assert resolver.query("a.test.ex", "A").outcome == "succeed"
    assert resolver.query("b.test.ex", "A").outcome == "nomatch"
    assert resolver.query("a.test.ex", "MX").outcome == "nodata"
    for name, type_ in (("a.test.ex", "TXT"), ("d.test.ex", "A")):
        with pytest.raises(Unanswered):
            resolver.query(name, type_)


@pytest.mark.parametrize(
    ("mode", "outcome", "reason"),
    [
        ("servfail", "again", "SERVFAIL"),
        ("refused", "again", "REFUSED"),
        ("notimp", "again", "NOTIMP"),
        ("bogus", "again", "SERVFAIL"),
        ("formerr", "fail", "FORMERR"),
        ("timeout", "again", "timeout"),
        ("slow=60", "again", "timeout"),
        ("slow=1", "succeed", ""),
        ("nxdomain", "nomatch", "NXDOMAIN"),
        ("nodata", "nodata", "NOERROR"),
    ],
)
def test_modes(mode: str, outcome: str, reason: str) -> None:
    for where in ("a", "a/A", "*", "a.test.ex.", "*.test.ex."):
        answer = described(f";! {where} {mode}  ; why\n{ZONE}").query("a.test.ex", "A")
        assert (answer.outcome, answer.reason) == (outcome, reason), where
    assert described(f";! a/MX {mode}\n{ZONE}").query("a.test.ex", "A").outcome == "succeed"


def test_signed_answers() -> None:
    resolver = described(";! a dnssec\n;! c aa\n;! er.test.ex. dnssec aa\n" + ZONE)
    assert resolver.query("a.test.ex", "A", dnssec=True).secure
    assert not resolver.query("a.test.ex", "A").secure
    answer = resolver.query("c.test.ex", "A", dnssec=True)
    assert answer.authoritative and not answer.secure


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("@ SOA a b 1 2 3 4\n", 1, ""),
        ("a A 1.2.3.4\nb A 1.2.3\n", 2, ""),
        ("a A 1.2.3.4\n\nb NOTYPE x\nc A 1.2.3.4\n", 3, ""),
        (";! a broken\n", 1, "unknown mode: broken"),
        ("a A 1.2.3.4\n;! a slow=x\n", 2, "slow needs seconds"),
        (";! a\n", 1, "no mode for a"),
    ],
)
def test_zone_errors(text: str, line: int, why: str) -> None:
    with pytest.raises(ZoneError) as caught:
        Zones().add(text, "test.ex", "file.zone")
    assert caught.value.line == line
    assert why in caught.value.why


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ZoneError, match="No such file"):
        Zones.load(str(tmp_path / "none"))


# ---- real


def test_resolv_conf() -> None:
    conf = ResolvConf.read(
        "# comment\nnameserver 192.0.2.1\nnameserver ::1 ; x\ndomain a.b\nsearch c.d e.f\n"
        "options timeout:3 attempts:9 trust-ad ndots:2\nnameserver 1\nnameserver 2\nsortlist\n"
    )
    assert conf.servers == [("192.0.2.1", 53), ("::1", 53), ("1", 53)]
    assert (conf.search, conf.retrans, conf.retry, conf.trust_ad) == (["c.d", "e.f"], 3, 5, True)
    assert ResolvConf.read("").servers == [("127.0.0.1", 53)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
        ("[::1]", ("::1", 53)),
        ("host", None),
        ("192.0.2.1:x", None),
        ("192.0.2.1:99999", None),
        ("[::1]x", None),
        ("", None),
    ],
)
def test_nameserver(text: str, expected: tuple[str, int] | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="not an address and port"):
            parse_nameserver(text)
    else:
        assert parse_nameserver(text) == expected


@pytest.mark.parametrize("path", ["dnsdb", "mx", "hosts"])
def test_real_path_is_described_path(path: str, server: DnsServer, tmp_path: Path) -> None:
    """Over the wire the answers are the recorded ones too, for every record type."""
    folder = listcases.prepare(tmp_path)
    different = []
    for key, cases in listcases.groups(casefile.read(listcases.SOURCE / f"{path}.cases").cases).items():
        if path != "dnsdb":
            cases = cases[:120]
        resolver = real_resolver(server, folder)
        resolver.interfaces = lambda: listcases.ADDRESSES  # type: ignore[method-assign]
        ours = listcases.Ours(folder, key[1], resolver)
        for case, answer in zip(cases, listcases.answers_of(ours, key, cases), strict=True):
            if answer != case.answer:
                different.append(f"{case.id}\n  exim {case.answer!r}\n  ours {answer!r}")
    assert not different, f"{len(different)} differ\n" + "\n".join(different[:20])


def test_long_answers_come_over_tcp(tmp_path: Path) -> None:
    zones = Zones()
    zones.add("".join(f"many A 10.0.{n >> 8}.{n & 255}\n" for n in range(1000)), "test.ex")
    made = DnsServer(zones)
    try:
        answer = real_resolver(made, tmp_path).query("many.test.ex", "A")
    finally:
        made.close()
    assert len(answer.records) == 1000


def test_waiting(server: DnsServer, tmp_path: Path) -> None:
    """retrans and retry bound the time; a slow answer within them is taken."""
    resolver = real_resolver(server, tmp_path)
    start = time.monotonic()
    answer = resolver.query("silent.test.ex", "A", retrans=1, retry=2)
    assert (answer.outcome, answer.reason) == ("again", "timeout")
    assert 1.9 < time.monotonic() - start < 4
    assert server.asked.count(("silent.test.ex", "A")) == 2
    assert resolver.query("slow.test.ex", "A", retrans=5, retry=1).outcome == "succeed"


def test_no_server(tmp_path: Path) -> None:
    resolver = RealResolver(("127.0.0.1", 1), str(tmp_path / "none"), str(tmp_path / "none"))
    assert resolver.query("a.b", "A", retrans=1, retry=1).outcome == "again"
    assert resolver.hosts() == ""


def test_interfaces() -> None:
    assert "127.0.0.1" in RealResolver().interfaces()


# ---- search lists


@pytest.mark.parametrize(
    ("name", "qualify", "parents", "found"),
    [
        ("onlysub", False, False, None),
        ("onlysub", True, False, None),
        ("onlysub", True, True, "onlysub.sub.test.ex"),
        ("v4", True, False, "v4.test.ex"),
        ("v4", False, True, None),
        ("v4.test.ex", True, True, "v4.test.ex"),
        ("host.sub", True, False, None),
        ("host.sub", False, True, "host.sub.test.ex"),
        ("v4.", True, True, None),
    ],
)
def test_search_list(
    name: str, qualify: bool, parents: bool, found: str | None, server: DnsServer, tmp_path: Path
) -> None:
    for resolver in (listcases.described(), real_resolver(server, tmp_path)):
        answer = resolver.query(name, "A", qualify_single=qualify, search_parents=parents)
        assert (answer.records[0].name if answer.records else None) == found


# ---- denied and recorded


def test_denied() -> None:
    with pytest.raises(Refused, match="--live dns"):
        DenyingResolver().query("a.b", "MX")
    with pytest.raises(Refused):
        DenyingResolver().interfaces()
    assert DenyingResolver().hosts() == ""


def test_recorded_answers_come_again(tmp_path: Path) -> None:
    """Every answer that was recorded comes back, the failures too; nothing else is known."""
    lines = [
        case.source for case in casefile.read(DNSDB).cases if "=" in case.source and "\\" not in case.source
    ]
    recording = Recording(str(tmp_path))
    recording.prepare()
    first = ListWorld(resolver=RecordingResolver(listcases.described(), recording))
    context = first.context()
    answers = [first.answer(line, context) for line in lines]
    recording.save()
    world = World.load(str(tmp_path))
    resolver = WorldResolver(world, lambda path: "")
    again = ListWorld(resolver=resolver)
    context = again.context()
    different = [
        (line, one, two) for line, one in zip(lines, answers) if (two := again.answer(line, context)) != one
    ]
    assert not different, different[:5]
    with pytest.raises(Unanswered):
        resolver.query("never.asked.example", "A")


# ---- rules around a question


def test_kept_failures() -> None:
    """A name that failed is not asked for again until its SOA record says so."""
    made = ListWorld(resolver=listcases.described())
    made.environment.doors.clock.time = 1000.0
    asked = []
    query = made.environment.doors.resolver.query
    made.environment.doors.resolver.query = lambda name, *rest, **how: (
        asked.append(name),
        query(name, *rest, **how),
    )[1]
    context = made.context()
    for _ in range(3):
        made.answer("${lookup dnsdb,cache=no_rd{a=nosuch.test.ex}{y}{n}}", context)
    assert len(asked) == 1
    made.environment.doors.clock.time += 301
    made.answer("${lookup dnsdb,cache=no_rd{a=nosuch.test.ex}{y}{n}}", context)
    assert len(asked) == 2


def test_time_to_live() -> None:
    """A dnsdb answer is kept as long as the shortest time to live of its records."""
    made = ListWorld(resolver=listcases.described())
    made.environment.doors.clock.time = 1000.0
    context = made.context()
    assert made.answer("${lookup dnsdb{a=short.test.ex:v4.test.ex}}", context) == "192.0.2.15\n192.0.2.10"
    made.environment.doors.resolver.query = lambda *_, **__: Answer(
        "succeed", [Record("x", "A", 60, ("192.0.2.99",))]
    )
    made.environment.doors.clock.time += 6
    assert made.answer("${lookup dnsdb{a=short.test.ex:v4.test.ex}}", context) == "192.0.2.15\n192.0.2.10"
    made.environment.doors.clock.time += 2
    assert made.answer("${lookup dnsdb{a=short.test.ex:v4.test.ex}}", context) == "192.0.2.99\n192.0.2.99"


def test_trusted_authority() -> None:
    for trusted, expected in (("*", "yes"), ("other.example", "no"), (None, "no")):
        made = ListWorld(options={"dns_trust_aa": trusted}, resolver=listcases.described())
        line = "${lookup dnsdb{a=authority.test.ex}{$lookup_dnssec_authenticated}}"
        assert made.answer(line) == expected


def test_names_pattern() -> None:
    made = ListWorld(options={"dns_check_names_pattern": "^v"}, resolver=listcases.described())
    assert made.answer("${lookup dnsdb{a=v4.test.ex}{y}{n}}") == "y"
    assert made.answer("${lookup dnsdb{a=both.test.ex}{y}{n}}") == "n"
    assert made.answer("${lookup dnsdb{txt=txt.test.ex}{y}{n}}") == "y"
    free = ListWorld(options={"dns_check_names_pattern": ""}, resolver=listcases.described())
    assert free.answer("${lookup dnsdb{a=-bad.test.ex}{y}{n}}") == "n"


def test_reverse_names() -> None:
    assert reverse_name("192.0.2.1") == "1.2.0.192.in-addr.arpa"
    assert (
        reverse_name("2001:db8::1")
        == "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    )


# ---- hosts


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1.25", "192.0.2.1"),
        ("[192.0.2.1]:25", "192.0.2.1"),
        ("::1", "::1"),
        ("[::1]:25", "::1"),
        ("[::1]", "::1"),
    ],
)
def test_ports_of_interfaces(item: str, expected: str) -> None:
    assert hosts.without_port(item) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["fd99::1", "::1", "10.99.0.1", "127.0.0.1"]),
        ({"local_interfaces": "127.0.0.1"}, ["127.0.0.1"]),
        ({"local_interfaces": "<; 10.1.1.1.25 ; ::1"}, ["10.1.1.1", "::1"]),
        ({"local_interfaces": "0.0.0.0"}, ["127.0.0.1", "10.99.0.1"]),
        ({"disable_ipv6": True}, ["127.0.0.1", "10.99.0.1"]),
        (
            {"local_interfaces": "127.0.0.1", "extra_local_interfaces": "192.0.2.9"},
            ["127.0.0.1", "192.0.2.9"],
        ),
    ],
)
def test_local_addresses(options: dict[str, str], expected: list[str]) -> None:
    made = ListWorld(options=options, resolver=listcases.described())
    assert sorted(hosts.local_addresses(made.context())) == sorted(expected)


def test_find_by_name() -> None:
    context = ListWorld(resolver=listcases.described()).context()
    found = hosts.find_by_name(context, hosts.Host("alias2.test.ex"))
    assert (found.outcome, [host.address for host in found.hosts]) == (
        "found",
        ["2001:db8::11", "192.0.2.11"],
    )
    assert found.full_name == "both.test.ex"
    found = hosts.find_by_name(context, hosts.Host("inhosts.example"))
    assert [host.address for host in found.hosts] == ["2001:db8::200", "192.0.2.200", "192.0.2.201"]
    assert (
        hosts.find_by_name(context, hosts.Host("both.test.ex"), "192.0.2.11").hosts[0].address
        == "2001:db8::11"
    )
    assert hosts.find_by_name(context, hosts.Host("v4.test.ex"), "*").outcome == "ignored"
    assert hosts.find_by_name(context, hosts.Host("here.test.ex"), check_local=True).outcome == "found local"
    assert hosts.find_by_name(context, hosts.Host("v4"), qualify_single=True).outcome == "found"
    assert hosts.find_by_name(context, hosts.Host("v4")).outcome == "failed"
    assert hosts.find_by_name(context, hosts.Host("again.test.ex")).outcome == "again"
    assert hosts.find_by_name(context, hosts.Host("192.0.2.7")).hosts[0].address == "192.0.2.7"


# ---- zone files of the other format


def test_fake_zones() -> None:
    text = fakezones.convert(
        "; comment\nex.  SOA a.ex. h.ex 1 2 3 4 5\nDNSSEC a   A 192.0.2.1\n           A 192.0.2.2\n"
        "DNSSEC s A 192.0.2.3\nTTL=7 t TXT two words\nDELAY=1500 slow A 192.0.2.4\nAA auth A 192.0.2.5\n"
        "NXDOMAIN n A 192.0.2.6\nrel MX 5 a\nPASS ON NOT FOUND\nbad AAAA <none>\n",
        "ex",
    )
    zones = Zones()
    zones.add(text, "ex")
    resolver = DescribedResolver(zones)
    assert [record.data for record in resolver.query("a.ex", "A").records] == [("192.0.2.1",), ("192.0.2.2",)]
    assert not resolver.query("a.ex", "A", dnssec=True).secure
    assert resolver.query("s.ex", "A", dnssec=True).secure
    assert resolver.query("t.ex", "TXT").records == [Record("t.ex", "TXT", 7, ("two words",))]
    assert resolver.query("slow.ex", "A", retrans=1, retry=1).outcome == "again"
    assert resolver.query("auth.ex", "A").authoritative
    assert resolver.query("n.ex", "A").outcome == "nomatch"
    assert resolver.query("rel.ex", "MX").records[0].data == (5, "a.ex")
    assert fakezones.zone_name("db.ip4.224.1") == "1.224.in-addr.arpa"
    assert fakezones.zone_name("db.ip6.0") == "0.0.0.0.ip6.arpa"
