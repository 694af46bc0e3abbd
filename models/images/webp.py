"""Read a WebP file's header: its size, and when its frames are shown."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from models.images.errors import BrokenPicture
from models.images.timing import Timing

_ANIMATED: Final = 0x02
_MAX_CHUNKS: Final = 2**16


def is_webp(data: bytes) -> bool:
    """Return whether a file begins like WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def canvas_size(data: bytes) -> tuple[int, int]:
    """Return width and height from the first chunk of a WebP file.

    Raises `BrokenPicture` for a file without a readable header.
    """
    kind, head = data[12:16], data[20:30]
    if kind == b"VP8X" and len(head) == 10:
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L" and head[:1] == b"\x2f" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a" and len(head) == 10:
        width, height = struct.unpack("<HH", head[6:10])
        return width & 0x3FFF, height & 0x3FFF
    raise BrokenPicture("This WebP picture has no readable header; save or export it again.")


def timing(data: bytes) -> Timing | None:
    """Return when the frames of a WebP file are shown; None for a still picture.

    Raises `BrokenPicture` for a file with too many chunks.
    """
    if data[12:16] != b"VP8X" or not data[20] & _ANIMATED:
        return None
    durations, plays = [], 1
    for name, body in _chunks(data):
        if name == b"ANMF":
            durations.append(float(int.from_bytes(data[body + 12 : body + 15], "little")))
        elif name == b"ANIM":
            plays = int.from_bytes(data[body + 4 : body + 6], "little")
    return Timing(tuple(durations), plays)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the name of each chunk and where its content begins."""
    position = 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            return
        name, length = struct.unpack_from("<4sI", data, position)
        yield name, position + 8
        position += 8 + length + length % 2
    raise BrokenPicture(f"This WebP picture has more than {_MAX_CHUNKS:,} chunks; save it again.")
