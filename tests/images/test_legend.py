"""The legend below a heat map."""

import numpy as np
import pytest
from PIL import ImageDraw

from models.bundle.declarations import HeatMap, Kind, Range
from models.images.colormaps import table
from models.images.heatmap import Colormap, normalize, value_range
from models.images.legend import add_legend, draw_legend, legend_height, number
from tests.images.drawing import gradient


def declared(kind: Kind, low: float | None = None, high: float | None = None) -> HeatMap:
    return HeatMap(name="map", network="generator", kind=kind, range=Range(low=low, high=high))


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the words that are drawn."""
    drawn: list[str] = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda _self, _at, text, **_: drawn.append(text))
    return drawn


def test_a_relevance_has_its_own_least_and_greatest_values_whatever_is_declared() -> None:
    values = np.array([[-2, 3], [0.5, 1]], np.float32)
    assert value_range(values, declared("relevance", low=-10)) == (-2, 3)


def test_a_mask_has_the_ends_of_its_declared_range() -> None:
    assert value_range(np.full((2, 2), 0.5, np.float32), declared("mask", 0, 1)) == (0, 1)


def test_a_flat_map_has_one_value_and_one_colour(words: list[str]) -> None:
    values = np.full((2, 2), 7, np.float32) + np.array([[0, 1e-6], [0, 0]], np.float32)
    ends = value_range(values, declared("relevance"))
    assert not normalize(values).any()
    strip = np.asarray(draw_legend(ends, "viridis", width=100))
    assert words == ["7"]
    assert {tuple(pixel) for pixel in strip.reshape(-1, 3)} == {tuple(table("viridis")[0]), (255, 255, 255)}


@pytest.mark.parametrize("colormap", ["jet", "gray"])
def test_the_bar_goes_from_the_lowest_colour_to_the_highest(colormap: Colormap) -> None:
    row = np.asarray(draw_legend((1, 2), colormap, width=200))[8]
    assert tuple(row[0]) == tuple(table(colormap)[0])
    assert tuple(row[-1]) == tuple(table(colormap)[255])


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.1, 2.5), ["0.1", "2.5"]),
        ((-1, 3), ["-1", "3", "0"]),
        ((-0.001, 3), ["-0.001", "3"]),  # no room for the 0 beside -0.001
    ],
)
def test_values_at_the_ends_and_zero_between_them_are_written(
    words: list[str], ends: tuple[float, float], expected: list[str]
) -> None:
    draw_legend(ends, "jet", width=256)
    assert words == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (1234.5, "1230"), (-0.012345, "-0.0123"), (1.0, "1"), (1.23456e-7, "1.23e-07")],
)
def test_numbers_have_three_digits(value: float, expected: str) -> None:
    assert number(value) == expected


@pytest.mark.parametrize("width", [1, 40, 128, 1024])
def test_a_legend_is_below_the_whole_picture(width: int) -> None:
    picture = gradient(30, width)
    drawn = add_legend(picture, (-1.5, 1234), "jet")
    left = (drawn.shape[1] - width) // 2
    assert drawn.shape == (30 + legend_height(drawn.shape[1]), max(width, 96), 3)
    assert np.array_equal(drawn[:30, left : left + width], picture)
