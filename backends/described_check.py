"""What a description can say wrongly although its form is right: patterns, times, rows, names of errors."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eximious.backends.described_yaml import DescriptionError, Node

#: key of a database's answer -> kinds that can have it
_ANSWERS = ("sqlite", "rows", "affected", "reply", "entries", "outcome")


def check_meaning(document: Node, folder: str) -> list[DescriptionError]:
    """Give what is wrong with a document that has the right form, in the order of the file."""
    found: list[DescriptionError] = []
    for check in (_patterns, _errors, _clock, _random):
        found += check(document)
    found += _databases(document, folder)
    for name in ("commands", "sockets", "callouts"):
        node = document.get(name)
        for item in node.value if node is not None else ():
            found += _entry(name, item)
    verdicts = document.get("verdicts")
    for kind in verdicts.value.values() if verdicts is not None else ():
        for item in kind.value:
            found += _verdict(item)
    dns = document.get("dns")
    for item in dns.value if dns is not None else ():
        found += _dns(item)
    return sorted(found, key=lambda error: (error.line, error.column))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node.value, dict):
        for below in node.value.values():
            yield from _walk(below)
    elif isinstance(node.value, list):
        for below in node.value:
            yield from _walk(below)


def _patterns(document: Node) -> Iterator[DescriptionError]:
    """Every ``match`` is a regular expression."""
    for section in ("databases", "commands", "sockets", "verdicts", "callouts"):
        top = document.get(section)
        for node in _walk(top) if top is not None else ():
            match = node.get("match") if isinstance(node.value, dict) else None
            for one in match.value if match is not None and isinstance(match.value, list) else [match]:
                if one is not None and isinstance(one.value, str):
                    try:
                        re.compile(one.value, re.DOTALL)
                    except (re.error, OverflowError, RecursionError) as problem:
                        yield one.error(f"not a regular expression: {problem}")


def _errors(document: Node) -> Iterator[DescriptionError]:
    """Every name of a system error is one."""
    import errno

    for section in ("files", "sockets", "callouts"):
        top = document.get(section)
        for node in _walk(top) if top is not None else ():
            for key in ("fails", "then"):
                one = node.get(key) if isinstance(node.value, dict) else None
                if one is not None and str(one.value).startswith("E") and not hasattr(errno, str(one.value)):
                    yield one.error(f"there is no system error {one.value}")


def _clock(document: Node) -> Iterator[DescriptionError]:
    from eximious.backends.described_machine import read_time

    clock = document.get("clock")
    if clock is None:
        return
    zone = clock.get("zone")
    try:
        read_time(clock.value["now"].value, zone.text if zone is not None else "")
    except ValueError as problem:
        yield clock.value["now"].error(f"not a time: {problem}")


def _random(document: Node) -> Iterator[DescriptionError]:
    numbers = document.get("random") and document.value["random"].get("numbers")
    for pair in numbers.value if numbers is not None else ():
        limit, number = (one.value for one in pair.value)
        if number >= limit:
            yield pair.error(f"a number below {limit} cannot be {number}")


def _databases(document: Node, folder: str) -> Iterator[DescriptionError]:
    databases = document.get("databases")
    for item in databases.value if databases is not None else ():
        given = [key for key in _ANSWERS if item.get(key) is not None]
        if not given:
            yield item.error("a database's answer needs one of " + ", ".join(_ANSWERS))
        if "sqlite" not in given and item.get("query") is None and item.get("match") is None:
            yield item.error("an answer needs query or match")
        if "sqlite" in given:
            kind = item.value["kind"].value
            if kind not in ("mysql", "pgsql", "oracle", "ibase"):
                yield item.value["sqlite"].error(f"SQLite cannot answer for {kind}")
            elif not os.path.isfile(os.path.join(folder, item.value["sqlite"].text)):
                yield item.value["sqlite"].error(f"there is no file {item.value['sqlite'].text} in the world")
        columns, rows = item.get("columns"), item.get("rows")
        for row in rows.value if rows is not None else ():
            if isinstance(row.value, dict):
                continue
            if columns is not None and len(row.value) != len(columns.value):
                yield row.error(f"{len(row.value)} values for {len(columns.value)} columns")
            elif columns is None and len(row.value) != 1:
                yield row.error("rows of several values need columns, or to be mappings")


def _entry(section: str, item: Node) -> Iterator[DescriptionError]:
    question = {"commands": ("run", "match"), "callouts": ("address", "match"), "sockets": ("connect",)}[
        section
    ]
    if not any(item.get(key) is not None for key in question):
        yield item.error(f"an item of {section} needs {' or '.join(question)}")
    if section == "sockets" and not any(item.get(key) for key in ("fails", "answer", "dialogue", "then")):
        yield item.error("a socket needs fails, answer, dialogue or then")
    if section == "callouts" and not any(item.get(key) is not None for key in ("reply", "fails")):
        yield item.error("a callout needs reply or fails")


def _verdict(item: Node) -> Iterator[DescriptionError]:
    if item.get("ask") is None and item.get("match") is None:
        yield item.error("a verdict needs ask or match")
    if not any(key in item.value for key in ("answer", "undefined", "error")):
        yield item.error("a verdict needs answer, undefined or error")


def _dns(item: Node) -> Iterator[DescriptionError]:
    from eximious.backends.described_dns import record_of

    if item.get("outcome") is None and item.get("records") is None:
        yield item.error("an answer needs records or outcome")
    for key in ("records", "authority"):
        node = item.get(key)
        for record in node.value if node is not None else ():
            try:
                record_of(record.plain())
            except ValueError as problem:
                yield record.error(str(problem))
