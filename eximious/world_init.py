"""Writes a starting description: what a configuration can ask, as lines to uncomment and to complete."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from eximious.lint.static import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from eximious.world_questions import Asked, AskedUsers

HEAD = """\
# The world outside {config}, to begin with: see docs/world.md.
# The lines without # are examples to be made true. The others stand for what the configuration can ask, with
# where it is asked from. Take off "#|" and write the answer: a question without one stops the evaluation.
"""

PLACES = 4  #: places that are named for one question


class Starting:
    """A starting description. ``files``: path below the world -> text."""

    def __init__(self, config: str, asked: Iterable[Asked], users: AskedUsers) -> None:
        self.config, self.users = config, users
        self.asked: dict[str, dict[tuple[str, ...], list[str]]] = {}
        for one in asked:
            self.asked.setdefault(one.kind, {}).setdefault(one.what, []).append(one.where)
        self.out: list[str] = []
        self.files: dict[str, str] = {}

    def write(self) -> dict[str, str]:
        """Give the files of the description: world.yaml and zone files (root/ is for the files of others)."""
        self.out.append(HEAD.format(config=self.config))
        self._machine()
        self._users()
        self._files()
        self._dns()
        self._answers()
        self.files["world.yaml"] = "\n".join(self.out).rstrip("\n") + "\n"
        return self.files

    # ---- sections

    def _machine(self) -> None:
        self._lines("hostname: mail.example.com", self._places("hostname"))
        self._lines('clock: {now: "2025-01-31 12:00:00", zone: UTC}', self._places("clock"))
        self._lines("process: {uid: 0, gid: 0, pid: 1234, cwd: /}", self._places("process"))
        self._lines('interfaces: ["127.0.0.1", "::1", "192.0.2.1"]', self._places("interfaces"))
        self._lines("random: {seed: 1}", self._places("random"))
        if "load" in self.asked:
            self._lines("load: 0.1", self._places("load"))
        if "disk" in self.asked:
            self.out.append("disk:")
            for (folder,), where in self.asked["disk"].items():
                self._lines(f"  {_quoted(folder)}: {{kilobytes: 10000000, inodes: 1000000}}", where)
            self.out.append("")
        names = [what[0] for what in self.asked.get("environment", {})]
        self._mapping("environment", [(name, '"..."', self.asked["environment"][(name,)]) for name in names])

    def _users(self) -> None:
        self.out.append("users:")
        known = {"root": 0} | self.users.users | {"root": 0}
        for name, number in known.items():
            if name not in ("*",):
                home = "/root" if name == "root" else f"/home/{name}"
                facts = f"uid: {number}, gid: {number}, home: {_quoted(home)}, shell: /bin/sh"
                self.out.append(f"  {_quoted(name)}: {{{facts}}}")
        for (name,), where in self.asked.get("users", {}).items():
            if name not in known:
                self._comment(where)
                shown = "NAME" if HOLE in name else name
                self.out.append(
                    f"#|  {_quoted(shown)}: {{uid: 1001, gid: 1001, home: /home/NAME, shell: /bin/sh}}"
                )
        self.out += ["  # with this line there are no others", '#|  "*": absent', ""]
        groups = {"root": 0, **self.users.groups}
        for name, number in self.users.users.items():
            groups.setdefault(name, number)
        self.out.append("groups:")
        self.out += [f"  {_quoted(name)}: {{gid: {number}}}" for name, number in groups.items()]
        self.out += ['#|  "*": absent', ""]

    def _files(self) -> None:
        files = self.asked.get("files", {})
        folders = self.asked.get("folders", {})
        self.out.append(
            "# Files: put each below root/ (root/etc/aliases is /etc/aliases), or say that it is not there."
        )
        self.out.append("files:")
        done: set[str] = set()
        for (path,), where in sorted(files.items()):
            if not path.startswith("/"):
                self._comment(where)
                self.out.append(f"  # a path that is not known here: {_shown(path)}")
                continue
            if HOLE in path:
                folder = os.path.dirname(path.partition(HOLE)[0] + "x")
                key = f"{folder.rstrip('/')}/*"
                note = f"  # {_shown(path)}: those that are not in root{folder}:"
            else:
                key, note = path, f"  # the file root{path}, or:"
            self._comment(where)
            self._once(done, key, note)
        for (path,), where in sorted(folders.items()):
            self._comment(where)
            folder = os.path.dirname(path.partition(HOLE)[0] + "x") if HOLE in path else path
            self._once(done, f"{folder.rstrip('/')}/*", f"  # the folder root{folder}; what is not in it:")
        self._commented("files:")
        self.out.append("")

    def _once(self, done: set[str], key: str, note: str) -> None:
        """A line for a file, unless one before said the same."""
        self.out.append(_one_line(note))
        if key not in done and "\n" not in key:
            done.add(key)
            self.out.append(f"#|  {_quoted(key)}: absent")

    def _dns(self) -> None:
        asked = self.asked.get("dns", {})
        if not asked:
            return
        self.out.append("# DNS: zone files in zones/ (zones/example.com.zone is for example.com). Asked for:")
        zones: dict[str, list[str]] = {}
        for (type_, name), where in sorted(asked.items()):
            self.out.append(_one_line(f"#   {type_:5} {_shown(name)}   <- {_place_list(where)}"))
            domain = name.rpartition(HOLE)[2].strip(".").lower()
            if (
                domain
                and re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", domain)
                and not domain.endswith(".arpa")
            ):
                zones.setdefault(domain, []).append(f"; {type_} {_shown(name)}: {_place_list(where)}")
        for domain, lines in zones.items():
            text = "; Without the next line what is not here does not exist.\n;! partial\n"
            text += "$TTL 3600\n" + "".join(_one_line(line) + "\n" for line in lines)
            self.files[f"zones/{domain}.zone"] = text
        self.out.append("")

    def _answers(self) -> None:
        asked = self.asked
        items: list[tuple[dict[str, Any], list[str]]] = []
        for what, where in asked.get("databases", {}).items():
            kind, query = (*what, HOLE)[:2]
            items.append(({"kind": kind, **_question("query", query), **_rows(kind)}, where))
        self._list("databases", items)
        items = []
        for argv, where in asked.get("commands", {}).items():
            words = " ".join(argv)
            question = {"match": _pattern(words)} if HOLE in words or not argv else {"run": list(argv)}
            items.append(({**question, "exit": 0, "output": "..."}, where))
        self._list("commands", items)
        items = []
        for (spec, request), where in asked.get("sockets", {}).items():
            place = spec if re.match(r"/|(inet|udp):.+:[^:]+$", spec) else "/..."
            items.append(
                (
                    {"connect": place.replace(HOLE, "..."), **_question("request", request), "answer": "..."},
                    where,
                )
            )
        self._list("sockets", items)
        self._verdicts()
        callouts = asked.get("callouts", {})
        self._list("callouts", [({"match": ".*", "reply": "250 OK"}, where) for where in callouts.values()])

    def _verdicts(self) -> None:
        verdicts = self.asked.get("verdicts", {})
        kinds: dict[str, list[tuple[tuple[str, ...], list[str]]]] = {}
        for what, where in verdicts.items():
            kinds.setdefault(what[0], []).append((what[1:], where))
        if not kinds:
            return
        self.out.append("#|verdicts:")
        for kind, found in kinds.items():
            self.out.append(f"#|  {kind}:")
            for parts, where in found:
                self._comment(where, "    ")
                if any(HOLE in part for part in parts):
                    question: dict[str, Any] = {"match": [_pattern(part) for part in parts]}
                else:
                    question = {"ask": list(parts)}
                self.out.append(f"#|    - {_flow({**question, 'answer': _verdict(kind)})}")
        self.out.append("")

    # ---- parts

    def _places(self, kind: str) -> list[str]:
        return [place for where in self.asked.get(kind, {}).values() for place in where]

    def _lines(self, text: str, where: list[str]) -> None:
        self._comment(where, "")
        self.out.append(text)
        if not text.startswith(" "):
            self.out.append("")

    def _comment(self, where: list[str], indent: str = "  ") -> None:
        if where:
            self.out.append(_one_line(f"{indent}# {_place_list(where)}"))

    def _mapping(self, name: str, entries: list[tuple[str, str, list[str]]]) -> None:
        if not entries:
            return
        self.out.append(f"{name}:")
        for key, value, where in entries:
            self._comment(where)
            shown = "NAME" if HOLE in key else key
            self.out.append(f"#|  {_quoted(shown)}: {value}")
        self._commented(f"{name}:")
        self.out.append("")

    def _list(self, name: str, items: list[tuple[dict[str, Any], list[str]]]) -> None:
        if not items:
            return
        self.out.append(f"{name}:")
        for item, where in items:
            self._comment(where)
            self.out.append(f"#|  - {_flow(item)}")
        self._commented(f"{name}:")
        self.out.append("")

    def _commented(self, head: str) -> None:
        """Make the head of a section a comment, as all below it is."""
        self.out[len(self.out) - 1 - self.out[::-1].index(head)] = f"#|{head}"


def _shown(text: str) -> str:
    return text.replace(HOLE, "*")


def _one_line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text)


def _place_list(where: list[str]) -> str:
    places = list(dict.fromkeys(where))
    more = f", and {len(places) - PLACES} more" if len(places) > PLACES else ""
    return ", ".join(places[:PLACES]) + more


def _pattern(text: str) -> str:
    """A regular expression for a text with holes."""
    return ".*".join(re.escape(part).replace("\\ ", " ") for part in text.split(HOLE))


def _question(key: str, text: str) -> dict[str, Any]:
    return {"match": _pattern(text)} if HOLE in text else {key: text}


def _rows(kind: str) -> dict[str, Any]:
    if kind == "redis":
        return {"reply": "..."}
    if kind == "ldap":
        return {"entries": [{"dn": "...", "attributes": {"...": ["..."]}}]}
    return {"rows": [["..."]]}


def _verdict(kind: str) -> Any:
    from eximious.backends.described_answers import EXAMPLES

    return EXAMPLES.get(kind, "...")


def _quoted(text: str) -> str:
    """A text as YAML has it in one line."""
    return text if re.fullmatch(r"[A-Za-z/_][-A-Za-z0-9/_.*]*", text) else _flow(text)


def _flow(value: Any) -> str:
    """A value as YAML has it in one line; JSON is YAML. Text has one character a byte."""
    import json

    def decoded(part: Any) -> Any:
        if isinstance(part, str):
            return part.encode("latin-1", "replace").decode("utf-8", "replace")
        if isinstance(part, dict):
            return {decoded(key): decoded(below) for key, below in part.items()}
        return [decoded(below) for below in part] if isinstance(part, list) else part

    return json.dumps(decoded(value), ensure_ascii=False)
