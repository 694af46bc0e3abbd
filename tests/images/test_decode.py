from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.images.decode import decode
from tests.images.drawing import (
    LIMITS,
    exif,
    file,
    flat,
    gradient,
    png_by_hand,
    png_chunk,
    swapped_profile,
    with_jpeg_segments,
)

KINDS = ("JPEG", "PNG", "WEBP")


@pytest.mark.parametrize("kind", KINDS)
def test_decoded_picture_equals_the_drawn_one(kind: str) -> None:
    drawn = gradient(40, 60)
    picture = decode(file(drawn, kind), limits=LIMITS)
    assert picture.shape == (40, 60, 3)
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - drawn).max() <= (6 if kind == "JPEG" else 0)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(kind, mode) for kind in KINDS for mode in ("L", "RGB")]
    + [("PNG", "LA"), ("PNG", "P"), ("PNG", "RGBA"), ("WEBP", "RGBA"), ("JPEG", "CMYK")],
)
def test_every_mode_is_decoded_to_its_colours(kind: str, mode: str) -> None:
    drawn = Image.fromarray(flat(8, 8, (255, 0, 0))).convert(mode)
    expected = (76, 76, 76) if mode in ("L", "LA") else (255, 0, 0)
    picture = decode(file(drawn, kind), limits=LIMITS)
    assert np.abs(picture.astype(int) - expected).max() <= 2


def test_one_bit_png_is_black_and_white() -> None:
    drawn = Image.fromarray(np.array([[True, False]]))
    assert decode(file(drawn, "PNG"), limits=LIMITS)[0].tolist() == [[255] * 3, [0] * 3]


def test_photoshop_cmyk_jpeg_is_not_inverted() -> None:
    paper = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    data = file(paper, "JPEG")
    assert b"Adobe" in data
    assert decode(data, limits=LIMITS).min() >= 253


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.array([[0, 256, 257, 128 * 257, 65535]], np.uint16)
    picture = decode(file(Image.fromarray(values), "PNG"), limits=LIMITS)
    assert picture[0].tolist() == [[0] * 3, [1] * 3, [1] * 3, [128] * 3, [255] * 3]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_parts_become_white(kind: str) -> None:
    drawn = np.zeros((1, 3, 4), np.uint8)
    drawn[0, :, 3] = (0, 128, 255)
    picture = decode(file(Image.fromarray(drawn), kind, exact=True), limits=LIMITS)
    assert picture[0, :, 0].tolist() == [255, 127, 0]


def test_palette_with_partial_transparency_is_blended_over_white() -> None:
    drawn = Image.new("P", (3, 1))
    drawn.putpalette([0, 0, 0, 0, 0, 0, 200, 0, 0])
    drawn.putdata([0, 1, 2])
    picture = decode(file(drawn, "PNG", transparency=bytes([0, 128, 255])), limits=LIMITS)
    assert picture[0].tolist() == [[255, 255, 255], [127, 127, 127], [200, 0, 0]]


@pytest.mark.parametrize(
    ("depth", "colour_type", "rows", "transparent"),
    [
        (1, 0, b"\0\x40", b"\0\0"),
        (2, 0, b"\0\x70", b"\0\1"),
        (4, 0, b"\0\x3f", b"\0\3"),
        (8, 0, b"\0\x20\xff", b"\0\x20"),
        (16, 0, b"\0\x20\x01\xff\xff", b"\x20\x01"),
        (8, 2, b"\0\1\2\3\xff\xff\xff", b"\0\1\0\2\0\3"),
        (16, 2, b"\0\1\0\2\0\3\0\xff\xff\xff\xff\xff\xff", b"\1\0\2\0\3\0"),
    ],
)
def test_transparent_colour_of_a_png_is_found_at_every_depth(
    depth: int, colour_type: int, rows: bytes, transparent: bytes
) -> None:
    data = png_by_hand(
        1, 2, depth=depth, colour_type=colour_type, rows=rows, extra=png_chunk(b"tRNS", transparent)
    )
    assert decode(data, limits=LIMITS).min() == 255


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photo_is_turned_upright(kind: str, orientation: int) -> None:
    scene = gradient(48, 32)
    stored = {
        1: scene,
        2: scene[:, ::-1],
        3: scene[::-1, ::-1],
        4: scene[::-1],
        5: scene.swapaxes(0, 1),
        6: np.rot90(scene, 1),
        7: np.rot90(scene, 2).swapaxes(0, 1),
        8: np.rot90(scene, -1),
    }[orientation]
    data = file(np.ascontiguousarray(stored), kind, exif=exif(orientation))
    picture = decode(data, limits=LIMITS)
    assert picture.shape == scene.shape
    assert np.abs(picture.astype(int) - scene).max() <= 6


@pytest.mark.parametrize("note", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", exif(6)[:16], exif(9)])
def test_damaged_or_invalid_orientation_is_ignored(note: bytes) -> None:
    assert decode(file(gradient(20, 30), "JPEG", exif=note), limits=LIMITS).shape == (20, 30, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_colour_profile_is_applied(kind: str) -> None:
    data = file(flat(8, 8, (255, 0, 0)), kind, icc_profile=swapped_profile())
    red, green, blue = decode(data, limits=LIMITS)[4, 4]
    assert green > 250
    assert red < 90  # the swapped primaries are no exact mirror
    assert blue < 90


def test_colour_profile_does_not_change_transparency() -> None:
    drawn = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert decode(file(drawn, "PNG", icc_profile=swapped_profile()), limits=LIMITS).min() == 255


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_damaged_profile_or_one_for_another_mode_is_ignored(kind: str, mode: str) -> None:
    drawn = Image.new(mode, (8, 8), 77)
    plain = decode(file(drawn, kind), limits=LIMITS)
    profiles = [b"no profile", swapped_profile()[:200]] + ([swapped_profile()] if mode == "L" else [])
    for profile in profiles if kind != "WEBP" else profiles[:2]:  # WebP knows no grey
        assert np.array_equal(decode(file(drawn, kind, icc_profile=profile), limits=LIMITS), plain)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation_is_decoded_to_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    data = file(frames[0], kind, save_all=True, append_images=frames[1:], duration=40)
    assert np.array_equal(decode(data, limits=LIMITS), flat(8, 8, (255, 0, 0)))


def test_large_jpeg_is_decoded_smaller_but_not_below_the_needed_size() -> None:
    data = file(gradient(1500, 2100), "JPEG")
    whole = decode(data, limits=LIMITS)
    assert whole.shape == (1500, 2100, 3)
    for enough in (1, 64, 100, 256, 700, 751, 1500, 5000):
        picture = decode(data, limits=LIMITS, enough_side=enough)
        assert min(picture.shape[:2]) >= min(enough, 1500)
    quarter = decode(data, limits=LIMITS, enough_side=187)
    assert quarter.shape == (375, 525, 3)
    assert np.abs(quarter.astype(int) - whole[2::4, 2::4]).max() <= 4


def test_photo_of_640_pixels_is_decoded_at_half_its_size_for_a_network_of_256() -> None:
    data = file(gradient(640, 640), "JPEG")
    assert decode(data, limits=LIMITS, enough_side=256).shape == (320, 320, 3)
    assert decode(data, limits=LIMITS, enough_side=257).shape == (640, 640, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_png_and_webp_are_not_shrunk(kind: str) -> None:
    assert decode(file(gradient(400, 400), kind), limits=LIMITS, enough_side=16).shape == (400, 400, 3)


def test_decoding_in_threads_gives_the_same_pictures() -> None:
    options = {"icc_profile": swapped_profile(), "exif": exif(6)}
    files = [file(gradient(90 + n, 120), kind, **options) for n in range(8) for kind in KINDS]
    alone = [decode(data, limits=LIMITS) for data in files]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda data: decode(data, limits=LIMITS), files * 4))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 4, together, strict=True))


def _with_a_second_picture(base: bytes) -> bytes:
    """An Ultra HDR JPEG: its metadata, its base picture, its gain map."""
    marker = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/'/>"
    iso = b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)
    index = b"MPF\0MM\0*\0\0\0\x08" + bytes(60)
    segments = [b"\xff\xe1" + marker, b"\xff\xe2" + iso, b"\xff\xe2" + index]
    return with_jpeg_segments(base, *segments) + file(flat(4, 6, (200, 200, 200)), "JPEG")


def _with_a_second_view(base: bytes) -> bytes:
    """A JPEG of several pictures (MPO), as cameras with two lenses write."""
    out = BytesIO()
    other = Image.fromarray(flat(32, 48, (255, 255, 255)))
    Image.open(BytesIO(base)).save(out, "MPO", save_all=True, append_images=[other], quality=95)
    return out.getvalue()


@pytest.mark.parametrize("form", [_with_a_second_picture, _with_a_second_view])
def test_jpeg_with_several_pictures_is_decoded_to_its_base_picture(form: Callable[[bytes], bytes]) -> None:
    drawn = flat(32, 48, (60, 120, 180))
    pixels = decode(form(file(drawn, "JPEG")), limits=LIMITS)
    assert pixels.shape == drawn.shape
    assert np.abs(pixels.astype(int) - drawn).max() <= 4
