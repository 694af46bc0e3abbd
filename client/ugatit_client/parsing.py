"""Make dataclasses from JSON."""

from __future__ import annotations

import base64
import dataclasses
import types
from datetime import datetime
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def parse(kind: type[T], value: Any, name: str = "answer") -> T:
    """Return a JSON value as a dataclass, or as the type of one of its fields.

    Unknown fields are ignored. bytes are base64, and the field `global_` is `global` in JSON.

    Args:
        kind: a dataclass, a type of JSON, bytes, datetime, a tuple of these, or one of these or None.
        value: decoded JSON.
        name: of the value, for the message of an error.

    Raises:
        ValueError: the value does not have this type.
    """
    parsed: T = _parse(kind, value, name)
    return parsed


def _parse(kind: Any, value: Any, name: str) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (each for each in get_args(kind) if each is not type(None))
        return None if value is None else _parse(inner, value, name)
    if get_origin(kind) is tuple:
        return tuple(_parse(get_args(kind)[0], each, name) for each in _expect(list, value, name))
    if dataclasses.is_dataclass(kind):
        return _parse_fields(kind, _expect(dict, value, name), name)
    return _parse_plain(kind, value, name)


def _parse_fields(kind: Any, values: dict[str, Any], name: str) -> Any:
    hints = get_type_hints(kind)
    arguments = {}
    for field in dataclasses.fields(kind):
        key = field.name.removesuffix("_")
        if key in values:
            arguments[field.name] = _parse(hints[field.name], values[key], f"{name}.{key}")
        elif field.default is dataclasses.MISSING:
            raise ValueError(f"the field {name}.{key} is missing")
    return kind(**arguments)


def _parse_plain(kind: Any, value: Any, name: str) -> Any:
    if kind is bytes:
        return base64.b64decode(_expect(str, value, name), validate=True)
    if kind is datetime:
        return datetime.fromisoformat(_expect(str, value, name))
    if kind is float and type(value) is int:
        return float(value)
    return _expect(kind, value, name)


def _expect(kind: type[T], value: Any, name: str) -> T:
    if type(value) is not kind:
        raise ValueError(f"{name} must be {kind.__name__}, got {type(value).__name__}")
    return value
