"""What of a PNG file a decoder needs, apart from what its writers added."""

import struct
import zlib
from typing import NamedTuple

from models.images.errors import BrokenPicture

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_MAX_CHUNKS = 2**16  # a chunk costs its sender twelve bytes and Pillow microseconds; sound files have few
_MAX_PROFILE_BYTES = 4 * 2**20  # the largest printers' tables stay under it


class Png(NamedTuple):
    """The parts of a PNG file."""

    pixels: bytes  # a PNG file of the still picture alone
    exif: bytes
    icc_profile: bytes


def split(data: bytes) -> Png:
    """Sort a PNG file's chunks.

    The decoder then sees no text, no animation and no private chunk. A workflow of two megabytes in a
    comment, or an animation whose later frames are damaged, makes Pillow refuse a sound picture. Cut-off and
    nonsensical chunks are passed on as they are: the decoder says what is wrong with them.

    Raises `BrokenPicture` for a file of nothing but tiny chunks.
    """
    view, position = memoryview(data), len(SIGNATURE)
    pixels, exif, icc_profile = [view[:position]], b"", b""
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            return Png(b"".join(pixels), exif, icc_profile)
        length, name = struct.unpack_from(">I4s", data, position)
        body, end = position + 8, position + 12 + length
        if name in _PIXEL_CHUNKS:
            pixels.append(view[position:end])
        elif name == b"eXIf":
            exif = data[body : end - 4]
        elif name == b"iCCP":
            icc_profile = _inflate_profile(data[body : end - 4])
        position = end
    raise BrokenPicture(f"This PNG picture has more than {_MAX_CHUNKS:,} chunks; save it again.")


def _inflate_profile(chunk: bytes) -> bytes:
    """The profile in an iCCP chunk (name, zero, method, deflated bytes); empty if damaged or too large."""
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(chunk[chunk.find(b"\0") + 2 :], _MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    return profile if inflate.eof else b""
