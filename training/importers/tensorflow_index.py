"""Read the index of a TensorFlow checkpoint: a sorted table of byte strings in blocks with checksums.

The last 48 bytes are the handles of two blocks and a magic number. One of the two blocks lists the blocks of
the table. A handle is an offset and a size; five more bytes follow the block, its type and its checksum.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from models.bundle.protobuf import varint
from training.importers.crc32c import masked_crc32c

MAGIC: Final = 0xDB4775248B80FB57.to_bytes(8, "little")
"""The last bytes of an index."""
MOST_BYTES: Final = 16 << 20
"""Size of the largest index that is read; that of the official code has 30 kB."""

_FOOTER_BYTES: Final = 48
_TRAILER_BYTES: Final = 5
_UNCOMPRESSED: Final = 0
_MOST_ENTRIES: Final = 100_000
_LONGEST_KEY: Final = 1024


class TableError(ValueError):
    """The bytes are not a table. The message says what was expected and what was found."""


class _Handle(NamedTuple):
    start: int
    size: int


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Return the entries of a table in the order of their keys, after checking every block's checksum.

    Raises:
        TableError: it is cut off, damaged, compressed, or larger than any checkpoint of the official code.
    """
    view = memoryview(data)
    meta_index, index = _footer(view)
    _block(view, meta_index)
    table: dict[bytes, bytes] = {}
    previous, end = b"", 0
    for last_key, value in _entries(_block(view, index)):
        handle = _handle(value, 0)[0]
        if handle.start < end:  # a block that is listed often would make a small file endless
            raise TableError(f"expected the next block behind byte {end}, found it at {handle.start}")
        end = handle.start + handle.size
        for key, entry in _entries(_block(view, handle)):
            if table and key <= previous:
                raise TableError(f"expected sorted names, found {_text(key)} after {_text(previous)}")
            if key > last_key:
                raise TableError(f"expected names up to {_text(last_key)} in a block, found {_text(key)}")
            if len(table) == _MOST_ENTRIES:
                raise TableError(f"expected at most {_MOST_ENTRIES:,} names, found more")
            table[key], previous = bytes(entry), key
    return table


def _footer(view: memoryview) -> tuple[_Handle, _Handle]:
    """Return the handles of the two blocks that the last bytes name."""
    if len(view) < _FOOTER_BYTES:
        raise TableError(f"expected at least {_FOOTER_BYTES} bytes, found {len(view)}")
    footer = view[-_FOOTER_BYTES:]
    if footer[-8:] != MAGIC:
        raise TableError(f"expected the last bytes {MAGIC.hex(' ')}, found {footer[-8:].hex(' ')}")
    meta_index, at = _handle(footer, 0)
    index, at = _handle(footer, at)
    if any(footer[at:-8]):
        raise TableError("expected zeros before the last 8 bytes, found other values")
    return meta_index, index


def _handle(view: memoryview, at: int) -> tuple[_Handle, int]:
    start, at = _number(view, at)
    size, at = _number(view, at)
    return _Handle(start, size), at


def _number(view: memoryview, at: int) -> tuple[int, int]:
    try:
        number, end = varint(view, at)
    except ValueError:
        raise TableError(f"expected a number at byte {at} of a block, found none") from None
    # No checksum covers the footer. One flipped bit can add a last byte of 0, which changes no number.
    if end - at > 1 and view[end - 1] == 0:
        raise TableError("expected a number in its shortest form, found a longer one")
    return number, end


def _block(view: memoryview, handle: _Handle) -> memoryview:
    """Return a block without its trailer, after comparing its checksum."""
    end = handle.start + handle.size
    if end + _TRAILER_BYTES > len(view) - _FOOTER_BYTES:
        raise TableError(f"expected a block up to byte {end}, found a file of {len(view)} bytes")
    kind, stored = view[end], int.from_bytes(view[end + 1 : end + _TRAILER_BYTES], "little")
    if masked_crc32c([bytes(view[handle.start : end + 1])]) != stored:
        raise TableError(
            f"expected the checksum {stored:08x} of the block at byte {handle.start}, found another"
        )
    if kind != _UNCOMPRESSED:
        raise TableError(f"expected an uncompressed block, found one of type {kind} (1 is snappy)")
    return view[handle.start : end]


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the keys and values of a block. A key repeats the first bytes of the key before it."""
    restarts = int.from_bytes(block[-4:], "little")
    end, at, key = len(block) - 4 * (restarts + 1), 0, b""
    if len(block) < 4 or end < 0:
        raise TableError(f"expected a list of restarts at the end of a block, found {len(block)} bytes")
    while at < end:
        shared, at = _number(block, at)
        added, at = _number(block, at)
        size, at = _number(block, at)
        if shared > len(key) or at + added + size > end or shared + added > _LONGEST_KEY:
            raise TableError(f"expected a name of at most {_LONGEST_KEY} bytes and its value, found none")
        key = key[:shared] + bytes(block[at : at + added])
        at += added + size
        yield key, block[at - size : at]


def _text(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace")
