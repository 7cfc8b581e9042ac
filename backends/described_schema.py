"""Checks a description against its JSON schema, with the place of what is wrong and what was meant.

The part of JSON Schema (draft 2020-12) that the shipped schema uses: type, properties, patternProperties,
additionalProperties, required, items, prefixItems, minItems, maxItems, enum, const, pattern, minimum,
maximum, anyOf, $ref into $defs, propertyNames, dependentRequired. A keyword that is not known is an
error of the schema, not passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from eximious.backends.described_yaml import DescriptionError, Node

_ABOUT = frozenset(("$schema", "$id", "$defs", "title", "description", "default", "examples", "$comment"))
_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def load_schema() -> dict[str, Any]:
    """The shipped schema of ``world.yaml``."""
    import json
    from pkgutil import get_data

    data = get_data("eximious", "data/world.schema.json")
    assert data is not None
    schema: dict[str, Any] = json.loads(data)
    return schema


def type_of(value: Any) -> str:
    """The JSON type of a value ("integer" for whole numbers)."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for kind, name in ((dict, "object"), (list, "array"), (str, "string"), (int, "integer")):
        if isinstance(value, kind):
            return name
    return "number"


def check(node: Node, schema: dict[str, Any]) -> list[DescriptionError]:
    """Give what is wrong with a document, in the order of the file."""
    found = list(_Checker(schema).errors(node, schema, ""))
    return sorted(found, key=lambda error: (error.line, error.column))


class _Checker:
    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def resolved(self, schema: Any) -> Any:
        while isinstance(schema, dict) and "$ref" in schema:
            part: Any = self.root
            for name in schema["$ref"].removeprefix("#/").split("/"):
                part = part[name]
            schema = part
        return schema

    def errors(self, node: Node, schema: Any, where: str) -> Iterator[DescriptionError]:
        """What is wrong with a node; ``where`` names it in messages."""
        schema = self.resolved(schema)
        if schema is True:
            return
        what = where or "a description"
        if schema is False:
            yield node.error(f"{what} has no place here")
            return
        wanted = schema.get("type")
        if wanted is not None and not self.fits(node, wanted):
            yield node.error(f"{what} has to be {_one_of(wanted)}, not {_NAMES[type_of(node.value)]}")
            return
        for keyword, rule in schema.items():
            if keyword in _ABOUT or keyword == "type":
                continue
            check = getattr(self, "_" + keyword.lower(), None)
            if check is None:
                raise NotImplementedError(f"keyword {keyword} of JSON Schema")
            yield from check(node, rule, schema, what)

    @staticmethod
    def fits(node: Node, wanted: str | list[str]) -> bool:
        """Whether the value has one of the types."""
        kinds = [wanted] if isinstance(wanted, str) else wanted
        kind = type_of(node.value)
        whole = kind == "number" and float(node.value).is_integer()
        return kind in kinds or (kind == "integer" and "number" in kinds) or (whole and "integer" in kinds)

    def _properties(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, dict):
            for key, below in rule.items():
                if key in node.value:
                    yield from self.errors(node.value[key], below, key)

    def _patternproperties(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, dict):
            for pattern, below in rule.items():
                for key, value in node.value.items():
                    if re.search(pattern, key):
                        yield from self.errors(value, below, key)

    def _additionalproperties(
        self, node: Node, rule: Any, schema: Any, what: str
    ) -> Iterator[DescriptionError]:
        if not isinstance(node.value, dict):
            return
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        for key, value in node.value.items():
            if key in known or any(re.search(pattern, key) for pattern in patterns):
                continue
            if rule is False:
                yield node.key_error(key, f"unknown key {key!r}{_meant(key, known)}")
            else:
                yield from self.errors(value, rule, key)

    def _propertynames(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, dict):
            for key in node.value:
                if not re.search(rule["pattern"], key):
                    yield node.key_error(
                        key, rule.get("description") or f"{key!r} is not a name for this place"
                    )

    def _required(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, dict):
            for key in rule:
                if key not in node.value:
                    yield node.error(f"{what} lacks {key}")

    def _dependentrequired(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, dict):
            for key, needed in rule.items():
                for other in needed:
                    if key in node.value and other not in node.value:
                        yield node.key_error(key, f"{key} needs {other}")

    def _items(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, list):
            for item in node.value[len(schema.get("prefixItems", ())) :]:
                yield from self.errors(item, rule, f"an item of {what}")

    def _prefixitems(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, list):
            for item, below in zip(node.value, rule):
                yield from self.errors(item, below, f"an item of {what}")

    def _minitems(self, node: Node, rule: int, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, list) and len(node.value) < rule:
            yield node.error(f"{what} has to have at least {rule} items")

    def _maxitems(self, node: Node, rule: int, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, list) and len(node.value) > rule:
            yield node.error(f"{what} may have at most {rule} items")

    def _enum(self, node: Node, rule: list[Any], schema: Any, what: str) -> Iterator[DescriptionError]:
        if not any(_equal(node, one) for one in rule):
            words = ", ".join(map(str, rule))
            meant = _meant(node.text, rule)
            yield node.error(
                f"{what} cannot be {node.text or node.value!r}{meant or f' (there are: {words})'}"
            )

    def _const(self, node: Node, rule: Any, schema: Any, what: str) -> Iterator[DescriptionError]:
        if not _equal(node, rule):
            yield node.error(f"{what} has to be {rule}")

    def _pattern(self, node: Node, rule: str, schema: Any, what: str) -> Iterator[DescriptionError]:
        if isinstance(node.value, str) and not re.search(rule, node.value):
            about = schema.get("description")
            yield node.error(f"{what} cannot be {node.value!r}" + (f" ({about})" if about else ""))

    def _minimum(self, node: Node, rule: float, schema: Any, what: str) -> Iterator[DescriptionError]:
        if type_of(node.value) in ("integer", "number") and node.value < rule:
            yield node.error(f"{what} has to be at least {rule}")

    def _maximum(self, node: Node, rule: float, schema: Any, what: str) -> Iterator[DescriptionError]:
        if type_of(node.value) in ("integer", "number") and node.value > rule:
            yield node.error(f"{what} has to be at most {rule}")

    def _anyof(self, node: Node, rule: list[Any], schema: Any, what: str) -> Iterator[DescriptionError]:
        """The errors of the form that the value was most likely meant to have."""
        where = "" if what == "a description" else what
        tried = []
        for form in rule:
            problems = list(self.errors(node, form, where))
            if not problems:
                return
            tried.append((form, problems))
        meant = [
            (form, problems)
            for form, problems in tried
            if self.fits(node, self.resolved(form).get("type") or list(_NAMES))
        ]
        if not meant:
            kinds: list[str] = []
            for form, _ in tried:
                wanted = self.resolved(form).get("type", [])
                kinds += [wanted] if isinstance(wanted, str) else wanted
            yield node.error(f"{what} has to be {_one_of(kinds)}, not {_NAMES[type_of(node.value)]}")
        elif len(meant) > 1 and not isinstance(node.value, (dict, list)):
            words = [
                str(self.resolved(form).get("const", self.resolved(form).get("description")))
                for form, _ in meant
            ]
            yield node.error(f"{what} cannot be {node.text!r}; it can be: {', '.join(words)}")
        else:
            yield from min((problems for _, problems in meant), key=len)


def _equal(node: Node, value: Any) -> bool:
    return type_of(node.value) == type_of(value) and node.value == value


def _one_of(kinds: str | list[str]) -> str:
    names = [_NAMES[kind] for kind in dict.fromkeys([kinds] if isinstance(kinds, str) else kinds)]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def _meant(word: str, known: Any) -> str:
    from difflib import get_close_matches

    names = [str(name) for name in known]
    close = get_close_matches(word, names, 1, 0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f" (there are: {', '.join(names)})" if names else ""
