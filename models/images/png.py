"""Separate the chunks of a PNG file that a decoder needs from what other programs added."""

import struct
from typing import NamedTuple

from models.images.errors import BrokenPicture
from models.images.png_colour import declared_profile
from models.images.timing import Timing

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_ANIMATION_CHUNKS = frozenset({b"acTL", b"fcTL", b"fdAT"})
_MAX_CHUNKS = 2**16  # a sender needs twelve bytes per chunk, Pillow microseconds; intact files have few
_COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_GREY_TYPES = (b"\0", b"\4")  # in IHDR: grey, grey with alpha


class PngParts(NamedTuple):
    """The parts of a PNG file."""

    pixels: bytes  # a PNG file of only the still picture
    exif: bytes
    icc_profile: bytes  # of the colours that the file declares in any way; empty for sRGB


class PngAnimation(NamedTuple):
    """The animation of a PNG file."""

    timing: Timing
    starts_with_still: bool
    """Whether the still picture, which readers without animation show, is the first frame."""


def split(data: bytes, *, animated: bool = False) -> PngParts:
    """Return the parts of a PNG file; with `animated`, the animation's frames are among the pixels.

    The decoder then reads no text, no private chunk and, by default, no animation. A workflow of two
    megabytes in a comment, or an animation whose later frames are damaged, makes Pillow refuse an intact
    picture. Incomplete and invalid chunks are passed on, for the decoder to report.

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
        if name in _PIXEL_CHUNKS or (animated and name in _ANIMATION_CHUNKS):
            pixels.append(view[position:end])
            has_pixels = has_pixels or name == b"IDAT"
        elif name == b"eXIf":
            exif = data[body : end - 4]
        elif name in _COLOUR_CHUNKS and not has_pixels:
            colours.setdefault(name, data[body : end - 4])
        position = end
    raise BrokenPicture(f"This PNG picture has more than {_MAX_CHUNKS:,} chunks; save it again.")


def animation(data: bytes) -> PngAnimation | None:
    """Return the animation of a PNG file; None for a still picture.

    A file whose frames are not as many as it declares shows its still picture, as in browsers.
    """
    view, position = memoryview(data), len(SIGNATURE)
    declared, plays, durations, still_first, has_pixels = 0, 0, list[float](), False, False
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            break
        length, name = struct.unpack_from(">I4s", data, position)
        body = view[position + 8 : position + 8 + length]
        if name == b"acTL" and len(body) == 8 and not has_pixels:
            declared, plays = struct.unpack(">II", body)
        elif name == b"fcTL" and len(body) == 26:
            still_first = still_first or not has_pixels
            durations.append(_milliseconds(*struct.unpack_from(">HH", body, 20)))
        has_pixels = has_pixels or name == b"IDAT"
        position += 12 + length
    if declared < 2 or len(durations) != declared:
        return None
    return PngAnimation(Timing(tuple(durations), plays), still_first)


def _milliseconds(numerator: int, denominator: int) -> float:
    return 1000 * numerator / (denominator or 100)
