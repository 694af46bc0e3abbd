"""Separate the blocks of a GIF file that a decoder needs from what other programs added."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from models.images.errors import BrokenPicture
from models.images.timing import Timing

SIGNATURES: Final = (b"GIF87a", b"GIF89a")

_MAX_BLOCKS: Final = 2**19
"""Of data: a sender needs two bytes for one. Intact files have one in 256 bytes."""
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS: Final = (b"\x0bNETSCAPE2.0\x03\x01", b"\x0bANIMEXTS1.0\x03\x01")
_DAMAGED: Final = "This GIF picture is damaged or incomplete and cannot be decoded; save or export it again."


class GifParts(NamedTuple):
    """The parts of a GIF file."""

    pixels: bytes
    """A GIF file of only the frames and their timing, without comments."""
    width: int
    """Of the canvas, and of every frame on it."""
    height: int
    timing: Timing


def split(data: bytes) -> GifParts:
    """Return the parts of a GIF file; no pixel is decoded.

    A frame beyond the canvas enlarges it, as in the decoder. A frame that is cut off is left out, unless it
    is the only one, for the decoder to report.

    Raises `BrokenPicture` for a file without a frame, or with too many blocks.
    """
    return _Splitter(data).split()


class _Splitter:
    """A walk over the blocks of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._view = memoryview(data)
        self._blocks = 0
        self._kept: list[memoryview] = []
        self._controls: list[memoryview] = []
        self._durations: list[float] = []
        self._delay = 0
        self._plays = 1

    def split(self) -> GifParts:
        if len(self._data) < 13:
            raise BrokenPicture(_DAMAGED)
        self._width, self._height = struct.unpack_from("<HH", self._data, 6)
        position = 13 + _palette_bytes(self._data[10])
        self._kept.append(self._view[:position])
        while position < len(self._data) and self._data[position] != _TRAILER:
            position = self._read(position)
        if not self._durations:
            raise BrokenPicture(_DAMAGED)
        pixels = b"".join([*self._kept, b"\x3b"])
        return GifParts(pixels, self._width, self._height, Timing(tuple(self._durations), self._plays))

    def _read(self, start: int) -> int:
        """Read the block at `start`; return where the next one is. Decoders skip unknown bytes."""
        if self._data[start] == _EXTENSION:
            return self._read_extension(start)
        return self._read_image(start) if self._data[start] == _IMAGE else start + 1

    def _read_extension(self, start: int) -> int:
        end = self._skip(start + 2)
        label = self._data[start + 1 : start + 2]
        if label == bytes([_CONTROL]) and end - start == 8:
            self._delay = int.from_bytes(self._data[start + 4 : start + 6], "little") * 10
            self._controls = [self._view[start:end]]
        elif label == bytes([_APPLICATION]) and self._data[start + 2 : start + 16] in _LOOPS:
            repeats = int.from_bytes(self._data[start + 16 : start + 18], "little")
            self._plays = repeats + 1 if repeats else 0
        return end

    def _read_image(self, start: int) -> int:
        if start + 11 > len(self._data):
            return len(self._data)
        left, top, width, height = struct.unpack_from("<HHHH", self._data, start + 1)
        end = self._skip(start + 11 + _palette_bytes(self._data[start + 9]))
        if end > len(self._data) and self._durations:
            return end
        self._width, self._height = max(self._width, left + width), max(self._height, top + height)
        self._kept += [*self._controls, self._view[start:end]]
        self._durations.append(self._delay)
        self._controls, self._delay = [], 0
        return end

    def _skip(self, position: int) -> int:
        """Return where the data blocks that begin here end; beyond the file if it ends too early."""
        while position < len(self._data):
            self._blocks += 1
            if self._blocks > _MAX_BLOCKS:
                raise BrokenPicture(f"This GIF picture has more than {_MAX_BLOCKS:,} blocks; save it again.")
            length = self._data[position]
            position += length + 1
            if not length:
                return position
        return len(self._data) + 1


def _palette_bytes(flags: int) -> int:
    """Return the size of the palette that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
