"""Separate the chunks of a PNG file that a decoder needs from what other programs added."""

import struct
from typing import NamedTuple

from models.images.errors import BrokenPicture
from models.images.png_colour import declared_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_MAX_CHUNKS = 2**16  # a sender needs twelve bytes per chunk, Pillow microseconds; intact files have few
_COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_GREY_TYPES = (b"\0", b"\4")  # in IHDR: grey, grey with alpha


class PngParts(NamedTuple):
    """The parts of a PNG file."""

    pixels: bytes  # a PNG file of only the still picture
    exif: bytes
    icc_profile: bytes  # of the colours that the file declares in any way; empty for sRGB


def split(data: bytes) -> PngParts:
    """Return the parts of a PNG file.

    The decoder then reads no text, no animation and no private chunk. A workflow of two megabytes in a
    comment, or an animation whose later frames are damaged, makes Pillow refuse an intact picture. Incomplete
    and invalid chunks are passed on, for the decoder to report.

    Raises `BrokenPicture` for a file with too many chunks.
    """
    view, position = memoryview(data), len(SIGNATURE)
    pixels, exif, colours = [view[:position]], b"", dict[bytes, bytes]()
    has_pixels = False  # colour chunks after the pixels are ignored
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            profile = declared_profile(colours, grey=data[25:26] in _GREY_TYPES)
            return PngParts(b"".join(pixels), exif, profile)
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
