#!/usr/bin/env python3
"""Compare host lists with the installed Exim: random lists, clients and DNS settings; the DNS is our zones.

    tools/differential_hosts.py                   2,000 comparisons, seed 1
    tools/differential_hosts.py --count 20000 --seed 7

Each session of Exim's ``-bh`` tests a batch of lists against one client, inside a network and mount namespace
where only a server of ours answers (hence root); ours does the same in this process with the zones described.
Compared are the outcome, ``$host_data`` and what is logged. The exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import listcases  # noqa: E402
from differential.world import real_exim  # noqa: E402
from dnsworld import DnsWorld  # noqa: E402

F = "@DIR@/files"
ITEMS = [
    "v4.test.ex", "both.test.ex", "two.test.ex", "alias2.test.ex", "nosuch.test.ex", "again.test.ex",
    "inhosts.example", "alias.example", "*.test.ex", "*.example", "^both", r"\N^(many.)\.\N",
    "192.0.2.11", "192.0.2.0/24", "2001::db8::::/32", "@", "@[]", "*", "+hl", "+hn",
    f"lsearch;{F}/hostkeys", f"net-lsearch;{F}/hostkeys", f"net24-lsearch;{F}/hostkeys",
    f"partial-lsearch;{F}/hostkeys", f"lsearch*;{F}/hostkeys", "1.2.3", "v4", "onlysub", "wild.test.ex",
    "half.test.ex", "refused.test.ex", "formerr.test.ex", "a_b.c", "v4.test.ex.", "under_score.test.ex",
    "x y", "@mx_any", "passwd;root", f"lsearch,ret=key;{F}/hostkeys", f"nwildlsearch;{F}/hostwild", "",
    f"{F}/hostitems", "*.TEST.ex", "upper.*", "foo;bar", "halfalias.test.ex", "away.test.ex",
    "loop1.test.ex", "any.wild.test.ex", "host.sub.test.ex", "mapped.test.ex",
]  # fmt: skip
WORDS = ["+include_unknown", "+ignore_unknown", "+include_defer", "+ignore_defer"]
CLIENTS = [
    "192.0.2.1", "192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.14", "192.0.2.50", "192.0.2.51",
    "192.0.2.52", "192.0.2.53", "192.0.2.54", "192.0.2.55", "192.0.2.56", "192.0.2.70", "192.0.2.80",
    "192.0.2.99", "192.0.2.200", "2001:db8::10", "2001:db8::11", "2001:db8::99", "127.0.0.1",
    "10.99.0.1", "::1",
]  # fmt: skip
SETTINGS = [
    "", "", "host_lookup_order = byaddr", "host_lookup_order = byaddr:bydns", "host_lookup_order = bydns",
    "dns_again_means_nonexist = *", "dns_again_means_nonexist = again.test.ex", "dns_ipv4_lookup = *",
    "dns_ipv4_lookup = !both.test.ex", "disable_ipv6 = true", "dns_cname_loops = 0", "dns_cname_loops = 9",
]  # fmt: skip


def made_list(chance: random.Random) -> str:
    """A random host list."""
    items = [
        chance.choice(("", "", "", "!", "! ")) + chance.choice(ITEMS)
        for _ in range(chance.choice((1, 1, 2, 3, 4)))
    ]
    if chance.random() < 0.4:
        items.insert(chance.randrange(len(items) + 1), chance.choice(WORDS))
    return " : ".join(items)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=50, help="lists a session")
    parser.add_argument("--exim", default=real_exim())
    options = parser.parse_args()
    if not options.exim:
        print("no Exim is installed here", file=sys.stderr)
        return 2
    chance = random.Random(options.seed)
    done = different = 0
    with tempfile.TemporaryDirectory(prefix="hosts") as name:
        folder = listcases.prepare(Path(name))
        world = DnsWorld.start(folder, listcases.ZONES, listcases.HOSTS)
        if world is None:
            print("a network and mount namespace cannot be made here", file=sys.stderr)
            return 2
        real = listcases.Real(options.exim, folder, world)
        plain = (folder / "conf" / "dns.conf").read_text()
        try:
            while done < options.count:
                settings = {chance.choice(SETTINGS) for _ in range(chance.choice((1, 2)))}
                names = [setting.partition(" ")[0] for setting in settings]
                if len(set(names)) < len(names):
                    continue
                (folder / "conf" / "random.conf").write_text(plain + "\n".join(settings) + "\n")
                lists = [made_list(chance) for _ in range(options.batch)]
                client = chance.choice(CLIENTS)
                wanted = real.hosts("random.conf", client, lists)
                got = listcases.Ours(folder, "random.conf", listcases.described()).hosts(client, lists)
                for text, one, two in zip(lists, wanted, got, strict=True):
                    if one != two:
                        different += 1
                        if different <= 20:
                            print(f"{client} {sorted(settings)} {text!r}\n  real {one!r}\n  ours {two!r}")
                done += len(lists)
        finally:
            world.close()
    print(f"{done} compared, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
