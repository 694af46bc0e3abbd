"""Bytes that somebody sent, to an upright sRGB picture."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from models.images.colour import to_srgb
from models.images.container import open_picture
from models.images.errors import (
    BrokenPicture,
    PictureError,
    TooManyPixels,
    UnsupportedFormat,
    damage_as_broken_picture,
)
from models.images.limits import PictureLimits
from models.images.orientation import orientation, swaps_sides, upright

__all__ = [
    "BrokenPicture",
    "Photo",
    "PictureError",
    "PictureLimits",
    "TooManyPixels",
    "UnsupportedFormat",
    "decode",
    "decode_photo",
]

# A JPEG is shrunk while decoding only as far as leaves twice the pixels asked for each way: what is shrunk
# again by a good filter then shows no trace of the first, coarser step.
_SHRINK_MARGIN = 2


class Photo(NamedTuple):
    """A decoded picture and the size that its file has."""

    pixels: NDArray[np.uint8]  # [H, W, 3], smaller than the file's picture where less was enough
    height: int  # of the file's picture, upright
    width: int


def decode(data: bytes, *, limits: PictureLimits, enough_side: int | None = None) -> NDArray[np.uint8]:
    """Decode a JPEG, PNG or WebP file of any mode.

    Orientation and colour profile are applied, transparent parts lie over white, 16 bits are scaled to 8; of
    an animation it is the first frame. Safe to call from many threads.

    Args:
        data: the whole file.
        limits: checked against the header, before any pixel is decoded.
        enough_side: pixels that the shorter side needs. A larger JPEG may then come smaller than it is, but
            never smaller than this; a phone's photo is decoded several times faster.

    Returns:
        uint8 [H, W, 3], RGB, read-only.

    Raises:
        UnsupportedFormat: the bytes are none of the three formats.
        BrokenPicture: they cannot be decoded, or end too early.
        TooManyPixels: the picture exceeds `limits`.
    """
    return decode_photo(data, limits=limits, enough_side=enough_side).pixels


def decode_photo(data: bytes, *, limits: PictureLimits, enough_side: int | None = None) -> Photo:
    """Decode as `decode` does, and return the file's own size too."""
    picture = open_picture(data, limits)
    width, height = picture.image.size
    with damage_as_broken_picture(picture.name):
        if enough_side is not None and isinstance(picture.image, JpegImageFile):
            picture.image.draft(None, (enough_side * _SHRINK_MARGIN, enough_side * _SHRINK_MARGIN))
        picture.image.load()
    rgb = to_srgb(picture.image, picture.icc_profile)
    stored = orientation(picture.exif)
    if swaps_sides(stored):
        height, width = width, height
    return Photo(np.asarray(upright(rgb, stored)), height, width)
