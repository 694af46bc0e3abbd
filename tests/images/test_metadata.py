import zlib

import numpy as np
import pytest

from models.images.decode import decode
from models.images.encode import MediaType, encode
from models.images.frame import frame
from models.images.heatmap import overlay
from tests.images.drawing import LIMITS
from tests.images.metadata_files import CANARY, with_metadata


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_encoded_picture_contains_no_metadata_of_the_original(kind: str, media_type: MediaType) -> None:
    data = with_metadata(kind)
    assert CANARY in data
    picture = decode(data, limits=LIMITS)
    framed = frame(picture, height=64, width=64, fit="cover").pixels
    tinted = overlay(framed, np.eye(8, dtype=np.float32), colormap="jet", alpha=0.5)
    for pixels in (picture, framed, tinted):
        out = encode(pixels, media_type)
        assert CANARY not in out
        _assert_bare(out, media_type)


def _assert_bare(data: bytes, media_type: MediaType) -> None:
    """Check that a file has no part that could contain metadata."""
    match media_type:
        case "image/png":
            names, position = [], 8
            while position < len(data):
                names.append(data[position + 4 : position + 8])
                position += 12 + int.from_bytes(data[position : position + 4])
            assert set(names) == {b"IHDR", b"IDAT", b"IEND"}
        case "image/jpeg":
            assert not any(bytes((0xFF, code)) in data for code in (0xE1, 0xE2, 0xED, 0xFE))
        case "image/webp":
            assert data[12:16] in (b"VP8 ", b"VP8L")  # not the container that has room for more


def test_test_files_contain_metadata_in_every_place() -> None:
    """Without metadata in the files, the test above would always pass."""
    jpeg = with_metadata("JPEG")
    assert all(mark in jpeg for mark in (b"Exif", b"ICC_PROFILE", b"ns.adobe.com", b"\xff\xfe"))
    png = with_metadata("PNG")
    assert all(mark in png for mark in (b"eXIf", b"iCCP", b"tEXt", b"iTXt"))
    start = png.index(b"iCCP") + 4
    assert CANARY in zlib.decompressobj().decompress(png[png.index(b"\0", start) + 2 :])
    assert all(mark in with_metadata("WEBP") for mark in (b"EXIF", b"ICCP", b"XMP "))
