"""What of a PNG file a decoder needs, apart from what its writers added."""

import struct
from typing import NamedTuple

from models.images.errors import BrokenPicture
from models.images.png_colour import declared_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_MAX_CHUNKS = 2**16  # a chunk costs its sender twelve bytes and Pillow microseconds; sound files have few
_COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_GREY_TYPES = (b"\0", b"\4")  # in IHDR: grey, grey with alpha


class Png(NamedTuple):
    """The parts of a PNG file."""

    pixels: bytes  # a PNG file of the still picture alone
    exif: bytes
    icc_profile: bytes  # of the colours it declares in whichever way; empty for sRGB


def split(data: bytes) -> Png:
    """Sort a PNG file's chunks.

    The decoder then sees no text, no animation and no private chunk. A workflow of two megabytes in a
    comment, or an animation whose later frames are damaged, makes Pillow refuse a sound picture. Cut-off and
    nonsensical chunks are passed on as they are: the decoder says what is wrong with them.

    Raises `BrokenPicture` for a file of nothing but tiny chunks.
    """
    view, position = memoryview(data), len(SIGNATURE)
    pixels, exif, colours = [view[:position]], b"", dict[bytes, bytes]()
    has_pixels = False  # colours that are declared behind them come too late
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            profile = declared_profile(colours, grey=data[25:26] in _GREY_TYPES)
            return Png(b"".join(pixels), exif, profile)
        length, name = struct.unpack_from(">I4s", data, position)
        body, end = position + 8, position + 12 + length
        if name in _PIXEL_CHUNKS:
            pixels.append(view[position:end])
            has_pixels = has_pixels or name == b"IDAT"
        elif name == b"eXIf":
            exif = data[body : end - 4]
        elif name in _COLOUR_CHUNKS and not has_pixels:
            colours.setdefault(name, data[body : end - 4])
        position = end
    raise BrokenPicture(f"This PNG picture has more than {_MAX_CHUNKS:,} chunks; save it again.")
