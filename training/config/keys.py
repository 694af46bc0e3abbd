"""List every config key with its type, value, default and reason, read from the config's own dataclasses."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from training.config.run_config import RunConfig, default_config

_KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}


class Key(NamedTuple):
    """One config key, as `--set` takes it."""

    name: str
    """Its dotted name with the sections: `data.size`."""
    kind: str
    """Its type in words, or its possible values."""
    value: Any
    default: Any
    reason: str
    """The docstring of its field."""


def config_keys(config: RunConfig) -> list[Key]:
    """Return all keys of a config in the order of its fields, section by section."""
    return list(_keys(config, default_config(config.method), ""))


def _keys(config: Any, defaults: Any, prefix: str) -> Iterator[Key]:
    kinds, reasons = get_type_hints(type(config)), field_docstrings(type(config))
    for name, kind in kinds.items():
        value, default = getattr(config, name), getattr(defaults, name)
        if dataclasses.is_dataclass(kind):
            yield from _keys(value, default, f"{prefix}{name}.")
        else:
            yield Key(f"{prefix}{name}", type_name(kind), value, default, reasons.get(name, ""))


def field_docstrings(kind: type[Any]) -> dict[str, str]:
    """Return the string below each field of a class and of its base classes, as one paragraph."""
    if kind.__module__ == "types":  # made of its bases at run time, so it has no source
        return field_docstrings(kind.__base__) if kind.__base__ is not None else {}
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                found[name] = " ".join(words.split())
    return found


def type_name(kind: Any) -> str:
    """Return a type in words: `whole number`, `"adalin", "in" or "ln"`, `2 numbers`."""
    if get_origin(kind) is Literal:
        *others, last = [toml(value) for value in get_args(kind)]
        return f"{', '.join(others)} or {last}" if others else last
    if get_origin(kind) is tuple:
        return f"{len(get_args(kind))} {_KINDS[get_args(kind)[0]]}s"
    return _KINDS[kind]


def toml(value: Any) -> str:
    """Return a value in the form that `--set` and presets take."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)
