"""Animated files are read frame by frame as they are shown, and written with their timing."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.images.animation import decode_frames, read_animation
from models.images.decode import decode
from models.images.encode import MediaType
from models.images.encode_animation import ANIMATED_TYPES, encode_animation
from models.images.errors import BrokenPicture, TooManyFrames, TooManyPixels
from models.images.limits import PictureLimits
from models.images.timing import Timing
from tests.animations import (
    DURATIONS,
    animated,
    drawn_frames,
    gif_of_many_frames,
    gif_that_claims,
    saved,
    shown,
)
from tests.photos import photo

LIMITS = PictureLimits()


def frames_of(data: bytes) -> list[np.ndarray]:
    animation = read_animation(data, LIMITS)
    assert animation is not None
    return [frame.pixels for frame in decode_frames(animation)]


def difference(some: np.ndarray, others: np.ndarray) -> float:
    return float(np.abs(some.astype(int) - others).mean())


@pytest.mark.parametrize("media_type", ANIMATED_TYPES)
@pytest.mark.parametrize("plays", [0, 1, 3])
def test_written_animation_has_the_frames_timing_and_plays(media_type: MediaType, plays: int) -> None:
    data = animated(media_type, plays=plays)
    animation = read_animation(data, LIMITS)
    assert animation is not None
    assert animation.timing == Timing(DURATIONS, plays)
    pictures, durations, loop = shown(data)
    assert durations == list(DURATIONS)
    assert loop == ({0: 0, 1: None, 3: 2}[plays] if media_type == "image/gif" else plays)
    for drawn, decoded, by_pillow in zip(drawn_frames(), frames_of(data), pictures, strict=True):
        assert difference(drawn, decoded) < 8  # a GIF has 256 colours
        assert difference(decoded, by_pillow) == 0


def test_gif_durations_keep_the_length_of_the_whole() -> None:
    data = encode_animation(drawn_frames(6), Timing((33.3,) * 6, 0), "image/gif")
    assert sum(shown(data)[1]) == 200
    assert set(shown(data)[1]) == {30, 40}


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_disposal_and_transparency_are_those_of_the_file(disposal: int) -> None:
    canvas = [Image.new("RGBA", (20, 20)) for _ in range(3)]
    for number, image in enumerate(canvas):
        image.paste((255, 0, 0, 255), (5 * number, 0, 5 * number + 5, 20))
    data = saved(canvas, "GIF", disposal=disposal, duration=50)
    over_white = []
    with Image.open(BytesIO(data)) as image:
        for number in range(image.n_frames):
            image.seek(number)
            white = Image.new("RGBA", image.size, "white")
            white.alpha_composite(image.convert("RGBA"))
            over_white.append(np.asarray(white.convert("RGB")))
    for decoded, expected in zip(frames_of(data), over_white, strict=True):
        assert difference(decoded, expected) == 0


def test_still_picture_of_an_apng_that_is_no_frame_is_not_shown() -> None:
    red, green, blue = (Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue"))
    data = saved([red, green, blue], "PNG", default_image=True, duration=40)
    assert [frame[0, 0].tolist() for frame in frames_of(data)] == [[0, 255, 0], [0, 0, 255]]
    assert decode(data, limits=LIMITS)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "JPEG"])
def test_still_picture_is_no_animation(form: str) -> None:
    assert read_animation(photo(form=form), LIMITS) is None


def test_frame_beyond_the_canvas_enlarges_all_frames() -> None:
    data = bytearray(gif_of_many_frames(2))
    second = data.rindex(b"\x2c\0\0\0\0\x01\0\x01\0")
    data[second + 1 : second + 5] = struct.pack("<HH", 5, 3)
    assert {frame.shape for frame in frames_of(bytes(data))} == {(4, 6, 3)}


def test_too_many_frames_are_refused_before_any_is_decoded() -> None:
    with pytest.raises(TooManyFrames, match=r"10,000 frames, at most 200 .* frames=first"):
        read_animation(gif_of_many_frames(10_000), LIMITS)
    assert decode(gif_of_many_frames(10_000), limits=LIMITS).shape == (1, 1, 3)


def test_limits_of_frames_and_pixels_are_exact() -> None:
    data = animated()
    exact = PictureLimits(max_frames=3, max_animation_pixels=3 * 40 * 60)
    assert read_animation(data, exact) is not None
    with pytest.raises(TooManyFrames):
        read_animation(data, PictureLimits(max_frames=2))
    with pytest.raises(TooManyPixels, match=r"7,200 pixels \(3 frames of 60 x 40\), at most 7,199"):
        read_animation(data, PictureLimits(max_animation_pixels=3 * 40 * 60 - 1))


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000), (9000, 9000)])
def test_claimed_canvas_is_refused_before_it_is_allocated(size: tuple[int, int]) -> None:
    with pytest.raises(TooManyPixels):
        read_animation(gif_that_claims(*size), LIMITS)
    with pytest.raises(TooManyPixels):
        decode(gif_that_claims(*size), limits=LIMITS)


@pytest.mark.parametrize("media_type", ANIMATED_TYPES)
def test_damaged_animation_is_refused_or_shown_up_to_the_damage(media_type: MediaType) -> None:
    data = animated(media_type)
    for length in range(0, len(data), 97):
        try:
            animation = read_animation(data[:length], LIMITS)
            pictures = [] if animation is None else list(decode_frames(animation))
        except BrokenPicture:
            continue
        assert len(pictures) <= 3


def test_gif_of_a_million_blocks_of_one_byte_is_refused() -> None:
    data = gif_of_many_frames(1)[:-1] + b"\x21\xfe" + b"\x01a" * 2**20 + b"\0;"
    with pytest.raises(BrokenPicture, match="blocks"):
        read_animation(data, LIMITS)
