"""Makes configurations that are a little wrong: the cases damaged, and options with values at random."""

from __future__ import annotations

import random
import re

from eximious.grammar.catalogue import Catalogue, Option

TOKENS = [
    *("=", "==", ":", " = ", " ", "\t", '"', "\\", "\\\n", "\n", "#", "!", "hide ", "no_", "not_", "begin "),
    *("begin acl\n", "begin routers\n", "begin retry\n", "begin rewrite\n", "driver = accept\n", "x:\n", "$"),
    *("{", "}", ",", ";", "<;", "accept", "deny", "set acl_m0 = x\n", "endpass\n", "A = b\n", "AB\n", "1K"),
    *("5m", "F,2h,15m", "senders=", ".ifdef A\n", ".endif\n", ".else\n", "domainlist ", "transport = x\n"),
    *("true", "\xe9", "^", "*", "\x0c", "\r", "0x", "-", "log_selector = +all\n"),
]
VALUES = [
    *("", "yes", "no", "true", "x", "$x", "${if eq{a}{b}{c}{d}}", "3", "-1", "0", "5K", "2M", "1G", "0x1f"),
    *("9999999999", "077", "08", "5m", "1h30m", "1.5", "-2.5", "a:b", "a : b : c", "<; a;b", "mail", "root"),
    *(
        "nosuch",
        "8",
        "99999",
        "mail:root",
        '"q"',
        '"q',
        '"q" x',
        '"a\\nb"',
        "/x/y",
        "a b S",
        "^a b S",
        "a b h",
    ),
    *(
        "a b h",
        "*",
        "1h:2h",
        "x@y",
        "freeze",
        "defer",
        "udp",
        "tcp",
        "ignore",
        "  z  ",
        "\\",
        "true x",
        "1 2",
        "+all",
    ),
    *("r1", "t1", '"', "\xe9"),
]
#: options whose values reach beyond reading: other users, other logs, the resolver
AVOIDED = {
    *("exim_user", "exim_group", "log_file_path", "perl_startup", "spool_directory", "local_scan_path"),
    *("timezone", "dns_ipv4_lookup"),
}
#: what drivers need at least
NEEDED = {
    "accept": ["transport = t1"],
    "cram_md5": ["public_name = CM"],
    "dnslookup": ["transport = t1"],
    "iplookup": ["port = 3", "hosts = x"],
    "ipliteral": ["transport = t1"],
    "lmtp": ["command = x"],
    "manualroute": ["route_data = x"],
    "queryprogram": ["command = x", "command_user = mail"],
    "redirect": ["data = x"],
}


def damaged(rng: random.Random, text: str) -> str:
    """Give the text with one to three changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        lines = text.split("\n")
        number = rng.randrange(len(lines))
        line = lines[number]
        kind = rng.randrange(8)
        if kind == 0 and len(lines) > 1:
            del lines[number]
        elif kind == 1:
            lines.insert(number, rng.choice(lines))
        elif kind == 2:
            other = rng.randrange(len(lines))
            lines[number], lines[other] = lines[other], line
        elif kind == 3:
            lines = lines[: number + 1]
        elif kind == 4 and line:
            at = rng.randrange(len(line))
            lines[number] = line[:at] + line[at + rng.choice((1, 1, 2, 5)) :]
        elif kind == 5:
            words = re.split(r"(\W+)", line)
            rng.shuffle(words)
            lines[number] = "".join(words)
        else:
            at = rng.randrange(len(line) + 1)
            lines[number] = line[:at] + rng.choice(TOKENS) + line[at:]
        text = "\n".join(lines)
    return text


def option_line(rng: random.Random, option: Option) -> str:
    """Give a line that sets an option, well or badly."""
    pick = rng.random()
    if "bool" in option.type and pick < 0.55:
        return rng.choice(("", "", "no_", "not_")) + option.name
    if pick < 0.62:
        return rng.choice(("", "hide ")) + option.name + rng.choice(("", "  x", " = "))
    return f"{option.name} = {rng.choice(VALUES)}"


def random_options(rng: random.Random, catalogue: Catalogue) -> str:
    """Give a configuration of options and drivers at random."""
    main = [o for o in catalogue.main_options.values() if o.type != "named-list" and o.name not in AVOIDED]
    lines = [option_line(rng, rng.choice(main)) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    sections = []
    for table, word in (("router", "routers"), ("transport", "transports"), ("auth", "authenticators")):
        section = [f"begin {word}"]
        for number in range(rng.choice((0, 1, 1, 2))):
            driver = rng.choice(sorted(catalogue.drivers(table) - {"cyrus_sasl"}))
            section += [f"{table[0]}{number + 1}:", f"  driver = {driver}"]
            section += [f"  {line}" for line in NEEDED.get(driver, []) if rng.random() < 0.9]
            options = [*catalogue.options(table, "generic").values()]
            options += 3 * [*catalogue.options(table, driver).values()]
            picked = [rng.choice(options) for _ in range(rng.choice((0, 1, 1, 2, 3, 5)))]
            section += [f"  {option_line(rng, option)}" for option in picked]
        sections.append(section)
    rng.shuffle(sections)
    return "\n".join([*lines, *(line for section in sections for line in section)]) + "\n"
