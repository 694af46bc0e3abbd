"""Parse what the index of a TensorFlow checkpoint says about the checkpoint and about each tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from models.bundle.protobuf import fields, varint

FLOAT32: Final = 1
_TYPES: Final = {
    1: ("float32", 4),
    2: ("float64", 8),
    3: ("int32", 4),
    4: ("uint8", 1),
    9: ("int64", 8),
    10: ("bool", 1),
    14: ("bfloat16", 2),
    19: ("float16", 2),
}
"""Name and bytes per value of the types whose values have a fixed size."""

_SLICES: Final = 7
_CHECKSUM: Final = 6

_LARGEST: Final = 1 << 63
"""Numbers from here on are negative."""
_OUR_VERSION: Final = 1


class EntryError(ValueError):
    """An entry of an index is not valid. The message says what was expected and what was found."""


class Entry(NamedTuple):
    """Where the values of a tensor are."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    """The masked CRC-32C of the values."""
    partitioned: bool
    """Whether the values are under other names, in parts."""

    @property
    def type_name(self) -> str:
        """The name of its type."""
        return _TYPES[self.dtype][0] if self.dtype in _TYPES else f"type {self.dtype}"


def parse_header(message: bytes) -> int:
    """Return the number of data files.

    Raises:
        EntryError: it is no header, or that of a format that is not read here.
    """
    found = dict(_numbers(message))
    shards, endianness = _unsigned(found.get(1, 0)), _unsigned(found.get(2, 0))
    oldest_reader = _unsigned(dict(_numbers(_nested(found.get(3, b"")))).get(2, 0))
    if shards < 1:
        raise EntryError(f"expected at least one data file, found {shards}")
    if endianness:
        raise EntryError("expected little-endian values, found big-endian ones")
    if oldest_reader > _OUR_VERSION:
        raise EntryError(f"expected version {_OUR_VERSION} of the format, found {oldest_reader}")
    return shards


def parse_entry(message: bytes) -> Entry:
    """Return an entry, after checking that its size follows from its shape and type.

    Raises:
        EntryError: it is no entry, or contradicts itself.
    """
    found = dict(_numbers(message))
    dtype, shard, offset, size, crc = (_unsigned(found.get(number, 0)) for number in (1, 3, 4, 5, 6))
    shape = tuple(_dimensions(_nested(found.get(2, b""))))
    if any(length < 0 for length in shape):
        raise EntryError(f"expected dimensions of at least 0, found the shape {shape_text(shape)}")
    if dtype in _TYPES:
        name, bytes_each = _TYPES[dtype]
        expected = math.prod(shape) * bytes_each
        if size != expected:
            raise EntryError(
                f"expected {_count_text(expected)} bytes for {name} values of the shape "
                f"{shape_text(shape)}, found {size}"
            )
    return Entry(dtype, shape, shard, offset, size, crc, partitioned=_SLICES in found)


def _dimensions(message: bytes) -> Iterator[int]:
    for number, dimension in _numbers(message):
        if number == 2:
            length = _unsigned(dict(_numbers(_nested(dimension))).get(1, 0), negative=True)
            yield length if length < _LARGEST else length - 2 * _LARGEST


def _numbers(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message: the number of each, and its number or bytes."""
    view = memoryview(message)
    try:
        for field in fields(view):
            content = view[field.start : field.end]
            if field.nested:
                yield field.number, bytes(content)
            elif field.number == _CHECKSUM:  # the only number of a fixed size
                yield field.number, int.from_bytes(content, "little")
            else:
                yield field.number, varint(content, 0)[0]
    except ValueError as error:
        raise EntryError(f"expected a message, found one that is not valid ({error})") from None


def _nested(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise EntryError("expected a nested message, found a number")
    return value


def _unsigned(value: int | bytes, *, negative: bool = False) -> int:
    """Return a number below 2^63, or below 2^64 if it can be negative."""
    if isinstance(value, bytes) or value >= _LARGEST << negative:
        raise EntryError("expected a number of at most 63 bits, found something else")
    return value


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape for a message, such as `7x7x3x64`."""
    return "x".join(map(str, shape[:8])) + "x…" * (len(shape) > 8) or "of one number"


def _count_text(count: int) -> str:
    return str(count) if count < _LARGEST else "more than 2^63"
