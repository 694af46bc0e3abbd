"""Decode the bytes of a file to an upright sRGB picture."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from models.images.colour import to_srgb
from models.images.container import open_picture
from models.images.errors import (
    BrokenPicture,
    PictureError,
    TooManyPixels,
    UnsupportedFormat,
    decoder_errors_as_broken_picture,
)
from models.images.limits import PictureLimits
from models.images.orientation import orientation, swaps_sides, upright
from models.images.photo import Photo

__all__ = [
    "BrokenPicture",
    "Photo",
    "PictureError",
    "PictureLimits",
    "TooManyPixels",
    "UnsupportedFormat",
    "decode",
    "decode_image",
    "decode_photo",
]

# The JPEG decoder shrinks coarsely, to a half, a quarter or an eighth, so it leaves 1.25 times the pixels
# needed in each direction. A good filter then shrinks the rest. On photos the result is as close to that
# filter of all pixels as with `frame`'s own average before it, to within 0.4 dB.
_SHRINK_MARGIN = 1.25


def decode(data: bytes, *, limits: PictureLimits, enough_side: int | None = None) -> NDArray[np.uint8]:
    """Decode a JPEG, PNG, WebP or GIF file of any mode.

    Orientation and colour profile are applied, transparent parts become white, 16 bits are scaled to 8. Of an
    animation the first frame is decoded. Safe to call from many threads.

    Args:
        data: the whole file.
        limits: checked against the header, before any pixel is decoded.
        enough_side: pixels that the shorter side needs. A larger JPEG is then decoded at a smaller size, but
            never below this, which is several times as fast for a phone's photo.

    Returns:
        uint8 [H, W, 3], RGB, read-only.

    Raises:
        UnsupportedFormat: the bytes are none of the four formats.
        BrokenPicture: they cannot be decoded, or end too early.
        TooManyPixels: the picture exceeds `limits`.
    """
    return decode_photo(data, limits=limits, enough_side=enough_side).pixels


def decode_photo(data: bytes, *, limits: PictureLimits, enough_side: int | None = None) -> Photo:
    """Decode as `decode` does, and return the file's own size too."""
    upright_picture, height, width = _decode_image(data, limits, enough_side)
    return Photo(np.asarray(upright_picture), height, width)


def decode_image(data: bytes, *, limits: PictureLimits) -> Image.Image:
    """Decode as `decode` does, at the file's own size; return a picture in RGB that may be painted on.

    An array of a large picture would be one more copy of it.
    """
    return _decode_image(data, limits, None)[0]


def _decode_image(
    data: bytes, limits: PictureLimits, enough_side: int | None
) -> tuple[Image.Image, int, int]:
    """Return the upright picture, and the height and width in its file."""
    picture = open_picture(data, limits)
    width, height = picture.image.size
    with decoder_errors_as_broken_picture(picture.name):
        if enough_side is not None and isinstance(picture.image, JpegImageFile):
            side = math.ceil(enough_side * _SHRINK_MARGIN)
            picture.image.draft(None, (side, side))
        picture.image.load()
    rgb = to_srgb(picture.image, picture.icc_profile)
    stored = orientation(picture.exif)
    if swaps_sides(stored):
        height, width = width, height
    return upright(rgb, stored), height, width
