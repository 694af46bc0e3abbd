"""Encode pictures as an animated PNG file, one frame in memory at a time.

Pillow's writer needs all frames at once, twice over.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from fractions import Fraction
from io import BytesIO

from PIL import Image, ImageChops

from models.images.frame import Box
from models.images.png import SIGNATURE
from models.images.timing import Timing

_END = b"\0\0\0\0IEND\xaeB`\x82"
_KEEP, _REPLACE = 0, 0
"""dispose_op none: the frame stays; blend_op source: it replaces what was there."""


def encode_png_animation(pictures: Iterable[Image.Image], timing: Timing) -> bytes:
    """Return RGB pictures of one size as an animated PNG; a frame holds only what changes.

    The first picture is also what readers without animation show.
    """
    file, sequence, before = BytesIO(), 0, None
    for picture, duration in zip(pictures, timing.durations_ms, strict=True):
        box = _changed(before, picture)
        header, pixels = _png_chunks(picture.crop(box))
        if before is None:
            file.write(SIGNATURE + _chunk(b"IHDR", header))
            file.write(_chunk(b"acTL", struct.pack(">II", timing.frames, timing.plays)))
        file.write(_chunk(b"fcTL", _control(sequence, box, duration)))
        sequence += 1
        for data in pixels:
            if before is None:
                file.write(_chunk(b"IDAT", data))
            else:
                file.write(_chunk(b"fdAT", struct.pack(">I", sequence) + data))
                sequence += 1
        before = picture
    file.write(_END)
    return file.getvalue()


def _changed(before: Image.Image | None, picture: Image.Image) -> Box:
    """Return the part of a picture that differs from the one before it; at least one pixel."""
    if before is None:
        return Box(0, 0, *picture.size)
    return Box(*(ImageChops.difference(picture, before).getbbox() or (0, 0, 1, 1)))


def _control(sequence: int, box: Box, duration_ms: float) -> bytes:
    seconds = Fraction(duration_ms / 1000).limit_denominator(1000)
    delay = (min(seconds.numerator, 65_535), seconds.denominator)
    return struct.pack(
        ">IIIIIHHBB",
        sequence,
        box.right - box.left,
        box.bottom - box.top,
        box.left,
        box.top,
        *delay,
        _KEEP,
        _REPLACE,
    )


def _png_chunks(picture: Image.Image) -> tuple[bytes, list[bytes]]:
    """Return the content of a picture's IHDR, and of its IDAT chunks."""
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    data, position, header, pixels = file.getvalue(), len(SIGNATURE), b"", list[bytes]()
    while position < len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        if name == b"IHDR":
            header = body
        elif name == b"IDAT":
            pixels.append(body)
        position += 12 + length
    return header, pixels


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), name) + body + struct.pack(">I", zlib.crc32(name + body))
