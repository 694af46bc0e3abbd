import numpy as np
import pytest
from PIL import Image

from models.images.frame import Box, Fit, crop, frame, resize, scale_box
from tests.images.drawing import flat, gradient

FITS: list[Fit] = ["cover", "contain", "stretch"]


def _portrait() -> np.ndarray:
    """Red above, a green square in the middle, blue below."""
    return np.concatenate(
        [flat(50, 100, (255, 0, 0)), flat(100, 100, (0, 255, 0)), flat(50, 100, (0, 0, 255))]
    )


@pytest.mark.parametrize("fit", FITS)
def test_picture_of_the_right_size_is_returned_unchanged(fit: Fit) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    framed = frame(noise, height=64, width=48, fit=fit)
    assert framed.pixels is noise
    assert framed.content == Box(0, 0, 48, 64)


def test_cover_cuts_out_the_centre() -> None:
    framed = frame(_portrait(), height=32, width=32, fit="cover")
    assert np.abs(framed.pixels[2:-2].astype(int) - (0, 255, 0)).max() <= 1
    assert framed.content == Box(0, 0, 32, 32)


def test_cover_uses_the_aspect_ratio_of_the_frame() -> None:
    framed = frame(gradient(90, 90), height=30, width=60, fit="cover")
    edges = framed.pixels[[0, -1], 30, 1]
    assert np.abs(edges.astype(int) - (64, 191)).max() <= 6


def test_contain_keeps_the_whole_picture_in_the_centre() -> None:
    framed = frame(_portrait(), height=64, width=64, fit="contain")
    assert framed.content == Box(16, 0, 48, 64)
    inner = crop(framed.pixels, framed.content)
    assert np.array_equal(inner, resize(_portrait(), height=64, width=32))
    assert [inner[row, 16].argmax() for row in (2, 32, 61)] == [0, 1, 2]


def test_contain_pads_by_reflection() -> None:
    framed = frame(gradient(60, 80), height=80, width=80, fit="contain")
    top = framed.content.top
    assert top == 10
    for away in range(1, top + 1):
        assert np.array_equal(framed.pixels[top - away], framed.pixels[top + away])


def test_stretch_equals_the_resize_of_the_official_code() -> None:
    official = Image.fromarray(gradient(90, 40)).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.array_equal(
        frame(gradient(90, 40), height=64, width=64, fit="stretch").pixels, np.asarray(official)
    )


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("shape", [(1, 10_000), (10_000, 1), (1, 1), (3, 2), (257, 256), (999, 1000)])
def test_picture_of_any_shape_fills_the_frame(fit: Fit, shape: tuple[int, int]) -> None:
    framed = frame(flat(*shape, (9, 99, 199)), height=64, width=48, fit=fit)
    assert framed.pixels.shape == (64, 48, 3)
    assert np.abs(framed.pixels.astype(int) - (9, 99, 199)).max() <= 1
    assert crop(framed.pixels, framed.content).size > 0


@pytest.mark.parametrize("fit", FITS)
def test_fine_stripes_become_grey_without_moire(fit: Fit) -> None:
    stripes = flat(600, 600, (0, 0, 0))
    stripes[:, ::2] = 255
    framed = frame(stripes, height=64, width=64, fit=fit).pixels[:, 4:-4]
    assert np.abs(framed.astype(int) - 128).max() <= 12


def test_shrinking_is_close_to_lanczos_on_all_pixels() -> None:
    noise = np.random.default_rng(0).random((80, 80, 3), np.float32)
    smooth = np.stack(
        [
            np.asarray(Image.fromarray(noise[..., c]).resize((640, 640), Image.Resampling.BICUBIC))
            for c in range(3)
        ],
        -1,
    )
    picture = (smooth.clip(0, 1) * 255).astype(np.uint8)
    exact = Image.fromarray(picture).resize((256, 256), Image.Resampling.LANCZOS)
    difference = resize(picture, height=256, width=256).astype(float) - np.asarray(exact)
    assert np.sqrt(np.square(difference).mean()) < 2


def test_box_is_scaled_with_its_picture() -> None:
    box = Box(16, 0, 48, 64)
    assert scale_box(box, before=(64, 64), after=(256, 128)) == Box(32, 0, 96, 256)
    assert scale_box(box, before=(64, 64), after=(16, 16)) == Box(4, 0, 12, 16)


@pytest.mark.parametrize("box", [Box(31, 0, 32, 64), Box(0, 0, 1, 64), Box(63, 0, 64, 64)])
def test_scaled_box_is_not_empty_and_stays_inside(box: Box) -> None:
    for size in (1, 2, 3, 7, 16):
        left, top, right, bottom = scale_box(box, before=(64, 64), after=(size, size))
        assert 0 <= left < right <= size
        assert 0 <= top < bottom <= size


def test_map_without_channels_can_be_cropped() -> None:
    attention = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert crop(attention, Box(1, 2, 3, 4)).tolist() == [[9, 10], [13, 14]]
