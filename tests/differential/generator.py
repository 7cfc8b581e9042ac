"""Random expansions, valid and slightly broken, drawn from the facts tables with a seed.

Which names exist comes from the catalogue of a version and build; what arguments they get is declared
in :mod:`differential.arguments`. A name of the facts without a declaration is an error, so that a new row
cannot be forgotten. Every text comes with the rows that it uses.
"""

from __future__ import annotations

import dataclasses
import random
import re
from typing import TYPE_CHECKING

from .arguments import CONDITIONS, DECLARED, ITEMS, OPERATORS, PATTERNS, VOLATILE
from .pools import FILES, LOOKUP_FILES, LOOKUP_QUERIES, POOLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.grammar.catalogue import Catalogue

LONGEST = 900  #: bytes of a generated text, less than a line of -be may have

_POOLS = {
    kind: tuple(text.encode("utf-8").decode("latin-1") for text in texts) for kind, texts in POOLS.items()
}

_HEADER = re.compile(r"^[blr]?h(?:eader)?_$")


@dataclasses.dataclass(frozen=True, slots=True)
class Generated:
    """One text and the rows of the facts that it uses (``"item map"``, ``"variable home"``…)."""

    text: str
    rows: frozenset[str]


class Generator:
    """Texts without end. ``message``: whether a message is there (some variables crash without one).

    ``broken`` is the share of texts that are damaged; ``left_out`` are rows not to be used.
    """

    def __init__(
        self,
        seed: int,
        catalogue: Catalogue,
        *,
        message: bool = False,
        broken: float = 0.2,
        depth: int = 4,
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self.random = random.Random(seed)
        self.broken, self.depth = broken, depth
        names = {
            "item": sorted(catalogue.items),
            "operator": sorted(catalogue.operators),
            "condition": sorted(catalogue.conditions),
            "variable": sorted(catalogue.variables),
            "lookup": sorted(catalogue.lookups),
        }
        for kind, table in DECLARED.items():
            missing = [name for name in names[kind] if name not in table]
            if missing:
                raise ValueError(f"no arguments are declared for {kind} {', '.join(missing)}")
        #: every row that has to come out
        self.rows = frozenset(f"{kind} {name}" for kind, all_ in names.items() for name in all_) - left_out
        self.names = {kind: [n for n in all_ if f"{kind} {n}" in self.rows] for kind, all_ in names.items()}
        if not message and "reply_address" in self.names["variable"]:
            self.names["variable"].remove("reply_address")
        self.used: set[str] = set()
        self.scope: list[str] = []
        self._due: list[str] = []

    def one(self) -> Generated:
        """The next text."""
        while True:
            self.used = set()
            self.scope = []
            text = self._start()
            if self.random.random() < self.broken:
                from .damage import damage

                text = damage(self.random, text)
            if len(text) <= LONGEST and not _macro_like(text):
                return Generated(text, frozenset(self.used))

    def _start(self) -> str:
        """A text around the row whose turn it is, so that every row comes again and again."""
        if not self._due:
            self._due = sorted(self.rows)
            self.random.shuffle(self._due)
        depth = self.random.choice((1, 2, 2, 3, self.depth))
        kind, _, name = self._due.pop().partition(" ")
        if name not in self.names[kind]:
            return self.text(depth)
        if kind == "item":
            core = self.item(depth, name)
        elif kind == "operator":
            core = self.operator(depth, name)
        elif kind == "condition":
            core = self.item(depth, "if", name)
        elif kind == "lookup":
            core = self.item(depth, "lookup", name)
        else:
            core = self.variable(name)
        if self.random.random() < 0.25:
            core = self.text(1) + core
        if self.random.random() < 0.25:
            core += self.text(1)
        return core

    # texts

    def text(self, depth: int) -> str:
        """Any text: plain, a variable, an item or operator, or several in a row."""
        roll = self.random.random()
        if depth <= 0 or roll < 0.45:
            return self.leaf("text")
        if roll < 0.52:
            return self.variable(self.random.choice(self.names["variable"]))
        if roll < 0.72:
            return self.operator(depth, self.random.choice(self.names["operator"]))
        if roll < 0.94:
            return self.item(depth, self.random.choice(self.names["item"]))
        return self.text(depth - 1) + self.text(depth - 1)

    def leaf(self, pool: str) -> str:
        """A short text of a pool, or what the surroundings have set."""
        if self.scope and self.random.random() < 0.3:
            return self.random.choice(self.scope)
        return self.random.choice(_POOLS.get(pool) or _POOLS[pool.replace("_", " ")])

    def argument(self, depth: int, kind: str) -> str:
        """The text of one brace argument."""
        made: Callable[[int], str] | None = getattr(self, "a_" + kind, None)
        if made is not None:
            return made(depth)
        if kind == "json_array":  # what is no array kills Exim
            return self.random.choice(_POOLS["json array"])
        if kind == "text":
            return self.text(depth - 1)
        roll = self.random.random()
        if depth > 1 and roll < 0.12:
            return self.text(depth - 1)
        if depth > 1 and roll < 0.2:
            return self.leaf(kind) + self.text(depth - 2)
        if depth > 1 and roll < 0.27:
            return "${lc:" + self.leaf(kind) + "}"
        return self.leaf(kind)

    def variable(self, name: str) -> str:
        """A variable, in one of its forms."""
        self.used.add(f"variable {name}")
        choice = self.random.choice
        if name in PATTERNS:
            name = choice(PATTERNS[name])
        if _HEADER.match(name):
            return (
                choice(("${", "$")) + name + choice(_POOLS["header"]) + choice((":", ":", ":", ""))
                if choice((True, False))
                else "${" + name + choice(_POOLS["header"]) + choice((":}", "}"))
            )
        if name in VOLATILE:
            return f"${{if def:{name}{{set}}{{unset}}}}"
        return choice(
            (
                f"${name}",
                f"${{{name}}}",
                f"[${name}]",
                f"${name}",
                f"${{if def:{name}{{<${name}>}}{{unset}}}}",
            )
        )

    def operator(self, depth: int, name: str) -> str:
        """``${name_arg:text}``."""
        self.used.add(f"operator {name}")
        choice = self.random.choice
        behind, _, kind = OPERATORS[name].rpartition("|")
        if name == "quote_<lookup type>":
            name = "quote_" + choice(self.names["lookup"])
        elif behind:
            name += self._behind(behind)
        if kind == "one":
            return "${strlen:${" + name + ":" + choice(("1", "2", "10", "x", "0", "")) + "}}"
        if kind == "stat":
            field = choice(("size", "mode", "smode", "mtime", "uid", "nosuch"))
            return "${extract{" + field + "}{${stat:" + self.argument(depth, "path") + "}}}"
        text = self.argument(depth, kind)
        blank = " " if self.random.random() < 0.03 else ""
        return "${" + name + ":" + blank + text + "}"

    def _behind(self, kind: str) -> str:
        """What stands behind the underscore of an operator's name (with it), or nothing."""
        choice = self.random.choice
        if kind == "count":
            return choice(("_1", "_2", "_3", "_10", "_0", "_x", "", "_"))
        if kind == "counts":
            return choice(("_1", "_2", "_3_5", "_8", "_2_26", "_10_62", "_5_100", "_x"))
        if kind == "cut":
            return choice(
                ("_1", "_0_2", "_1_1", "_-1", "_-3_2", "_2_0", "_-2_1", "_0", "_5_3", "_x", "_1_", "")
            )
        if kind == "bits":
            return choice(("_256", "_384", "_512", "_224", "", "_1", "_x"))
        if kind == "letter":
            return choice(("", "", "", "_d", "_h", "_a", "_l", "_x"))
        return choice(("", "", "", "_n"))

    # items

    def item(self, depth: int, name: str, row: str = "") -> str:
        """``${name{…}…}``; ``row`` is the condition or lookup type that has to be in it."""
        self.used.add(f"item {name}")
        words = self.random.choice(ITEMS[name]).split()
        blank = self._blank
        before = list(self.scope)
        if name == "if":
            head, tail = self._conditional(depth, row)
        elif name == "lookup":
            head, tail = self._lookup(depth, row)
        elif name == "run":
            head = "run" + self.random.choice(("", "", "", ",preexpand")) + "{" + self.leaf("command") + "}"
            tail = self._yesno(depth, "$value", "$runrc")
        else:
            head, tail = name, ""
            if words[0] in ("json", "jsons") and name == "extract":
                head += " " + words.pop(0)
            if name in ("map", "filter", "sort", "reduce"):
                tail = self._loop(depth, name, words)
                words = []
            for word in words:
                if word == "yesno":
                    tail += self._yesno(depth, "$value")
                    continue
                if word[0] == "?":
                    if self.random.random() < 0.4:
                        break
                    word = word[1:]
                tail += blank() + "{" + self.argument(depth, word) + "}"
        self.scope = before
        text = "${" + head + tail + blank() + "}"
        if name in ("prvs", "srs_encode") and self.random.random() < 0.2:
            return "${strlen:" + text + "}"
        return text

    def _loop(self, depth: int, name: str, words: list[str]) -> str:
        """The arguments of map, filter, reduce and sort: ``$item`` is set in the last."""
        tail = self._blank() + "{" + self.argument(depth, words[0] if name == "sort" else "list") + "}"
        if name == "reduce":
            tail += self._blank() + "{" + self.argument(depth, "text") + "}"
        if name == "sort":
            tail += self._blank() + "{" + self.argument(1, words[1]) + "}"
        self.scope = [*self.scope, "$item", "$item"] + (["$value"] if name == "reduce" else [])
        if name == "filter":
            return tail + self._blank() + "{" + self.condition(depth - 1) + "}"
        if name == "sort":
            body = "$item" if words[2] == "item" and self.random.random() < 0.7 else self.text(depth - 2)
        elif name == "map":
            body = self.random.choice(("$item", "<$item>", "")) + self.text(depth - 1)
        else:
            body = self.random.choice(("$value", "$value$item", "$item", "")) + self.text(depth - 2)
        return tail + self._blank() + "{" + body + "}"

    def _conditional(self, depth: int, row: str) -> tuple[str, str]:
        condition = self.condition(depth, row)
        sets = ["$0", "$1", "$2"] if "match" in condition else []
        if "inlist" in condition or "acl" in condition:
            sets.append("$value")
        return "if " + condition, self._yesno(depth, *sets)

    def _yesno(self, depth: int, *sets: str) -> str:
        """What stands behind: nothing, one or two strings, or the word ``fail``."""
        roll = self.random.random()
        blank = self._blank
        if roll < 0.15:
            return ""
        if roll < 0.2:
            return blank() + "fail"
        before = self.scope
        self.scope = [*before, *sets, *sets]
        yes = blank() + "{" + self.text(depth - 1) + "}"
        self.scope = before
        if roll < 0.35:
            return yes
        if roll < 0.45:
            return yes + blank() + "fail"
        return yes + blank() + "{" + self.text(depth - 1) + "}"

    def _lookup(self, depth: int, name: str) -> tuple[str, str]:
        choice, chance = self.random.choice, self.random.random
        name = name or choice(self.names["lookup"])
        self.used.add(f"lookup {name}")
        options = ""
        if chance() < 0.1:
            options = choice(
                (",ret=key", ",ret=full", ",filter=file", ",cache=no_rd", ",nosuch", ",", ",filter=dir")
            )
        if name in LOOKUP_FILES:
            kind = name
            if chance() < 0.15:
                kind = (
                    choice(("partial-", "partial1-", "partial(.)", "partial2(_)", "net-", "partialx-")) + kind
                )
            kind += choice(("*", "*@")) if chance() < 0.1 else ""
            file = choice(LOOKUP_FILES[name])
            path = FILES + file if name not in ("nis", "nis0", "spf") else file
            head = (
                "lookup{"
                + self.argument(depth, "single_key")
                + "}"
                + self._blank()
                + kind
                + options
                + "{"
                + path
                + "}"
            )
        else:
            head = "lookup " + name + options + self._blank() + "{" + choice(LOOKUP_QUERIES[name]) + "}"
        return head, self._yesno(depth, "$value", *(("$1",) if "wild" in head or "partial" in head else ()))

    def _blank(self) -> str:
        return self.random.choice((" ", "  ", "\t")) if self.random.random() < 0.04 else ""

    # conditions

    def condition(self, depth: int, name: str = "") -> str:
        """One condition with its arguments, sometimes negated."""
        name = name or self.random.choice(self.names["condition"])
        self.used.add(f"condition {name}")
        kind = CONDITIONS[name]
        sign = self.random.choice(("!", "! ")) if self.random.random() < 0.1 else ""
        blank = self._blank
        if name == "def":
            return sign + "def:" + self._defined()
        if kind == "several":
            inner = [
                blank() + "{" + self.condition(depth - 1) + "}"
                for _ in range(self.random.choice((1, 2, 2, 3)))
            ]
            return sign + name + blank() + "{" + "".join(inner) + blank() + "}"
        if kind == "acl_call":
            rest = "".join("{" + self.text(depth - 2) + "}" for _ in range(self.random.choice((0, 1, 2))))
            return sign + "acl{{" + self.leaf("acl") + "}" + rest + "}"
        if kind == "saslauthd":
            return (
                sign
                + "saslauthd{"
                + "".join("{" + self.leaf("word") + "}" for _ in range(self.random.choice((2, 3, 4))))
                + "}"
            )
        parts = kind.split()
        if "condition" in parts:
            list_ = (
                self.argument(depth, parts[0])
                if depth > 1 or parts[0] == "json_array"
                else self.leaf(parts[0])
            )
            before = self.scope
            self.scope = [*before, "$item", "$item"]
            inner_text = self.condition(depth - 1)
            self.scope = before
            return sign + name + blank() + "{" + list_ + "}" + blank() + "{" + inner_text + "}"
        if depth <= 0:
            arguments = [self.a_plain(part) for part in parts]
        else:
            arguments = [self.argument(depth, part) for part in parts]
        return sign + name + "".join(blank() + "{" + argument + "}" for argument in arguments)

    def _defined(self) -> str:
        """What stands behind ``def:``."""
        name = self.random.choice(self.names["variable"])
        if name == "reply_address":
            return name
        self.used.add(f"variable {name}")
        if name in PATTERNS:
            name = self.random.choice(PATTERNS[name])
        if _HEADER.match(name):
            name += self.random.choice(_POOLS["header"]) + self.random.choice((":", ":", ""))
        return name

    # kinds of arguments that are made

    def a_plain(self, kind: str) -> str:
        if kind in _POOLS or kind.replace("_", " ") in _POOLS:
            return self.leaf(kind)
        made: Callable[[int], str] = getattr(self, "a_" + kind)
        return made(0)

    def a_key(self, depth: int) -> str:
        return self.random.choice(("a", "b", "c", "key", "alice", "user", "home", "x1", "", "A"))

    def a_words(self, depth: int) -> str:
        return self.random.choice(
            ("b:a:c", "a", "", "B:a:C", "<; z;y;x", "x1:a2:m3", "b:a:b:a", " q : p ", "é:e:f")
        )

    def a_one(self, depth: int) -> str:
        return "1"

    def a_prvs(self, depth: int) -> str:
        if self.random.random() < 0.5:
            key = self.random.choice(("0", "7"))
            return "${prvs{" + self.random.choice(("alice@example.org", "a.b@c")) + "}{secret}{" + key + "}}"
        return self.leaf("address")

    def a_srs(self, depth: int) -> str:
        if self.random.random() < 0.4:
            return "${local_part:${srs_encode{secret}{alice@example.com}{gw.example}}}"
        return self.leaf("srs")

    def a_expandable(self, depth: int) -> str:
        return self.random.choice(
            (
                "\\$primary_hostname",
                "\\${lc:ABC}",
                "\\\\n",
                "\\$nosuch",
                "\\${if",
                "",
                "x",
                "\\${uc:${lc:X}}",
                "\\$item",
                "\\\\\\$x",
            )
        ) + (self.text(depth - 2) if self.random.random() < 0.3 else "")

    def a_ldapauth(self, depth: int) -> str:
        return self.random.choice(
            ("", "x", "user=x ldap://127.0.0.1:1/", "user=x pass=y ldap://127.0.0.1:1/")
        )

    def a_pam(self, depth: int) -> str:
        return self.random.choice(("", ":"))  # a user name costs two seconds

    def a_service(self, depth: int) -> str:
        return self.random.choice(("", "a", "a:b", self.leaf("text")))


def _macro_like(text: str) -> bool:
    """Whether ``-be`` would take the line as the definition of a macro, which lasts."""
    return re.match(r"\s*[A-Z][A-Za-z0-9_]*\s*=", text) is not None
