#!/usr/bin/env python3
"""Compare list matching with the installed Exim on random lists and random subjects.

    tools/differential_lists.py                     100,000 comparisons, seed 1
    tools/differential_lists.py --seed 7 --count 2000000

A round makes a configuration with named lists and files that lists refer to, then asks Exim's ``-be`` a batch
of match_domain, match_local_part, match_address and match_ip conditions, and ours the same in this process.
Answers show the branch, ``$value`` and the captures. A difference is shrunk by leaving items out, printed,
and makes the exit code 1. At the end it says how often each form of item was made, and how lists ended.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

import listcases  # noqa: E402
from differential.world import real_exim, real_version  # noqa: E402
from listworld import ListWorld  # noqa: E402

KINDS = {"d": "match_domain", "l": "match_local_part", "a": "match_address", "h": "match_ip"}
WORDS = {"d": "domainlist", "l": "localpartlist", "a": "addresslist", "h": "hostlist"}
LABELS = ["a", "b", "c", "ab", "x1", "mail", "ex", "com", "q-r", "A", "Ex", "MAIL"]
LOCALS = [
    "a",
    "b",
    "foo",
    "bar",
    "Foo",
    "BAR",
    "post-master",
    "x+y",
    "a.b",
    "f#o",
    "1",
    "foo!",
    "*",
    "@x",
    "a b",
]
ADDRESSES = [
    "1.2.3.4", "1.2.3.5", "1.2.4.4", "10.0.0.1", "127.0.0.1", "192.168.1.77", "255.255.255.255", "0.0.0.0",
    "::1", "::", "2001:db8::1", "2001:db8:0:1::1", "fe80::1%eth0", "::ffff:1.2.3.4", "2001:DB8::A", "fd99::1",
]  # fmt: skip
REGEXES = [
    "^a", "^(.)", "^.*b$", "^(.*)\\.(.*)$", "^(a|b)\\.", "^(?-i)a", "^(?-i)(A|B)", "^[a-c]+$", "^x(.)?", "^$",
    "^", "^(.)(.)(.)", "^(?i)MAIL", "^\\d", "^[^.]*$", "^(foo|bar)@", "^.*@(.*)$", "^(a)?(b)?(c)?",
]  # fmt: skip
MASKS = [
    "",
    "/0",
    "/8",
    "/16",
    "/24",
    "/31",
    "/32",
    "/33",
    "/64",
    "/128",
    "/",
    "/x",
    "/+8",
    "/ 8",
    "/4294967295",
]
SEPARATORS = [":", ":", ":", ":", ";", ",", "|", "/", "@", "\x01", "\n", "\t", "+", "^", "%"]


class Maker:
    """Makes lists, subjects and the files they refer to, all from one random source."""

    def __init__(self, random_: random.Random, folder: Path, deadly: float) -> None:
        self.random, self.folder, self.deadly = random_, folder, deadly
        self.forms: Counter[str] = Counter()
        self.names: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self.files: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self.keyed: list[str] = []
        self.wild = self.random.random() < 0.25  # wildlsearch leaves captures in released memory

    # ---- subjects

    def domain(self) -> str:
        labels = [self.random.choice(LABELS) for _ in range(self.random.choice((1, 2, 2, 3, 3, 4)))]
        return ".".join(labels)

    def subject(self, kind: str) -> str:
        pick = self.random.random()
        if kind == "d":
            if pick < 0.02:
                return ""
            if pick < 0.08:
                return f"[{self.random.choice(ADDRESSES)}]"
            return "the.host.example" if pick < 0.12 else self.domain()
        if kind == "l":
            return "" if pick < 0.02 else self.local()
        if kind == "a":
            if pick < 0.05:
                return ""
            if pick < 0.07:
                return self.local().replace("@", "")
            return f"{self.local()}@{self.subject('d') or 'a'}"
        return "" if pick < 0.05 else self.random.choice(ADDRESSES)

    def local(self) -> str:
        text = self.random.choice(LOCALS)
        return text.upper() if self.random.random() < 0.1 else text

    # ---- files and named lists

    def make_files(self) -> None:
        """Write files of keys, of networks, and of list items."""
        for number in range(4):
            path = self.folder / f"keys{number}"
            keys = []
            for _ in range(self.random.randrange(1, 9)):
                key = self.random.choice((self.domain, self.local, self.affixed, self.address))()
                if re.search(r"[\s:#]", key) or not key:
                    key = '"' + key.replace('"', "") + '"'
                data = self.random.choice(
                    ("", "data", "other data", "foo : !bar : *", "^f(.*) : >next", "a:b:>*")
                )
                keys.append(f"{key}: {data}")
            path.write_text("\n".join(keys) + "\n", encoding="latin-1")
            self.keyed.append(str(path))
        path = self.folder / "nets"
        path.write_text(
            "".join(f'"{self.network(True)}": net{n}\n' for n in range(6))
            + "1.2.3.0/24: masked\n2001.0db8.0000.0000.0000.0000.0000.0001: dotted\n1.2.3.4: plain\n",
            encoding="latin-1",
        )
        self.nets = str(path)
        (self.folder / "dir").mkdir()
        for name in ("a", "foo", "a.b", "mail.ex.com"):
            (self.folder / "dir" / name).write_text("")
        for kind in KINDS:
            for number in range(3):
                file = self.folder / f"items-{kind}{number}"
                lines = []
                for _ in range(self.random.randrange(0, 6)):
                    item = self.item(kind, 0)
                    bang = self.random.choice(("", "", "", "!", "! "))
                    comment = self.random.choice(
                        ("", "", " # note", "#note" if kind in "dh" else "\t#", "   ")
                    )
                    if not item.startswith("/") and "\n" not in item and "\x01" not in item:
                        lines.append(f"{self.random.choice(('', '', ' '))}{bang}{item}{comment}")
                file.write_text("\n".join(lines) + self.random.choice(("", "\n")), encoding="latin-1")
                self.files[kind].append(str(file))

    def affixed(self) -> str:
        return self.random.choice(("*.", "*.", ".", "", "*")) + self.domain()

    def address(self) -> str:
        return self.random.choice((f"{self.local()}@{self.domain()}", f"*@{self.domain()}", "*"))

    def make_names(self) -> str:
        """The configuration: named lists that refer to each other and to files."""
        text = []
        for kind in ("d", "l", "a", "h"):
            for number in range(8):
                name = f"{kind}{number}"
                items = [self.item(kind, 0.3) for _ in range(self.random.randrange(0, 5))]
                if not any(c in item for item in items for c in "\n\x01"):
                    cache = "_cache" if self.random.random() < 0.2 else ""
                    value = self.joined(items, ":")
                    if self.random.random() < 0.2:
                        value = (
                            value.replace("the.host.example", "$primary_hostname") + ": ${if eq{1}{1}{zz.a}}"
                        )
                    text.append(f"{WORDS[kind]}{cache} {name} = {value}")
                    self.names[kind].append(name)
        return "\n".join(text) + "\n"

    # ---- items and lists

    def item(self, kind: str, named: float = 0.12) -> str:
        """One item of a list, without negation, separators not yet doubled."""
        pick = self.random.random()
        if pick < named and (self.names[kind] or self.random.random() < 0.05):
            self.forms[kind + " named"] += 1
            known = self.names[kind]
            return "+" + (self.random.choice(known) if known and pick > named / 20 else "nosuch")
        if self.random.random() < self.deadly:
            self.forms[kind + " deadly"] += 1
            return self.random.choice(
                ("^(", "/nonexistent", "nolookup;x", "lsearch;/nonexistent", "partial-passwd;x", ";")
            )
        form, text = self.plain_item(kind)
        self.forms[f"{kind} {form}"] += 1
        return text

    def plain_item(self, kind: str) -> tuple[str, str]:
        pick = self.random.random()
        if pick < 0.04:
            return "empty", ""
        if pick < 0.07:
            word = (
                "+caseful"
                if kind in "la"
                else self.random.choice(
                    ("+include_unknown", "+ignore_unknown", "+include_defer", "+ignore_defer")
                )
            )
            return ("word", word) if kind != "d" else ("at", "@")
        if pick < 0.12 and self.files[kind]:
            return "file", self.random.choice(self.files[kind])
        if kind == "h":
            return self.host_item()
        if pick < 0.3:
            return "regex", self.random.choice(REGEXES)
        if pick < 0.5:
            return "lookup", self.lookup()
        if kind == "a":
            return self.address_item()
        if pick < 0.55:
            return "at", self.random.choice(("@", "@[]", "@x", "@mx"))
        if pick < 0.72:
            tail = self.subject(kind)
            return "tail", "*" + tail[self.random.randrange(len(tail) + 1) :]
        return "plain", self.subject(kind)

    def lookup(self) -> str:
        partial = self.random.choice(
            (
                "",
                "",
                "",
                "partial-",
                "partial0-",
                "partial1-",
                "partial3-",
                "partial(.)",
                "partial0(.)",
                "partial1()",
                "partial0()",
                "partial2(*@)",
            )
        )
        type_ = self.random.choice(("lsearch", "lsearch", "lsearch", "nwildlsearch", "wildlsearch"))
        if not self.wild:
            type_ = "lsearch"
        star = self.random.choice(("", "", "", "*", "*@"))
        options = self.random.choice(("", "", "", ",ret=key", ",cache=no_rd", ",foo=bar"))
        if self.random.random() < 0.08:
            return f"{partial}dsearch{star}{options.replace(',foo=bar', ',filter=file')};{self.folder}/dir"
        space = self.random.choice(("", "", " "))
        return f"{partial}{type_}{star}{options};{space}{self.random.choice(self.keyed)}"

    def address_item(self) -> tuple[str, str]:
        pick = self.random.random()
        local = self.random.choice((self.local(), "*" + self.local()[1:], "*", "foo", ""))
        if pick < 0.3:
            return "plain", f"{self.local()}@{self.domain()}"
        if pick < 0.4:
            return "domain", self.random.choice((self.domain(), "*" + self.domain(), "*." + self.domain()))
        if pick < 0.55:
            return "split lookup", "@@" + self.random.choice(
                (self.lookup(), self.domain(), "*." + self.domain())
            )
        if pick < 0.7:
            return "wild", f"{local}@{self.random.choice((self.affixed(), '*', self.domain()))}"
        if pick < 0.8 and self.names["d"]:
            return (
                "domain list",
                f"{local}@{self.random.choice(('', '', '!'))}+{self.random.choice(self.names['d'])}",
            )
        if pick < 0.9:
            return "domain lookup", f"{local}@{self.lookup()}"
        tail = self.random.choice(("@", "@[]", "^a", "!a", " a", "[127.0.0.1]", "", *self.files["d"][:1]))
        return "special domain", f"{local}@{tail}"

    def network(self, plain: bool = False) -> str:
        address = self.random.choice(ADDRESSES)
        if plain and "%" in address:
            address = "::2"
        return address + (
            self.random.choice(("", "/8", "/24", "/32")) if plain else self.random.choice(MASKS)
        )

    def host_item(self) -> tuple[str, str]:
        pick = self.random.random()
        if pick < 0.5:
            return "network", self.network()
        if pick < 0.6:
            return "special", self.random.choice(
                ("*", "@[]", "@", "1.2.3", "1.2.3/24", "host.name", "*.name", "^1", "01.2.3.4")
            )
        type_ = self.random.choice(
            ("lsearch", "iplsearch", "lsearch,ret=key", "nwildlsearch" if self.wild else "lsearch")
        )
        net = self.random.choice(("", "net-", "net24-", "net32-", "net0-", "net128-", "nets"))
        if type_ == "iplsearch" and net not in ("", "net-"):
            self.forms["h bad key"] += 1
        return "lookup", f"{net}{type_};{self.nets}"

    def joined(self, items: list[str], separator: str) -> str:
        """A list's text: items negated here and there, separators doubled, blanks strewn in."""
        parts = []
        for item in items:
            bang = self.random.choice(("",) * 8 + ("!", "! ", "!"))
            doubled = (
                item if separator < " " or separator == "\x7f" else item.replace(separator, separator * 2)
            )
            left, right = self.random.choice(("", " ", "")), self.random.choice(("", " ", ""))
            # what would be read as a doubled separator gets blanks around it, now and then none
            if (not doubled or doubled.startswith(separator)) and not bang and self.random.random() < 0.98:
                left = " "
            if doubled.endswith(separator):
                right = " "
            parts.append(left + bang + doubled + right)
        return separator.join(parts)

    def line(self, kind: str) -> tuple[str, list[str], str]:
        """A condition's kind and subject, the items, and their separator."""
        separator = self.random.choice(SEPARATORS)
        items = [self.item(kind) for _ in range(self.random.choice((1, 1, 2, 2, 3, 4, 6, 0)))]
        return self.subject(kind), items, separator

    def list_text(self, items: list[str], separator: str) -> str:
        text = self.joined(items, separator)
        return text if separator == ":" and self.random.random() < 0.9 else f"<{separator}{text}"


def expression(kind: str, subject: str, text: str, captures: bool) -> str:
    """The line to ask: everything that an answer from stale memory could show is set first."""
    escaped = "".join("\\" + c if c in "\\$}{" else f"\\x{ord(c):02x}" if c < " " else c for c in text)
    plain = "".join("\\" + c if c in "\\$}{" else c for c in subject)
    shown = "<$value><$0><$1><$2><$3>" if captures else "<$value>"
    test = f"${{if {KINDS[kind]}{{{plain}}}{{{escaped}}}{{y{shown}}}{{n{shown}}}}}"
    captured = f"${{if match{{abc}}{{^(a)(b)}}{{{test}}}}}"
    return f"${{lookup{{x}}lsearch{{@KEYS@}}}}${{if match_domain{{v}}{{v}}{{{captured}}}}}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=5_000, help="comparisons a configuration")
    parser.add_argument("--deadly", type=float, default=0.0002, help="share of items that end the real Exim")
    parser.add_argument("--exim", default=real_exim())
    parser.add_argument("--most", type=int, default=10, help="differences to show")
    parser.add_argument("--deaths", action="store_true", help="show what ended the real Exim")
    parser.add_argument(
        "--plant", action="store_true", help="make ours wrong now and then: differences must show"
    )
    options = parser.parse_args()
    if not options.exim:
        print("no Exim is installed here", file=sys.stderr)
        return 2
    version = tuple(map(int, real_version(options.exim).split(".")))
    forms: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    done = different = 0
    while done < options.count and different < options.most:
        number = min(options.batch, options.count - done)
        with tempfile.TemporaryDirectory(prefix="lists") as name:
            round_ = Round(Path(name), options, done // options.batch, version, forms, ends)
            different += round_.run(number)
        done += number
    for form, count in sorted(forms.items()):
        print(f"{count:8} {form}")
    print(", ".join(f"{count} {end}" for end, count in ends.most_common()))
    print(f"{done} compared, {different} different")
    return 1 if different else 0


class Round:
    """One configuration and a batch of comparisons."""

    def __init__(self, folder: Path, options, number: int, version, forms, ends) -> None:
        folder.chmod(0o755)
        self.options, self.forms, self.ends = options, forms, ends
        self.random = random.Random(f"{options.seed} {number}")
        self.maker = Maker(self.random, folder, 0)
        self.maker.forms = forms
        self.maker.make_files()
        lists = self.maker.make_names()
        self.maker.deadly = options.deadly
        config = folder / "conf"
        config.write_text(
            "primary_hostname = the.host.example\n"
            "local_interfaces = <; 127.0.0.1 ; ::1 ; 10.0.0.1 ; 2001:db8::1\n"
            f"log_file_path = {folder}/%slog\nkeep_environment =\n" + lists,
            encoding="latin-1",
        )
        self.real, self.folder = [options.exim, "-C", str(config), "-be"], folder
        self.ours = ListWorld.of_config(config, version)

    def answers(self, lines: list[str]) -> list[str]:
        return listcases.ask(self.real, self.folder, lines)

    def ask(self, kind: str, subject: str, text: str) -> str:
        return expression(kind, subject, text, not self.maker.wild).replace("@KEYS@", self.maker.keyed[0])

    def run(self, number: int) -> int:
        cases = []
        while len(cases) < number:
            kind = self.random.choice("dlah")
            subject, items, separator = self.maker.line(kind)
            text = self.maker.list_text(items, separator)
            line = self.ask(kind, subject, text)
            if len(line) < 1000:
                cases.append((kind, subject, items, separator, line))
        answers = self.answers([case[-1] for case in cases])
        different = 0
        for case, wanted in zip(cases, answers):
            got = self.ours.answer(case[-1])
            if self.options.plant and self.random.random() < 0.005:
                got = got[::-1]
            if wanted.startswith("died") and self.options.deaths:
                print(wanted, case)
            self.ends[
                "died" if wanted.startswith("died") else {"y": "yes", "n": "no"}.get(wanted[:1], "error")
            ] += 1
            if got != wanted and not wanted.startswith("died: internal error"):
                different += 1
                if different <= 5:
                    self.show(case, got, wanted)
        return different

    def show(self, case, got: str, wanted: str) -> None:
        kind, subject, items, separator, line = case
        smaller = True
        while smaller and len(items) > 1:
            smaller = False
            for at in range(len(items)):
                fewer = items[:at] + items[at + 1 :]
                state = self.random.getstate()
                text = ("" if separator == ":" else "<" + separator) + separator.join(fewer)
                self.random.setstate(state)
                try_ = self.ask(kind, subject, text)
                real, mine = self.answers([try_])[0], self.ours.answer(try_)
                if real != mine:
                    items, line, wanted, got, smaller = fewer, try_, real, mine, True
                    break
        print(f"{KINDS[kind]}: {subject!r} in {items!r}\n  real {wanted!r}\n  ours {got!r}")
        for item in items:
            for name in re.findall(r"\+(\w+)", item):
                for letter in KINDS:
                    text = self.ours.named_lists[letter].get(name)
                    if text is not None:
                        print(f"    {WORDS[letter]} {name} = {text}")
            for path in re.findall(rf"{re.escape(str(self.maker.folder))}/[\w-]+", item):
                if Path(path).is_file():
                    print(f"    {path}: {Path(path).read_text(encoding='latin-1')!r}")
        print(f"    {line!r}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
