"""Descriptions in YAML, read into nodes that know their place; text becomes one character a byte.

Plain scalars are read as YAML 1.2 and JSON have them (true, false, null, numbers; ``yes`` and ``12:30`` are
text), and keep how they are written. ``!!binary`` is text of bytes that are no UTF-8. PyYAML is imported when
a description is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

MOST_NODES = 2_000_000  #: aliases multiply nodes; a bound of ours
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)(?:[eE][-+]?[0-9]+)?\Z"
)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_PREFIX = "tag:yaml.org,2002:"


class DescriptionError(ValueError):
    """A description that cannot be used: ``file``, ``line`` and ``column`` (from 1; 0: unknown) and why."""

    def __init__(self, file: str, line: int, column: int, why: str) -> None:
        place = f"{file}:{line}:{column}" if line else file
        super().__init__(f"{place}: {why}")
        self.file, self.line, self.column, self.why = file, line, column, why


class Node:
    """A value and its place. ``value``: dict (text -> Node), list of Node, text, int, float, bool or None.

    ``text``: a scalar as written, as text of one character a byte; ``keys``: the places of a mapping's keys.
    """

    __slots__ = ("column", "file", "keys", "line", "text", "value")

    def __init__(self, value: Any, file: str, line: int, column: int, text: str = "") -> None:
        self.value, self.file, self.line, self.column, self.text = value, file, line, column, text
        self.keys: dict[str, tuple[int, int]] = {}

    def error(self, why: str) -> DescriptionError:
        """An error at this place."""
        return DescriptionError(self.file, self.line, self.column, why)

    def key_error(self, key: str, why: str) -> DescriptionError:
        """An error at the place of one of the mapping's keys."""
        return DescriptionError(self.file, *self.keys[key], why)

    def get(self, key: str) -> Node | None:
        """The value of a key of a mapping."""
        found: Node | None = self.value.get(key)
        return found

    def plain(self) -> Any:
        """The value as Python has it, without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read_yaml(text: str, file: str) -> Node:
    """Read one document. An empty one is an empty mapping. Raises DescriptionError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, loader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        why = problem.problem or problem.context or "not YAML"
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
        raise DescriptionError(file, line, column, f"not YAML: {why}") from None
    except yaml.YAMLError as problem:
        raise DescriptionError(file, 0, 0, f"not YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise DescriptionError(file, 0, 0, "nested too deeply") from None
    if root is None:
        return Node({}, file, 1, 1)
    return _Reader(file).node(root, 0)


class _Reader:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self.open: set[int] = set()

    def node(self, raw: Any, depth: int) -> Node:
        line, column = raw.start_mark.line + 1, raw.start_mark.column + 1
        self.count += 1
        if self.count > MOST_NODES or depth > 100:
            raise DescriptionError(self.file, line, column, "too large, or nested too deeply")
        made = Node(None, self.file, line, column)
        tag = raw.tag.removeprefix(_PREFIX)
        if isinstance(raw.value, str):
            self._scalar(made, raw, tag)
            return made
        if tag not in ("map", "seq"):
            raise made.error(f"the tag {raw.tag} is not known here")
        if id(raw) in self.open:
            raise made.error("contains itself")
        self.open.add(id(raw))
        if tag == "seq":
            made.value = [self.node(item, depth + 1) for item in raw.value]
        else:
            made.value = {}
            for raw_key, raw_value in raw.value:
                key = self.node(raw_key, depth + 1)
                if isinstance(key.value, (dict, list)):
                    raise key.error("a key has to be text")
                if key.text in made.value:
                    raise key.error(f"{key.text} is there twice")
                made.keys[key.text] = key.line, key.column
                made.value[key.text] = self.node(raw_value, depth + 1)
        self.open.discard(id(raw))
        return made

    def _scalar(self, made: Node, raw: Any, tag: str) -> None:
        if tag == "binary":
            from base64 import b64decode
            from binascii import Error

            try:
                made.value = made.text = b64decode(raw.value, validate=False).decode("latin-1")
            except (Error, ValueError):
                raise made.error("not base64") from None
            return
        if tag not in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value"):
            raise made.error(f"the tag {raw.tag} is not known here")
        made.text = raw.value.encode("utf-8", "surrogatepass").decode("latin-1")
        made.value = made.text
        if raw.style or tag == "str":
            return
        word = raw.value.lower()
        if word in _WORDS and raw.value in (word, word.upper(), word.capitalize()):
            made.value = _WORDS[word]
        elif _INTEGER.match(raw.value):
            made.value = int(raw.value) if len(raw.value) < 4000 else made.text
        elif _NUMBER.match(raw.value):
            made.value = float(raw.value)


def write_yaml(value: Any, comment: str = "") -> str:
    """Write plain values so that :func:`read_yaml` gives them again; text of one character a byte."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Text as it is, what is no UTF-8 as !!binary."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent(dumper: Any, text: str) -> Any:
        try:
            shown = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return dumper.represent_binary(text.encode("latin-1", "replace"))
        plain = bool(re.fullmatch(r"[A-Za-z/_][-A-Za-z0-9/_.@ ]*[-A-Za-z0-9/_.@]", shown))
        words = shown.lower() in ("yes", "no", "on", "off", *_WORDS)
        return dumper.represent_scalar(
            "tag:yaml.org,2002:str", shown, style=None if plain and not words else '"'
        )

    Dumper.add_representer(str, represent)
    Dumper.add_multi_representer(str, represent)  # tainted text, too
    text = yaml.dump(
        value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1_000_000, default_flow_style=None
    )
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.split("\n")) if comment else ""
    return head + str(text)
