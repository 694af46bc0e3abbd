"""Write TensorFlow checkpoints in plain Python: whole ones of any layout, and wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.importers.tensorflow_checkpoint import TensorFlowCheckpoint
from training.importers.tensorflow_files import Folder

MAGIC = 0xDB4775248B80FB57
Tensors = dict[str, NDArray[Any]]
Blocks = list[tuple[bytes, bytes]]


class Described(NamedTuple):
    """What an index says about one tensor; a test can change it."""

    shape: tuple[int, ...]
    dtype: int = 1
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc: int = 0
    partitioned: bool = False


def tensors_of(folder: Path, prefix: str) -> Tensors:
    """The tensors of a whole checkpoint."""
    checkpoint = TensorFlowCheckpoint(Folder(folder), prefix)
    shapes = {name: entry.shape for name, entry in checkpoint.entries.items()}
    return {name: np.array(values) for name, values in checkpoint.tensors(shapes)}


def write(
    folder: Path,
    prefix: str,
    tensors: Mapping[str, NDArray[Any]],
    *,
    shards: int = 1,
    names_per_block: int = 10_000,
    header: bytes | None = None,
    change: Callable[[dict[str, Described]], None] = lambda _: None,
    compressed: bool = False,
) -> Path:
    """Write a checkpoint and return its prefix as a path."""
    folder.mkdir(parents=True, exist_ok=True)
    data = [b""] * shards
    described: dict[str, Described] = {}
    for number, name in enumerate(sorted(tensors, key=str.encode)):
        content, shard = tensors[name].tobytes(), number * shards // len(tensors)
        place = (shard, len(data[shard]), len(content))
        described[name] = Described(tensors[name].shape, 1, *place, masked(crc32c(content)))
        data[shard] += content
    change(described)
    for shard, content in enumerate(data):
        (folder / f"{prefix}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)
    entries = [(name.encode(), entry(each)) for name, each in described.items()]
    head = field(1, shards) + bytes.fromhex("1a020801") if header is None else header
    (folder / f"{prefix}.index").write_bytes(
        table([(b"", head), *entries], names_per_block=names_per_block, kind=int(compressed))
    )
    return folder / prefix


def entry(each: Described) -> bytes:
    dimensions = b"".join(message(2, field(1, length)) for length in each.shape)
    numbers = field(1, each.dtype) + message(2, dimensions)
    numbers += field(3, each.shard) + field(4, each.offset) + field(5, each.size)
    checksum = bytes([6 << 3 | 5]) + each.crc.to_bytes(4, "little")
    return numbers + checksum + (message(7, b"") if each.partitioned else b"")


def table(entries: Blocks, *, names_per_block: int = 10_000, kind: int = 0) -> bytes:
    """A sorted string table."""
    written, index = b"", []
    for start in range(0, len(entries), names_per_block):
        part = entries[start : start + names_per_block]
        content = block(part)
        index.append((part[-1][0], varint(len(written)) + varint(len(content))))
        written += trailed(content, kind)
    handles = b""
    for content in (block([]), block(index)):
        handles += varint(len(written)) + varint(len(content))
        written += trailed(content)
    return written + handles.ljust(40, b"\0") + MAGIC.to_bytes(8, "little")


def block(entries: Blocks) -> bytes:
    content, restarts, previous = b"", [0], b""
    for number, (key, value) in enumerate(entries):
        if number and number % 16 == 0:
            restarts.append(len(content))
            previous = b""
        shared = next((i for i, (a, b) in enumerate(zip(key, previous, strict=False)) if a != b), None)
        shared = min(len(key), len(previous)) if shared is None else shared
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        previous = key
    return content + b"".join(each.to_bytes(4, "little") for each in [*restarts, len(restarts)])


def trailed(content: bytes, kind: int = 0) -> bytes:
    whole = content + bytes([kind])
    return whole + masked(crc32c(whole)).to_bytes(4, "little")


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, value: int) -> bytes:
    return bytes([number << 3]) + varint(value) if value else b""


def message(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def crc32c(content: bytes) -> int:
    """CRC-32C of 123456789 is e3069283. Not the package that the importer uses."""
    crc = 0xFFFF_FFFF
    for byte in content:
        crc = crc >> 8 ^ _REMAINDERS[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF_FFFF


def masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFF_FFFF


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_REMAINDERS = [_remainder(byte) for byte in range(256)]
