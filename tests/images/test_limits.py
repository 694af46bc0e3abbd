import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from models.images.decode import (
    BrokenPicture,
    PictureError,
    PictureLimits,
    TooManyPixels,
    UnsupportedFormat,
    decode,
)
from tests.images.drawing import LIMITS, file, gradient, png_by_hand, png_chunk, with_png_chunks

KINDS = ("JPEG", "PNG", "WEBP")
# Costs are measured in seconds of processor time, which other processes do not change.


@pytest.mark.parametrize("kind", KINDS)
def test_picture_at_the_limit_is_accepted_and_one_pixel_more_is_refused(kind: str) -> None:
    data = file(gradient(30, 40), kind)
    decode(data, limits=PictureLimits(max_pixels=1200, max_side_pixels=40))
    with pytest.raises(TooManyPixels, match=r"1,200 pixels \(40 x 30\).*1,199"):
        decode(data, limits=PictureLimits(max_pixels=1199))
    with pytest.raises(TooManyPixels, match=r"40 pixels \(40 x 30\).*39"):
        decode(data, limits=PictureLimits(max_side_pixels=39))


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("PNG", "RGB", {}),
        ("WEBP", "RGB", {"lossless": False}),
        ("WEBP", "RGBA", {"lossless": False}),
        ("WEBP", "RGB", {"lossless": True}),
    ],
)
def test_size_is_checked_before_any_pixel_is_decoded(kind: str, mode: str, options: dict[str, bool]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, len(mode)), np.uint8)
    data = file(noise, kind, **options)
    with pytest.raises(TooManyPixels):
        decode(data[: len(data) // 2], limits=PictureLimits(max_pixels=39_999))


def test_header_with_a_size_of_gigabytes_is_refused_at_once() -> None:
    png = png_by_hand(2**31 - 1, 2**31 - 1, depth=8, colour_type=6, rows=b"")
    jpeg = bytearray(file(gradient(8, 8), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    webp = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\xff\xff\xff" * 2
    riff = b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp
    started = time.thread_time()
    for data in (png, bytes(jpeg), riff):
        with pytest.raises(TooManyPixels):
            decode(data, limits=LIMITS)
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_pillow_size_warning_is_not_used(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # it warns above, and refuses from twice that
    decode(file(gradient(30, 40), kind), limits=LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\xff\xd8",
        b"\x89PNG",
        b"RIFF\0\0\0\0WAVE",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        file(gradient(9, 9), "BMP"),
        file(gradient(9, 9), "TIFF"),
    ],
)
def test_other_formats_are_refused_with_the_supported_ones(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match="JPEG, PNG, APNG, WebP or GIF"):
        decode(data, limits=LIMITS)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty (0 bytes); save, copy or download the picture again."),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "This is a HEIC picture, which is not supported; save or",
        ),
        (
            b"<!doctype html><html>",
            "This is a web page, not a picture; save the picture itself",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "This is a Git LFS pointer, not the picture",
        ),
        (
            b"%PDF-1.4",
            "This is a PDF document, not a picture; export the picture in it",
        ),
        (b"PK\3\4", "This is a ZIP archive, not a picture; unpack it"),
        (
            file(gradient(9, 9), "TIFF"),
            "This is a TIFF picture, which is not supported; save or export",
        ),
    ],
)
def test_other_file_types_are_named_with_a_remedy(data: bytes, sentence: str) -> None:
    with pytest.raises(UnsupportedFormat) as refusal:
        decode(data, limits=LIMITS)
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_file_is_a_broken_picture(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    data = file(noise, kind)
    for end in range(20, len(data) - 30, 97):
        with pytest.raises(BrokenPicture, match=r"save (it|or export it) again"):
            decode(data[:end], limits=LIMITS)


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_file_is_decoded_or_refused_with_one_sentence(kind: str) -> None:
    random = np.random.default_rng(7)
    whole = file(gradient(24, 24), kind)
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for position in random.integers(0, len(data), random.integers(1, 6)):
            data[position] = random.integers(0, 256)
        try:
            picture = decode(bytes(data), limits=PictureLimits(max_pixels=10_000))
        except PictureError:
            refused += 1
        else:
            assert picture.ndim == 3
    assert refused > 20


def test_error_in_our_code_is_not_reported_as_a_broken_picture() -> None:
    with pytest.raises(TypeError):
        decode("a path", limits=LIMITS)  # type: ignore[arg-type]


def test_chunks_added_by_png_writers_do_not_make_a_picture_broken() -> None:
    drawn = gradient(8, 8)
    long_text = b"workflow\0\0" + zlib.compress(b"x" * 5_000_000)
    chunks = [
        png_chunk(b"zTXt", long_text),
        png_chunk(b"tEXt", b"transparency\0nonsense"),
        png_chunk(b"acTL", bytes(8)),
        png_chunk(b"fcTL", bytes(26)),
        png_chunk(b"gAMA", b""),
    ]
    assert np.array_equal(decode(with_png_chunks(file(drawn, "PNG"), *chunks), limits=LIMITS), drawn)


def _many_scans(data: bytes, times: int) -> bytes:
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * times + data[-2:]


def test_small_jpeg_cannot_keep_a_decoder_busy() -> None:
    sound = file(gradient(64, 64), "JPEG", progressive=True)
    decode(_many_scans(sound, 20), limits=LIMITS)
    plain = file(gradient(64, 64), "JPEG")
    for data in (
        _many_scans(sound, 100),
        plain[:2] + b"\xff\xfe\0\2" * 1_000_000 + plain[2:],
        plain[:2] + b"\xff\xe1\0\0" + plain[2:],
    ):
        started = time.thread_time()
        with pytest.raises(BrokenPicture):
            decode(data, limits=LIMITS)
        assert time.thread_time() - started < 0.5


def test_video_behind_a_photo_is_not_counted_as_scans() -> None:
    drawn = file(gradient(16, 16), "JPEG")
    assert decode(drawn + b"\0\4\0\0" + b"\xff\xda\0\x08" * 5000, limits=LIMITS).shape == (16, 16, 3)


def test_junk_and_a_second_picture_take_no_time() -> None:
    plain = file(gradient(16, 16), "JPEG")
    started = time.thread_time()
    decode(plain[:20] + bytes(5_000_000) + plain[20:] + plain, limits=LIMITS)
    assert time.thread_time() - started < 0.5


def test_png_with_too_many_chunks_is_refused() -> None:
    data = with_png_chunks(file(gradient(8, 8), "PNG"), *[png_chunk(b"IDAT", b"")] * 70_000)
    with pytest.raises(BrokenPicture, match="chunks"):
        decode(data, limits=LIMITS)
