"""The orientation of a photo, as its camera recorded it in EXIF."""

import struct

from PIL import Image
from PIL.Image import Transpose

_ORIENTATION_TAG = 0x0112
_VALUE_FORMATS = {3: "H", 4: "I"}  # SHORT in the standard, LONG in the files of some writers

# The transpose that turns a picture of each orientation upright.
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def orientation(exif: bytes) -> int:
    """Return the orientation, 1 to 8, in an EXIF block; 1 (upright) if it has none or is damaged.

    Only that tag is read: a full EXIF parser takes longer than decoding a thumbnail and warns about every
    maker's note.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        value = _read_tag(tiff, order)
    except struct.error:
        return 1
    return value if 1 <= value <= 8 else 1


def upright(image: Image.Image, stored: int) -> Image.Image:
    """Return the picture turned upright; `stored` is its orientation, 1 to 8."""
    return image.transpose(_UPRIGHT[stored]) if stored != 1 else image


def swaps_sides(stored: int) -> bool:
    """Return whether turning upright swaps height and width."""
    return stored >= 5


def _read_tag(tiff: bytes, order: str) -> int:
    """Return the tag's value in the first directory of a TIFF block, or 1 if it is missing."""
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
        if tag == _ORIENTATION_TAG and kind in _VALUE_FORMATS:
            (value,) = struct.unpack_from(order + _VALUE_FORMATS[kind], tiff, entry + 8)
            return int(value)
    return 1
