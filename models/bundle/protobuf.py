"""Read protobuf's wire format, as far as needed to read a file without its library, such as ONNX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

_BYTES: Final = 2
_LARGEST_KEY: Final = 0xFFFF_FFFF


class WireField(NamedTuple):
    """One field of a message: its number, and the position of its value in the message."""

    number: int
    start: int
    end: int
    nested: bool
    """Whether the value has a length prefix, as messages, strings and byte strings have."""


def fields(message: memoryview) -> Iterator[WireField]:
    """Yield the fields of a serialized message, in order.

    Raises:
        ValueError: the bytes are not a message.
    """
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key > _LARGEST_KEY:  # other parsers cut a key to 32 bits and would read another field
            raise ValueError("field number too large")
        start, end = _extent(message, at, key & 7)
        if end > len(message):
            raise ValueError("truncated")
        yield WireField(key >> 3, start, end, key & 7 == _BYTES)
        at = end


def _extent(message: memoryview, at: int, wire_type: int) -> tuple[int, int]:
    """Return the start and the end of the value at `at`."""
    match wire_type:
        case 0:
            return at, varint(message, at)[1]
        case 1:
            return at, at + 8
        case 2:
            size, at = varint(message, at)
            return at, at + size
        case 5:
            return at, at + 4
        case _:
            raise ValueError(f"wire type {wire_type}")


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the variable-length integer at `at`, and the position behind it."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(message):
            raise ValueError("truncated")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("varint too long")
