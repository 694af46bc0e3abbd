"""Frames in photos: where they lie, how they are cut out, and how they are put back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from models.bundle.canary import smooth_picture
from models.images.affine import Affine, Point, scaling
from models.images.frame import Box, Fit, Frame, crop, frame
from models.images.paste import paste
from models.images.photo import Photo
from models.images.placement import Placement, cut, place, shown_pixels

PHOTO = smooth_picture(300, 400, seed=1)


def photo(pixels: np.ndarray) -> Photo:
    return Photo(pixels, *pixels.shape[:2])


def turned(degrees: float, *, scale: float, x: float, y: float) -> Affine:
    """Return the map into a frame of 64 px that turns around (x, y) in the photo, its centre."""
    cosine = scale * math.cos(math.radians(degrees))
    sine = scale * math.sin(math.radians(degrees))
    return Affine(cosine, sine, 32 - cosine * x - sine * y, -sine, cosine, 32 + sine * x - cosine * y)


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
@pytest.mark.parametrize("size", [(300, 400), (400, 300), (64, 64), (1, 90), (33, 47)])
def test_a_fit_is_cut_byte_for_byte_as_before(fit: Fit, size: tuple[int, int]) -> None:
    pixels = smooth_picture(*size, seed=2)
    placement = place(size, height=64, width=48, fit=fit)
    framed = cut(photo(pixels), placement, height=64, width=48)
    expected = frame(pixels, height=64, width=48, fit=fit)
    assert np.array_equal(framed.pixels, expected.pixels)
    assert framed.content == expected.content


def test_the_place_of_a_fit_maps_the_photo_to_the_frame() -> None:
    cover = place((300, 400), height=64, width=64, fit="cover").to_frame
    assert cover.apply(Point(50, 0)) == pytest.approx((0, 0))
    assert cover.apply(Point(350, 300)) == pytest.approx((64, 64))
    contain = place((300, 400), height=64, width=64, fit="contain").to_frame
    assert contain.apply(Point(0, 0)) == pytest.approx((0, 8))
    assert contain.apply(Point(400, 300)) == pytest.approx((64, 56))
    stretch = place((300, 400), height=64, width=64, fit="stretch").to_frame
    assert stretch.apply(Point(400, 300)) == pytest.approx((64, 64))


def test_composed_maps_apply_the_first_one_first() -> None:
    turn = turned(30, scale=0.5, x=100, y=80)
    assert turn.after(scaling(2, 3)).apply(Point(7, 5)) == pytest.approx(turn.apply(Point(14, 15)))
    assert turn.scale == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("scale", [2.0, 0.9, 0.3, 0.04])
def test_a_turned_frame_shows_the_part_of_the_photo_that_it_maps(scale: float) -> None:
    ramp = np.zeros((1200, 1600, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 250, 1600)[None]
    ramp[..., 1] = np.linspace(0, 250, 1200)[:, None]
    to_frame = turned(25, scale=scale, x=800, y=600)
    framed = cut(photo(ramp), Placement(to_frame), height=64, width=64).pixels
    for u, v in ((32, 32), (10, 20), (50, 12)):
        x, y = to_frame.inverse().apply(Point(u + 0.5, v + 0.5))
        if 0 <= x < 1600 and 0 <= y < 1200:
            assert framed[v, u, :2] == pytest.approx([250 * x / 1600, 250 * y / 1200], abs=8)


def test_what_lies_outside_the_photo_is_mirrored() -> None:
    framed = cut(photo(PHOTO), Placement(turned(0, scale=1, x=0, y=150)), height=64, width=64).pixels
    assert np.abs(framed[:, 33:63].astype(int) - framed[:, 2:32][:, ::-1]).mean() < 4


def test_the_shown_part_of_a_turned_frame_has_the_scale_of_the_photo() -> None:
    placement = Placement(turned(40, scale=0.25, x=100, y=100))
    assert shown_pixels((300, 400), placement, height=64, width=64) == (256, 256)


@pytest.mark.parametrize("degrees", [0, 30])
@pytest.mark.parametrize("scale", [2.0, 0.5])
def test_an_unchanged_frame_put_back_leaves_the_photo_nearly_as_it_was(degrees: float, scale: float) -> None:
    to_frame = turned(degrees, scale=scale, x=200, y=150)
    source = cut(photo(PHOTO), Placement(to_frame), height=64, width=64)
    canvas = Image.fromarray(PHOTO)
    paste(canvas, source, source.pixels, to_frame)
    difference = np.abs(np.asarray(canvas).astype(int) - PHOTO)
    assert difference.max() <= 12
    assert difference.mean() < 0.5


def test_the_seam_of_a_pasted_frame_is_no_larger_than_the_steps_around_it() -> None:
    grey = np.full((200, 200, 3), 120, np.uint8)
    to_frame = turned(0, scale=0.64, x=100, y=100)
    source = cut(photo(grey), Placement(to_frame), height=64, width=64)
    lighter = np.full((64, 64, 3), 200, np.uint8)
    lighter[20:44, 20:44] = 90
    canvas = Image.fromarray(grey)
    paste(canvas, source, lighter, to_frame)
    pasted = np.asarray(canvas).astype(int)
    assert np.abs(np.diff(pasted[:, 100, 0]))[45:60].max() <= 8
    assert abs(pasted[55, 100, 0] - 120) < 12  # the colour of the edge is the photo's
    assert pasted[100, 100, 0] < 80  # a dark middle stays darker than its surroundings


def test_a_frame_of_the_whole_photo_is_not_feathered_at_the_photos_edges() -> None:
    square = smooth_picture(128, 128, seed=3)
    to_frame = place((128, 128), height=64, width=64, fit="cover").to_frame
    canvas = Image.fromarray(square)
    paste(canvas, Frame(square[::2, ::2], Box(0, 0, 64, 64)), np.full((64, 64, 3), 7, np.uint8), to_frame)
    assert set(np.unique(np.asarray(canvas))) == {7}


def test_the_padding_of_a_frame_is_not_pasted() -> None:
    wide = smooth_picture(60, 120, seed=5)
    placement = place((60, 120), height=64, width=64, fit="contain")
    source = cut(photo(wide), placement, height=64, width=64)
    translation = np.zeros((64, 64, 3), np.uint8)
    crop(translation, source.content)[:] = 200
    canvas = Image.fromarray(wide)
    paste(canvas, source, translation, placement.to_frame)
    assert np.asarray(canvas)[5:-5].min() >= 199
