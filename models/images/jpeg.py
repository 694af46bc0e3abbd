"""Separate the segments of a JPEG file that a decoder needs from what cameras and editors added."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from models.images.errors import BrokenPicture

SIGNATURE = b"\xff\xd8\xff"

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # a marker that starts a segment or ends the picture
_END, _SCAN = 0xD9, 0xDA
_SCAN_MARKER = bytes((0xFF, _SCAN))
_EXIF, _ICC_PROFILE = 0xE1, 0xE2
# Frame headers, Huffman and quantization tables, the restart interval; JFIF and Adobe define the colours of
# the components. Not 0xC8 and 0xCC (arithmetic coding, which no encoder writes): Pillow reads their bodies as
# further segments.
_DECODER_SEGMENTS = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDD, 0xE0, 0xEE} - {0xC8, 0xCC})
_MIN_BYTES = {0xE0: 18, 0xEE: 16}  # marker and length with JFIF's 14 bytes, Adobe's 12

# A sender needs four bytes per segment, and Pillow microseconds. Intact files have under two hundred.
_MAX_SEGMENTS = 1000
# Each scan processes every block, even if it has only a few bytes: one megabyte can keep a decoder busy for
# many minutes. Encoders write about ten scans.
_MAX_SCANS = 50


class JpegParts(NamedTuple):
    """The parts of a JPEG file."""

    pixels: bytes  # a JPEG file of only the picture and its colour profile
    exif: bytes


def split(data: bytes) -> JpegParts:
    """Return the parts of a JPEG file.

    The decoder then reads no comment, thumbnail, maker's note, junk or second picture, which Pillow parses in
    slow Python. Missing or incomplete segments are left to the decoder to report.

    Raises `BrokenPicture` for a file with so many segments or scans that it would keep a decoder busy.
    """
    view = memoryview(data)
    pixels, exif, scans = [view[:2]], b"", 0
    for code, start, end in _segments(data):
        if code == _SCAN:
            scans += 1
            if scans == 1:
                pixels.append(view[start:])
                if data.count(_SCAN_MARKER, start) <= _MAX_SCANS:
                    break  # the common case; more may be a coincidence in a video behind the picture
            if scans > _MAX_SCANS:
                raise BrokenPicture(f"This JPEG picture has more than {_MAX_SCANS} scans; save it again.")
        elif scans == 0:
            if _decoder_needs(code, view[start:end]):
                pixels.append(view[start:end])
            elif code == _EXIF and not exif and data.startswith(b"Exif\0\0", start + 4):
                exif = data[start + 4 : end]
    return JpegParts(b"".join(pixels), exif)


def _decoder_needs(code: int, segment: memoryview) -> bool:
    """Return whether the decoder needs a segment; an incomplete APP segment is not passed on."""
    if code == _ICC_PROFILE:
        return bytes(segment[4:16]) == b"ICC_PROFILE\0" and len(segment) > 18
    return code in _DECODER_SEGMENTS and len(segment) >= _MIN_BYTES.get(code, 0)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield every segment's code, start and end up to the picture's end, skipping the data of scans."""
    position = 2
    for _ in range(_MAX_SEGMENTS):
        marker = _MARKER.search(data, position)
        if marker is None or data[marker.end() - 1] == _END:
            return
        start = marker.start()
        position = start + 2 + int.from_bytes(data[start + 2 : start + 4])
        if position < start + 4:
            raise BrokenPicture("This JPEG picture is damaged: a segment has no length; save it again.")
        yield data[start + 1], start, position
    raise BrokenPicture(f"This JPEG picture has more than {_MAX_SEGMENTS} segments; save it again.")
