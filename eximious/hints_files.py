"""Hints (ratelimit, seen, callout) kept in a folder from run to run: ``--state DIR``.

One JSON file a database. They are ours: the real Exim's hints databases are neither read nor written.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from eximious.interpreter.state import Environment

SUFFIX = ".hints.json"
#: bytes of one file that are read
MOST = 256 << 20


def load_hints(env: Environment, folder: str) -> None:
    """Read what a folder holds into the environment; a folder that is not there holds nothing. Raises OSError."""
    hints: dict[str, Any] = env.kept.setdefault("hints", {})
    if not os.path.isdir(folder):
        return
    for name in sorted(os.listdir(folder)):
        if not name.endswith(SUFFIX):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as stream:
            text = stream.read(MOST)
        try:
            hints[name.removesuffix(SUFFIX)] = _thawed(json.loads(text))
        except ValueError as problem:
            raise OSError(22, f"no hints in it: {problem}", os.path.join(folder, name)) from None


def save_hints(env: Environment, folder: str) -> None:
    """Write the environment's hints into a folder, which is made. Raises OSError."""
    os.makedirs(folder, exist_ok=True)
    for database, values in env.kept.get("hints", {}).items():
        path = os.path.join(folder, database + SUFFIX)
        with open(path + ".new", "w", encoding="utf-8") as stream:
            json.dump(_frozen(values), stream)
        os.replace(path + ".new", path)


def _frozen(value: Any) -> Any:
    """A value as JSON can hold it; what is no plain value says what it is."""
    if isinstance(value, dict):
        return {"dict": [[_frozen(key), _frozen(inner)] for key, inner in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_frozen(inner) for inner in value]}
    if isinstance(value, set | frozenset):
        return {"set": [_frozen(inner) for inner in value]}
    if isinstance(value, list):
        return [_frozen(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, str) else value
    names = getattr(type(value), "__slots__", None) or vars(value)
    fields = {str(name): _frozen(getattr(value, name)) for name in names}
    return {"object": f"{type(value).__module__}:{type(value).__qualname__}", "fields": fields}


def _thawed(value: Any) -> Any:
    if isinstance(value, list):
        return [_thawed(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {_thawed(key): _thawed(inner) for key, inner in value["dict"]}
    if "tuple" in value:
        return tuple(_thawed(inner) for inner in value["tuple"])
    if "set" in value:
        return {_thawed(inner) for inner in value["set"]}
    if "object" in value:
        return _object(value)
    raise ValueError("an unknown kind of value")


def _object(value: dict[str, Any]) -> Any:
    """An object of the simulation's own classes, and of no others."""
    from importlib import import_module

    module, _, name = str(value["object"]).partition(":")
    if not module.startswith("eximious.simulation."):
        raise ValueError(f"not a hint: {module}")
    made = object.__new__(getattr(import_module(module), name))
    for field, inner in value["fields"].items():
        setattr(made, field, _thawed(inner))
    return made
