from typing import get_args

import numpy as np
import pytest

from models.images.heatmap import Colormap, colorize, legend, normalize, overlay
from tests.images.drawing import gradient

COLORMAPS: tuple[Colormap, ...] = get_args(Colormap)


def _ramp() -> np.ndarray:
    """Every level once, lowest left."""
    return np.linspace(0, 1, 256, dtype=np.float32)[None]


def test_map_is_scaled_to_its_range() -> None:
    assert normalize(np.array([[-3, 0], [1, 5]], np.float32)).tolist() == [[0, 0.375], [0.5, 1]]


@pytest.mark.parametrize("value", [0.0, 7.5, -1e30])
def test_constant_map_becomes_zeros(value: float) -> None:
    assert not normalize(np.full((4, 4), value, np.float32)).any()


@pytest.mark.parametrize("span", [1e-45, 3e38])
def test_smallest_and_largest_ranges_are_scaled(span: float) -> None:
    stretched = normalize(np.array([[-span, span]], np.float32))
    assert stretched.dtype == np.float32
    assert stretched.tolist() == [[0, 1]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_map_that_is_not_finite_fails_an_assertion(value: float) -> None:
    with pytest.raises(AssertionError):
        normalize(np.array([[0, value]], np.float32))


@pytest.mark.parametrize("values", [[-0.1, 1.0], [0.0, 1.1]])
def test_map_outside_zero_to_one_fails_an_assertion(values: list[float]) -> None:
    with pytest.raises(AssertionError):
        colorize(np.array([values], np.float32), height=2, width=2, colormap="jet")


# As published: first, second, middle and last colour.
@pytest.mark.parametrize(
    ("colormap", "published"),
    [
        ("jet", ["#000080", "#000084", "#82ff7e", "#800000"]),
        ("turbo", ["#30123b", "#321543", "#a4fc3c", "#7a0403"]),
        ("viridis", ["#440154", "#440256", "#21918c", "#fde725"]),
        ("inferno", ["#000004", "#010005", "#bc3754", "#fcffa4"]),
        ("gray", ["#000000", "#010101", "#808080", "#ffffff"]),
    ],
)
def test_colours_are_the_published_ones(colormap: Colormap, published: list[str]) -> None:
    colours = colorize(_ramp(), height=1, width=256, colormap=colormap)[0]
    assert ["#" + bytes(colours[level]).hex() for level in (0, 1, 128, 255)] == published


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_neighbouring_levels_have_similar_colours(colormap: Colormap) -> None:
    colours = colorize(_ramp(), height=1, width=256, colormap=colormap)[0].astype(int)
    assert np.abs(np.diff(colours, axis=0)).max() <= 8


@pytest.mark.parametrize("colormap", ["viridis", "inferno", "gray"])
def test_lightness_of_perceptual_maps_increases_with_the_level(colormap: Colormap) -> None:
    colours = colorize(_ramp(), height=1, width=256, colormap=colormap)[0]
    light = colours @ np.array([0.2126, 0.7152, 0.0722])
    assert np.diff(light).min() > -0.8  # a rounding step
    assert light[-1] - light[0] > 180


def test_values_are_interpolated_and_not_colours() -> None:
    colours = colorize(np.array([[0, 1]], np.float32), height=1, width=64, colormap="jet")[0]
    assert colours[31:33, 1].min() > 240  # green; red and blue mixed have none


def test_interpolation_of_a_peak_does_not_overflow() -> None:
    peak = np.zeros((8, 8), np.float32)
    peak[3:5, 3:5] = 1
    grey = colorize(peak, height=256, width=256, colormap="gray")[..., 0]
    assert grey[128, 128] > 250
    assert grey[0, 0] == 0
    assert np.abs(np.diff(grey.astype(int), axis=1)).max() < 40


def test_mask_keeps_its_absolute_values() -> None:
    half = np.full((4, 4), 0.5, np.float32)
    assert (colorize(half, height=8, width=8, colormap="gray") == 128).all()


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_alpha_zero_is_the_picture_and_alpha_one_the_colours(colormap: Colormap) -> None:
    base, attention = gradient(40, 60), np.random.default_rng(0).random((10, 15), np.float32)
    colours = colorize(attention, height=40, width=60, colormap=colormap)
    assert np.array_equal(overlay(base, attention, colormap=colormap, alpha=0), base)
    assert np.array_equal(overlay(base, attention, colormap=colormap, alpha=1), colours)


@pytest.mark.parametrize("alpha", [0.1, 0.25, 0.5, 0.9])
def test_overlay_is_the_weighted_mean(alpha: float) -> None:
    base, attention = gradient(40, 60), np.random.default_rng(0).random((10, 15), np.float32)
    colours = colorize(attention, height=40, width=60, colormap="turbo").astype(float)
    mean = base * (1 - alpha) + colours * alpha
    assert np.abs(overlay(base, attention, colormap="turbo", alpha=alpha) - mean).max() <= 1.1


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_legend_goes_from_the_lowest_to_the_highest_colour(colormap: Colormap) -> None:
    drawn = legend(colormap, width=256, height=12)
    assert drawn.shape == (12, 256, 3)
    assert np.array_equal(drawn[5:6], colorize(_ramp(), height=1, width=256, colormap=colormap))
    assert np.array_equal(legend(colormap, width=2, height=1)[0], drawn[0, [0, -1]])
